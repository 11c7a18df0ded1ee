"""Seedream 4.x on BytePlus ModelArk: one synchronous call makes one picture.

Source: BytePlus ModelArk API reference, "Image generation API" (POST /images/generations). There
is no task, no list and no idempotency key: a lost answer is a lost picture, which may be billed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from creative_hub.providers import ark_errors, http
from creative_hub.providers.ark_errors import ArkError
from creative_hub.providers.base import (
    ErrorClass,
    Order,
    Poll,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)

# Fewest pixels a model family makes, by the start of its id ("size" in the API reference).
MIN_PIXELS: Mapping[str, int] = {
    "seedream-4-0": 921_600,  # 1280x720
    "seedream-4-5": 3_686_400,  # 2560x1440
}
# For endpoint ids (ep-…) and models not listed: what every known family accepts.
MIN_PIXELS_ELSEWHERE = 3_686_400
MAX_PIXELS = 16_777_216  # 4096x4096, all families
MAX_RATIO = 16
# Enlarged sizes end on a multiple of this, as image models work in blocks.
BLOCK_PX = 8

# An answer is a few hundred bytes with a link.
MAX_ANSWER_BYTES = 1024 * 1024
MAX_URL_CHARS = 8192

# The presets in words that describe a picture; any other style is passed on as it was written.
STYLE_WORDS: Mapping[str, str] = {
    "photorealistic": "photorealistic photograph",
    "cinematic": "cinematic film still",
    "3d": "polished 3D render",
    "anime": "anime illustration",
    "product": "clean studio product photograph",
}


def size_to_ask(*, model: str, width: int, height: int) -> tuple[int, int]:
    """The size to order, in pixels: the buyer's own, or the smallest of its ratio that is allowed.

    Both sides are at least the ordered ones. Raises ProviderError (BAD_REQUEST) for a size that
    no allowed one covers.
    """
    minimum = next(
        (pixels for start, pixels in MIN_PIXELS.items() if model.startswith(start)),
        MIN_PIXELS_ELSEWHERE,
    )
    if width * height < minimum:
        common = math.gcd(width, height)
        across, down = width // common, height // common
        factor = math.isqrt((minimum - 1) // (across * down)) + 1
        factor += -factor % BLOCK_PX
        width, height = across * factor, down * factor
    if width * height > MAX_PIXELS or max(width, height) > MAX_RATIO * min(width, height):
        raise ProviderError(ErrorClass.BAD_REQUEST, f"no size of {model} covers {width}x{height}")
    return width, height


def prompt_with_style(*, prompt: str, style: str) -> str:
    """The prompt as written, then the style as a sentence of its own."""
    style = style.strip()
    if not style:
        return prompt
    words = STYLE_WORDS.get(style.lower(), style)
    stop = "" if prompt.rstrip().endswith((".", "!", "?", "…", "。")) else "."
    return f"{prompt}{stop} Style: {words}"


class SeedreamAdapter:
    """Pictures from Seedream. Safe to share between threads: it keeps no connection.

    base_url: with the version path, e.g. https://ark.ap-southeast.bytepluses.com/api/v3.
    connect_timeout_s, read_timeout_s: one call takes at most their sum, from the first packet to
    the last byte of the answer, plus what the resolver takes.
    """

    label = "Seedream"
    recovery = Recovery.REPEAT_ONCE
    poll_interval_s = 0.0
    poll_batch = 1
    poll_limit_s = 0.0
    find_settles_s = 0.0
    can_cancel = False

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        connect_timeout_s: float = 10.0,
        read_timeout_s: float = 300.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/images/generations"
        self._api_key = api_key
        self._model = model
        self._connect_timeout_s = connect_timeout_s
        self._total_timeout_s = connect_timeout_s + read_timeout_s
        self._clock = clock
        self.submit_limit_s = self._total_timeout_s + http.RESOLVER_SLACK_S

    def submit(self, order: Order) -> Upstream:
        width, height = size_to_ask(model=self._model, width=order.width, height=order.height)
        body = {
            "model": self._model,
            "prompt": prompt_with_style(prompt=order.prompt, style=order.style),
            "size": f"{width}x{height}",
            "response_format": "url",
            "watermark": False,
            "sequential_image_generation": "disabled",
        }
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "X-Client-Request-Id": order.external_id,
        }
        answer = http.ask(
            "POST",
            self._url,
            is_create=True,
            body=body,
            headers=headers,
            connect_timeout_s=self._connect_timeout_s,
            total_timeout_s=self._total_timeout_s,
            max_answer_bytes=MAX_ANSWER_BYTES,
        )
        if answer.status == 200:
            return self._picture(answer, order)
        found = answer.parsed()
        ark_error = ArkError.read(found.get("error")) if isinstance(found, dict) else None
        raise self._refusal(ark_error or ArkError(), answer, order, status=answer.status)

    def poll(self, jobs: Sequence[Poll]) -> Mapping[str, Upstream | ProviderError]:
        """Never asked: every job ends in its submit call."""
        raise NotImplementedError("Seedream has no tasks to poll")

    def find(self, order: Order, *, sent_at: float) -> Upstream | None:
        """Nothing: Seedream keeps no record of a call."""
        return None

    def cancel(self, job: Poll) -> bool:
        """Never: nothing waits at Seedream."""
        return False

    def collect(self, job: Poll, file: BinaryIO) -> None:
        """Nothing to collect: Seedream hands out a link once, in its answer, and keeps no task."""
        raise ProviderError(ErrorClass.RESULT_EXPIRED, "Seedream keeps no result without a link")

    def _picture(self, answer: http.Answer, order: Order) -> Upstream:
        request_id = answer.headers.get("x-request-id", "")

        def unusable(error_class: ErrorClass, message: str) -> ProviderError:
            code = f"http_{answer.status}"
            return ProviderError(error_class, message, code=code, request_id=request_id)

        if answer.flaw:
            raise unusable(ErrorClass.AMBIGUOUS, f"unreadable answer: {answer.flaw}")
        found = answer.parsed()
        if not isinstance(found, dict):
            # A proxy's page, or a cut-off body: the picture behind it may exist.
            raise unusable(ErrorClass.AMBIGUOUS, "the answer is not a JSON object")
        if (whole := ArkError.read(found.get("error"))) is not None:
            raise self._refusal(whole, answer, order, status=200)
        data = found.get("data")
        first = data[0] if isinstance(data, list) and data else None
        if not isinstance(first, dict):
            raise unusable(ErrorClass.BAD_RESULT, "the answer holds no picture")
        if (own := ArkError.read(first.get("error"))) is not None:
            raise self._refusal(own, answer, order, status=200)
        url = first.get("url")
        if isinstance(url, str) and _is_link(url):
            return Upstream(
                state=UpstreamState.SUCCEEDED, request_id=request_id[:120], result_url=url
            )
        raise unusable(ErrorClass.BAD_RESULT, "the answer holds no usable link")

    def _refusal(
        self, error: ArkError, answer: http.Answer, order: Order, *, status: int
    ) -> ProviderError:
        message = error.message or answer.flaw or f"HTTP {status}"
        return ark_errors.provider_error(
            error,
            status=status,
            is_create=True,
            has_image=False,
            message=http.scrubbed(message, secrets=[self._api_key], prompt=order.prompt),
            request_id=answer.headers.get("x-request-id", ""),
            retry_after_s=http.retry_after_s(answer.headers, now=self._clock()),
        )


def _is_link(url: str) -> bool:
    is_plain = url.isascii() and url.isprintable()
    return is_plain and url.startswith(("https://", "http://")) and len(url) <= MAX_URL_CHARS
