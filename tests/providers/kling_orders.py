"""What the Kling tests share: an adapter, orders, and tasks to ask about."""

import base64
import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from creative_hub.providers.base import Order, Poll, ProviderError, Upstream
from creative_hub.providers.kling import KlingAdapter
from tests.providers.fakes.kling import FakeKling
from tests.providers.orders import order as any_order

Make = Callable[..., KlingAdapter]


def client_of(kling: FakeKling, **changes: Any) -> KlingAdapter:
    """Kling pointed at the stand-in; keyword arguments replace the constructor's."""
    settings: dict[str, Any] = {
        "base_url": kling.base_url,
        "access_key": kling.access_key,
        "secret_key": kling.secret_key,
        "connect_timeout_s": 2.0,
        "read_timeout_s": 5.0,
        "sleep": lambda _: None,
    }
    return KlingAdapter(**{**settings, **changes})


def order(**changes: Any) -> Order:
    return any_order(**{"duration_s": 5, **changes})


def frame(width: int = 300, height: int = 300) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 150)).save(file, "JPEG")
    return file.getvalue()


FRAME = frame()
BARE_FRAME = base64.b64encode(FRAME).decode()


def image_order(**changes: Any) -> Order:
    return order(**{"has_frame": True, "frame": FRAME, **changes})


def ordered(adapter: KlingAdapter, one: Order) -> Poll:
    return Poll(upstream_id=adapter.submit(one).upstream_id, order=one)


def only_answer(adapter: KlingAdapter, job: Poll) -> Upstream | ProviderError:
    answers = adapter.poll([job])
    assert list(answers) == [job.upstream_id]
    return answers[job.upstream_id]


def text_jobs(kling: FakeKling, count: int) -> list[Poll]:
    body = {"model_name": "kling-v2-6", "prompt": "A boat"}
    made = [kling.make("text2video", body, None) for _ in range(count)]
    return [Poll(upstream_id=task.task_id, order=order()) for task in made]


def image_jobs(kling: FakeKling, count: int) -> list[Poll]:
    body = {"model_name": "kling-v2-6", "image": BARE_FRAME}
    made = [kling.make("image2video", body, None) for _ in range(count)]
    return [Poll(upstream_id=task.task_id, order=order(has_frame=True)) for task in made]
