"""ModelArk's errors and odd answers as the Seedance adapter meets them, over real HTTP."""

import time

import pytest

from creative_hub.providers.base import (
    ErrorClass,
    ProviderError,
    Upstream,
    UpstreamState,
)
from creative_hub.providers.seedance import SeedanceAdapter
from tests.providers.ark_errors import (
    AMBIGUOUS,
    AUTH,
    CREDIT,
    DOCUMENTED,
    GONE,
    IMAGE,
    LIMITED,
    REFUSED,
    REQUEST,
    TRANSIENT,
    WORDS,
    assert_told,
)
from tests.providers.fakes.ark import FakeArk
from tests.providers.orders import error_of
from tests.providers.seedance_orders import Make, clip_order, frame, job

BAD_RESULT = ErrorClass.BAD_RESULT


def refusal(adapter: SeedanceAdapter, **changes: object) -> ProviderError:
    return error_of(adapter.submit, clip_order(**changes))


def failed_poll(adapter: SeedanceAdapter) -> ProviderError:
    return error_of(adapter.poll, [job("cgt-1")])


# --- creating ---


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        *DOCUMENTED,
        (400, "InvalidParameter.Duration", REQUEST),
        (400, "OutputVideoSensitiveContentDetected", REFUSED),
        (400, "OutputAudioSensitiveContentDetected.PolicyViolation", REFUSED),
        (418, "BrandNew", REQUEST),
    ],
)
def test_every_documented_error_of_a_create_has_its_class(
    ark: FakeArk, seedance: Make, status: int, code: str, expected: ErrorClass
) -> None:
    ark.cause("error", where="create", status=status, code=code, message=WORDS)
    error = refusal(seedance())
    assert_told(error, status=status, code=code, expected=expected)
    assert len(ark.creates) == 1
    assert ark.tasks == {}


@pytest.mark.parametrize(
    ("has_frame", "param", "message", "expected"),
    [
        (True, "content.image_url", "Too small.", IMAGE),
        (True, "", "The image is too small.", IMAGE),
        (True, "duration", "Out of range.", REQUEST),
        (False, "", "No image was sent.", REQUEST),
    ],
)
def test_a_wrong_parameter_is_about_the_picture_if_it_says_so_and_one_was_sent(
    ark: FakeArk, seedance: Make, has_frame: bool, param: str, message: str, expected: ErrorClass
) -> None:
    ark.cause(
        "error", where="create", status=400, code="InvalidParameter", param=param, message=message
    )
    picture = frame() if has_frame else b""
    assert refusal(seedance(), has_frame=has_frame, frame=picture).error_class is expected


def test_a_picture_that_is_none_is_refused_as_a_picture(ark: FakeArk, seedance: Make) -> None:
    assert refusal(seedance(), has_frame=True, frame=b"not a JPEG").error_class is IMAGE
    assert ark.tasks == {}


def test_a_full_line_is_waited_for(ark: FakeArk, seedance: Make) -> None:
    ark.queue_s, ark.queued_cap = 1000.0, 1
    seedance().submit(clip_order())
    error = refusal(seedance(), external_id="job-2")
    assert (error.error_class, error.code) == (LIMITED, "QuotaExceeded")
    assert ark.made_tasks_per_identifier() == {"job-1": 1}


def test_a_model_that_is_not_switched_on_is_gone(ark: FakeArk, seedance: Make) -> None:
    ark.closed_models.add("seedance-1-0-pro-250528")
    assert refusal(seedance()).code == "ModelNotOpen"
    error = refusal(seedance(model="seedance-1-5-pro-251215"))
    assert (error.error_class, error.code) == (GONE, "InvalidEndpointOrModel.NotFound")


def test_a_wrong_key_is_for_the_operator(seedance: Make) -> None:
    assert refusal(seedance(api_key="sk-wrong-key")).error_class is AUTH
    assert failed_poll(seedance(api_key="sk-wrong-key")).error_class is AUTH


@pytest.mark.parametrize(
    "kind",
    ["html", "garbage", "empty", "truncated", "cut_off", "huge", "endless", "no_id", "bad_id",
     "wrong_types", "drop_before", "drop_after", "redirect", "top_level_error"],
)  # fmt: skip
def test_nonsense_leaves_a_create_in_doubt_and_nothing_is_sent_twice(
    ark: FakeArk, seedance: Make, kind: str
) -> None:
    ark.cause(kind, where="create", times=5)
    assert refusal(seedance()).error_class is AMBIGUOUS
    assert len(ark.creates) == 1


def test_a_plain_refusal_inside_a_good_answer_counts(ark: FakeArk, seedance: Make) -> None:
    ark.cause("top_level_error", where="create", code="InputTextSensitiveContentDetected")
    assert refusal(seedance()).error_class is REFUSED


@pytest.mark.parametrize("kind", ["hang_before", "hang_after", "drip", "drip_headers"])
def test_a_create_has_one_deadline(ark: FakeArk, seedance: Make, kind: str) -> None:
    ark.cause(kind, where="create", seconds=0.2 if kind.startswith("drip") else 30)
    adapter = seedance(connect_timeout_s=0.3, read_timeout_s=0.3)
    began = time.monotonic()
    assert refusal(adapter).error_class is AMBIGUOUS
    assert 0.5 < time.monotonic() - began < adapter.submit_limit_s
    assert len(ark.creates) == 1


def test_a_refused_connection_never_reached_them(seedance: Make) -> None:
    error = refusal(seedance(base_url="http://127.0.0.1:9/api/v3"))
    assert (error.error_class, error.code) == (TRANSIENT, "not_reached")


# --- tasks that failed ---


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("OutputVideoSensitiveContentDetected", REFUSED),
        ("OutputVideoSensitiveContentDetected.PolicyViolation", REFUSED),
        ("OutputAudioSensitiveContentDetected", REFUSED),
        ("InputImageSensitiveContentDetected.PrivacyInformation", REFUSED),
        ("InvalidParameter", REQUEST),
        ("AccountOverdueError", CREDIT),
        # The task has ended: what might pass later is over for this one.
        ("InternalServiceError", BAD_RESULT),
        ("ServerOverloaded", BAD_RESULT),
        ("QuotaExceeded", BAD_RESULT),
        ("BrandNew", BAD_RESULT),
    ],
)
def test_a_failed_task_is_final(
    ark: FakeArk, seedance: Make, code: str, expected: ErrorClass
) -> None:
    ark.cause("task_failed", code=code, message="The clip of a red kite over a grey sea failed.")
    adapter = seedance()
    made = adapter.submit(clip_order())
    error = adapter.poll([job(made.upstream_id)])[made.upstream_id]
    assert isinstance(error, ProviderError)
    assert (error.error_class, error.code, error.is_retryable) == (expected, code, False)
    assert error.message.startswith("The clip of [prompt] failed. Request id: 0217")
    assert error.request_id.startswith("0217")


def test_a_marker_in_the_prompt_fails_the_task(ark: FakeArk, seedance: Make) -> None:
    adapter = seedance()
    made = adapter.submit(clip_order(prompt="A boat [ark:task_failed]"))
    error = adapter.poll([job(made.upstream_id)])[made.upstream_id]
    assert isinstance(error, ProviderError)
    assert error.error_class is BAD_RESULT


# --- asking ---


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "InvalidParameter", REQUEST),
        (401, "AuthenticationError", AUTH),
        (403, "AccountOverdueError", CREDIT),
        (404, "ResourceNotFound", TRANSIENT),
        (404, "", TRANSIENT),
        (408, "", TRANSIENT),
        (429, "AccountRateLimitExceeded", LIMITED),
        (500, "InternalServiceError", TRANSIENT),
        (502, "", TRANSIENT),
        (504, "", TRANSIENT),
    ],
)
def test_a_list_that_failed_fails_the_question_and_no_job(
    ark: FakeArk, seedance: Make, status: int, code: str, expected: ErrorClass
) -> None:
    ark.cause("error", where="list", times=2, status=status, code=code)
    assert failed_poll(seedance()).error_class is expected
    with pytest.raises(ProviderError) as caught:
        seedance().find(clip_order(), sent_at=time.time())
    assert caught.value.error_class is expected
    assert len(ark.calls) == 2


@pytest.mark.parametrize(
    "kind",
    ["html", "garbage", "empty", "truncated", "cut_off", "huge", "endless", "drop_before",
     "drop_after", "redirect", "top_level_error"],
)  # fmt: skip
@pytest.mark.parametrize("where", ["list", "query"])
def test_nonsense_is_asked_about_again(ark: FakeArk, seedance: Make, kind: str, where: str) -> None:
    running = ark.put_task(state="running", identifier="job-1")
    ark.cause(kind, where=where)
    adapter = seedance()
    ask = adapter.cancel if where == "query" else lambda polled: adapter.poll([polled])
    with pytest.raises(ProviderError) as caught:
        ask(job(running.id))
    assert caught.value.error_class is TRANSIENT
    assert adapter.poll([job(running.id)])[running.id] == Upstream(
        state=UpstreamState.RUNNING, upstream_id=running.id
    )


@pytest.mark.parametrize("kind", ["wrong_types", "no_data"])
def test_a_list_of_nonsense_leaves_the_tasks_to_be_asked_for_singly(
    ark: FakeArk, seedance: Make, kind: str
) -> None:
    running = ark.put_task(state="running")
    ark.cause(kind, where="list")
    answers = seedance().poll([job(running.id)])
    assert answers == {running.id: Upstream(state=UpstreamState.RUNNING, upstream_id=running.id)}
    assert len(ark.calls_of("GET", f"/{running.id}")) == 1


@pytest.mark.parametrize("kind", ["wrong_types", "no_id", "bad_id"])
def test_a_task_of_nonsense_says_nothing(ark: FakeArk, seedance: Make, kind: str) -> None:
    running = ark.put_task(state="running")
    ark.cause("no_data", where="list")
    ark.cause(kind, where="query")
    assert seedance().poll([job(running.id)]) == {}


def test_a_list_with_items_that_cannot_be_read_leaves_a_look_in_doubt(
    ark: FakeArk, seedance: Make
) -> None:
    ark.cause("wrong_types", where="list")
    with pytest.raises(ProviderError) as caught:
        seedance().find(clip_order(), sent_at=time.time())
    assert caught.value.error_class is AMBIGUOUS


def test_a_single_question_that_failed_ends_the_round_and_no_job(
    ark: FakeArk, seedance: Make
) -> None:
    tasks = [ark.put_task(state="running") for _ in range(3)]
    ark.cause("no_data", where="list")
    ark.cause("error", where="query", status=500, times=3)
    assert seedance().poll([job(task.id) for task in tasks]) == {}
    assert len(ark.calls_of("GET", "/*")) == 1


def test_later_pages_that_fail_leave_the_first_to_count(ark: FakeArk, seedance: Make) -> None:
    ids = [ark.put_task(state="running").id for _ in range(600)]
    ark.cause("error", where="list", match="page_num=2", status=502)
    answers = seedance().poll([job(upstream_id) for upstream_id in ids])
    assert len(answers) == 505
    assert [call.status for call in ark.calls_of("GET")] == [200, 502]


def test_all_requests_of_one_question_have_one_deadline(ark: FakeArk, seedance: Make) -> None:
    ark.cause("hang_before", where="query", seconds=30)
    adapter = seedance(connect_timeout_s=0.4, read_timeout_s=0.6)
    began = time.monotonic()
    tasks = [ark.put_task(state="running") for _ in range(3)]
    ark.cause("no_data", where="list")
    assert adapter.poll([job(task.id) for task in tasks]) == {}
    assert time.monotonic() - began < adapter.poll_limit_s
    assert (len(ark.calls_of("GET")), len(ark.calls_of("GET", "/*"))) == (1, 1)


# --- what leaves the adapter ---


def test_messages_hold_no_key_no_prompt_and_no_signed_link(ark: FakeArk, seedance: Make) -> None:
    prompt = "Our secret summer launch: a turquoise kite for Brand X"
    message = (
        f"Key {ark.api_key} (Bearer abc.def) sent '{prompt[:40]}' and read "
        "https://tos.example/a.png?X-Tos-Signature=s3cret#x too late"
    )
    adapter = seedance()
    ark.cause("error", where="create", status=400, code="InvalidParameter", message=message)
    errors = [refusal(adapter, prompt=prompt)]
    ark.cause("task_failed", code="InternalServiceError", message=message)
    made = adapter.submit(clip_order(prompt=prompt))
    ended = adapter.poll([job(made.upstream_id, prompt=prompt)])[made.upstream_id]
    assert isinstance(ended, ProviderError)
    errors.append(ended)
    for text in [text for error in errors for text in (error.message, str(error), repr(error))]:
        assert "https://tos.example/a.png?[cut] too late" in text
        for secret in (ark.api_key, "abc.def", "turquoise", "secret summer", "s3cret"):
            assert secret not in text


@pytest.mark.parametrize("where", ["create", "list"])
def test_retry_after_is_honoured(ark: FakeArk, seedance: Make, where: str) -> None:
    ark.cause("error", where=where, status=429, code="", headers={"Retry-After": "7"})
    error = refusal(seedance()) if where == "create" else failed_poll(seedance())
    assert (error.error_class, error.retry_after_s) == (LIMITED, 7.0)
