"""What the Seedance tests share: an adapter, an order of a clip, a job."""

import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from creative_hub.providers.base import Order, Poll
from creative_hub.providers.seedance import SeedanceAdapter
from tests.providers.fakes.ark import FakeArk
from tests.providers.orders import order

Make = Callable[..., SeedanceAdapter]


def adapter_for(ark: FakeArk, **changes: Any) -> SeedanceAdapter:
    """Seedance pointed at the stand-in; keyword arguments replace the constructor's."""
    settings: dict[str, Any] = {
        "base_url": ark.base_url,
        "api_key": ark.api_key,
        "connect_timeout_s": 2.0,
        "read_timeout_s": 8.0,
    }
    return SeedanceAdapter(**{**settings, **changes})


def clip_order(**changes: Any) -> Order:
    return order(**{"width": 1920, "height": 1080, "duration_s": 5, **changes})


def job(upstream_id: str, **changes: Any) -> Poll:
    return Poll(upstream_id=upstream_id, order=clip_order(**changes))


def frame() -> bytes:
    """A JPEG to start from."""
    buffer = io.BytesIO()
    Image.new("RGB", (640, 360), "teal").save(buffer, "JPEG")
    return buffer.getvalue()
