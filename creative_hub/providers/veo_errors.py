"""Google's errors in our classes, for Veo on Vertex AI and the bucket its clips are put into.

Sources: google.rpc.Code and google.rpc.RetryInfo (the error model of Google Cloud APIs), and
"Troubleshoot Veo" in the Vertex AI documentation. The wording of messages is not documented, so
it is matched loosely; the classes are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from creative_hub.providers import http
from creative_hub.providers.base import RETRYABLE, ErrorClass, Order, ProviderError

# google.rpc.Code: the numbers inside an operation, by name and the HTTP status each stands for.
RPC_CODES: Mapping[int, tuple[str, int]] = {
    1: ("CANCELLED", 499),
    2: ("UNKNOWN", 500),
    3: ("INVALID_ARGUMENT", 400),
    4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404),
    6: ("ALREADY_EXISTS", 409),
    7: ("PERMISSION_DENIED", 403),
    8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400),
    10: ("ABORTED", 409),
    11: ("OUT_OF_RANGE", 400),
    12: ("UNIMPLEMENTED", 501),
    13: ("INTERNAL", 500),
    14: ("UNAVAILABLE", 503),
    15: ("DATA_LOSS", 500),
    16: ("UNAUTHENTICATED", 401),
}

_API_KEY = re.compile(r"(?i)\bapi[ _]?key\b")
_SAFETY = re.compile(
    r"(?i)usage guidelines|violat|(?<!case[- ])sensitive|celebrit|prohibited|responsible ai"
    r"|support codes?\b|safety"
)
_REGION_OR_BILLING = re.compile(
    r"(?i)\bbilling\b"
    r"|\b(country|region|location)\b.*\bnot (available|supported|allowed)\b"
    r"|\bnot (available|supported|allowed)\b.*\b(country|region|location)\b"
)
_OUR_FIELDS = re.compile(r"(?i)isn't supported by this model|value type for")
_PICTURE = re.compile(r"(?i)\b(image|mime|picture)\b")
_MODEL_GONE = re.compile(
    r"(?i)publisher model.*(was not found|does not have access)|is no longer available"
)
_SPENT = re.compile(r"(?i)per[ -]?day|\bdaily\b|spending cap|pre-?pa(y|id)|\bbilling\b")
_PERSON_SETTING = re.compile(r"(?i)person[_ ]?generation")
_DELAY = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)s")


@dataclass(frozen=True, slots=True, kw_only=True)
class VertexError:
    """The `error` object of an answer; what is missing or of a wrong type is empty.

    code: the HTTP status, or in an operation the number of google.rpc.Code. status: its name.
    retry_after_s: the delay in RetryInfo, in seconds.
    """

    code: int = 0
    status: str = ""
    message: str = ""
    reason: str = ""
    retry_after_s: float | None = None

    @classmethod
    def read(cls, value: Any) -> VertexError | None:
        """None when the value is not an error object."""
        if not isinstance(value, dict):
            return None
        details = value.get("details")
        parts = details if isinstance(details, list) else []
        parts = [part for part in parts if isinstance(part, dict)]
        code = value.get("code")
        return cls(
            code=code if isinstance(code, int) else 0,
            status=_text(value.get("status")),
            message=_text(value.get("message")),
            reason=next((reason for part in parts if (reason := _text(part.get("reason")))), ""),
            retry_after_s=next(
                (wait for part in parts if (wait := _seconds(part.get("retryDelay"))) is not None),
                None,
            ),
        )

    @property
    def names_person_setting(self) -> bool:
        return _PERSON_SETTING.search(self.message) is not None


def class_of(error: VertexError, *, status: int, is_create: bool, has_image: bool) -> ErrorClass:
    """What an error answer means.

    status: of HTTP. is_create: the call that orders a clip, which may have been taken even if the
    answer is an error. has_image: a picture was sent with the order.
    """
    found = _by_words(error, status=status, has_image=has_image) or _by_status(
        status, is_create=is_create
    )
    if found is ErrorClass.TRANSIENT and is_create:
        # Not even 503 says that it was not taken: a part that gave up waiting may have answered.
        return ErrorClass.AMBIGUOUS
    return found


def class_of_ended(error: VertexError, *, has_image: bool) -> ErrorClass:
    """What the error of a finished operation means: it is final, and asking again mends nothing."""
    _, status = RPC_CODES.get(error.code, ("", 500))
    if status == 404 and not _MODEL_GONE.search(error.message):
        # Something it needed on the way, not the operation itself.
        return ErrorClass.BAD_RESULT
    found = class_of(error, status=status, is_create=False, has_image=has_image)
    return ErrorClass.BAD_RESULT if found in RETRYABLE else found


def name_of_ended(error: VertexError) -> str:
    """The name of an operation's error code; an unknown number as `rpc_77`."""
    name, _ = RPC_CODES.get(error.code, (f"rpc_{error.code}", 0))
    return name


def of_answer(answer: http.Answer) -> VertexError | None:
    """The error an answer speaks of; None when it is a page, cut off or no error at all."""
    found = answer.parsed()
    return VertexError.read(found.get("error")) if isinstance(found, dict) else None


def refusal(
    answer: http.Answer, *, order: Order, token: str, is_create: bool, now: float
) -> ProviderError:
    """An answer that is no 200, in our words. now: Unix time, for a Retry-After with a date."""
    status, error = answer.status, of_answer(answer)
    if error is None and status == 404 and not is_create:
        # Some page on the way: only Vertex itself can say that it has forgotten an operation.
        found = ErrorClass.TRANSIENT
    else:
        found = class_of(
            error or VertexError(), status=status, is_create=is_create, has_image=order.has_frame
        )
    error = error or VertexError()
    wait_s = error.retry_after_s
    message = error.message or answer.flaw or f"HTTP {status}"
    return ProviderError(
        found,
        http.scrubbed(message, secrets=[token], prompt=order.prompt),
        code=error.status or f"http_{status}",
        retry_after_s=http.retry_after_s(answer.headers, now=now) if wait_s is None else wait_s,
    )


def of_ended(operation: Mapping[str, Any], *, order: Order, token: str) -> ProviderError:
    """Why an operation that has ended made no clip."""

    def scrubbed(words: str) -> str:
        return http.scrubbed(words, secrets=[token], prompt=order.prompt)

    error = VertexError.read(operation.get("error"))
    if error is not None:
        found = class_of_ended(error, has_image=order.has_frame)
        return ProviderError(found, scrubbed(error.message), code=name_of_ended(error))
    response = operation.get("response")
    response = response if isinstance(response, dict) else {}
    reasons = response.get("raiMediaFilteredReasons")
    if reasons or response.get("raiMediaFilteredCount"):
        # The reasons carry the support codes by which Google tells what it objected to.
        words = " ".join(map(str, reasons)) if isinstance(reasons, list) else ""
        return ProviderError(ErrorClass.CONTENT_REFUSED, scrubbed(words), code="filtered")
    return ProviderError(ErrorClass.BAD_RESULT, "it ended without a clip", code="no_clip")


def _by_words(error: VertexError, *, status: int, has_image: bool) -> ErrorClass | None:
    """What the message tells beyond the status."""
    words = f"{error.message} {error.reason}"
    if status in (403, 404) and _MODEL_GONE.search(words):
        return ErrorClass.MODEL_GONE
    if status == 403 and _REGION_OR_BILLING.search(words):
        return ErrorClass.PROVIDER_CREDIT
    if status == 429 and _SPENT.search(words):
        return ErrorClass.PROVIDER_CREDIT
    return _bad_request(error, words, has_image=has_image) if status == 400 else None


def _bad_request(error: VertexError, words: str, *, has_image: bool) -> ErrorClass:
    if _API_KEY.search(words):
        return ErrorClass.AUTH
    if _OUR_FIELDS.search(words):
        return ErrorClass.BAD_REQUEST
    if _SAFETY.search(words):
        return ErrorClass.CONTENT_REFUSED
    is_precondition = error.status == "FAILED_PRECONDITION" or error.code == 9
    if is_precondition or _REGION_OR_BILLING.search(words):
        return ErrorClass.PROVIDER_CREDIT
    if has_image and _PICTURE.search(words):
        return ErrorClass.BAD_IMAGE
    return ErrorClass.BAD_REQUEST


def _by_status(status: int, *, is_create: bool) -> ErrorClass:
    plain = {
        401: ErrorClass.AUTH,
        402: ErrorClass.PROVIDER_CREDIT,
        403: ErrorClass.AUTH,
        404: ErrorClass.MODEL_GONE if is_create else ErrorClass.RESULT_EXPIRED,
        429: ErrorClass.RATE_LIMITED,
    }
    if status in plain:
        return plain[status]
    if 400 <= status < 500 and status not in (408, 409, 499):
        return ErrorClass.BAD_REQUEST
    # A redirect is not followed, and says as little as a failure of theirs.
    return ErrorClass.TRANSIENT


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: Any) -> float | None:
    """A protobuf Duration in JSON: "37s", "1.5s"."""
    found = _DELAY.fullmatch(value) if isinstance(value, str) else None
    return float(found[1]) if found else None
