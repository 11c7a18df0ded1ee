"""The sandbox: draws a placeholder picture or clip from the prompt, with no AI and no network.

For trying everything without keys. A prompt may carry directives, which do not change the scene:

- `[sandbox:fail=content_refused]`: refused when it is sent; any value of `ErrorClass`.
- `[sandbox:fail_later=bad_result]`: taken, and failed when its time is up.
- `[sandbox:delay=2]`: seconds until the file is ready (0..600), instead of the usual.
- `[sandbox:hold=2]`: seconds that sending it takes (0..10).

With `@` a directive is for one variant only: `[sandbox:fail=content_refused@3]`.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from PIL import Image

from creative_hub.providers.base import (
    ErrorClass,
    Order,
    Poll,
    ProviderError,
    Recovery,
    Upstream,
    UpstreamState,
)
from creative_hub.providers.scene import brief, draw_scene, encode_jpeg, film, motion

MAX_DELAY_S = 600.0
MAX_HOLD_S = 10.0

_DIRECTIVE = re.compile(r"\[sandbox:([a-z_]+)=([^\]@]*)(?:@([0-9]+))?\]")
_UPSTREAM_ID = re.compile(r"sandbox:([0-9]{1,15}):(.*)", re.DOTALL)


class SandboxAdapter:
    """A provider that keeps nothing: a job's id says when it is ready, the order what it shows.

    delay_s: how long a job takes. It survives any crash, and asking again costs nothing.
    """

    label = "Sandbox"
    recovery = Recovery.LOOK_UP
    poll_interval_s = 1.0
    poll_batch = 500
    # Longer than any hold.
    submit_limit_s = 20.0
    poll_limit_s = 5.0
    find_settles_s = 0.0
    can_cancel = False

    def __init__(
        self,
        *,
        delay_s: float,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._delay_s = delay_s
        self._clock = clock
        self._sleep = sleep

    def submit(self, order: Order) -> Upstream:
        directives = _directives(order)
        if hold_s := _seconds(directives, "hold", default=0.0, maximum=MAX_HOLD_S):
            self._sleep(hold_s)
        if "fail" in directives:
            raise _failure(directives["fail"])
        delay_s = _seconds(directives, "delay", default=self._delay_s, maximum=MAX_DELAY_S)
        if delay_s == 0 and "fail_later" in directives:
            raise _failure(directives["fail_later"])
        ready_at_ms = math.ceil((self._clock() + delay_s) * 1000)
        state = UpstreamState.RUNNING if delay_s > 0 else UpstreamState.SUCCEEDED
        return Upstream(state=state, upstream_id=f"sandbox:{ready_at_ms}:{order.external_id}")

    def poll(self, jobs: Sequence[Poll]) -> Mapping[str, Upstream | ProviderError]:
        return {job.upstream_id: self._state_of(job) for job in jobs}

    def find(self, order: Order, *, sent_at: float) -> Upstream | None:
        """Nothing is ever lost, as sending again gives the same result for free."""
        return None

    def cancel(self, job: Poll) -> bool:
        """Never: nothing waits in the sandbox."""
        return False

    def collect(self, job: Poll, file: BinaryIO) -> None:
        """The JPEG or MP4, exactly as ordered; made anew each time, always the same bytes."""
        order = job.order
        prompt = _DIRECTIVE.sub(" ", order.prompt)
        if order.duration_s is not None:
            _film(order, prompt=prompt, duration_s=order.duration_s, file=file)
            return
        file.write(encode_jpeg(_draw(order, prompt=prompt, width=order.width, height=order.height)))

    def _state_of(self, job: Poll) -> Upstream | ProviderError:
        known = _UPSTREAM_ID.fullmatch(job.upstream_id)
        if known is None:
            return ProviderError(ErrorClass.RESULT_EXPIRED, "not a job of the sandbox")
        if self._clock() * 1000 < int(known.group(1)):
            return Upstream(state=UpstreamState.RUNNING, upstream_id=job.upstream_id)
        directives = _directives(job.order)
        if "fail_later" in directives:
            return _failure(directives["fail_later"])
        return Upstream(state=UpstreamState.SUCCEEDED, upstream_id=job.upstream_id)


def _draw(order: Order, *, prompt: str, width: int, height: int) -> Image.Image:
    return draw_scene(
        prompt=prompt, style=order.style, variant=order.variant, width=width, height=height
    )


def _film(order: Order, *, prompt: str, duration_s: int, file: BinaryIO) -> None:
    """A camera move over the start frame, else over the scene of the prompt."""
    plan = brief.read(prompt=prompt, style=order.style, variant=order.variant)
    if order.has_frame:
        try:
            picture = film.read_frame(order.frame, width=order.width, height=order.height)
        except OSError:
            # Without its cause, which may quote from the file.
            raise ProviderError(ErrorClass.BAD_IMAGE, "the start frame cannot be read") from None
        camera = motion.over_frame(prompt=prompt, plan=plan, duration_s=duration_s)
    else:
        wide, tall = film.overscan(order.width, order.height)
        picture = film.without_grain(_draw(order, prompt=prompt, width=wide, height=tall))
        camera = motion.over_scene(prompt=prompt, plan=plan, duration_s=duration_s)
    film.write_clip(
        picture,
        camera=camera,
        width=order.width,
        height=order.height,
        duration_s=duration_s,
        file=file,
    )


def _directives(order: Order) -> dict[str, str]:
    """The directives that are for this variant."""
    return {
        name: value.strip()
        for name, value, variant in _DIRECTIVE.findall(order.prompt)
        if not variant or int(variant) == order.variant
    }


def _seconds(directives: Mapping[str, str], name: str, *, default: float, maximum: float) -> float:
    if name not in directives:
        return default
    try:
        value = float(directives[name])
    except ValueError:
        value = math.nan
    if not 0 <= value <= maximum:
        raise ProviderError(
            ErrorClass.BAD_REQUEST, f"[sandbox:{name}=…] takes 0 to {maximum:g} seconds"
        )
    return value


def _failure(name: str) -> ProviderError:
    try:
        error_class = ErrorClass(name)
    except ValueError:
        known = ", ".join(ErrorClass)
        return ProviderError(ErrorClass.BAD_REQUEST, f"[sandbox:fail=…] takes one of {known}")
    return ProviderError(error_class, "asked for in the prompt", code=f"sandbox_{name}")
