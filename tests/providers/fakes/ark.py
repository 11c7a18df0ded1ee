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
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.providers.fakes.ark_answers import TASK_ENDS, ArkFault
from tests.providers.fakes.ark_rules import MIN_PIXELS, Refused, answer, check_fields, size_of, wh
from tests.providers.fakes.ark_tasks import LINK_LIFE_S, TaskBook, TaskRoutes
from tests.providers.fakes.clips import mp4
from tests.providers.fakes.faults import AFTER, BEFORE, MARKER, RESULT, Fault, marked
from tests.providers.fakes.pictures import Picture, jpeg, jpeg_b64

API_KEY = "ark-key-for-tests"
API_PATH = "/api/v3"
TASKS_PATH = f"{API_PATH}/contents/generations/tasks"


@dataclass(slots=True, kw_only=True)
class Request:
    """One POST /images/generations as it came in."""

    prompt: str
    client_request_id: str
    body: Any
    headers: dict[str, str]
    status: int = 0  # what it was answered with; 0 when the answer was withheld
    was_made: bool = False  # a picture was made, and would be billed


class FakeArk(TaskBook):
    """The server. Use `with FakeArk.running() as ark:`; `ark.base_url` goes into the adapter."""

    def __init__(self, *, port: int = 0, api_key: str = API_KEY) -> None:
        super().__init__()
        self.api_key = api_key
        self.requests: list[Request] = []
        self.closed_models: set[str] = set()
        self.stopping = threading.Event()
        self._faults: list[ArkFault] = []
        self._marks: dict[tuple[str, str], int] = {}
        self._pictures: dict[str, Picture] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.ark = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @classmethod
    @contextmanager
    def running(cls, *, port: int = 0) -> Iterator["FakeArk"]:
        ark = cls(port=port)
        ark.start()
        try:
            yield ark
        finally:
            ark.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def origin(self) -> str:  # type: ignore[override]
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return self.origin + API_PATH

    def cause(self, kind: str, **details: Any) -> None:
        """Make the next call that fits go wrong; see `Fault` and `ArkFault`."""
        with self._lock:
            self._faults.append(ArkFault(kind=kind, **details))

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()

    def reset(self) -> None:
        with self._lock:
            self._faults.clear()
            self._marks.clear()
            self._pictures.clear()
            self.requests.clear()
            self.closed_models.clear()
            self.reset_tasks()

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

    def fault_for(self, prompt: str, *, where: str = "image") -> Fault | None:
        """The fault that hits this call, counted down."""
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and fault.where == where and fault.match in prompt:
                    fault.times -= 1
                    return fault
            if where not in ("image", "create"):
                return None  # a marker is for the call that brings its prompt
            for name, limit in MARKER.findall(prompt):
                hits = self._marks.get((prompt, name), 0)
                if not limit or hits < int(limit):
                    self._marks[(prompt, name)] = hits + 1
                    is_end = name in TASK_ENDS and where == "create"
                    return ArkFault(kind=name) if is_end else marked(name)
        return None

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    ark: FakeArk

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class _Handler(TaskRoutes):
    server: _Server

    @property
    def ark(self) -> FakeArk:
        return self.server.ark

    @property
    def stopping(self) -> threading.Event:
        return self.server.ark.stopping

    # --- routes ---

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        path = urlsplit(self.path).path
        if path == f"{API_PATH}/images/generations":
            self._create(raw)
        elif path.startswith(TASKS_PATH):
            self._task_call(raw, path.removeprefix(TASKS_PATH))
        elif path == "/__control__/faults":
            self._control(lambda: self.ark.cause(**json.loads(raw)))
        elif path == "/__control__/reset":
            self._control(self.ark.reset)
        elif path == "/__control__/expire":
            self._control(self.ark.expire_links)
        else:
            self._send_error(Refused(404, "NotFound", "no such path"))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/__control__/requests":
            self._send_json(200, [asdict(request) for request in self.ark.requests])
        elif parts.path.startswith("/files/"):
            self._file(parts.path, parse_qs(parts.query))
        elif parts.path.startswith(TASKS_PATH):
            self._task_call(b"", parts.path.removeprefix(TASKS_PATH))
        else:
            self._send_error(Refused(404, "NotFound", "no such path"))

    def do_DELETE(self) -> None:
        path = urlsplit(self.path).path
        if path == "/__control__/faults":
            self._control(self.ark.clear_faults)
        elif path.startswith(TASKS_PATH):
            self._task_call(b"", path.removeprefix(TASKS_PATH))
        else:
            self._send_error(Refused(404, "NotFound", "no such path"))

    # --- the picture API ---

    def _create(self, raw: bytes) -> None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        prompt = body.get("prompt", "") if isinstance(body, dict) else ""
        request = Request(
            prompt=prompt if isinstance(prompt, str) else "",
            client_request_id=self.headers.get("X-Client-Request-Id", ""),
            body=body,
            headers=dict(self.headers.items()),
        )
        self.ark.requests.append(request)
        try:
            self._check(body)
        except Refused as refused:
            request.status = refused.status
            self._send_error(refused)
            return
        fault = self.ark.fault_for(request.prompt)
        if fault is not None and fault.kind in BEFORE and self._went_wrong_before(fault, request):
            return
        url, picture = self.ark.make(body, fault)
        request.was_made = True
        if fault is not None and fault.kind in AFTER:
            whole = answer(body, [{"url": url, "size": wh(picture)}], picture)
            item_error = {"error": {"code": fault.code, "message": fault.message}}
            odd: dict[str, list[Any]] = {
                "no_data": [],
                "no_url": [{"size": "1x1"}],
                "bad_url": [{"url": "javascript:1"}],
                "item_error": [item_error],
                "b64": [{"b64_json": jpeg_b64(picture)}] if fault.kind == "b64" else [],
            }
            bodies = {kind: {**whole, "data": data} for kind, data in odd.items()}
            self._went_wrong_after(fault, request, whole, bodies)
            return
        request.status = 200
        self._send_json(200, answer(body, [{"url": url, "size": wh(picture)}], picture))

    def _check(self, body: Any) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.ark.api_key}":
            raise Refused(401, "AuthenticationError", "The API key is missing or not valid.")
        if not (self.headers.get("Content-Type") or "").startswith("application/json"):
            raise Refused(400, "InvalidParameter", "The body must be JSON.", "content-type")
        if not isinstance(body, dict):
            raise Refused(400, "InvalidParameter", "The body must be a JSON object.", "body")
        for name in ("model", "prompt"):
            if name not in body:
                raise Refused(400, "MissingParameter", f"{name} is required.", name)
        model = body["model"]
        if isinstance(model, str) and model in self.ark.closed_models:
            raise Refused(404, "ModelNotOpen", f"The model {model} is not activated.")
        if not isinstance(model, str) or model not in MIN_PIXELS:
            raise Refused(404, "InvalidEndpointOrModel.NotFound", "The model does not exist.")
        check_fields(body)

    # --- the files ---

    def _file(self, path: str, query: dict[str, list[str]]) -> None:
        name, _, ending = path.removeprefix("/files/").partition(".")
        clip = self.ark.clip(name) if ending == "mp4" else None
        result = clip or self.ark.picture(name)
        signature = query.get("X-Tos-Signature", [""])[0]
        if result is None or result.fault == "result_missing":
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
        elif signature != result.signature or time.time() > result.expires_at:
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
        elif clip is None:
            self._send_result(result, jpeg(result), "image/jpeg")
        else:
            content = mp4(
                width=clip.width,
                height=clip.height,
                duration_s=clip.duration_s,
                colour=clip.colour,
            )
            self._send_result(clip, content, "video/mp4")

    def _control(self, action: Any) -> None:
        try:
            action()
        except (ValueError, TypeError) as error:
            self._send_json(400, {"error": str(error)})
        else:
            self._send_json(200, {"ok": True})
