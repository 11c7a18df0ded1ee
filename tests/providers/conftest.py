"""What the provider tests share: a stand-in for ModelArk and an order."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from creative_hub.providers.base import Adapter, Order, Poll
from creative_hub.providers.seedream import SeedreamAdapter
from tests.providers.fakes.ark import FakeArk


@pytest.fixture(scope="module")
def running_ark() -> Iterator[FakeArk]:
    with FakeArk.running() as ark:
        yield ark


@pytest.fixture
def ark(running_ark: FakeArk) -> FakeArk:
    running_ark.reset()
    return running_ark


@pytest.fixture
def seedream(ark: FakeArk) -> Callable[..., SeedreamAdapter]:
    """Seedream pointed at the stand-in; keyword arguments replace the constructor's."""

    def make(**changes: Any) -> SeedreamAdapter:
        settings: dict[str, Any] = {
            "base_url": ark.base_url,
            "api_key": ark.api_key,
            "model": "seedream-4-0-250828",
            "connect_timeout_s": 2.0,
            "read_timeout_s": 5.0,
        }
        return SeedreamAdapter(**{**settings, **changes})

    return make


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
