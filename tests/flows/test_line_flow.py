"""Lines before providers, and providers that the operator switches."""

import pytest

from creative_hub.models import Generation, ProviderSwitch
from creative_hub.services import submission
from tests.creative_hub.engine import job_of, turn
from tests.factories import balance_of, make_member
from tests.flows.steps import (
    KLING,
    SEEDANCE,
    assert_delivered,
    assert_failed,
    order_clip,
    run_clip,
    states,
)


def set_switch(provider, **values):
    ProviderSwitch.objects.filter(pk=provider).update(**values)


# --- whose turn it is ---


def finish_oldest(kling):
    """Let the task at Kling that has run longest end."""
    begun = [task for task in kling.page("text2video", number=1, size=500) if task.created_at]
    begun[-1].created_at = 0.0


@pytest.fixture
def full(kling, buyer, clock):
    """Kling with two places, both taken by a member who has ordered eight clips."""
    set_switch(KLING, slots=2)
    kling.set(slots=2, render_s=3600)
    orders = [order_clip(buyer, KLING, prompt=f"Mine, number {n}") for n in range(1, 9)]
    turn(clock)
    assert len(kling.made) == 2
    return orders


def sent(kling):
    return [request.body["prompt"] for request in kling.made]


def ask(clock):
    """Ask about what runs, however long it usually takes, and send what there is room for."""
    for _ in range(3):
        clock.advance(10)
        turn(clock)


def test_members_take_turns_and_no_more_are_sent_than_there_are_places(kling, full, buyer, clock):
    other = make_member(credits=1000)
    theirs = order_clip(other, KLING, prompt="Theirs")
    ask(clock)
    assert sent(kling) == ["Mine, number 1", "Mine, number 2"]
    finish_oldest(kling)
    ask(clock)
    # The one clip of the other member comes before six that were ordered earlier.
    assert sent(kling)[2:] == ["Theirs"]
    for _ in range(8):
        finish_oldest(kling)
        ask(clock)
    assert sent(kling)[3:] == [f"Mine, number {n}" for n in range(3, 9)]
    # 1303 would have been the answer to one too many.
    assert [one.status for one in kling.asked("POST")] == [200] * 9
    for generation in full:
        assert_delivered(generation, buyer=buyer, left=10_000 - 8 * 385)
    assert_delivered(theirs, buyer=other, left=615)


def test_two_members_who_order_many_are_served_by_turns(kling, full, buyer, clock):
    other = make_member(credits=5000)
    for n in range(1, 4):
        order_clip(other, KLING, prompt=f"Theirs, number {n}")
    for _ in range(6):
        finish_oldest(kling)
        ask(clock)
    owners = [prompt.split(",")[0] for prompt in sent(kling)]
    assert owners == ["Mine", *["Mine", "Theirs"] * 3, "Mine"]


def test_clips_of_one_provider_do_not_wait_for_another(kling, ark, full, buyer, clock):
    generation = order_clip(buyer, SEEDANCE)
    run_clip(generation, clock)
    assert generation.status == "completed"
    assert len(kling.made) == 2


# --- what the operator switches ---


@pytest.fixture
def one_place(kling, buyer, clock):
    """A clip that runs at Kling and two that wait for its place."""
    set_switch(KLING, slots=1)
    kling.set(render_s=3600)
    orders = [order_clip(buyer, KLING) for _ in range(3)]
    turn(clock)
    assert [states(one) for one in orders] == [["running"], ["waiting"], ["waiting"]]
    return orders


@pytest.mark.parametrize("mode", ["draining", "closed"])
def test_a_provider_that_is_not_open_takes_no_orders(kling, buyer, mode):
    set_switch(KLING, mode=mode)
    with pytest.raises(submission.ProviderUnavailable, match="takes no new orders right now"):
        order_clip(buyer, KLING)
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (10_000, 0)


def test_what_was_ordered_before_a_provider_drains_is_finished(kling, one_place, buyer, clock):
    set_switch(KLING, mode="draining")
    for _ in range(3):
        finish_oldest(kling)
        ask(clock)
    for generation in one_place:
        assert_delivered(generation, buyer=buyer, left=10_000 - 3 * 385)
    assert len(kling.made) == 3


def test_a_closed_provider_gives_up_what_waits_and_delivers_what_runs(
    kling, one_place, buyer, clock
):
    running, *waiting = one_place
    set_switch(KLING, mode="closed")
    turn(clock)
    for generation in waiting:
        generation.refresh_from_db()
        assert (generation.status, generation.error_code) == ("failed", "switched_off")
    assert balance_of(buyer) == (9615, 385)
    finish_oldest(kling)
    ask(clock)
    assert_delivered(running, buyer=buyer, left=9615)
    assert len(kling.made) == 1


def test_a_closed_provider_gets_nothing_again_that_it_has_not_taken(kling, buyer, clock):
    kling.cause("drop_before")
    generation = order_clip(buyer, KLING)
    turn(clock)
    assert states(generation) == ["submitting"]
    set_switch(KLING, mode="closed")
    run_clip(generation, clock, step_s=6)
    assert_failed(generation, "switched_off", buyer=buyer)
    assert len(kling.asked("POST")) == 1


def test_a_closed_provider_still_delivers_what_it_had_taken(kling, buyer, clock):
    kling.cause("drop_after")
    generation = order_clip(buyer, KLING)
    turn(clock)
    set_switch(KLING, mode="closed")
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
    assert job_of(generation).upstream_id
    assert len(kling.asked("POST")) == 1
