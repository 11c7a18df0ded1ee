"""Seedance through the whole engine, with the worker turned by hand."""

import pytest
from django.utils import timezone

from creative_hub import cards, registry, selectors
from creative_hub.models import ProviderSwitch
from creative_hub.services import submission
from tests.creative_hub.engine import job_of, turn
from tests.factories import balance_of
from tests.flows.steps import (
    SEEDANCE,
    assert_delivered,
    assert_failed,
    order_clip,
    run_clip,
    start_frame,
    states,
)

LEFT = 10_000 - 540


@pytest.fixture
def generation(buyer, ark):
    return order_clip(buyer, SEEDANCE)


def task_of(ark, generation):
    return ark.tasks[job_of(generation).upstream_id]


def made(ark):
    return [create for create in ark.creates if create.task_id]


# --- refusals ---


@pytest.mark.parametrize(
    ("status", "code", "error_class"),
    [
        (400, "InputTextSensitiveContentDetected", "content_refused"),
        (400, "InputTextRiskDetection", "content_refused"),
        (400, "InvalidParameter", "bad_request"),
        (400, "MissingParameter", "bad_request"),
        (400, "InvalidImageURL.InvalidFormat", "bad_image"),
        (401, "AuthenticationError", "auth"),
        (403, "AccountOverdueError", "provider_credit"),
        (403, "AccessDenied", "model_gone"),
        (404, "ModelNotOpen", "model_gone"),
        (404, "InvalidEndpointOrModel.NotFound", "model_gone"),
        (429, "SetLimitExceeded", "provider_credit"),
    ],
)
def test_a_refusal_ends_the_clip_with_its_sentence_and_costs_nothing(
    ark, generation, buyer, clock, status, code, error_class
):
    ark.cause("error", where="create", status=status, code=code)
    turn(clock)
    assert_failed(generation, error_class, buyer=buyer, raw_code=code)
    assert ark.tasks == {}


@pytest.mark.parametrize(
    ("code", "error_class"),
    [("InvalidParameter", "bad_image"), ("InputImageSensitiveContentDetected", "content_refused")],
)
def test_a_picture_that_is_refused_says_so(ark, buyer, clock, code, error_class):
    ark.cause("error", where="create", status=400, code=code, param="content.image_url")
    generation = order_clip(buyer, SEEDANCE, start_frame_id=start_frame(buyer))
    turn(clock)
    assert_failed(generation, error_class, buyer=buyer, raw_code=code)
    assert ark.tasks == {}


@pytest.mark.parametrize(
    ("fault", "error_class"),
    [
        ({"kind": "task_failed", "code": "OutputVideoSensitiveContentDetected"}, "content_refused"),
        ({"kind": "task_failed", "code": "InternalServiceError"}, "bad_result"),
        ({"kind": "task_failed", "code": "RateLimitExceeded"}, "bad_result"),
        ({"kind": "task_expired"}, "bad_result"),
        ({"kind": "task_cancelled"}, "bad_result"),
        ({"kind": "no_url", "where": "create"}, "bad_result"),
        ({"kind": "bad_url", "where": "create"}, "bad_result"),
    ],
    ids=lambda value: value.get("code", value["kind"]) if isinstance(value, dict) else value,
)
def test_a_task_that_failed_inside_a_good_answer_costs_nothing(
    ark, generation, buyer, clock, fault, error_class
):
    ark.cause(**fault)
    run_clip(generation, clock)
    assert_failed(generation, error_class, buyer=buyer)
    assert len(made(ark)) == 1


# --- waits ---


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "RateLimitExceeded"), (429, "QuotaExceeded"), (503, "ServerOverloaded")],
)
def test_a_busy_seedance_is_waited_for(ark, generation, buyer, clock, status, code):
    headers = {"Retry-After": "7"}
    ark.cause("error", where="create", status=status, code=code, headers=headers)
    turn(clock)
    job = job_of(generation)
    assert (job.state, job.waits) == ("waiting", 1)
    assert 7 <= (job.next_action_at - clock()).total_seconds() <= 8.75
    assert balance_of(buyer) == (LEFT, 540)
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert len(made(ark)) == 1


# --- lost answers ---


@pytest.mark.parametrize("in_lists", [True, False], ids=["list", "each"])
@pytest.mark.parametrize("kind", ["drop_after", "html", "no_id", "truncated"])
def test_a_lost_answer_is_looked_for_and_found(ark, generation, buyer, clock, kind, in_lists):
    ark.echoes_identifier_in_lists = in_lists
    ark.cause(kind, where="create")
    turn(clock)
    assert states(generation) == ["submitting"]
    run_clip(generation, clock)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert (len(ark.creates), len(made(ark))) == (1, 1)


@pytest.mark.parametrize("status", [500, 504])
def test_what_seedance_has_not_taken_is_sent_again_once_that_is_certain(
    ark, generation, buyer, clock, status
):
    ark.cause("error", where="create", status=status)
    for _ in range(12):
        turn(clock)
        clock.advance(10)
    # A task may take this long to show: until then nothing proves that there is none.
    assert (states(generation), len(ark.creates)) == (["submitting"], 1)
    run_clip(generation, clock, step_s=5)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert (len(ark.creates), len(made(ark))) == (2, 1)


def test_a_task_that_may_be_ours_keeps_the_hold_until_it_is_known_whose_it_is(
    ark, generation, buyer, clock
):
    ark.echoes_identifier = ark.echoes_identifier_in_lists = False
    ark.cause("drop_after", where="create")
    for _ in range(6):
        turn(clock)
        clock.advance(61)
    assert states(generation) == ["unknown"]
    assert balance_of(buyer) == (LEFT, 540)
    ark.echoes_identifier = True
    run_clip(generation, clock, step_s=301)
    assert_delivered(generation, buyer=buyer, left=LEFT)
    assert len(ark.creates) == 1


# --- results ---


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("result_text", "bad_result"),
        ("result_huge", "bad_result"),
        ("result_bomb", "bad_result"),
        ("result_redirect", "bad_result"),
        ("result_cut_off", "not_stored"),
        ("result_missing", "result_expired"),
        ("result_expired", "result_expired"),
    ],
)
def test_a_file_that_is_no_clip_costs_nothing(ark, generation, buyer, clock, fault, code):
    ark.cause(fault, where="create")
    run_clip(generation, clock, step_s=1801)
    assert_failed(generation, code, buyer=buyer)
    assert len(made(ark)) == 1


@pytest.mark.parametrize("change", [{"duration_s": 8}, {"width": 1088, "height": 1920}], ids=str)
def test_a_clip_of_another_length_or_ratio_costs_nothing(ark, generation, buyer, clock, change):
    turn(clock)
    for name, value in change.items():
        setattr(task_of(ark, generation).clip, name, value)
    run_clip(generation, clock)
    assert_failed(generation, "bad_result", buyer=buyer)
    assert "was ordered" in job_of(generation).raw_message


# --- cancelling what waits there ---


def card_of(generation, buyer):
    shown = selectors.get_visible(member=buyer, generation_id=generation.pk)
    return cards.cards(generations=[shown], member=buyer, now=timezone.now())[0]


def cancel(generation, buyer, clock):
    visible = selectors.visible_to(buyer)
    submission.cancel(generation_id=generation.pk, visible=visible, now=clock())


@pytest.fixture
def waiting_there(ark, generation, buyer, clock):
    """A clip in Seedance's own line, and somebody who has asked to cancel it."""
    ark.queue_s = 3600
    turn(clock)
    assert card_of(generation, buyer).may_cancel
    cancel(generation, buyer, clock)
    assert balance_of(buyer) == (LEFT, 540)
    assert not card_of(generation, buyer).may_cancel
    return generation


@pytest.mark.parametrize("fault", ["", "drop_after"])
def test_a_clip_that_waits_at_seedance_is_cancelled_there(ark, waiting_there, buyer, clock, fault):
    if fault:
        ark.cause(fault, where="delete")
    clock.advance(1)
    turn(clock)
    clock.advance(10)
    turn(clock)
    assert_failed(waiting_there, "cancelled", buyer=buyer)
    assert len(ark.calls_of("DELETE", "/*")) == 1
    assert [task.state for task in ark.tasks.values()] == ["cancelled"]


@pytest.mark.parametrize("begins", ["before it is asked", "while it is asked"])
def test_a_cancel_that_comes_too_late_lets_it_run(ark, waiting_there, buyer, clock, begins):
    if begins == "before it is asked":
        task_of(ark, waiting_there).state = "running"
    else:
        ark.cause("error", where="delete", status=409, code="InvalidAction")
    clock.advance(1)
    turn(clock)
    assert states(waiting_there) == ["running"]
    assert not card_of(waiting_there, buyer).may_cancel
    with pytest.raises(submission.NotCancellable):
        cancel(waiting_there, buyer, clock)
    task_of(ark, waiting_there).state = "succeeded"
    run_clip(waiting_there, clock)
    assert_delivered(waiting_there, buyer=buyer, left=LEFT)


def test_a_clip_that_has_begun_at_seedance_offers_no_cancel(ark, generation, buyer, clock):
    ark.queue_s = 3600
    turn(clock)
    task_of(ark, generation).state = "running"
    clock.advance(2)
    turn(clock)
    assert not card_of(generation, buyer).may_cancel
    assert ark.calls_of("DELETE", "/*") == []


# --- what only an operator can mend ---


def test_a_closed_model_is_kept_for_the_operator_until_the_next_clip_that_works(
    ark, generation, buyer, clock
):
    ark.closed_models = {"seedance-1-0-pro-250528"}
    turn(clock)
    assert_failed(generation, "model_gone", buyer=buyer, raw_code="ModelNotOpen")
    switch = ProviderSwitch.objects.get(pk=SEEDANCE)
    assert (switch.problem, switch.problem_at) == ("model_gone", clock())
    assert "SEEDANCE_MODEL" in registry.remedy(provider=SEEDANCE, error_class=switch.problem)
    ark.closed_models.clear()
    run_clip(order_clip(buyer, SEEDANCE), clock)
    switch.refresh_from_db()
    assert (switch.problem, switch.problem_message, switch.problem_at) == ("", "", None)
