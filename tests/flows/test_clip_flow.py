"""Clips of all providers through real worker and beat processes, killed where it hurts most."""

from datetime import timedelta

import pytest

from creative_hub.models import ProviderJob
from credits.models import Entry
from tests.creative_hub.engine import turn
from tests.factories import balance_of, make_member
from tests.flows.processes import (
    let_questions_come_due,
    let_time_pass,
    provider_environment,
    running_stack,
    wait_until,
)
from tests.flows.steps import (
    COSTS,
    KLING,
    SEEDANCE,
    VEO,
    assert_delivered,
    assert_failed,
    ended,
    order_clip,
    ratio_of,
    run_clip,
    start_frame,
    states,
)

# Longer than any lease, and than anything that has to settle at a provider.
LONG = timedelta(minutes=15)


def in_state(generation, state, *, is_leased=None):
    jobs = ProviderJob.objects.filter(generation=generation, state=state)
    if is_leased is not None:
        jobs = jobs.filter(lease_until__isnull=not is_leased)
    return jobs.exists


def all_ended(generations):
    return lambda: all(ended(one)() for one in generations)


@pytest.fixture
def rich(flow):
    return make_member(credits=10_000)


def test_clips_with_and_without_a_start_frame_are_made_measured_and_paid_for(
    rich, kling, vertex, bucket, ark
):
    frame_id = start_frame(rich)
    plain = [order_clip(rich, one) for one in COSTS]
    framed = [order_clip(rich, one, aspect_ratio="9:16", start_frame_id=frame_id) for one in COSTS]
    spent = 2 * (385 + 1760 + 540)
    assert balance_of(rich) == (10_000 - spent, spent)
    with running_stack(**provider_environment()):
        wait_until(
            lambda: not ProviderJob.objects.filter(state__in=["waiting", "submitting"]).exists(),
            what="all are sent",
        )
        let_questions_come_due()
        wait_until(all_ended(plain + framed), what="all six end")
    for generation in plain + framed:
        assert_delivered(generation, buyer=rich, left=10_000 - spent)
    assert Entry.objects.filter(kind="charge").count() == 6
    pictures = [
        *(made.body["image"] for made in kling.made if "image" in made.body),
        *(
            made.body["instances"][0]["image"]["bytesBase64Encoded"]
            for made in vertex.made
            if "image" in made.body["instances"][0]
        ),
        *(
            part["image_url"]["url"]
            for create in ark.creates
            for part in create.body["content"]
            if part["type"] == "image_url"
        ),
    ]
    # The start frame is 4:3; each provider got its middle, as wide and high as the clip.
    assert [round(ratio_of(one), 2) for one in pictures] == [0.56] * 3
    assert len(kling.made) == len(vertex.made) == len(ark.creates) == 2


def test_a_worker_killed_before_it_saved_the_ids_finds_its_clips_again(
    rich, kling, vertex, bucket, ark
):
    kling.cause("hang_after", seconds=120)
    vertex.cause("hang_after", seconds=120)
    ark.cause("hang_after", where="create", seconds=120)
    generations = [order_clip(rich, one) for one in COSTS]
    with running_stack(**provider_environment()) as stack:
        wait_until(lambda: kling.made and vertex.made and ark.tasks, what="all are accepted")
        assert [states(one) for one in generations] == [["submitting"]] * 3
        stack.kill_worker()
        let_time_pass(LONG)
        stack.start_worker()
        wait_until(
            lambda: not ProviderJob.objects.filter(state="submitting").exists(),
            what="all are found",
        )
        let_questions_come_due()
        wait_until(all_ended(generations), what="all three end")
    for generation in generations:
        assert_delivered(generation, buyer=rich, left=10_000 - 2685)
    assert (len(kling.made), len(vertex.made), len(ark.creates)) == (1, 1, 1)
    assert Entry.objects.filter(kind="charge").count() == 3


def test_a_seedance_clip_whose_identifier_no_list_shows_is_found_by_asking_for_each(
    rich, ark, clock
):
    ark.echoes_identifier_in_lists = False
    another = ark.put_task(identifier="of-another-order")
    ark.cause("hang_after", where="create", seconds=120)
    generation = order_clip(rich, SEEDANCE)
    with running_stack(**provider_environment()) as stack:
        wait_until(lambda: len(ark.tasks) == 2, what="it is accepted")
        stack.kill_worker()
    clock.advance(LONG.total_seconds())
    run_clip(generation, clock)
    assert_delivered(generation, buyer=rich, left=9460)
    assert generation.jobs.get().upstream_id != another.id
    assert len(ark.creates) == 1
    assert Entry.objects.filter(kind="charge").count() == 1


def test_clips_that_cannot_be_looked_up_keep_their_hold_and_are_never_sent_twice(
    rich, vertex, ark, clock
):
    ark.echoes_identifier = ark.echoes_identifier_in_lists = False
    ark.cause("hang_after", where="create", seconds=120)
    vertex.cause("hang_after", seconds=120)
    generations = [order_clip(rich, VEO), order_clip(rich, SEEDANCE)]
    with running_stack(**provider_environment()) as stack:
        wait_until(lambda: vertex.made and ark.tasks, what="both are accepted")
        stack.kill_worker()
    clock.advance(LONG.total_seconds())
    for _ in range(4):
        turn(clock)
        clock.advance(5)
    assert [states(one) for one in generations] == [["unknown"]] * 2
    assert balance_of(rich) == (7700, 2300)
    for _ in range(24):
        turn(clock)
        clock.advance(3600 - 1)
    assert [states(one) for one in generations] == [["unknown"]] * 2
    for _ in range(2):
        clock.advance(300)
        turn(clock)
    for generation in generations:
        assert_failed(generation, "undecided", buyer=rich)
    assert (len(vertex.made), len(ark.creates)) == (1, 1)


def test_a_worker_killed_while_one_clip_runs_and_another_is_stored_costs_nothing_but_time(
    rich, kling, ark
):
    kling.set(render_s=3600)
    ark.cause("result_hang", where="create", seconds=120)
    running, storing = order_clip(rich, KLING), order_clip(rich, SEEDANCE)
    with running_stack(**provider_environment()) as stack:
        wait_until(in_state(running, "running", is_leased=False), what="one runs")
        wait_until(in_state(storing, "fetching", is_leased=True), what="the other is stored")
        stack.kill_worker()
        kling.set(render_s=0)
        ark.heal_results()
        let_time_pass(LONG)
        stack.start_worker()
        wait_until(all_ended([running, storing]), what="both end")
    assert_delivered(running, buyer=rich, left=10_000 - 925)
    assert_delivered(storing, buyer=rich, left=10_000 - 925)
    assert (len(kling.made), len(ark.creates)) == (1, 1)
    assert Entry.objects.filter(kind="charge").count() == 2
