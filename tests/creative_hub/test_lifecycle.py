"""The worker side of a generation, step by step, with the clock in the test's hand."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage

from assets import selectors as asset_selectors
from assets import storage
from creative_hub import selectors, wording
from creative_hub.line import Lane
from creative_hub.models import Generation, ProviderJob
from creative_hub.providers.base import ErrorClass, ProviderError
from creative_hub.services import (
    claims,
    delivery,
    lifecycle,
    reconciliation,
    sending,
    storing,
    submission,
)
from credits.models import Entry, Hold
from tests.creative_hub.engine import (
    Clock,
    claim_to_send,
    job_of,
    run_to_the_end,
    send,
    turn,
)
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


def test_a_generation_goes_from_queued_over_processing_to_completed(buyer, clock):
    generation = submit(buyer, num_variants=2, resolution="720p")
    seen = [generation.status]
    for _ in range(4):
        turn(clock)
        clock.advance(1)
        generation.refresh_from_db()
        seen.append(generation.status)
    assert list(dict.fromkeys(seen)) == ["queued", "processing", "completed"]
    assert generation.started_at == NOW
    assert balance_of(buyer) == (934, 0)
    assert reconciliation.findings() == []


def test_every_visible_step_gets_a_higher_revision(buyer, clock):
    generation = submit(buyer, num_variants=2, resolution="720p")
    before = generation.revision
    run_to_the_end(generation, clock)
    # Started, one picture, the other picture with the end.
    assert generation.revision == before + 3
    assert selectors.revision(workspace_id=buyer.workspace_id) == generation.revision


def test_three_of_four_are_charged_as_three(buyer, clock):
    generation = submit(
        buyer,
        prompt="A boat [sandbox:fail=content_refused@3]",
        num_variants=4,
        resolution="720p",
    )
    run_to_the_end(generation, clock)
    assert (generation.status, generation.delivered) == ("completed", 3)
    assert (generation.credits_charged, generation.error_code) == (99, "")
    assert balance_of(buyer) == (901, 0)
    assert Entry.objects.get(kind="charge").amount == -99
    assert job_of(generation, 3).error_code == "content_refused"
    assert reconciliation.findings() == []


def test_none_of_four_is_a_failure_and_costs_nothing(buyer, clock):
    generation = submit(
        buyer, prompt="A boat [sandbox:fail=content_refused]", num_variants=4, resolution="720p"
    )
    run_to_the_end(generation, clock)
    assert (generation.status, generation.credits_charged) == ("failed", 0)
    assert generation.error_message == wording.FAILURES["content_refused"]
    assert balance_of(buyer) == (1000, 0)
    assert not Entry.objects.filter(kind="charge").exists()
    assert reconciliation.findings() == []


TERMINAL = [
    one
    for one in ErrorClass
    if one not in {ErrorClass.RATE_LIMITED, ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS}
]


@pytest.mark.parametrize("error_class", TERMINAL)
@pytest.mark.parametrize("when", ["fail", "fail_later"])
def test_each_terminal_error_ends_with_its_sentence_and_releases(buyer, clock, error_class, when):
    prompt = f"A boat [sandbox:{when}={error_class}][sandbox:delay=0.01]"
    generation = submit(buyer, prompt=prompt)
    run_to_the_end(generation, clock, step_s=10)
    assert generation.error_code == error_class
    assert generation.error_message == wording.FAILURES[error_class]
    assert balance_of(buyer) == (1000, 0)


@pytest.mark.parametrize("error_class", [ErrorClass.RATE_LIMITED, ErrorClass.TRANSIENT])
def test_a_busy_provider_is_waited_for_and_then_given_up_with_the_hold_released(
    buyer, clock, error_class
):
    generation = submit(buyer, prompt=f"A boat [sandbox:fail={error_class}]")
    turn(clock)
    job = job_of(generation)
    assert (job.state, job.waits, job.attempt) == ("waiting", 1, 0)
    assert 2 <= (job.next_action_at - NOW).total_seconds() <= 2.5
    assert balance_of(buyer) == (967, 33)
    waits = 0
    while generation.is_live:
        clock.advance(60)
        turn(clock)
        generation.refresh_from_db()
        waits += 1
        assert waits < 40
    assert clock() - NOW < timedelta(minutes=32)
    assert (generation.status, generation.error_code) == ("failed", error_class)
    assert balance_of(buyer) == (1000, 0)


def test_waiting_jobs_of_a_busy_provider_can_still_be_cancelled(buyer, clock):
    generation = submit(buyer, prompt="A boat [sandbox:fail=rate_limited]")
    turn(clock)
    submission.cancel(generation_id=generation.pk, visible=selectors.visible_to(buyer), now=clock())
    assert balance_of(buyer) == (1000, 0)


def test_a_doubtful_send_is_tried_three_times_and_then_released(buyer, clock):
    generation = submit(buyer, prompt="A boat [sandbox:fail=ambiguous]")
    turn(clock)
    assert (job_of(generation).state, job_of(generation).attempt) == ("submitting", 1)
    run_to_the_end(generation, clock, step_s=6)
    assert generation.error_code == wording.NO_ANSWER
    assert balance_of(buyer) == (1000, 0)


def test_a_doubtful_send_is_looked_for_twice_before_it_is_sent_again(buyer, clock):
    generation = submit(buyer, prompt="A boat [sandbox:fail=ambiguous]")
    seen = []
    for _ in range(4):
        turn(clock)
        job = job_of(generation)
        seen.append((job.attempt, job.looks))
        clock.advance(6)
    assert seen == [(1, 0), (1, 1), (2, 0), (2, 1)]


def test_a_job_whose_worker_keeps_dying_is_given_up_after_three(buyer, clock):
    generation = submit(buyer)
    job = job_of(generation)
    for _ in range(3):
        assert claim_to_send(job, now=clock(), lease_s=10) is not None
        clock.advance(11)
    run_to_the_end(generation, clock)
    assert (generation.status, generation.error_code) == ("failed", "interrupted")
    assert balance_of(buyer) == (1000, 0)
    assert reconciliation.findings() == []


def test_a_result_whose_worker_keeps_dying_is_given_up_after_three(buyer, clock):
    generation = submit(buyer)
    send(generation, clock)
    for _ in range(3):
        job = claims.claim_storing(slots=9, lease_s=lambda _: 10, now=clock())
        assert job is not None
        clock.advance(11)
    storing.store_next(clock=clock)
    generation.refresh_from_db()
    assert (generation.status, generation.error_code) == ("failed", "interrupted")
    assert balance_of(buyer) == (1000, 0)


def test_a_leased_job_is_nobody_elses(buyer, clock):
    job = job_of(submit(buyer))
    assert claim_to_send(job, now=clock(), lease_s=10) is not None
    assert claim_to_send(job, now=clock(), lease_s=10) is None
    clock.advance(11)
    assert claim_to_send(job, now=clock(), lease_s=10) is not None


def test_a_tick_writes_nothing_so_rings_never_pile_up(buyer, clock):
    submit(buyer, num_variants=2)
    for _ in range(2):
        assert lifecycle.due(now=clock()).to_send == {LANE: 2}
    assert set(ProviderJob.objects.values_list("next_action_at", flat=True)) == {NOW}


@pytest.fixture
def broken_store(settings):
    working = settings.STORAGES

    def mend():
        settings.STORAGES = working

    settings.STORAGES = {
        **working,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": "/dev/null/nowhere"},
        },
    }
    return mend


def test_a_store_that_is_down_for_minutes_costs_no_picture(buyer, clock, broken_store):
    generation = submit(buyer)
    for _ in range(8):
        turn(clock)
        clock.advance(61)
    assert (job_of(generation).state, job_of(generation).attempt) == ("fetching", 0)
    assert balance_of(buyer) == (967, 33)
    broken_store()
    run_to_the_end(generation, clock, step_s=61)
    assert (generation.status, generation.credits_charged) == ("completed", 33)


def test_a_store_that_stays_down_for_half_a_day_costs_the_buyer_nothing(buyer, clock, broken_store):
    generation = submit(buyer)
    run_to_the_end(generation, clock, turns=40, step_s=1801)
    assert (generation.status, generation.error_code) == ("failed", wording.NOT_STORED)
    assert timedelta(hours=12) <= clock() - NOW < timedelta(hours=13)
    assert balance_of(buyer) == (1000, 0)


def test_a_job_that_waited_out_an_outage_of_ours_is_not_sent_any_more(buyer, clock):
    generation = submit(buyer)
    clock.advance(24 * 3600 + 1)
    run_to_the_end(generation, clock)
    assert (generation.status, generation.error_code) == ("failed", wording.NOT_STARTED)
    assert job_of(generation).upstream_id == ""
    assert balance_of(buyer) == (1000, 0)


def test_the_time_a_job_waited_is_not_taken_from_its_run(buyer, clock):
    submit(buyer, prompt="A boat [sandbox:delay=600]")
    clock.advance(29 * 60)
    turn(clock)
    job = ProviderJob.objects.get()
    assert job.state == "running"
    assert job.deadline_at == clock() + timedelta(minutes=30)


def test_questions_that_keep_killing_their_worker_leave_the_job_to_a_person(buyer, clock):
    generation = submit(buyer, prompt="A boat [sandbox:delay=600]")
    turn(clock)
    for _ in range(3):
        clock.advance(61)
        claimed = claims.claim_asking(LANE, limit=9, lease_s=60, ahead_s=0, now=clock())
        assert len(claimed) == 1
    clock.advance(61)
    turn(clock)
    assert job_of(generation).state == "unknown"
    assert balance_of(buyer) == (967, 33)


@pytest.mark.parametrize(
    ("stated_s", "least_s", "most_s"), [(0, 1, 1.25), (7, 7, 8.75), (86_400, 300, 375)]
)
def test_a_stated_delay_is_obeyed_within_bounds(stated_s, least_s, most_s):
    error = ProviderError(ErrorClass.RATE_LIMITED, retry_after_s=stated_s)
    job = ProviderJob(waits=5000)
    assert least_s <= sending._wait_s(job, error) <= most_s


def test_the_backoff_has_an_end_however_often_we_waited():
    error = ProviderError(ErrorClass.RATE_LIMITED)
    assert sending._wait_s(ProviderJob(waits=30_000), error) <= 75


def test_only_so_many_jobs_are_sent_at_once_and_the_rest_come_after(buyer, clock):
    submit(buyer, num_variants=4)
    few = claims.Room(upstream=100, sending=2, sending_in_lane=100)

    def take():
        return claims.claim_sending(
            LANE, room=few, lease_s=60, try_for=timedelta(minutes=30), now=clock()
        )

    taken = [take() for _ in range(4)]
    assert [one is not None for one in taken] == [True, True, False, False]
    third = ProviderJob.objects.order_by("pk")[2]
    assert (third.state, third.attempt) == ("waiting", 0)
    assert taken[0] is not None
    claims.advance(taken[0].job, state="running", next_action_at=clock())
    assert take() is not None


def test_a_month_that_ends_while_a_job_runs_keeps_the_job(db, clock):
    buyer = make_member(credits=1000, timezone="Asia/Tokyo")
    clock.now = NOW.replace(month=7, day=31, hour=14, minute=59, second=55)
    generation = submit(buyer, now=clock(), resolution="720p")
    clock.advance(10)
    run_to_the_end(generation, clock)
    assert Hold.objects.get().month.month == 7
    assert reconciliation.findings() == []


def test_reconcile_finds_a_generation_that_its_hold_contradicts(buyer, clock):
    generation = submit(buyer, resolution="720p")
    run_to_the_end(generation, clock)
    Generation.objects.filter(pk=generation.pk).update(
        num_variants=2, credits_estimated=66, delivered=2, credits_charged=66
    )
    found = " ".join(reconciliation.findings())
    assert "with 66 charged, its hold is settled with 33 charged" in found
    assert "of its 2 variants 1 are done" in found


def test_reconcile_finds_a_picture_that_is_gone(buyer, clock):
    generation = submit(buyer, resolution="720p")
    run_to_the_end(generation, clock)
    asset_id = job_of(generation).asset_id
    asset = asset_selectors.by_ids([asset_id])[asset_id]
    default_storage.delete(storage.original_name(folder=asset.folder, extension=asset.extension))
    assert reconciliation.findings() == [f"Asset {asset_id}: its files are missing or changed"]


def test_the_failure_sentences_cover_every_error_class():
    assert set(ErrorClass) <= set(wording.FAILURES)


@pytest.mark.parametrize(
    ("prompt", "stem"),
    [
        ("Desert highway", "desert-highway-4x5-v2"),
        (
            "Sneaker floating over salt flats at dawn, long shadow",
            "sneaker-floating-over-salt-flats-at-dawn-long-4x5-v2",
        ),
        ("x" * 90, "x" * 48 + "-4x5-v2"),
        ("夜明けの海", "4x5-v2"),
        ("../../etc/passwd", "etcpasswd-4x5-v2"),
    ],
)
def test_a_download_is_named_after_whole_words_of_its_prompt(prompt, stem):
    generation = Generation(prompt=prompt, aspect_ratio="4:5")
    assert delivery.stem(generation, variant=2) == stem
