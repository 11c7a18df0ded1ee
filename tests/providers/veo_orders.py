"""What the Veo tests share: an adapter, with and without a bucket, orders and jobs."""

import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from creative_hub.providers.base import Order, Poll, ProviderError, Upstream
from creative_hub.providers.veo import VeoAdapter
from tests.providers.fakes.vertex import FakeVertex
from tests.providers.fakes.vertex_rules import BUCKET, PROJECT
from tests.providers.orders import order as any_order

Make = Callable[..., VeoAdapter]

IN_BUCKET = {"storage_uri": f"gs://{BUCKET}/clips"}


def client_of(vertex: FakeVertex, **changes: Any) -> VeoAdapter:
    """Veo pointed at the stand-in; keyword arguments replace the constructor's."""
    settings: dict[str, Any] = {
        "base_url": vertex.origin,
        "storage_base_url": vertex.origin,
        "project": PROJECT,
        "token": vertex.issue_token,
        "connect_timeout_s": 2.0,
        "read_timeout_s": 10.0,
    }
    return VeoAdapter(**{**settings, **changes})


def order(**changes: Any) -> Order:
    return any_order(**{"duration_s": 4, **changes})


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1280, 720), (200, 120, 40)).save(file, "JPEG")
    return file.getvalue()


def started(adapter: VeoAdapter, **changes: Any) -> Poll:
    ordered = order(**changes)
    return Poll(upstream_id=adapter.submit(ordered).upstream_id, order=ordered)


def only(adapter: VeoAdapter, job: Poll) -> Upstream | ProviderError:
    stands = adapter.poll([job])
    assert list(stands) == [job.upstream_id]
    return stands[job.upstream_id]
