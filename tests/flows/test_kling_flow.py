"""Kling through the whole engine, with the worker turned by hand."""

import resource

import pytest

from creative_hub import registry
from creative_hub.models import ProviderSwitch
from tests.creative_hub.engine import job_of, turn
from tests.factories import balance_of
from tests.flows.steps import (
    KLING,
    assert_delivered,
    assert_failed,
    order_clip,
    run_clip,
    start_frame,
    states,
)


@pytest.fixture
def generation(buyer, kling):
    return order_clip(buyer, KLING)


def task_of(kling, generation):
    return kling.task("text2video", job_of(generation).upstream_id)


# --- refusals ---


@pytest.mark.parametrize(
    ("code", "error_class"),
    [
        (1000, "auth"),
        (1001, "auth"),
        (1002, "auth"),
        (1003, "auth"),
        (1004, "auth"),
        (1100, "provider_credit"),
        (1101, "provider_credit"),
        (1102, "provider_credit"),
        (1103, "model_gone"),
        (1200, "bad_request"),
        (1201, "bad_request"),
        (1202, "bad_request"),
        (1203, "model_gone"),
        (1300, "content_refused"),
        (1301, "content_refused"),
        (1304, "auth"),
    ],
)
def test_a_refusal_ends_the_clip_with_its_sentence_and_costs_nothing(
    kling, generation, buyer, clock, code, error_class
):
    # Twice: a token that has expired is made anew at once.
    kling.cause("error", code=code, times=2)
    turn(clock)
    assert_failed(generation, error_class, buyer=buyer, raw_code=str(code))
    assert kling.made == []


def test_a_picture_that_is_refused_says_so(kling, buyer, clock):
    kling.cause("error", code=1201, message="image pixel is invalid")
    generation = order_clip(buyer, KLING, start_frame_id=start_frame(buyer))
    turn(clock)
    assert_failed(generation, "bad_image", buyer=buyer, raw_code="1201")


@pytest.mark.parametrize(
    ("fault", "error_class"),
    [
        ("fail_risk", "content_refused"),
        ("fail_pixel", "bad_image"),
        ("fail_other", "bad_result"),
        ("no_url", "bad_result"),
        ("bad_url", "bad_result"),
    ],
)
def test_a_task_that_failed_inside_a_good_answer_costs_nothing(
    kling, generation, buyer, clock, fault, error_class
):
    kling.cause(fault)
    run_clip(generation, clock)
    assert_failed(generation, error_class, buyer=buyer)
    assert len(kling.made) == 1


# --- waits ---


@pytest.mark.parametrize("code", [1302, 1303, 5001])
def test_a_busy_kling_is_waited_for(kling, generation, buyer, clock, code):
    kling.cause("error", code=code, times=2)
    turn(clock)
    assert (states(generation), job_of(generation).waits) == (["waiting"], 1)
    assert balance_of(buyer) == (9615, 385)
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
    assert len(kling.made) == 1


def test_a_stated_wait_is_obeyed(kling, generation, clock):
    kling.cause("error", code=1302, headers={"Retry-After": "7"})
    turn(clock)
    wait_s = (job_of(generation).next_action_at - clock()).total_seconds()
    assert 7 <= wait_s <= 8.75


def test_a_kling_that_is_busy_for_half_an_hour_is_given_up(kling, generation, buyer, clock):
    kling.cause("error", code=1303, times=1000)
    run_clip(generation, clock, step_s=80)
    assert_failed(generation, "rate_limited", buyer=buyer, raw_code="1303")


def test_a_clip_is_asked_about_at_every_second_tick_around_its_usual_time(kling, generation, clock):
    kling.set(render_s=3600)
    turn(clock)
    clock.advance(61)
    turn(clock)
    asked = len(kling.asked("GET"))
    # Ticks come a little early or late; a question must not wait for the one after for that.
    for _ in range(5):
        clock.advance(0.9)
        turn(clock)
        clock.advance(0.9)
        turn(clock)
    assert len(kling.asked("GET")) == asked + 5


# --- lost answers ---


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        {"kind": "empty"},
        {"kind": "html", "status": 504},
        {"kind": "garbage", "status": 500},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_lost_answer_is_looked_for_and_found(kling, generation, buyer, clock, fault):
    kling.cause(**fault)
    turn(clock)
    assert states(generation) == ["submitting"]
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
    assert len(kling.asked("POST")) == len(kling.made) == 1


@pytest.mark.parametrize("code", [5000, 5002])
def test_what_kling_has_not_taken_is_sent_again_after_two_looks(
    kling, generation, buyer, clock, code
):
    kling.cause("error", code=code)
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
    looked = [one.status for one in kling.asked("GET", "/v1/videos/text2video/")]
    assert looked[:2] == [404, 404]
    assert (len(kling.asked("POST")), len(kling.made)) == (2, 1)


def test_a_clip_that_kling_never_takes_is_given_up_after_three_sends(
    kling, generation, buyer, clock
):
    kling.cause("error", code=5000, times=10)
    run_clip(generation, clock, step_s=5)
    assert_failed(generation, "no_answer", buyer=buyer)
    assert (len(kling.asked("POST")), len(kling.made)) == (3, 0)


def test_a_kling_that_answers_no_look_either_leaves_the_clip_in_doubt(
    kling, generation, buyer, clock
):
    kling.cause("drop_after")
    kling.cause("error", where="query", code=5001, times=1000)
    turn(clock)
    for _ in range(30):
        clock.advance(65)
        turn(clock)
    assert states(generation) == ["unknown"]
    assert balance_of(buyer) == (9615, 385)
    kling.clear_faults()
    clock.advance(301)
    turn(clock)
    assert states(generation) == ["running"]
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
    assert len(kling.asked("POST")) == 1


# --- results ---


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("result_text", "bad_result"),
        ("result_huge", "bad_result"),
        ("result_redirect", "bad_result"),
        ("result_cut_off", "not_stored"),
        ("result_missing", "result_expired"),
    ],
)
def test_a_file_that_is_no_clip_costs_nothing(kling, generation, buyer, clock, fault, code):
    kling.cause(fault)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run_clip(generation, clock, step_s=1801)
    assert_failed(generation, code, buyer=buyer)
    # Kling's answers, the decoder and 3 GB that are not taken: all of it fits into this.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 100 * 1024


@pytest.mark.parametrize("change", [{"duration_s": 10}, {"width": 720, "height": 1280}], ids=str)
def test_a_clip_of_another_length_or_ratio_costs_nothing(kling, generation, buyer, clock, change):
    turn(clock)
    task = task_of(kling, generation)
    for name, value in change.items():
        setattr(task, name, value)
    run_clip(generation, clock)
    assert_failed(generation, "bad_result", buyer=buyer)
    assert "was ordered" in job_of(generation).raw_message


def test_an_expired_link_is_asked_for_anew_once(kling, generation, buyer, clock):
    turn(clock)
    task = task_of(kling, generation)
    task.expires_at, lives_until = 0.0, task.expires_at
    while states(generation) != ["fetching"]:
        clock.advance(2)
        turn(clock)
    turn(clock)
    assert states(generation) == ["running"]
    task.expires_at = lives_until
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)


def test_a_link_that_has_expired_for_good_is_a_failure(kling, generation, buyer, clock):
    kling.cause("result_expired")
    run_clip(generation, clock)
    assert_failed(generation, "result_expired", buyer=buyer)
    lists = [one for one in kling.asked("GET") if one.path.endswith("/text2video")]
    assert len(lists) == 2


# --- what only an operator can mend ---


def test_a_closed_model_is_kept_for_the_operator_until_the_next_clip_that_works(
    kling, generation, buyer, clock
):
    kling.closed_models = {"kling-v2-6"}
    turn(clock)
    assert_failed(generation, "model_gone", buyer=buyer, raw_code="1103")
    switch = ProviderSwitch.objects.get(pk=KLING)
    assert (switch.problem, switch.problem_at) == ("model_gone", clock())
    assert "KLING_MODEL" in registry.remedy(provider=KLING, error_class=switch.problem)
    assert switch.mode == "open"
    kling.closed_models = set()
    run_clip(order_clip(buyer, KLING), clock)
    switch.refresh_from_db()
    assert (switch.problem, switch.problem_message, switch.problem_at) == ("", "", None)


def test_a_sandbox_clip_clears_no_problem_of_the_provider(kling, buyer, clock, settings):
    ProviderSwitch.objects.filter(pk=KLING).update(problem="auth", problem_at=clock())
    settings.SANDBOX, settings.KLING_ACCESS_KEY = True, ""
    generation = order_clip(buyer, KLING)
    assert generation.is_sandbox
    turn(clock)
    assert states(generation) == ["fetching"]
    assert ProviderSwitch.objects.get(pk=KLING).problem == "auth"


def test_a_key_that_is_changed_while_a_clip_runs_does_not_end_it(kling, generation, buyer, clock):
    turn(clock)
    kling.cause("error", where="list", code=1002, times=3)
    clock.advance(2)
    turn(clock)
    assert states(generation) == ["running"]
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=9615)
