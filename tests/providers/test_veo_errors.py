"""Vertex AI's errors as the Veo adapter meets them, over real HTTP, and its access tokens."""

from collections.abc import Callable

import pytest

from creative_hub.providers.base import ErrorClass, Poll, ProviderError, Upstream
from creative_hub.providers.veo_errors import VertexError
from tests.providers.fakes.vertex import FakeVertex
from tests.providers.orders import collected, error_of
from tests.providers.veo_orders import IN_BUCKET, Make, jpeg, only, order, started

REFUSED, REQUEST = ErrorClass.CONTENT_REFUSED, ErrorClass.BAD_REQUEST
LIMITED, GONE, CREDIT = ErrorClass.RATE_LIMITED, ErrorClass.MODEL_GONE, ErrorClass.PROVIDER_CREDIT
IMAGE, AUTH, EXPIRED = ErrorClass.BAD_IMAGE, ErrorClass.AUTH, ErrorClass.RESULT_EXPIRED
DOUBT, LATER, RESULT = ErrorClass.AMBIGUOUS, ErrorClass.TRANSIENT, ErrorClass.BAD_RESULT

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


# --- refused starts ---

GUIDELINES = (
    "The prompt could not be submitted. This prompt contains words that violate Vertex AI's usage"
    " guidelines. Try rephrasing the prompt. Support codes: 29310472"
)
MODEL_TEXT = "Publisher model `x` was not found or your project does not have access to it."


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (400, "", "API key not valid. Please pass a valid API key.", AUTH),
        (400, "", GUIDELINES, REFUSED),
        (400, "", "Prompts that name a celebrity are not allowed.", REFUSED),
        (400, "", "The request holds sensitive or prohibited words.", REFUSED),
        (400, "", "The value type for `durationSeconds` needs to be a number.", REQUEST),
        (400, "", "`generateAudio` isn't supported by this model. Please remove it.", REQUEST),
        (400, "", "1080p is not supported for a duration of 6 seconds.", REQUEST),
        (400, "", "Values of `aspectRatio` are case-sensitive.", REQUEST),
        (400, "", "Unable to process input image.", IMAGE),
        (400, "", "Unsupported mime type.", IMAGE),
        (400, "", "`image` isn't supported by this model. Please remove it.", REQUEST),
        (400, "FAILED_PRECONDITION", "User location is not supported.", CREDIT),
        (400, "FAILED_PRECONDITION", "A condition is not met.", CREDIT),
        (400, "", "Please enable billing on the project.", CREDIT),
        (400, "", "This model is not available in your region.", CREDIT),
        (401, "", "Request had invalid authentication credentials.", AUTH),
        (402, "", "The balance is empty.", CREDIT),
        (403, "", "Permission 'aiplatform.endpoints.predict' denied.", AUTH),
        (403, "", "This API method requires billing to be enabled.", CREDIT),
        (403, "", MODEL_TEXT, GONE),
        (404, "", MODEL_TEXT, GONE),
        (404, "", "Model veo-3.1-generate-001 is no longer available.", GONE),
        (408, "", "", DOUBT),
        (409, "", "The operation was aborted.", DOUBT),
        (418, "", "", REQUEST),
        (429, "", "Quota exceeded for requests per minute.", LIMITED),
        (429, "", "You exceeded your spend-based rate limit.", LIMITED),
        (429, "", "Quota exceeded for requests per day.", CREDIT),
        (429, "", "The daily limit is reached.", CREDIT),
        (429, "", "Your project has exceeded its spending cap.", CREDIT),
        (429, "", "Your prepayment credits are depleted.", CREDIT),
        (500, "", "Internal error encountered.", DOUBT),
        (502, "", "", DOUBT),
        (503, "", "The service is overloaded.", DOUBT),
        (504, "", "Deadline expired.", DOUBT),
    ],
)
def test_every_refusal_has_its_class(
    vertex: FakeVertex, veo: Make, status: int, code: str, message: str, expected: ErrorClass
) -> None:
    vertex.cause("error", status=status, code=code, message=message, times=9)
    error = error_of(veo().submit, order(has_frame=True, frame=jpeg()))
    assert error.error_class is expected
    assert error.message == (message or f"HTTP {status}")
    assert len(vertex.requests) == 1
    assert vertex.made == []


@pytest.mark.parametrize(("status", "expected"), [(404, GONE), (429, LIMITED), (502, DOUBT)])
def test_a_page_instead_of_an_error_is_judged_by_its_status(
    vertex: FakeVertex, veo: Make, status: int, expected: ErrorClass
) -> None:
    vertex.cause("page", status=status)
    error = error_of(veo().submit, order())
    assert (error.error_class, error.code) == (expected, f"http_{status}")


def test_a_picture_is_blamed_only_if_there_was_one(vertex: FakeVertex, veo: Make) -> None:
    vertex.cause("error", status=400, message="Unable to process input image.")
    assert error_of(veo().submit, order()).error_class is REQUEST


def test_the_code_is_the_name_of_the_status(vertex: FakeVertex, veo: Make) -> None:
    vertex.cause("error", status=429)
    assert error_of(veo().submit, order()).code == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    ("delay", "wait_s"),
    [
        ("37s", 37.0),
        ("1.5s", 1.5),
        ("0.250000000s", 0.25),
        ("soon", None),
        (37, None),
        ("-1s", None),
    ],
)
def test_the_delay_in_retry_info_is_kept(
    vertex: FakeVertex, veo: Make, delay: object, wait_s: float | None
) -> None:
    quota = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []}
    details = [quota, {"@type": RETRY_INFO, "retryDelay": delay}]
    vertex.cause("error", status=429, message="Too fast.", details=details)
    assert error_of(veo().submit, order()).retry_after_s == wait_s


def test_a_retry_after_header_counts_where_there_is_no_retry_info(
    vertex: FakeVertex, veo: Make
) -> None:
    vertex.cause("error", status=429, message="Too fast.", headers={"Retry-After": "12"})
    assert error_of(veo().submit, order()).retry_after_s == 12.0


def test_an_error_object_of_odd_types_is_empty() -> None:
    assert VertexError.read(["x"]) is None
    assert VertexError.read({"message": 7, "details": "x", "code": "3"}) == VertexError()


# --- failed operations ---


@pytest.mark.parametrize(
    ("number", "message", "expected", "code"),
    [
        (1, "The operation was cancelled.", RESULT, "CANCELLED"),
        (3, "Unsupported video generation request.", REQUEST, "INVALID_ARGUMENT"),
        (3, GUIDELINES, REFUSED, "INVALID_ARGUMENT"),
        (3, "Unable to process input image.", IMAGE, "INVALID_ARGUMENT"),
        (4, "Deadline expired.", RESULT, "DEADLINE_EXCEEDED"),
        (5, "The bucket was not found.", RESULT, "NOT_FOUND"),
        (5, MODEL_TEXT, GONE, "NOT_FOUND"),
        (7, "The service agent may not write there.", AUTH, "PERMISSION_DENIED"),
        (8, "The service is out of capacity.", RESULT, "RESOURCE_EXHAUSTED"),
        (8, "Quota exceeded for requests per day.", CREDIT, "RESOURCE_EXHAUSTED"),
        (9, "A condition is not met.", CREDIT, "FAILED_PRECONDITION"),
        (10, "Aborted.", RESULT, "ABORTED"),
        (13, "Internal error encountered.", RESULT, "INTERNAL"),
        (14, "Overloaded.", RESULT, "UNAVAILABLE"),
        (16, "Credentials expired.", AUTH, "UNAUTHENTICATED"),
        (77, "What is this?", RESULT, "rpc_77"),
    ],
)
def test_a_failed_operation_is_final(
    vertex: FakeVertex, veo: Make, number: int, message: str, expected: ErrorClass, code: str
) -> None:
    adapter = veo()
    vertex.cause(f"rpc_{number}", message=message)
    job = started(adapter, has_frame=True, frame=jpeg())
    stand = only(adapter, job)
    assert isinstance(stand, ProviderError)
    assert (stand.error_class, stand.message, stand.code) == (expected, message, code)
    assert not stand.is_retryable
    assert error_of(collected, adapter, job).error_class is expected


@pytest.mark.parametrize(
    ("ending", "expected", "message"),
    [
        ("filtered", REFUSED, "The video was blocked. Support codes: 15236754"),
        ("filtered_silently", REFUSED, ""),
        ("no_clip", RESULT, "it ended without a clip"),
        ("hollow", RESULT, "it ended without a clip"),
    ],
)
def test_an_operation_without_a_clip_has_failed(
    vertex: FakeVertex, veo: Make, ending: str, expected: ErrorClass, message: str
) -> None:
    adapter = veo()
    stand = only(adapter, started(adapter, prompt=f"A boat [vertex:{ending}]"))
    assert isinstance(stand, ProviderError)
    assert (stand.error_class, stand.message) == (expected, message)


def test_a_forgotten_operation_has_expired(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo()
    jobs = [started(adapter), started(adapter)]
    vertex.forget_operations()
    stands = adapter.poll(jobs)
    assert len(stands) == 2
    for stand in stands.values():
        assert isinstance(stand, ProviderError)
        assert stand.error_class is EXPIRED
    assert error_of(collected, adapter, jobs[0]).error_class is EXPIRED


# --- failed questions ---


def test_a_page_that_says_404_does_not_end_a_job(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo()
    job = started(adapter)
    vertex.cause("page", where="poll", status=404)
    assert error_of(adapter.poll, [job]).error_class is LATER
    assert isinstance(only(adapter, job), Upstream)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, REQUEST), (401, AUTH), (403, AUTH), (429, LIMITED), (500, LATER), (503, LATER)],
)
def test_a_failed_question_has_its_class(
    vertex: FakeVertex, veo: Make, status: int, expected: ErrorClass
) -> None:
    adapter = veo()
    job = started(adapter)
    vertex.cause("error", where="poll", status=status)
    assert error_of(adapter.poll, [job]).error_class is expected


def test_one_failed_question_leaves_only_its_own_job_out(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo(**IN_BUCKET)
    jobs = [started(adapter, prompt=f"Boat {name}") for name in ("a", "b", "c")]
    vertex.cause("error", where="poll", status=503, match="Boat b")
    assert set(adapter.poll(jobs)) == {jobs[0].upstream_id, jobs[2].upstream_id}


def test_questions_that_fail_in_different_ways_say_nothing(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo()
    jobs = [started(adapter, prompt=f"Boat {name}") for name in ("a", "b")]
    vertex.cause("error", where="poll", status=503, match="Boat a")
    vertex.cause("error", where="poll", status=429, match="Boat b")
    assert adapter.poll(jobs) == {}
    assert adapter.poll([]) == {}


@pytest.mark.parametrize(
    "kind", ["html", "garbage", "empty", "truncated", "cut_off", "not_an_object", "drop_after"]
)
def test_a_poll_without_a_sound_answer_is_asked_again(
    vertex: FakeVertex, veo: Make, kind: str
) -> None:
    adapter = veo(**IN_BUCKET)
    job = started(adapter)
    vertex.cause(kind, where="poll")
    assert error_of(adapter.poll, [job]).error_class is ErrorClass.TRANSIENT
    stand = only(adapter, job)
    assert isinstance(stand, Upstream)


# --- the bucket ---


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("error", 401, AUTH),
        ("error", 403, AUTH),
        ("error", 404, EXPIRED),
        ("error", 429, LIMITED),
        ("error", 503, LATER),
        ("html", 200, LATER),
        ("truncated", 200, LATER),
        ("cut_off", 200, LATER),
        ("drop_before", 200, LATER),
        ("redirect", 307, LATER),
        ("huge", 200, LATER),
    ],
)
def test_a_look_into_the_bucket_that_fails_has_its_class(
    vertex: FakeVertex, veo: Make, kind: str, status: int, expected: ErrorClass
) -> None:
    adapter = veo(**IN_BUCKET)
    job = started(adapter)
    vertex.cause(kind, where="storage", status=status, times=2)
    assert error_of(adapter.find, job.order, sent_at=0.0).error_class is expected
    assert error_of(collected, adapter, job).error_class is expected


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("error", 403, AUTH),
        ("error", 404, EXPIRED),
        ("error", 500, LATER),
        ("cut_off", 200, LATER),
        ("drop_after", 200, LATER),
    ],
)
def test_a_download_that_fails_has_its_class(
    vertex: FakeVertex, veo: Make, kind: str, status: int, expected: ErrorClass
) -> None:
    adapter = veo(**IN_BUCKET)
    job = started(adapter)
    # The look comes first and is well.
    vertex.cause("nothing", where="storage")
    vertex.cause(kind, where="storage", status=status)
    assert error_of(collected, adapter, job).error_class is expected


def test_a_clip_larger_than_we_take_is_not_taken(
    vertex: FakeVertex, veo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = veo(**IN_BUCKET)
    job = started(adapter)
    monkeypatch.setattr("creative_hub.providers.veo.MAX_CLIP_BYTES", 1000)
    assert error_of(collected, adapter, job).error_class is RESULT


def test_a_clip_that_was_removed_from_the_bucket_has_expired(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo(**IN_BUCKET)
    job = started(adapter)
    vertex.empty_bucket()
    assert error_of(collected, adapter, job).error_class is EXPIRED


def test_an_inline_clip_that_is_no_base64_is_a_bad_result(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo()
    job = started(adapter, prompt="A boat [vertex:bad_base64]")
    assert error_of(collected, adapter, job).error_class is RESULT


def test_a_clip_asked_for_too_early_is_asked_for_again(vertex: FakeVertex, veo: Make) -> None:
    vertex.render_s = 3600
    adapter = veo()
    assert error_of(collected, adapter, started(adapter)).error_class is LATER


# --- what leaves the adapter ---


@pytest.mark.parametrize("where", ["create", "poll", "storage"])
def test_messages_hold_no_token_no_prompt_and_no_signed_link(
    vertex: FakeVertex, veo: Make, where: str
) -> None:
    token = vertex.issue_token()
    adapter = veo(**IN_BUCKET, token=lambda: token)
    prompt = "Our secret summer launch: a turquoise kite for Brand X"
    job = Poll(upstream_id="", order=order(prompt=prompt))
    if where != "create":
        job = started(adapter, prompt=prompt)
    message = f"{token} Bearer abc.def '{prompt[:40]}' https://s.example/a.mp4?X-Sig=s3cret late"
    vertex.cause("error", where=where, status=400, message=message)
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: adapter.submit(job.order),
        "poll": lambda: adapter.poll([job]),
        "storage": lambda: collected(adapter, job),
    }
    error = error_of(calls[where])
    for text in (error.message, str(error), repr(error)):
        for secret in (token, "abc.def", "turquoise", "secret summer", "s3cret"):
            assert secret not in text
    assert error.message.endswith("https://s.example/a.mp4?[cut] late")


def test_an_operations_own_words_hold_no_prompt(vertex: FakeVertex, veo: Make) -> None:
    adapter = veo()
    vertex.cause("rpc_3", message="No 'turquoise kite for Brand X' here.")
    stand = only(adapter, started(adapter, prompt="A turquoise kite for Brand X"))
    assert isinstance(stand, ProviderError)
    assert stand.message == "No '[prompt]' here."
