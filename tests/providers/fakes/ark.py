"""A stand-in for BytePlus ModelArk that speaks its protocol over real HTTP: pictures and clips.

It refuses what the documentation refuses, makes real JPEGs and MP4s of the ordered size behind
links that can expire, keeps a record of every request (pictures: `requests`; clips: `creates`,
`calls`, `tasks`, see `ark_tasks`), and fails in every way we can think of, on request:

- from the same process: `ark.cause("error", status=429, code="ServerOverloaded", times=2)`, for
  pictures; with `where="create"`, "query", "list" or "delete" for that call to the tasks
- over HTTP: `POST /__control__/faults` with the same words as JSON; see `python -m
  tests.providers.fakes`
- by a marker in the prompt: `[ark:drop_after]`, `[ark:drop_after*1]` (the first time only)
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Any

from tests.providers.fakes.ark_answers import ArkFault, marked
from tests.providers.fakes.ark_handler import API_PATH, ArkHandler, Request
from tests.providers.fakes.ark_rules import size_of
from tests.providers.fakes.ark_tasks import LINK_LIFE_S, TaskBook
from tests.providers.fakes.faults import MARKER, RESULT, Fault
from tests.providers.fakes.pictures import Picture
from tests.providers.fakes.serving import FakeServer

API_KEY = "ark-key-for-tests"


class FakeArk(TaskBook, FakeServer[ArkFault]):
    """The server. Use `with FakeArk.running() as ark:`; `ark.base_url` goes into the adapter."""

    handler = ArkHandler
    fault = ArkFault
    marker = MARKER
    requests: list[Request]

    def __init__(self, *, port: int = 0, api_key: str = API_KEY) -> None:
        TaskBook.__init__(self)
        FakeServer.__init__(self, port=port)
        self.api_key = api_key

    @property
    def base_url(self) -> str:
        return self.origin + API_PATH

    def _forget(self) -> None:
        self.closed_models: set[str] = set()
        self._pictures: dict[str, Picture] = {}
        self.reset_tasks()

    def controls(self) -> dict[tuple[str, str], Callable[..., object]]:
        return {**super().controls(), ("POST", "expire"): self.expire_links}

    def expire_links(self) -> None:
        with self._lock:
            for result in self._results():
                result.expires_at = 0.0

    def heal_results(self) -> None:
        """From now on every link gives its file as it should."""
        with self._lock:
            for result in self._results():
                result.fault = ""

    def _results(self) -> list[Picture]:
        return [*self._pictures.values(), *(task.clip for task in list(self.tasks.values()))]

    @property
    def made(self) -> list[Request]:
        """The calls that made a picture: what the provider would bill."""
        return [request for request in self.requests if request.was_made]

    def made_per_client_id(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for request in self.made:
            counts[request.client_request_id] = counts.get(request.client_request_id, 0) + 1
        return counts

    def _marked(self, name: str, where: str) -> ArkFault | None:
        # A marker is for the call that brings its prompt.
        return marked(name, where=where) if where in ("image", "create") else None

    def make(self, body: dict[str, Any], fault: Fault | None) -> tuple[str, Picture]:
        """A new picture and the link to it."""
        width, height = size_of(body)
        digest = hashlib.sha256(body["prompt"].encode()).digest()
        picture = Picture(
            width=width,
            height=height,
            colour=(digest[0], digest[1], digest[2]),
            signature=secrets.token_hex(16),
            expires_at=time.time() + LINK_LIFE_S,
        )
        if fault is not None and fault.kind in RESULT:
            picture.fault, picture.seconds = fault.kind, fault.seconds
            picture.location = fault.location
            if fault.kind == "result_expired":
                picture.expires_at = 0.0
        name = secrets.token_hex(8)
        with self._lock:
            self._pictures[name] = picture
        return f"{self.origin}/files/{name}.jpeg?X-Tos-Signature={picture.signature}", picture

    def picture(self, name: str) -> Picture | None:
        with self._lock:
            return self._pictures.get(name)
