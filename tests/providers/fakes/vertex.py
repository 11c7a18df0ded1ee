"""A stand-in for Veo on Vertex AI, its bucket in Cloud Storage and the OAuth token endpoint.

It refuses what the documentation refuses, renders real MP4s of the ordered size and length, puts
them into the bucket or into the answer, keeps a record of every request, and fails on request:

- from the same process: `vertex.cause("error", status=429, where="poll", times=2)`
- over HTTP: `POST /__control__/faults` with the same words as JSON
- by a marker in the prompt: `[vertex:429]`, `[vertex:drop_after*1]` (the first time only),
  `[vertex:filtered]`, `[vertex:rpc_13]`, `[vertex:poll_503*2]`, `[vertex:storage_404]`
"""

import json
import secrets
import time
from pathlib import Path
from typing import Any

from tests.providers.fakes.serving import FakeServer
from tests.providers.fakes.vertex_faults import MARKER, Fault, marked
from tests.providers.fakes.vertex_handler import VertexHandler
from tests.providers.fakes.vertex_rules import Operation, Request, account_file


class FakeVertex(FakeServer[Fault]):
    """The server. Use `with FakeVertex.running() as vertex:`; `vertex.origin` is every base URL."""

    handler = VertexHandler
    fault = Fault
    marker = MARKER
    requests: list[Request]

    def _forget(self) -> None:
        self.made: list[Operation] = []
        self.retired_models: set[str] = set()
        self.refuses_person_setting = False
        self.refuses_account = False
        self.render_s = 0.0
        self.token_life_s = 3600
        self._tokens: dict[str, float] = {}
        self._forgotten: set[str] = set()

    def write_credentials(self, path: Path, **changes: str) -> None:
        """A service account's key file that leads to this stand-in."""
        token_uri = f"{self.origin}/token"
        path.write_text(json.dumps(account_file(token_uri=token_uri) | changes))

    def issue_token(self) -> str:
        token = "ya29." + secrets.token_urlsafe(40)
        with self._lock:
            self._tokens[token] = time.time() + self.token_life_s
        return token

    def is_valid(self, token: str) -> bool:
        with self._lock:
            return time.time() < self._tokens.get(token, 0.0)

    def expire_tokens(self) -> None:
        with self._lock:
            self._tokens.clear()

    def forget_operations(self) -> None:
        """As after two days."""
        with self._lock:
            self._forgotten.update(operation.name for operation in self.made)

    def empty_bucket(self) -> None:
        with self._lock:
            for operation in self.made:
                operation.is_removed = True

    def made_per_storage_prefix(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for operation in self.made:
            counts[operation.storage_prefix] = counts.get(operation.storage_prefix, 0) + 1
        return counts

    def asked(self, ending: str) -> list[Request]:
        """The requests whose path ends like this."""
        return [request for request in self.requests if request.path.endswith(ending)]

    def _marked(self, name: str, where: str) -> Fault | None:
        found = marked(name)
        return found if found is not None and found.where == where else None

    def make(self, body: dict[str, Any], model_path: str, ending: Fault | None) -> Operation:
        operation = Operation.begun(body, model_path, ending)
        operation.done_at += self.render_s
        with self._lock:
            self.made.append(operation)
        return operation

    def operation(self, name: str) -> Operation | None:
        with self._lock:
            known = [one for one in self.made if one.name not in self._forgotten]
            return next((one for one in known if one.name == name), None)

    def objects(self) -> dict[str, Operation]:
        """What the bucket holds by now, by name."""
        with self._lock:
            held = [one for one in self.made if one.is_done and not one.is_removed]
            return {one.object_name: one for one in held if one.object_name}
