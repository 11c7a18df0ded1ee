"""What the provider tests share: an order, its file, and the error of a call."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from creative_hub.providers.base import Adapter, Order, Poll, ProviderError


def order(**changes: Any) -> Order:
    fields: dict[str, Any] = {
        "external_id": "job-1",
        "prompt": "A red kite over a grey sea",
        "style": "",
        "aspect_ratio": "16:9",
        "width": 1280,
        "height": 720,
        "variant": 1,
    }
    return Order(**{**fields, **changes})


def collected(adapter: Adapter, job: Poll) -> bytes:
    """The file of a job, as the engine would get it."""
    file = io.BytesIO()
    adapter.collect(job, file)
    return file.getvalue()


def error_of(act: Callable[..., object], *args: Any, **how: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        act(*args, **how)
    return caught.value
