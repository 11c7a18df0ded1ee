"""The web side of a generation: what is held, what is refused, what is repeated."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from creative_hub import selectors
from creative_hub.models import Generation, ProviderJob, Status
from creative_hub.services import quoting, submission
from creative_hub.services.orders import Sale
from credits.models import Hold, Price
from tests.creative_hub.factories import order, submit, submit_clip
from tests.factories import NOW, balance_of, make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db


def test_a_submit_holds_the_price_and_queues_one_job_per_variant():
    buyer = make_member(credits=25_000)
    generation = submit(buyer, num_variants=4, aspect_ratio="4:5", resolution="1080p")
    assert balance_of(buyer) == (24_868, 132)
    assert generation.status == Status.QUEUED
    assert (generation.width, generation.height) == (1080, 1350)
    assert (generation.credits_estimated, generation.unit_credits) == (132, 33)
    jobs = ProviderJob.objects.filter(generation=generation).order_by("variant")
    assert [(job.variant, job.state) for job in jobs] == [
        (1, "waiting"),
        (2, "waiting"),
        (3, "waiting"),
        (4, "waiting"),
    ]


def test_a_quote_tells_price_balance_after_and_changes_nothing():
    buyer = make_member(credits=100)
    quote = quoting.quote(member=buyer, sale=Sale(item="image", num_variants=2), now=NOW)
    assert (quote.credits, quote.cost_cents, quote.available_after) == (66, 7, 34)
    assert quote.refusal is None
    dearer = quoting.quote(member=buyer, sale=Sale(item="image", num_variants=4), now=NOW)
    assert dearer.refusal is not None
    assert dearer.refusal.sentence == "Insufficient credits"
    assert balance_of(buyer) == (100, 0)


def test_a_repeated_key_returns_the_first_generation_and_holds_once():
    buyer = make_member(credits=1000)
    first = submit(buyer, key="k")
    again = submit(buyer, key="k")
    assert again.pk == first.pk
    assert balance_of(buyer) == (967, 33)


def test_a_key_used_for_another_order_orders_nothing():
    buyer = make_member(credits=1000)
    submit(buyer, key="k")
    with pytest.raises(submission.SubmissionKeyReused):
        submit(buyer, key="k", num_variants=2)
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 33)


def test_two_members_may_use_the_same_key():
    buyer = make_member(credits=1000)
    colleague = make_member(workspace_id=buyer.workspace_id)
    assert submit(buyer, key="k").pk != submit(colleague, key="k").pk
    assert balance_of(buyer) == (934, 66)


def test_a_refused_submit_leaves_no_generation_no_job_and_no_hold():
    buyer = make_member(credits=32)
    with pytest.raises(submission.CreditsRefused):
        submit(buyer)
    assert not Generation.objects.exists()
    assert not ProviderJob.objects.exists()
    assert not Hold.objects.exists()
    assert balance_of(buyer) == (32, 0)
    assert selectors.revision(workspace_id=buyer.workspace_id) == 0


def test_a_refused_key_may_be_used_again_once_there_is_credit():
    buyer = make_member(credits=33)
    first = submit(buyer, key="a")
    with pytest.raises(submission.CreditsRefused):
        submit(buyer, key="b")
    submission.cancel(generation_id=first.pk, visible=selectors.visible_to(buyer), now=NOW)
    assert submit(buyer, key="b").status == Status.QUEUED


def test_without_a_key_or_the_sandbox_nothing_can_be_ordered(settings):
    settings.SANDBOX = False
    settings.ARK_API_KEY = ""
    buyer = make_member(credits=1000)
    with pytest.raises(submission.ProviderUnavailable, match="not set up here yet"):
        submit(buyer)
    assert balance_of(buyer) == (1000, 0)


def test_the_price_of_the_day_is_frozen_on_the_job():
    buyer = make_member(credits=1000)
    tomorrow = NOW + timedelta(days=1)
    Price.objects.create(
        item="image", unit="image", list_price_usd="0.05", effective_from=tomorrow.date()
    )
    today = submit(buyer)
    later = submit(buyer, now=tomorrow)
    assert (today.unit_credits, later.unit_credits) == (33, 55)
    assert balance_of(buyer) == (1000 - 33 - 55, 88)


def test_cancelling_before_it_starts_releases_everything():
    buyer = make_member(credits=1000)
    generation = submit(buyer, num_variants=3)
    cancelled = submission.cancel(
        generation_id=generation.pk, visible=selectors.visible_to(buyer), now=NOW
    )
    assert (cancelled.status, cancelled.error_code) == ("failed", "cancelled")
    assert cancelled.credits_charged == 0
    assert balance_of(buyer) == (1000, 0)
    assert set(generation.jobs.values_list("state", "next_action_at")) == {("failed", None)}


def test_cancelling_twice_is_once():
    buyer = make_member(credits=1000)
    generation = submit(buyer)
    visible = selectors.visible_to(buyer)
    submission.cancel(generation_id=generation.pk, visible=visible, now=NOW)
    submission.cancel(generation_id=generation.pk, visible=visible, now=NOW)
    assert balance_of(buyer) == (1000, 0)


def test_a_job_that_a_worker_has_taken_cannot_be_cancelled():
    buyer = make_member(credits=1000)
    generation = submit(buyer, num_variants=2)
    ProviderJob.objects.filter(variant=2).update(state="submitting")
    with pytest.raises(submission.NotCancellable):
        submission.cancel(generation_id=generation.pk, visible=selectors.visible_to(buyer), now=NOW)
    assert set(generation.jobs.values_list("state", flat=True)) == {"waiting", "submitting"}
    assert balance_of(buyer) == (934, 66)


def test_a_colleague_without_the_right_cannot_cancel_or_remove():
    buyer = make_member(credits=1000)
    colleague = make_member(workspace_id=buyer.workspace_id)
    generation = submit(buyer)
    visible = selectors.visible_to(colleague)
    with pytest.raises(Generation.DoesNotExist):
        submission.cancel(generation_id=generation.pk, visible=visible, now=NOW)
    with pytest.raises(Generation.DoesNotExist):
        submission.set_removed(
            generation_id=generation.pk,
            membership_id=colleague.membership_id,
            visible=visible,
            removed_at=NOW,
        )
    generation.refresh_from_db()
    assert generation.status == Status.QUEUED


def test_a_running_card_cannot_be_removed():
    buyer = make_member(credits=1000)
    generation = submit(buyer)
    with pytest.raises(Generation.DoesNotExist):
        submission.set_removed(
            generation_id=generation.pk,
            membership_id=buyer.membership_id,
            visible=selectors.visible_to(buyer),
            removed_at=NOW,
        )


def test_a_submit_locks_the_account_before_it_writes():
    buyer = make_member(credits=1000)
    with CaptureQueriesContext(connection) as captured:
        submit(buyer)
    statements = [query["sql"] for query in captured]
    locked = next(n for n, sql in enumerate(statements) if "FOR NO KEY UPDATE" in sql)
    written = next(n for n, sql in enumerate(statements) if "INSERT INTO" in sql)
    assert locked < written


def test_the_same_order_has_the_same_digest_and_another_one_has_not():
    assert order().digest == order().digest
    assert order().digest != order(num_variants=2).digest


def test_an_owner_may_cancel_a_members_job_and_not_take_the_card_off_their_page():
    buyer = make_member(credits=1000)
    owner = make_member(role=Role.OWNER, workspace_id=buyer.workspace_id)
    generation = submit(buyer)
    visible = selectors.visible_to(owner)
    submission.cancel(generation_id=generation.pk, visible=visible, now=NOW)
    assert balance_of(buyer) == (1000, 0)
    with pytest.raises(Generation.DoesNotExist):
        submission.set_removed(
            generation_id=generation.pk,
            membership_id=owner.membership_id,
            visible=visible,
            removed_at=NOW,
        )


def test_a_job_that_waits_after_a_send_of_unknown_outcome_cannot_be_cancelled():
    buyer = make_member(credits=1000)
    generation = submit(buyer)
    ProviderJob.objects.update(attempt=1, waits=1)
    with pytest.raises(submission.NotCancellable):
        submission.cancel(generation_id=generation.pk, visible=selectors.visible_to(buyer), now=NOW)
    assert balance_of(buyer) == (967, 33)


def test_a_quote_tells_what_the_tighter_cap_leaves_when_that_is_less_than_the_balance():
    buyer = make_member(credits=1000, cap=100)
    quote = quoting.quote(member=buyer, sale=Sale(item="image", num_variants=2), now=NOW)
    assert (quote.available_after, quote.cap_left, quote.cap_after) == (934, 100, 34)
    free = make_member(credits=1000)
    quote = quoting.quote(member=free, sale=Sale(item="image"), now=NOW)
    assert (quote.cap_left, quote.cap_after) == (None, None)
    roomy = make_member(credits=1000, cap=5000)
    quote = quoting.quote(member=roomy, sale=Sale(item="image"), now=NOW)
    assert (quote.cap_left, quote.cap_after) == (5000, None)


def test_a_provider_without_a_price_takes_no_order_and_says_so():
    buyer = make_member(credits=25_000)
    Price.objects.filter(item="kling_2_6").delete()
    with pytest.raises(submission.ProviderUnavailable, match=r"Kling 2\.6 has no price here yet"):
        submit_clip(buyer)
    assert balance_of(buyer) == (25_000, 0)
