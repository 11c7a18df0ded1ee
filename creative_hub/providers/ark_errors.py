"""BytePlus ModelArk's errors in our classes, for pictures and clips alike.

Codes and statuses: the ModelArk API reference, "Error codes" (images and video generation share
one list). The classes are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from creative_hub.providers.base import RETRYABLE, ErrorClass, ProviderError

BY_CODE: Mapping[str, ErrorClass] = {
    "MissingParameter": ErrorClass.BAD_REQUEST,
    "InvalidParameter": ErrorClass.BAD_REQUEST,
    "InvalidImageURL": ErrorClass.BAD_IMAGE,
    "InvalidEndpoint.ClosedEndpoint": ErrorClass.MODEL_GONE,
    "SensitiveContentDetected": ErrorClass.CONTENT_REFUSED,
    "InputTextSensitiveContentDetected": ErrorClass.CONTENT_REFUSED,
    "InputImageSensitiveContentDetected": ErrorClass.CONTENT_REFUSED,
    "InputTextRiskDetection": ErrorClass.CONTENT_REFUSED,
    "InputImageRiskDetection": ErrorClass.CONTENT_REFUSED,
    "OutputTextSensitiveContentDetected": ErrorClass.CONTENT_REFUSED,
    "OutputImageSensitiveContentDetected": ErrorClass.CONTENT_REFUSED,
    "OutputVideoSensitiveContentDetected": ErrorClass.CONTENT_REFUSED,
    "OutputAudioSensitiveContentDetected": ErrorClass.CONTENT_REFUSED,
    "AuthenticationError": ErrorClass.AUTH,
    "InvalidAccountStatus": ErrorClass.AUTH,
    "AccountOverdueError": ErrorClass.PROVIDER_CREDIT,
    "OperationDenied.ServiceOverdue": ErrorClass.PROVIDER_CREDIT,
    "OperationDenied.ServiceNotOpen": ErrorClass.MODEL_GONE,
    "AccessDenied": ErrorClass.MODEL_GONE,
    "ModelNotOpen": ErrorClass.MODEL_GONE,
    "InvalidEndpointOrModel": ErrorClass.MODEL_GONE,
    "UnsupportedModel": ErrorClass.MODEL_GONE,
    "RateLimitExceeded": ErrorClass.RATE_LIMITED,
    "ModelAccountRpmRateLimitExceeded": ErrorClass.RATE_LIMITED,
    "ModelAccountTpmRateLimitExceeded": ErrorClass.RATE_LIMITED,
    "ModelAccountIpmRateLimitExceeded": ErrorClass.RATE_LIMITED,
    "APIAccountRpmRateLimitExceeded": ErrorClass.RATE_LIMITED,
    "AccountRateLimitExceeded": ErrorClass.RATE_LIMITED,
    "RequestBurstTooFast": ErrorClass.RATE_LIMITED,
    "InflightBatchsizeExceeded": ErrorClass.RATE_LIMITED,
    "ServerOverloaded": ErrorClass.TRANSIENT,
    "ModelLoadingError": ErrorClass.TRANSIENT,
    "QuotaExceeded": ErrorClass.RATE_LIMITED,
    "SetLimitExceeded": ErrorClass.PROVIDER_CREDIT,
    "InternalServiceError": ErrorClass.TRANSIENT,
}

BY_STATUS: Mapping[int, ErrorClass] = {
    401: ErrorClass.AUTH,
    402: ErrorClass.PROVIDER_CREDIT,
    403: ErrorClass.AUTH,
    408: ErrorClass.TRANSIENT,
    429: ErrorClass.RATE_LIMITED,
}

_REFUSAL = re.compile(r"(Input|Output)\w*(Sensitive|Risk)")
# QuotaExceeded means a full queue, or that the free allowance is gone: only its text tells.
_FREE_ALLOWANCE = re.compile(r"(?i)\b(free|trial|used up|exhausted)\b")
_REQUEST_ID = re.compile(r"(?i)request id:\s*([\w-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArkError:
    """The `error` object of an answer; what is missing or of a wrong type is empty."""

    code: str = ""
    message: str = ""
    param: str = ""

    @classmethod
    def read(cls, value: Any) -> ArkError | None:
        """None when the value is not an error object."""
        if not isinstance(value, dict):
            return None
        parts = {name: value.get(name) for name in ("code", "message", "param")}
        return cls(**{name: part for name, part in parts.items() if isinstance(part, str)})

    @property
    def request_id(self) -> str:
        """ModelArk ends its messages with one."""
        found = _REQUEST_ID.search(self.message)
        return found.group(1) if found else ""


def class_of(error: ArkError, *, status: int, is_create: bool, has_image: bool) -> ErrorClass:
    """What an error means for the job.

    status: of HTTP; 200 for an error inside an answer. is_create: the call that orders something,
    which may have been taken even if the answer is an error. has_image: a picture was sent with it.
    """
    found = _by_code(error, has_image=has_image) or _by_status(status, is_create=is_create)
    is_doubtful = status == 408 or (status >= 500 and status != 503)
    if found in RETRYABLE and is_create and is_doubtful:
        # It may have been taken all the same; only 429 and 503 say plainly that it was not.
        return ErrorClass.AMBIGUOUS
    return found


def _by_code(error: ArkError, *, has_image: bool) -> ErrorClass | None:
    code = error.code
    while code:
        found = BY_CODE.get(code)
        if found is not None:
            return _told_by_message(code, found, error, has_image=has_image)
        code = code.rpartition(".")[0]
    if _REFUSAL.match(error.code):
        return ErrorClass.CONTENT_REFUSED
    if error.code.endswith("RateLimitExceeded"):
        return ErrorClass.RATE_LIMITED
    return None


def _told_by_message(
    code: str, found: ErrorClass, error: ArkError, *, has_image: bool
) -> ErrorClass:
    if code == "QuotaExceeded" and _FREE_ALLOWANCE.search(error.message):
        return ErrorClass.PROVIDER_CREDIT
    speaks_of_image = "image" in f"{error.param} {error.message}".lower()
    if found is ErrorClass.BAD_REQUEST and has_image and speaks_of_image:
        return ErrorClass.BAD_IMAGE
    return found


def _by_status(status: int, *, is_create: bool) -> ErrorClass:
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status == 404:
        return ErrorClass.MODEL_GONE if is_create else ErrorClass.RESULT_EXPIRED
    if 400 <= status < 500:
        return ErrorClass.BAD_REQUEST
    if status >= 500:
        return ErrorClass.TRANSIENT
    if status >= 300:
        # A redirect is not followed, and says nothing of what became of the request.
        return ErrorClass.AMBIGUOUS if is_create else ErrorClass.TRANSIENT
    return ErrorClass.BAD_RESULT


def provider_error(
    error: ArkError,
    *,
    status: int,
    is_create: bool,
    has_image: bool,
    message: str,
    request_id: str,
    retry_after_s: float | None,
) -> ProviderError:
    """message: the error's own, scrubbed by the caller, who knows the secrets."""
    return ProviderError(
        class_of(error, status=status, is_create=is_create, has_image=has_image),
        message,
        code=error.code or f"http_{status}",
        request_id=request_id or error.request_id,
        retry_after_s=retry_after_s,
    )
