"""What a failure says to the person who ordered: what happened, whose fault, what next.

Codes are stored on the rows, these sentences are shown. That nothing was charged is said beside
them by the receipt, so it is not repeated here.
"""

from __future__ import annotations

from creative_hub.providers.base import ErrorClass

CANCELLED = "cancelled"
NOT_STARTED = "not_started"
SWITCHED_OFF = "switched_off"
INTERRUPTED = "interrupted"
NOT_STORED = "not_stored"
UNDECIDED = "undecided"
NO_ANSWER = "no_answer"
FRAME_NOT_FETCHED = "frame_not_fetched"
FRAME_UNUSABLE = "frame_unusable"

FAILURES: dict[str, str] = {
    ErrorClass.CONTENT_REFUSED: (
        "The provider refused this prompt or picture under its content rules. Change it and try"
        " again; names and faces of real people, and brands, are the usual reason."
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
    ErrorClass.MODEL_GONE: (
        "This model is not available right now. That is not your fault; we have been told."
    ),
    ErrorClass.RATE_LIMITED: (
        "The provider was too busy for half an hour and we stopped waiting. Try again later."
    ),
    ErrorClass.TRANSIENT: (
        "The provider was out of order for half an hour and we stopped waiting. Try again later."
    ),
    ErrorClass.AMBIGUOUS: (
        "The provider may have made it, but its answer was lost twice. Try again."
    ),
    ErrorClass.RESULT_EXPIRED: (
        "The provider removed the finished file before we could save it. Try again."
    ),
    ErrorClass.BAD_RESULT: (
        "The provider could not make it, or delivered something that cannot be used. Try again."
    ),
    CANCELLED: "Cancelled before it was made.",
    NOT_STARTED: "Its turn did not come within a day, so we gave it up. Try again.",
    SWITCHED_OFF: (
        "This provider was switched off before the job was sent. Choose another one, or try again"
        " later."
    ),
    INTERRUPTED: "Our side was interrupted three times while this ran. Try again.",
    NOT_STORED: "It was made but we could not save it. That is our fault. Try again.",
    NO_ANSWER: (
        "We sent it three times and the provider never answered; it has nothing of it. Try again"
        " later, or choose another provider."
    ),
    UNDECIDED: (
        "The provider did not tell us within a day what became of it, so we stopped waiting. Try"
        " again."
    ),
    FRAME_NOT_FETCHED: (
        "The picture at image_url could not be fetched. Check that the address is public and"
        " opens without signing in, or upload the picture."
    ),
    FRAME_UNUSABLE: (
        "The picture at image_url cannot start a clip. It must be a JPEG, PNG or WebP of at most"
        " 10 MB, each side 300 to 8000 px, not narrower than 1:2.5 and not wider than 2.5:1."
    ),
}


def failure(code: str) -> str:
    """The sentence for an error code; an unknown code still gets one."""
    return FAILURES.get(code, "Something went wrong on our side. Try again.")


# What an operator does about an error that only they can mend. {key}, {model}: their settings.
REMEDIES: dict[str, str] = {
    ErrorClass.AUTH: "Check {key}: the provider does not accept it.",
    ErrorClass.PROVIDER_CREDIT: "Top up the account with the provider, or lift its own limits.",
    ErrorClass.MODEL_GONE: (
        "The provider does not serve the model in {model} to this account. Set {model} to one it"
        " offers, or switch the model on in the provider's console."
    ),
}
