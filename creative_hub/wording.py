"""What a failure says to the person who ordered: what happened, whose fault, what next.

Codes are stored on the rows, these sentences are shown. That nothing was charged is said beside
them by the receipt, so it is not repeated here.
"""

from __future__ import annotations

from creative_hub.providers.base import ErrorClass

CANCELLED = "cancelled"
NOT_STARTED = "not_started"
INTERRUPTED = "interrupted"
NOT_STORED = "not_stored"

FAILURES: dict[str, str] = {
    ErrorClass.CONTENT_REFUSED: (
        "The provider refused this prompt under its content rules. Change the wording and try"
        " again; names of real people and brands are the usual reason."
    ),
    ErrorClass.BAD_IMAGE: (
        "The provider could not use the picture. Try another one, or a smaller or larger copy."
    ),
    ErrorClass.BAD_REQUEST: (
        "The provider did not accept one of the settings. Choose another format or shorten the"
        " prompt and try again."
    ),
    ErrorClass.PROVIDER_CREDIT: (
        "Our account with the provider is out of credit. That is our fault, not yours; we have"
        " been told."
    ),
    ErrorClass.AUTH: (
        "We could not sign in to the provider. That is our fault, not yours; we have been told."
    ),
    ErrorClass.MODEL_GONE: "This model is not available right now. That is not your fault.",
    ErrorClass.RATE_LIMITED: (
        "The provider was too busy for half an hour and we stopped waiting. Try again later."
    ),
    ErrorClass.TRANSIENT: (
        "The provider was out of order for half an hour and we stopped waiting. Try again later."
    ),
    ErrorClass.AMBIGUOUS: (
        "The provider may have made the picture, but its answer was lost twice. Try again."
    ),
    ErrorClass.RESULT_EXPIRED: (
        "The provider removed the finished file before we could save it. Try again."
    ),
    ErrorClass.BAD_RESULT: (
        "The provider delivered something that is not a usable picture. Try again."
    ),
    CANCELLED: "Cancelled before it was made.",
    NOT_STARTED: "It could not be started within half an hour, so we gave it up. Try again.",
    INTERRUPTED: "Our side was interrupted three times while this ran. Try again.",
    NOT_STORED: "The picture was made but we could not save it. That is our fault. Try again.",
}


def failure(code: str) -> str:
    """The sentence for an error code; an unknown code still gets one."""
    return FAILURES.get(code, "Something went wrong on our side. Try again.")
