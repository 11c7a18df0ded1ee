"""The stand-ins, each started once per module and reset for every test, and adapters to them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from creative_hub.providers.seedream import SeedreamAdapter
from tests.providers import kling_orders, seedance_orders, veo_orders
from tests.providers.fakes.ark import FakeArk
from tests.providers.fakes.kling import FakeKling
from tests.providers.fakes.vertex import FakeVertex


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


@pytest.fixture
def seedance(ark: FakeArk) -> seedance_orders.Make:
    return partial(seedance_orders.adapter_for, ark)


@pytest.fixture(scope="module")
def running_kling() -> Iterator[FakeKling]:
    with FakeKling.running() as kling:
        yield kling


@pytest.fixture
def kling(running_kling: FakeKling) -> FakeKling:
    running_kling.reset()
    return running_kling


@pytest.fixture
def adapter(kling: FakeKling) -> kling_orders.Make:
    """Kling's."""
    return partial(kling_orders.client_of, kling)


@pytest.fixture(scope="module")
def running_vertex() -> Iterator[FakeVertex]:
    with FakeVertex.running() as vertex:
        yield vertex


@pytest.fixture
def vertex(running_vertex: FakeVertex) -> FakeVertex:
    running_vertex.reset()
    return running_vertex


@pytest.fixture
def veo(vertex: FakeVertex) -> veo_orders.Make:
    return partial(veo_orders.client_of, vertex)
