"""Veo through the whole engine, with the worker turned by hand."""

import pytest

from creative_hub import registry
from creative_hub.models import ProviderSwitch
from tests.creative_hub.engine import job_of, turn
from tests.factories import balance_of
from tests.flows.steps import (
    VEO,
    assert_delivered,
    assert_failed,
    order_clip,
    run_clip,
    start_frame,
    states,
)

LEFT = 10_000 - 1760


@pytest.fixture
def generation(buyer, vertex):
    return order_clip(buyer, VEO)


def starts(vertex):
    return vertex.asked(":predictLongRunning")


# --- refusals ---


@pytest.mark.parametrize(
    ("error", "error_class"),
    [
        ({"status": 400, "message": "It violates our usage guidelines."}, "content_refused"),
        ({"status": 400, "message": "The prompt is too long."}, "bad_request"),
        ({"status": 400, "message": "Not available in your region."}, "provider_credit"),
        ({"status": 401}, "auth"),
        ({"status": 403, "message": "Permission denied on resource."}, "auth"),
        ({"status": 403, "message": "This API requires billing."}, "provider_credit"),
        ({"status": 404, "message": "Publisher model was not found."}, "model_gone"),
        ({"status": 429, "message": "Quota per day exceeded."}, "provider_credit"),
    ],
    ids=lambda value: value.get("message", "") if isinstance(value, dict) else value,
)
def test_a_refusal_ends_the_clip_with_its_sentence_and_costs_nothing(
    vertex, generation, buyer, clock, error, error_class
):
    vertex.cause("error", **error)
    turn(clock)
    assert_failed(generation, error_class, buyer=buyer)
    assert vertex.made == []
    assert len(starts(vertex)) == 1


def test_a_picture_that_is_refused_says_so(vertex, buyer, clock):
    vertex.cause("error", status=400, message="Unable to process input image.")
    generation = order_clip(buyer, VEO, start_frame_id=start_frame(buyer))
    turn(clock)
    assert_failed(generation, "bad_image", buyer=buyer, raw_code="INVALID_ARGUMENT")


def test_an_account_that_gets_no_token_is_the_operators_matter(vertex, generation, buyer, clock):
    vertex.refuses_account = True
    turn(clock)
    assert_failed(generation, "auth", buyer=buyer)
    problem = ProviderSwitch.objects.get(pk=VEO).problem
    assert problem == "auth"
    assert "VEO_CREDENTIALS" in registry.remedy(provider=VEO, error_class=problem)
    assert starts(vertex) == []


@pytest.mark.parametrize(
    ("ending", "error_class", "raw_code"),
    [
        ("filtered", "content_refused", "filtered"),
        ("filtered_silently", "content_refused", "filtered"),
        ("no_clip", "bad_result", "no_clip"),
        ("hollow", "bad_result", "no_clip"),
        ("rpc_3", "bad_request", "INVALID_ARGUMENT"),
        ("rpc_5", "bad_result", "NOT_FOUND"),
        ("rpc_7", "auth", "PERMISSION_DENIED"),
        ("rpc_8", "bad_result", "RESOURCE_EXHAUSTED"),
        ("rpc_13", "bad_result", "INTERNAL"),
        ("rpc_14", "bad_result", "UNAVAILABLE"),
    ],
)
def test_an_operation_that_ends_without_a_clip_inside_a_good_answer_costs_nothing(
    vertex, generation, buyer, clock, ending, error_class, raw_code
):
    vertex.cause(ending)
    run_clip(generation, clock, step_s=10)
    assert_failed(generation, error_class, buyer=buyer, raw_code=raw_code)
    assert len(vertex.made) == 1


# --- waits ---


def test_a_busy_veo_is_waited_for_as_long_as_it_says(vertex, generation, buyer, clock):
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"}
    vertex.cause("error", status=429, details=[info])
    turn(clock)
    job = job_of(generation)
    assert (job.state, job.waits) == ("waiting", 1)
    assert 37 <= (job.next_action_at - clock()).total_seconds() <= 46.25
    assert balance_of(buyer) == (LEFT, 1760)
    run_clip(generation, clock, step_s=10)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert len(vertex.made) == 1


def test_questions_that_fail_end_nothing(vertex, generation, buyer, clock):
    vertex.cause("error", where="poll", status=503)
    vertex.cause("page", where="poll", status=404)
    vertex.cause("garbage", where="poll")
    run_clip(generation, clock, step_s=10)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert len(vertex.made) == 1


# --- lost answers ---


def test_with_a_bucket_a_lost_clip_is_found_once_it_is_there(
    vertex, bucket, generation, buyer, clock
):
    vertex.render_s = 3600
    vertex.cause("drop_after")
    for _ in range(5):
        turn(clock)
        clock.advance(6)
    assert states(generation) == ["submitting"]
    vertex.made[0].done_at = 0.0
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert len(starts(vertex)) == 1


def test_with_a_bucket_a_clip_that_comes_hours_later_is_still_found(
    vertex, bucket, generation, buyer, clock
):
    vertex.render_s = 3600 * 24
    vertex.cause("drop_after")
    turn(clock)
    for _ in range(8):
        clock.advance(100)
        turn(clock)
    assert states(generation) == ["unknown"]
    assert balance_of(buyer) == (LEFT, 1760)
    clock.advance(3 * 3600)
    turn(clock)
    assert states(generation) == ["unknown"]
    vertex.made[0].done_at = 0.0
    run_clip(generation, clock, step_s=301)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert len(starts(vertex)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        {"kind": "no_name"},
        {"kind": "error", "status": 503},
        {"kind": "page", "status": 504},
    ],
    ids=lambda fault: fault["kind"],
)
def test_without_a_bucket_a_lost_answer_is_parked_and_undecided_after_a_day(
    vertex, generation, buyer, clock, fault
):
    vertex.cause(**fault)
    for _ in range(3):
        turn(clock)
        clock.advance(6)
    assert states(generation) == ["unknown"]
    for _ in range(3):
        clock.advance(8 * 3600 - 60)
        turn(clock)
    assert states(generation) == ["unknown"]
    assert balance_of(buyer) == (LEFT, 1760)
    clock.advance(301)
    turn(clock)
    assert_failed(generation, "undecided", buyer=buyer)
    assert len(starts(vertex)) == 1


def test_a_country_that_refuses_the_person_setting_gets_the_clip_without_it(vertex, buyer, clock):
    vertex.refuses_person_setting = True
    generation = order_clip(buyer, VEO, start_frame_id=start_frame(buyer))
    run_clip(generation, clock, step_s=10)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert (len(starts(vertex)), len(vertex.made)) == (2, 1)


# --- results ---


def test_a_clip_inside_the_answer_that_cannot_be_read_costs_nothing(
    vertex, generation, buyer, clock
):
    vertex.cause("bad_base64")
    run_clip(generation, clock, step_s=10)
    assert_failed(generation, "bad_result", buyer=buyer)


@pytest.mark.parametrize("change", [{"durationSeconds": 8}, {"aspectRatio": "9:16"}], ids=str)
def test_a_clip_of_another_length_or_ratio_costs_nothing(vertex, generation, buyer, clock, change):
    turn(clock)
    vertex.made[0].body["parameters"] |= change
    run_clip(generation, clock, step_s=10)
    assert_failed(generation, "bad_result", buyer=buyer)
    assert "was ordered" in job_of(generation).raw_message


def test_a_clip_that_left_the_bucket_is_asked_for_once_more_and_then_given_up(
    vertex, bucket, generation, buyer, clock
):
    turn(clock)
    vertex.empty_bucket()
    run_clip(generation, clock, step_s=10)
    assert_failed(generation, "result_expired", buyer=buyer)
    assert len(vertex.asked(":fetchPredictOperation")) > 2


def test_an_operation_that_was_forgotten_ends_the_clip(vertex, generation, buyer, clock):
    vertex.render_s = 3600
    turn(clock)
    vertex.forget_operations()
    run_clip(generation, clock, step_s=10)
    assert_failed(generation, "result_expired", buyer=buyer)


# --- what only an operator can mend ---


def test_a_retired_model_is_kept_for_the_operator_until_the_next_clip_that_works(
    vertex, generation, buyer, clock
):
    vertex.retired_models = {"veo-3.1-generate-001"}
    turn(clock)
    assert_failed(generation, "model_gone", buyer=buyer, raw_code="NOT_FOUND")
    switch = ProviderSwitch.objects.get(pk=VEO)
    assert (switch.problem, switch.problem_at) == ("model_gone", clock())
    assert "VEO_MODEL" in registry.remedy(provider=VEO, error_class=switch.problem)
    vertex.retired_models = set()
    run_clip(order_clip(buyer, VEO), clock, step_s=10)
    switch.refresh_from_db()
    assert (switch.problem, switch.problem_message, switch.problem_at) == ("", "", None)
