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
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.providers.fakes.sending import JSON, Sender
from tests.providers.fakes.vertex_rules import (
    BEFORE,
    BUCKET,
    GRANT,
    MARKER,
    MAX_REQUEST_BYTES,
    OBJECT_PATH,
    Fault,
    Operation,
    Refused,
    Reply,
    Request,
    account_file,
    check_path,
    check_start,
    distorted,
    envelope,
    is_signed_by_us,
    listing,
    marked,
    object_reply,
)


class FakeVertex:
    """The server. Use `with FakeVertex.running() as vertex:`; `vertex.origin` is every base URL."""

    def __init__(self, *, port: int = 0) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.vertex = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self.requests: list[Request] = []
            self.made: list[Operation] = []
            self.retired_models: set[str] = set()
            self.refuses_person_setting = False
            self.refuses_account = False
            self.render_s = 0.0
            self.token_life_s = 3600
            self._faults: list[Fault] = []
            self._marks: dict[tuple[str, str], int] = {}
            self._tokens: dict[str, float] = {}
            self._forgotten: set[str] = set()

    @classmethod
    @contextmanager
    def running(cls, *, port: int = 0) -> Iterator["FakeVertex"]:
        vertex = cls(port=port)
        vertex.start()
        try:
            yield vertex
        finally:
            vertex.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def write_credentials(self, path: Path, **changes: str) -> None:
        """A service account's key file that leads to this stand-in."""
        token_uri = f"{self.origin}/token"
        path.write_text(json.dumps(account_file(token_uri=token_uri) | changes))

    def cause(self, kind: str, **details: Any) -> None:
        """Make the next call that fits go wrong; see `Fault`."""
        with self._lock:
            self._faults.append(Fault(kind=kind, **details))

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()

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

    def fault_for(self, prompt: str, *, where: str) -> Fault | None:
        """The fault that hits this call, counted down."""
        with self._lock:
            for fault in self._faults:
                if fault.where == where and fault.times > 0 and fault.match in prompt:
                    fault.times -= 1
                    return fault
            for name, limit in MARKER.findall(prompt):
                fits = (found := marked(name)) is not None and found.where == where
                hits = self._marks.get((prompt, name), 0)
                if fits and (not limit or hits < int(limit)):
                    self._marks[(prompt, name)] = hits + 1
                    return found
        return None

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    vertex: FakeVertex

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class _Handler(Sender):
    server: _Server

    @property
    def vertex(self) -> FakeVertex:
        return self.server.vertex

    @property
    def stopping(self) -> threading.Event:
        return self.server.vertex.stopping

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path == "/__control__/faults":
            self._control(lambda: self.vertex.cause(**json.loads(raw)))
        elif path == "/__control__/reset":
            self._control(self.vertex.reset)
        elif path == "/token":
            self._token(parse_qs(raw.decode("ascii", "replace")))
        else:
            self._model_call(path, raw)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/__control__/requests":
            self._send_json(200, [asdict(request) for request in self.vertex.requests])
        else:
            self._storage_call(path)

    def do_DELETE(self) -> None:
        if urlsplit(self.path).path == "/__control__/faults":
            self._control(self.vertex.clear_faults)
        else:
            self._refuse(self._noted(None), Refused(404, "no such path"))

    # --- tokens ---

    def _token(self, form: dict[str, list[str]]) -> None:
        grant, assertion = (form.get(name, [""])[0] for name in ("grant_type", "assertion"))
        request = self._noted({"grant_type": grant})
        fault = self.vertex.fault_for("", where="token")
        if fault is not None and self._went_wrong_before(fault, request):
            return
        is_ours = grant == GRANT and is_signed_by_us(assertion)
        if not is_ours or self.vertex.refuses_account:
            error = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            request.status = 400
            self._send_json(400, error)
            return
        token = {
            "access_token": self.vertex.issue_token(),
            "expires_in": self.vertex.token_life_s,
            "token_type": "Bearer",
        }
        self._reply((200, json.dumps(token).encode(), JSON), fault, request)

    # --- Vertex AI ---

    def _model_call(self, path: str, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        request = self._noted(body)
        try:
            self._check_bearer()
            if len(raw) > MAX_REQUEST_BYTES:
                raise Refused(400, "Request payload size exceeds the limit.")
            model_path, verb, model = check_path(path, retired=self.vertex.retired_models)
            if verb == "predictLongRunning":
                act = self._start_of(request, model_path, model)
            else:
                act = self._poll_of(request, model_path)
        except Refused as refused:
            self._refuse(request, refused)
            return
        self._perform(request, act, where="create" if verb == "predictLongRunning" else "poll")

    def _start_of(
        self, request: Request, model_path: str, model: str
    ) -> Callable[[Fault | None], Reply]:
        refuses = self.vertex.refuses_person_setting
        check_start(request.body, model=model, refuses_person_setting=refuses)
        body = request.body
        request.prompt = body["instances"][0]["prompt"]

        def start(fault: Fault | None) -> Reply:
            ending = fault if fault is not None and fault.is_ending else None
            operation = self.vertex.make(body, model_path, ending)
            request.was_made = True
            return 200, json.dumps({"name": operation.name}).encode(), JSON

        return start

    def _poll_of(self, request: Request, model_path: str) -> Callable[[Fault | None], Reply]:
        body = request.body
        if not isinstance(body, dict) or set(body) != {"operationName"}:
            raise Refused(400, "Invalid JSON payload received. Unknown name or none.")
        name = body["operationName"]
        operation = self.vertex.operation(name)
        if operation is None or not name.startswith(f"{model_path}/operations/"):
            raise Refused(404, "Operation not found.")
        request.prompt = operation.prompt
        return lambda _: (200, json.dumps(operation.shown()).encode(), JSON)

    # --- Cloud Storage ---

    def _storage_call(self, path: str) -> None:
        request = self._noted(None)
        query = parse_qs(urlsplit(self.path).query)
        found = OBJECT_PATH.fullmatch(path)
        try:
            self._check_bearer()
            if found is None or found[1] != BUCKET:
                raise Refused(404, "The specified bucket does not exist.")
        except Refused as refused:
            self._refuse(request, refused)
            return
        held = self.vertex.objects()
        if found[2] is not None:
            operation = held.get(unquote(found[2]))
            request.prompt = operation.prompt if operation is not None else ""
            self._perform(request, lambda _: object_reply(operation, query), where="storage")
            return
        prefix = query.get("prefix", [""])[0]
        names = sorted(name for name in held if name.startswith(prefix))
        # By the clip it is about, so that a marker in its prompt works here as well.
        prefixes = ((one, one.storage_prefix) for one in self.vertex.made)
        about = (one for one, uri in prefixes if uri == f"gs://{BUCKET}/{prefix}")
        request.prompt = next((one.prompt for one in about), "")

        self._perform(request, lambda fault: listing(names, prefix, fault), where="storage")

    # --- every call ---

    def _noted(self, body: Any) -> Request:
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            body=body,
            headers=dict(self.headers.items()),
        )
        self.vertex.requests.append(request)
        return request

    def _check_bearer(self) -> None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not self.vertex.is_valid(token):
            raise Refused(401, "Request had invalid authentication credentials.")

    def _perform(
        self, request: Request, act: Callable[[Fault | None], Reply], *, where: str
    ) -> None:
        fault = self.vertex.fault_for(request.prompt, where=where)
        if fault is not None and self._went_wrong_before(fault, request):
            return
        self._reply(act(fault), fault, request)

    def _refuse(
        self, request: Request, refused: Refused, headers: dict[str, str] | None = None
    ) -> None:
        request.status = refused.status
        self._send_json(refused.status, envelope(refused), headers)

    def _went_wrong_before(self, fault: Fault, request: Request) -> bool:
        """Whether that was the answer."""
        if fault.kind not in BEFORE:
            return False
        if fault.kind == "hang_before":
            return self.stopping.wait(fault.seconds)
        if fault.kind == "drop_before":
            self._hang_up()
        elif fault.kind == "redirect":
            request.status = 307
            self._send(307, b"", "text/plain", {"Location": fault.location})
        elif fault.kind == "page":
            request.status = fault.status
            self._send(fault.status, b"<html>Something went wrong</html>", "text/html")
        else:
            self._refuse(request, fault.refusal, fault.headers)
        return True

    def _reply(self, reply: Reply, fault: Fault | None, request: Request) -> None:
        status, content, kind = reply
        name = fault.kind if fault is not None else ""
        if name == "drop_after":
            self._hang_up()
            return
        if name == "hang_after" and fault is not None:
            self.stopping.wait(fault.seconds)
        request.status = status
        if name == "cut_off":
            self._headers(status, kind, len(content))
            self.wfile.write(content[: len(content) // 2])
            self._hang_up()
        elif name == "huge":
            self._headers(status, kind, 3 * 1024**3)
            self._flood(b'{"name":"' + b" " * 65_536)
        else:
            self._send(status, *distorted(name, content, kind))

    def _control(self, action: Any) -> None:
        try:
            action()
        except (ValueError, TypeError) as error:
            self._send_json(400, {"error": str(error)})
        else:
            self._send_json(200, {"ok": True})
