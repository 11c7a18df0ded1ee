"""The adapter contract: what the engine asks of every provider, in our words.

An adapter turns an `Order` into HTTP calls and the provider's answers into `Upstream` values or a
`ProviderError` of one of our classes. It imports no Django, no Celery and no tables; keys, hosts
and time limits come in by constructor (see `creative_hub/registry.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol


class UpstreamState(StrEnum):
    """Where a job stands at the provider."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"


class ErrorClass(StrEnum):
    """Every way a provider can say no. What each means for the job is in `RETRYABLE` below."""

    CONTENT_REFUSED = "content_refused"
    BAD_IMAGE = "bad_image"
    BAD_REQUEST = "bad_request"
    PROVIDER_CREDIT = "provider_credit"
    AUTH = "auth"
    MODEL_GONE = "model_gone"
    RATE_LIMITED = "rate_limited"
    TRANSIENT = "transient"
    AMBIGUOUS = "ambiguous"
    RESULT_EXPIRED = "result_expired"
    BAD_RESULT = "bad_result"


# The provider certainly did not take the job (or only a read failed): the same call may be made
# again later. AMBIGUOUS is not among them: it may be repeated only as the adapter's Recovery says.
RETRYABLE = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.TRANSIENT})


class Recovery(StrEnum):
    """What may be done when we do not know whether the provider took a job."""

    # `find` tells whether the provider has it; if it has not, sending again is safe.
    LOOK_UP = "look_up"
    # `find` may come upon it, but finding nothing proves nothing: never sent again by itself.
    LOOK_ONLY = "look_only"
    # Nothing can be looked up and a lost result costs only us: send once more, then give up.
    REPEAT_ONCE = "repeat_once"


def storable(text: str) -> str:
    """The text without what no database column holds: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


class ProviderError(Exception):
    """A provider's refusal or failure, in our classes.

    message: the provider's own words, shortened; for admins, never with keys or signed links.
    code: the provider's own code. retry_after_s: the delay the provider asked for, in seconds.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        message: str = "",
        *,
        code: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{error_class}: {message}")
        self.error_class = error_class
        self.message = storable(message)[:500]
        # A code is a word; anything else may be an echo of what was sent.
        self.code = code if re.fullmatch(r"[\w.\-]{0,120}", code, re.ASCII) else "unreadable"
        self.request_id = storable(request_id)[:120]
        self.retry_after_s = retry_after_s

    @property
    def is_retryable(self) -> bool:
        return self.error_class in RETRYABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One variant to make. Sizes in pixels, as the buyer ordered them.

    duration_s: length of a clip in seconds, None for a picture. has_frame: whether the clip starts
    from a picture; `frame` is that picture, a JPEG already cropped to the ratio, and is there only
    where it is needed: for `submit`, and for the sandbox's `collect`.
    """

    external_id: str
    prompt: str
    style: str
    aspect_ratio: str
    width: int
    height: int
    variant: int  # 1-based
    duration_s: int | None = None
    has_frame: bool = False
    frame: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What the provider says of one job.

    QUEUED: it has not begun there, and can be cancelled if the adapter can. When SUCCEEDED:
    result_url is fetched through the guarded fetcher, and expires; without one, `Adapter.collect`
    has the file.
    """

    state: UpstreamState
    upstream_id: str = ""
    request_id: str = ""
    result_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One job to ask about. upstream_id: empty for one that `find` came upon without an id."""

    upstream_id: str
    order: Order


class Adapter(Protocol):
    """One provider. Every call is bounded in time and safe to make from several threads."""

    label: str
    recovery: Recovery
    # Seconds between two polls of one job; 0 for a provider that answers in the submit call.
    poll_interval_s: float
    # How many jobs one `poll` takes at most.
    poll_batch: int
    # Longest time one call of each kind can take, in seconds; the engine leases jobs for longer.
    submit_limit_s: float
    poll_limit_s: float
    # How long after a send, in seconds, `find` may still not see a job that was taken.
    find_settles_s: float
    # Whether `cancel` can stop a job that is still queued at the provider.
    can_cancel: bool

    def submit(self, order: Order) -> Upstream:
        """Ask for one variant. Raises ProviderError; AMBIGUOUS when the outcome is not known."""
        ...

    def poll(self, jobs: Sequence[Poll]) -> Mapping[str, Upstream | ProviderError]:
        """Say how each job stands, by upstream id, in as few requests as the provider allows.

        A failed job is a ProviderError value; a job that is left out is asked about again. Raises
        ProviderError when the whole question failed.
        """
        ...

    def find(self, order: Order, *, sent_at: float) -> Upstream | None:
        """Look for a job that may have been taken; sent_at: Unix time just before the last send.

        None: the provider does not have it. Raises ProviderError: AMBIGUOUS when looking cannot
        tell, any other class when the look itself failed.
        """
        ...

    def cancel(self, job: Poll) -> bool:
        """Stop a job that has not begun at the provider. False: too late, it runs or has ended.

        Raises ProviderError when the question failed. Only called if `can_cancel`.
        """
        ...

    def collect(self, job: Poll, file: BinaryIO) -> None:
        """Write the file of a job that succeeded without a result_url. Raises ProviderError."""
        ...
