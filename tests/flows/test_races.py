"""What happens at the same moment: submits, finishers, workers."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from creative_hub import registry, selectors
from creative_hub.models import Generation, ProviderJob
from creative_hub.services import claims, delivery, endings, lifecycle, submission
from credits import services as credit_services
from credits.models import Entry, Hold
from tests.creative_hub.engine import claim_to_send, send
from tests.creative_hub.factories import submit
from tests.factories import NOW, balance_of, make_member

TOGETHER = 100


def all_at_once(calls):
    """Run the calls on threads that start together; their results, exceptions included."""
    barrier = threading.Barrier(len(calls))

    def one(call):
        try:
            connection.ensure_connection()
            barrier.wait(30)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_a_hundred_parallel_submits_with_credit_for_ten_are_ten(flow):
    buyer = make_member(credits=10 * 33)
    results = all_at_once([lambda: submit(buyer)] * TOGETHER)
    assert Counter(type(one).__name__ for one in results) == {
        "Generation": 10,
        "InsufficientCredits": 90,
    }
    assert balance_of(buyer) == (0, 330)
    assert Generation.objects.count() == Hold.objects.count() == 10


def test_a_hundred_parallel_submits_of_two_members_stop_at_both_caps(flow):
    buyer = make_member(credits=100_000, cap=4 * 33)
    colleague = make_member(workspace_id=buyer.workspace_id, cap=50 * 33)
    credit_services.set_workspace_cap(workspace_id=buyer.workspace_id, cap=10 * 33)
    calls = [lambda: submit(buyer), lambda: submit(colleague)] * (TOGETHER // 2)
    results = all_at_once(calls)
    made = [one for one in results if isinstance(one, Generation)]
    assert len(made) == 10
    assert sum(one.membership_id == buyer.membership_id for one in made) <= 4
    assert balance_of(buyer) == (100_000 - 330, 330)


def test_a_double_click_is_one_job_and_one_hold(flow):
    buyer = make_member(credits=1000)
    results = all_at_once([lambda: submit(buyer, key="one press")] * 8)
    assert len({one.pk for one in results}) == 1
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 33)


@pytest.fixture
def finished_job(flow):
    """A job whose picture is stored and whose end is not yet written."""
    buyer = make_member(credits=1000)
    generation = submit(buyer)
    job = ProviderJob.objects.get()
    send(generation)
    job.refresh_from_db()
    return buyer, job


def test_two_finishers_of_one_job_charge_once(finished_job):
    buyer, job = finished_job
    asset_id = stored_asset(job)
    results = all_at_once([lambda: endings.complete_job(job, asset_id=asset_id, now=NOW)] * 2)
    assert sorted(results) == [False, True]
    assert Entry.objects.filter(kind="charge").count() == 1
    assert balance_of(buyer) == (967, 0)


def test_a_worker_that_lost_its_lease_changes_nothing(finished_job):
    buyer, job = finished_job
    stale = ProviderJob.objects.select_related("generation").get(pk=job.pk)
    ProviderJob.objects.filter(pk=job.pk).update(fence=job.fence + 1)
    assert endings.fail_job(stale, code="interrupted", now=NOW) is False
    assert claims.advance(stale, state="waiting", next_action_at=NOW) is False
    job.refresh_from_db()
    assert job.state != "failed"
    assert balance_of(buyer) == (967, 33)


def test_a_job_that_another_worker_is_claiming_is_skipped_not_waited_for(flow):
    buyer = make_member(credits=1000)
    submit(buyer)
    job = ProviderJob.objects.get()
    taken, done = threading.Event(), threading.Event()

    def other_worker():
        with transaction.atomic():
            ProviderJob.objects.select_for_update().get(pk=job.pk)
            taken.set()
            done.wait(10)
        connection.close()

    thread = threading.Thread(target=other_worker)
    thread.start()
    assert taken.wait(10)
    try:
        claim = claim_to_send(job)
    finally:
        done.set()
        thread.join()
    assert claim is None


def test_a_cancel_and_a_claim_at_once_never_both_win(flow):
    buyer = make_member(credits=100_000)
    for _ in range(10):
        cancelled, claimed = all_at_once(_cancel_and_claim(submit(buyer), buyer))
        assert isinstance(cancelled, Generation) != isinstance(claimed, claims.Claim)


def _cancel_and_claim(generation, buyer):
    job = generation.jobs.get()
    visible = selectors.visible_to(buyer)
    return [
        lambda: submission.cancel(generation_id=generation.pk, visible=visible, now=NOW),
        lambda: claim_to_send(job),
    ]


def stored_asset(job):
    adapter = registry.adapter(provider=job.provider, is_sandbox=True)
    job = ProviderJob.objects.select_related("generation").get(pk=job.pk)
    return delivery.deliver(job, adapter=adapter, order=lifecycle.order_of(job), now=NOW)
