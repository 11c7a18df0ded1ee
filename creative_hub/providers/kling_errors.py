"""Kling's answers in our words: the envelope, the table of error codes, and what a task says.

Source: Kling AI open platform, API reference, "General info" (error codes). The classes are ours.
The code decides, not the HTTP status: of five different 429s only two are worth waiting for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from creative_hub.providers.base import ErrorClass, UpstreamState

OK = 0
TOKEN_TOO_EARLY, TOKEN_EXPIRED = 1003, 1004
BAD_PARAMETER = 1201  # the message says which; also a duplicate external id, or an unknown one
NO_SUCH_RESOURCE = 1203
INTERNAL, MAINTENANCE, INTERNAL_TIMEOUT = 5000, 5001, 5002

BY_CODE: Mapping[int | None, ErrorClass] = {
    1000: ErrorClass.AUTH,
    1001: ErrorClass.AUTH,
    1002: ErrorClass.AUTH,
    TOKEN_TOO_EARLY: ErrorClass.AUTH,
    TOKEN_EXPIRED: ErrorClass.AUTH,
    1100: ErrorClass.PROVIDER_CREDIT,
    1101: ErrorClass.PROVIDER_CREDIT,
    1102: ErrorClass.PROVIDER_CREDIT,
    1103: ErrorClass.MODEL_GONE,
    1200: ErrorClass.BAD_REQUEST,
    BAD_PARAMETER: ErrorClass.BAD_REQUEST,
    1202: ErrorClass.BAD_REQUEST,
    NO_SUCH_RESOURCE: ErrorClass.MODEL_GONE,
    1300: ErrorClass.CONTENT_REFUSED,
    1301: ErrorClass.CONTENT_REFUSED,
    1302: ErrorClass.RATE_LIMITED,
    1303: ErrorClass.RATE_LIMITED,
    1304: ErrorClass.AUTH,
    INTERNAL: ErrorClass.TRANSIENT,
    MAINTENANCE: ErrorClass.TRANSIENT,
    INTERNAL_TIMEOUT: ErrorClass.TRANSIENT,
}

# For codes of tomorrow, and answers without one. A 429 is no RATE_LIMITED without its code: it
# may as well be an account in arrears, which no waiting mends.
BY_STATUS: Mapping[int, ErrorClass] = {
    401: ErrorClass.AUTH,
    402: ErrorClass.PROVIDER_CREDIT,
    403: ErrorClass.AUTH,
    404: ErrorClass.MODEL_GONE,
    408: ErrorClass.TRANSIENT,
    429: ErrorClass.TRANSIENT,
}
# Statuses that say plainly that a create was not taken, though it may be sent again.
NOT_TAKEN = frozenset({429, 503})

# Not inside a longer word: "information" holds "format".
_OF_IMAGE = re.compile(r"(?i)(?<![a-z])(image|pixel|format|ratio)")
_FAILED_FOR_IMAGE = re.compile(r"(?i)(?<![a-z])(image|pixel)")
_FAILED_FOR_CONTENT = re.compile(r"(?i)risk\s+control|sensitive")
_TAKEN = re.compile(r"(?i)already\s+exist")

MAX_URL_CHARS = 8192
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_STATES: Mapping[str, UpstreamState] = {
    "submitted": UpstreamState.QUEUED,
    "processing": UpstreamState.RUNNING,
    "succeed": UpstreamState.SUCCEEDED,
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Envelope:
    """What every answer is wrapped in; what is missing or of a wrong type is empty.

    code: None when the answer has none that can be read; then it is not Kling's own.
    """

    code: int | None = None
    message: str = ""
    request_id: str = ""
    data: Any = None

    @classmethod
    def read(cls, value: Any) -> Envelope:
        if not isinstance(value, dict):
            return cls()
        message, request_id = value.get("message"), value.get("request_id")
        return cls(
            code=_code(value.get("code")),
            message=message if isinstance(message, str) else "",
            request_id=request_id if isinstance(request_id, str) else "",
            data=value.get("data"),
        )


def _code(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def class_of(envelope: Envelope, *, status: int, is_create: bool, has_image: bool) -> ErrorClass:
    """What an answer that is no success means for the job.

    status: of HTTP. is_create: the call that orders something, which may have been taken even if
    the answer is an error. has_image: a picture was sent with it.
    """
    code = envelope.code
    if code in BY_CODE:
        found = BY_CODE[code]
        if code == BAD_PARAMETER and has_image and _OF_IMAGE.search(envelope.message):
            found = ErrorClass.BAD_IMAGE
        is_doubtful = code in (INTERNAL, INTERNAL_TIMEOUT)
    else:
        is_mute = code == OK or (code is None and not is_create)
        # An answer that contradicts itself, or to a question one that is not Kling's own, says
        # nothing. To an order even a gateway's status tells whether it was passed on.
        found = ErrorClass.TRANSIENT if is_mute else _by_status(status)
        is_doubtful = found is ErrorClass.TRANSIENT and (code == OK or status not in NOT_TAKEN)
    return ErrorClass.AMBIGUOUS if is_create and is_doubtful else found


def _by_status(status: int) -> ErrorClass:
    if status in BY_STATUS:
        return BY_STATUS[status]
    if 400 <= status < 500:
        return ErrorClass.BAD_REQUEST
    # A page that is not Kling's, a redirect, a failure.
    return ErrorClass.TRANSIENT


def is_token_stale(envelope: Envelope) -> bool:
    return envelope.code in (TOKEN_TOO_EARLY, TOKEN_EXPIRED)


def is_duplicate(envelope: Envelope) -> bool:
    """Whether a create was refused because its external id is taken."""
    return envelope.code == BAD_PARAMETER and _TAKEN.search(envelope.message) is not None


def is_not_there(envelope: Envelope, *, status: int) -> bool:
    """Whether a question about one task was answered with "there is none".

    Which of three ways Kling says it is not documented. A page that is not Kling's says nothing.
    """
    if envelope.code in (BAD_PARAMETER, NO_SUCH_RESOURCE):
        return True
    is_known = envelope.code in (None, OK) or envelope.code in BY_CODE
    return status == 404 and not is_known


def class_of_failed_task(message: str) -> ErrorClass:
    """Why a task failed, from its `task_status_msg`. It is final, so nothing here is retryable."""
    if _FAILED_FOR_CONTENT.search(message):
        return ErrorClass.CONTENT_REFUSED
    if _FAILED_FOR_IMAGE.search(message):
        return ErrorClass.BAD_IMAGE
    return ErrorClass.BAD_RESULT


def text_of(task: Any, name: str) -> str:
    """A field of a task; empty when it is missing or no text."""
    value = task.get(name) if isinstance(task, dict) else None
    return value if isinstance(value, str) else ""


def id_of(task: Any) -> str:
    """The id of a task, a string of digits; empty when it has none that fits into a path."""
    found = text_of(task, "task_id")
    return found if _ID.fullmatch(found) else ""


def state_of(task: Any) -> UpstreamState | None:
    """None for a task that failed, and for a status that we do not know."""
    return _STATES.get(text_of(task, "task_status"))


def link_of(task: Any) -> str:
    """The link to the first clip; empty when there is none that can be followed."""
    result = task.get("task_result")
    videos = result.get("videos") if isinstance(result, dict) else None
    url = text_of(videos[0], "url") if isinstance(videos, list) and videos else ""
    is_plain = url.isascii() and url.isprintable() and len(url) <= MAX_URL_CHARS
    return url if is_plain and url.startswith(("https://", "http://")) else ""
