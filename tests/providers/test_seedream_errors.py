"""ModelArk's errors as the Seedream adapter meets them, over real HTTP."""

from collections.abc import Callable

import pytest

from creative_hub.providers.base import ErrorClass, ProviderError
from creative_hub.providers.seedream import (
    SeedreamAdapter,
)
from tests.providers.ark_errors import (
    AMBIGUOUS,
    AUTH,
    CREDIT,
    DOCUMENTED,
    GONE,
    LIMITED,
    REFUSED,
    REQUEST,
    TRANSIENT,
    WORDS,
    assert_told,
)
from tests.providers.fakes.ark import FakeArk
from tests.providers.orders import error_of, order

Make = Callable[..., SeedreamAdapter]


def refusal(adapter: SeedreamAdapter, **changes: object) -> ProviderError:
    return error_of(adapter.submit, order(**changes))


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        *DOCUMENTED,
        (400, "InvalidParameter.OversizeImage", REQUEST),
        (400, "OutputVideoSensitiveContentDetected.PolicyViolation", REFUSED),
        (400, "OutputAudioSensitiveContentDetected", REFUSED),
        # Codes of tomorrow: by prefix, by ending, by status.
        (400, "InputAudioSensitiveThing.New", REFUSED),
        (400, "OutputImageRiskOfTomorrow", REFUSED),
        (429, "SomethingRateLimitExceeded", LIMITED),
        (400, "BrandNew", REQUEST),
        (401, "BrandNew", AUTH),
        (402, "BrandNew", CREDIT),
        (403, "BrandNew", AUTH),
        (404, "BrandNew", GONE),
        (408, "BrandNew", AMBIGUOUS),
        (422, "BrandNew", REQUEST),
        (429, "BrandNew", LIMITED),
        (500, "ServerOverloaded", AMBIGUOUS),
        (599, "BrandNew", AMBIGUOUS),
    ],
)
def test_every_documented_error_has_its_class(
    ark: FakeArk, seedream: Make, status: int, code: str, expected: ErrorClass
) -> None:
    ark.cause("error", status=status, code=code, message=WORDS)
    error = refusal(seedream())
    assert_told(error, status=status, code=code, expected=expected)
    assert len(ark.requests) == 1


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Your free trial quota has been used up.", CREDIT),
        ("The free quota of this model is exhausted.", CREDIT),
        ("The number of queued tasks exceeds the quota.", LIMITED),
        ("", LIMITED),
    ],
)
def test_quota_exceeded_is_told_apart_by_its_message(
    ark: FakeArk, seedream: Make, message: str, expected: ErrorClass
) -> None:
    ark.cause("error", status=429, code="QuotaExceeded", message=message)
    assert refusal(seedream()).error_class is expected


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1e400", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(
    ark: FakeArk, seedream: Make, status: int, header: str, seconds: float | None
) -> None:
    ark.cause("error", status=status, code="", headers={"Retry-After": header})
    error = refusal(seedream(clock=lambda: 1_000.0))
    assert error.is_retryable
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("top_level_error", "OutputImageSensitiveContentDetected", REFUSED),
        ("top_level_error", "InternalServiceError", TRANSIENT),
        ("top_level_error", "BrandNew", ErrorClass.BAD_RESULT),
        ("item_error", "OutputImageSensitiveContentDetected", REFUSED),
        ("item_error", "InternalServiceError", TRANSIENT),
        ("item_error", "BrandNew", ErrorClass.BAD_RESULT),
    ],
)
def test_an_error_inside_a_good_answer_counts(
    ark: FakeArk, seedream: Make, kind: str, code: str, expected: ErrorClass
) -> None:
    ark.cause(kind, code=code)
    error = refusal(seedream())
    assert (error.error_class, error.code) == (expected, code)


def test_a_wrong_key_is_for_the_operator(ark: FakeArk, seedream: Make) -> None:
    error = refusal(seedream(api_key="sk-wrong-key"))
    assert error.error_class is AUTH
    assert "sk-wrong-key" not in error.message


def test_a_model_that_is_not_switched_on_is_gone(ark: FakeArk, seedream: Make) -> None:
    ark.closed_models.add("seedream-4-0-250828")
    assert refusal(seedream()).error_class is GONE
    assert refusal(seedream(model="seedream-9-9")).code == "InvalidEndpointOrModel.NotFound"
