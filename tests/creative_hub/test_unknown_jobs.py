"""Jobs of which nobody knows what became, and the clocks that stop the others."""

from datetime import timedelta

import pytest

from creative_hub import cards, wording
from creative_hub.line import Lane
from creative_hub.models import Generation, ProviderJob
from creative_hub.services import claims, endings, reconciliation
from tests.creative_hub.engine import Clock, claim_to_send, job_of, run_to_the_end, send, turn
from tests.creative_hub.factories import submit
from tests.factories import NOW, balance_of, make_member

pytestmark = pytest.mark.django_db
LANE = Lane("seedream_4_0", True)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def buyer(db):
    return make_member(credits=1000)


@pytest.fixture
def overdue(buyer, clock):
    """A job that has run for longer than it may, and still runs."""
    generation = submit(buyer, prompt="A boat [sandbox:delay=600]")
    turn(clock)
    ProviderJob.objects.update(deadline_at=clock() + timedelta(seconds=5))
    clock.advance(12)
    turn(clock)
    return generation


def test_a_job_that_runs_past_its_deadline_keeps_its_hold_and_is_asked_about(buyer, overdue):
    job = job_of(overdue)
    assert (job.state, job.raw_message) == ("unknown", "No result before the deadline.")
    assert job.next_action_at == NOW + timedelta(seconds=12, minutes=5)
    overdue.refresh_from_db()
    assert overdue.status == "processing"
    assert balance_of(buyer) == (967, 33)
    [card] = cards.cards(generations=[overdue], member=buyer, now=NOW)
    assert card.note.startswith("Checking with the provider.")


def test_a_job_nobody_knew_of_is_paid_for_when_it_comes_after_all(buyer, clock, overdue):
    ProviderJob.objects.update(upstream_id="sandbox:0:ready")
    run_to_the_end(overdue, clock, step_s=301)
    assert (overdue.status, overdue.credits_charged) == ("completed", 33)
    assert reconciliation.findings() == []


def test_a_job_of_which_nothing_is_heard_for_a_day_costs_the_buyer_nothing(buyer, clock, overdue):
    Generation.objects.update(prompt="A boat [sandbox:delay=600]")
    ProviderJob.objects.update(upstream_id="sandbox:99999999999999:x")
    run_to_the_end(overdue, clock, turns=400, step_s=301)
    assert (overdue.status, overdue.error_code) == ("failed", wording.UNDECIDED)
    assert timedelta(hours=24) < clock() - NOW < timedelta(hours=24, minutes=12)
    assert balance_of(buyer) == (1000, 0)


def test_a_job_found_to_be_absent_after_all_goes_through_the_line_again(buyer, clock):
    generation = submit(buyer, prompt="A boat [sandbox:delay=600]")
    lost = {"state": "unknown", "sent_at": NOW, "deadline_at": NOW + timedelta(hours=24)}
    ProviderJob.objects.update(**lost, looks=1, next_action_at=clock())
    before = generation.revision
    assert send(generation, clock) is True
    job = job_of(generation)
    assert (job.state, job.sent_at, job.upstream_id) == ("waiting", None, "")
    assert Generation.objects.get().revision > before


def test_what_was_last_known_of_an_unknown_job_stays_on_it_when_it_is_given_up(buyer, overdue):
    job = ProviderJob.objects.select_related("generation").get()
    assert endings.fail_job(job, code=wording.UNDECIDED, now=NOW) is True
    assert job_of(overdue).raw_message == "No result before the deadline."


def test_a_silent_provider_is_asked_no_more_than_two_questions_at_once(buyer, clock):
    for _ in range(3):
        submit(buyer, prompt="A boat [sandbox:delay=600]", resolution="720p")
    for _ in range(3):
        turn(clock)
    asked = []
    for _ in range(3):
        ProviderJob.objects.filter(lease_until__isnull=True).update(next_action_at=clock())
        one = claims.claim_asking(LANE, limit=1, lease_s=60, ahead_s=0, now=clock())
        asked.append(len(one))
        clock.advance(1)
    assert asked == [1, 1, 0]


def test_the_half_hour_of_a_turn_runs_even_if_its_worker_died_at_once(buyer, clock):
    job = job_of(submit(buyer))
    assert job.deadline_at == NOW + timedelta(hours=24)
    assert claim_to_send(job, now=clock()) is not None
    job.refresh_from_db()
    assert job.deadline_at == NOW + timedelta(minutes=30)
