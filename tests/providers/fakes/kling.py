"""A stand-in for Kling's /v1/videos endpoints that speaks their protocol over real HTTP.

It refuses what the documentation refuses (tokens too), makes real MP4s of the ordered length and
ratio behind links that can expire, keeps a record of every request, and fails on request:

- from the same process: `kling.cause("error", code=1303, times=2)`; with `where="list"` or
  `where="query"` when it is asked about tasks
- over HTTP: `POST /__control__/faults` with the same words as JSON
- by a marker in the prompt: `[kling:1303]`, `[kling:fail_risk]`, `[kling:drop_after*1]` (the first
  time only)

Tasks move with time: `queue_s` submitted, then `render_s` processing; both may be changed while
tasks run. `slots` is how many may run at once. Callbacks are accepted and never made.
"""

import hashlib
import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.providers.fakes.kling_faults import MARKER, RESULT, TASK, Fault, marked
from tests.providers.fakes.kling_handler import KlingHandler
from tests.providers.fakes.kling_rules import (
    Refused,
    Request,
    Task,
    check_order,
    told,
)
from tests.providers.fakes.serving import FakeServer

ACCESS_KEY = "kling-access-key-for-tests"
SECRET_KEY = "kling-secret-key-for-tests-0123456789"
LINK_LIFE_S = 30 * 24 * 3600
COLOURS = [(200, 60, 40), (40, 120, 200), (60, 160, 80), (150, 90, 170)]


class FakeKling(FakeServer[Fault]):
    """The server. Use `with FakeKling.running() as kling:`; `kling.base_url` is the adapter's."""

    handler = KlingHandler
    fault = Fault
    marker = MARKER
    requests: list[Request]

    def __init__(self, *, port: int = 0) -> None:
        self.access_key, self.secret_key = ACCESS_KEY, SECRET_KEY
        self._numbers = itertools.count(812_345_678_901_234_567)
        super().__init__(port=port)

    @property
    def base_url(self) -> str:
        return self.origin

    # --- steering ---

    def _forget(self) -> None:
        self.queue_s = self.render_s = 0.0
        self.slots: int | None = None
        self.closed_models: set[str] = set()
        # How an unknown id is answered is not documented: 1201 or 1203.
        self.not_found_code = 1203
        self._tasks: dict[str, Task] = {}
        self._by_external_id: dict[str, Task] = {}

    def controls(self) -> dict[tuple[str, str], Callable[..., object]]:
        more = {("POST", "settings"): self.set, ("POST", "expire"): self.expire_links}
        return {**super().controls(), **more}

    def set(self, **settings: Any) -> None:
        """queue_s, render_s (seconds), slots (None: no limit), not_found_code."""
        if unknown := set(settings) - {"queue_s", "render_s", "slots", "not_found_code"}:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        for name, value in settings.items():
            setattr(self, name, value)

    def expire_links(self) -> None:
        with self._lock:
            for task in self._tasks.values():
                task.expires_at = 0.0

    def heal_results(self) -> None:
        """From now on every task that succeeds gives its file as it should."""
        with self._lock:
            for task in self._tasks.values():
                task.fault = task.fault if task.fault.startswith("fail_") else ""

    # --- records ---

    @property
    def made(self) -> list[Request]:
        """The calls that made a task: what the provider would bill."""
        return [request for request in self.requests if request.was_made]

    def made_per_external_id(self) -> dict[str, int]:
        return dict(Counter(request.external_id for request in self.made))

    def asked(self, method: str, path: str = "/v1/videos/") -> list[Request]:
        """The calls with this method whose path starts so."""
        return [one for one in self.requests if one.method == method and one.path.startswith(path)]

    def _told(self, request: Request) -> dict[str, Any]:
        told = super()._told(request)
        if isinstance(told["body"], dict) and isinstance(told["body"].get("image"), str):
            size = len(told["body"]["image"])
            told["body"] = {**told["body"], "image": f"<{size} characters>"}
        return told

    # --- what the handler needs ---

    def _marked(self, name: str, where: str) -> Fault | None:
        return marked(name) if where == "create" else None

    def make(self, kind: str, body: dict[str, Any], fault: Fault | None) -> Task:
        """A new task. Raises Refused."""
        width, height = check_order(kind, body, closed_models=self.closed_models)
        prompt, external_id = body.get("prompt", ""), body.get("external_task_id", "")
        task = Task(
            task_id=str(next(self._numbers)),
            kind=kind,
            prompt=prompt,
            external_id=external_id,
            width=width,
            height=height,
            duration_s=int(body.get("duration", "5")),
            colour=COLOURS[hashlib.sha256(prompt.encode()).digest()[0] % len(COLOURS)],
            signature=secrets.token_hex(16),
            created_at=time.time(),
            expires_at=time.time() + LINK_LIFE_S,
        )
        if fault is not None and fault.kind in TASK | RESULT:
            task.fault, task.location = fault.kind, fault.location
            if fault.kind == "result_expired":
                task.expires_at = 0.0
        with self._lock:
            if external_id and external_id in self._by_external_id:
                raise Refused(1201, f"external_task_id '{external_id}' already exists")
            if self.slots is not None and self._running() >= self.slots:
                raise Refused(1303)
            self._tasks[task.task_id] = task
            if external_id:
                self._by_external_id[external_id] = task
        return task

    def task(self, kind: str, name: str) -> Task | None:
        with self._lock:
            task = self._tasks.get(name) or self._by_external_id.get(name)
        return task if task is not None and task.kind == kind else None

    def page(self, kind: str, *, number: int, size: int) -> list[Task]:
        """Newest first; number: from 1."""
        with self._lock:
            newest = (task for task in reversed(self._tasks.values()) if task.kind == kind)
            return list(itertools.islice(newest, (number - 1) * size, number * size))

    def shown(self, task: Task) -> dict[str, Any]:
        url = f"{self.origin}/files/{task.task_id}.mp4?sig={task.signature}"
        return told(task, status=self._status(task), url=url, now=time.time())

    def file(self, name: str) -> Task | None:
        with self._lock:
            return self._tasks.get(name)

    def _running(self) -> int:
        running = {"submitted", "processing"}
        return sum(self._status(task) in running for task in self._tasks.values())

    def _status(self, task: Task) -> str:
        return task.status(now=time.time(), queue_s=self.queue_s, render_s=self.render_s)
