"""What can go wrong with a fetch, as one exception with a stored reason."""

from enum import StrEnum


class FetchReason(StrEnum):
    """Stable codes: they are stored and mapped to sentences elsewhere."""

    BAD_URL = "bad_url"  # not an address we take: scheme, port, userinfo, spelling, downgrade
    FORBIDDEN_ADDRESS = "forbidden_address"  # leads, or may lead, into somebody's private network
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    HTTP_STATUS = "http_status"  # any final answer but 200; the number is in FetchError.status
    TRUNCATED = "truncated"  # the body ended before its own end mark
    EMPTY = "empty"
    CONNECTION = "connection"  # name not found, refused, reset, certificate, not speaking HTTP
    TOO_MANY_REDIRECTS = "too_many_redirects"
    ENCODED = "encoded"  # compressed although we asked for identity


_PASSING = frozenset({FetchReason.TIMEOUT, FetchReason.CONNECTION, FetchReason.TRUNCATED})
_EXPIRED_STATUSES = frozenset({401, 403, 404, 410})


class FetchError(Exception):
    """A fetch that brought nothing usable.

    detail names at most the scheme, host and port: a path or query may be a signature, and this
    text goes to logs. status is set only for HTTP_STATUS.
    """

    def __init__(self, reason: FetchReason, detail: str, status: int | None = None) -> None:
        # All three are in args, so that the exception survives pickling.
        super().__init__(reason, detail, status)
        self.reason = reason
        self.detail = detail
        self.status = status

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"

    @property
    def is_retryable(self) -> bool:
        """Whether the same URL may well answer later."""
        if self.status is not None:
            return self.status == 429 or self.status >= 500
        return self.reason in _PASSING

    @property
    def is_expired(self) -> bool:
        """Whether the answer is what a signed link gives once its time is over.

        Storage services answer a late signed link with 403 (S3, GCS), others with 401, 404 or 410:
        ask the provider for a new link rather than repeat this one.
        """
        return self.status in _EXPIRED_STATUSES
