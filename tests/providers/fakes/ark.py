"""A stand-in for BytePlus ModelArk's picture API that speaks its protocol over real HTTP.

It refuses what the documentation refuses, makes real JPEGs of the ordered size behind links that
can expire, keeps a record of every request, and fails in every way we can think of, on request:

- from the same process: `ark.cause("error", status=429, code="ServerOverloaded", times=2)`
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

from tests.providers.fakes.ark_rules import (
    MIN_PIXELS,
    Refused,
    answer,
    check_fields,
    envelope,
    size_of,
    wh,
)
from tests.providers.fakes.faults import AFTER, BEFORE, MARKER, RESULT, Fault, marked
from tests.providers.fakes.pictures import Picture, jpeg, jpeg_b64, png_bomb
from tests.providers.fakes.sending import JSON, Sender

API_KEY = "ark-key-for-tests"
API_PATH = "/api/v3"
LINK_LIFE_S = 24 * 3600


@dataclass(slots=True, kw_only=True)
class Request:
    """One POST /images/generations as it came in."""

    prompt: str
    client_request_id: str
    body: Any
    headers: dict[str, str]
    status: int = 0  # what it was answered with; 0 when the answer was withheld
    was_made: bool = False  # a picture was made, and would be billed


class FakeArk:
    """The server. Use `with FakeArk.running() as ark:`; `ark.base_url` goes into the adapter."""

    def __init__(self, *, port: int = 0, api_key: str = API_KEY) -> None:
        self.api_key = api_key
        self.requests: list[Request] = []
        self.closed_models: set[str] = set()
        self.stopping = threading.Event()
        self._faults: list[Fault] = []
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
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return self.origin + API_PATH

    def cause(self, kind: str, **details: Any) -> None:
        """Make the next call that fits go wrong; see `Fault`."""
        with self._lock:
            self._faults.append(Fault(kind=kind, **details))

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

    def expire_links(self) -> None:
        with self._lock:
            for picture in self._pictures.values():
                picture.expires_at = 0.0

    def heal_results(self) -> None:
        """From now on every link gives its file as it should."""
        with self._lock:
            for picture in self._pictures.values():
                picture.fault = ""

    @property
    def made(self) -> list[Request]:
        """The calls that made a picture: what the provider would bill."""
        return [request for request in self.requests if request.was_made]

    def made_per_client_id(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for request in self.made:
            counts[request.client_request_id] = counts.get(request.client_request_id, 0) + 1
        return counts

    def fault_for(self, prompt: str) -> Fault | None:
        """The fault that hits this call, counted down."""
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and fault.match in prompt:
                    fault.times -= 1
                    return fault
            for name, limit in MARKER.findall(prompt):
                hits = self._marks.get((prompt, name), 0)
                if not limit or hits < int(limit):
                    self._marks[(prompt, name)] = hits + 1
                    return marked(name)
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


class _Handler(Sender):
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
        else:
            self._send_error(Refused(404, "NotFound", "no such path"))

    def do_DELETE(self) -> None:
        if urlsplit(self.path).path == "/__control__/faults":
            self._control(self.ark.clear_faults)
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
            self._went_wrong_after(fault, request, url, picture)
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

    def _went_wrong_before(self, fault: Fault, request: Request) -> bool:
        """Whether that was the answer."""
        if fault.kind == "hang_before":
            return self.stopping.wait(fault.seconds)
        if fault.kind == "drop_before":
            self._hang_up()
            return True
        refused = Refused(fault.status, fault.code, fault.message, fault.param)
        if fault.kind == "top_level_error":
            request.status = 200
            self._send_json(200, envelope(refused), fault.headers)
        elif fault.kind == "redirect":
            request.status = 307
            self._send(307, b"", "text/plain", {"Location": fault.location})
        else:
            request.status = fault.status
            self._send_error(refused, fault.headers)
        return True

    def _went_wrong_after(self, fault: Fault, request: Request, url: str, picture: Picture) -> None:
        whole = answer(request.body, [{"url": url, "size": wh(picture)}], picture)
        text = json.dumps(whole).encode()
        kind = fault.kind
        odd: dict[str, tuple[bytes, str]] = {
            "garbage": (b"\x00\xff\x17not json at all{{{", JSON),
            "html": (b"<html><body>Bad gateway</body></html>", "text/html"),
            "empty": (b"", JSON),
            "truncated": (text[: len(text) // 2], JSON),
            "no_data": (json.dumps({**whole, "data": []}).encode(), JSON),
            "no_url": (json.dumps({**whole, "data": [{"size": "1x1"}]}).encode(), JSON),
            "bad_url": (json.dumps({**whole, "data": [{"url": "javascript:1"}]}).encode(), JSON),
            "item_error": (
                json.dumps(
                    {**whole, "data": [{"error": {"code": fault.code, "message": fault.message}}]}
                ).encode(),
                JSON,
            ),
            "b64": (
                json.dumps({**whole, "data": [{"b64_json": jpeg_b64(picture)}]}).encode(),
                JSON,
            ),
        }
        if kind == "drop_after":
            self._hang_up()
            return
        if kind == "hang_after":
            self.stopping.wait(fault.seconds)
            self._send_json(200, whole)
        elif kind == "drip":
            self._headers(200, JSON, len(text))
            self._drip(text, fault.seconds)
        elif kind == "drip_headers":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 4000, fault.seconds)
        elif kind == "cut_off":
            self._headers(200, JSON, len(text))
            self.wfile.write(text[: len(text) // 2])
            self._hang_up()
        elif kind == "huge":
            self._headers(200, JSON, 3 * 1024**3)
            self._flood(b'{"data":[' + b" " * 65_536)
        elif kind == "endless":
            self._headers(200, JSON, None)
            self._flood(b" " * 65_536)
        else:
            self._send(200, *odd[kind])
        request.status = 200

    # --- the files ---

    def _file(self, path: str, query: dict[str, list[str]]) -> None:
        picture = self.ark.picture(path.removeprefix("/files/").removesuffix(".jpeg"))
        signature = query.get("X-Tos-Signature", [""])[0]
        if picture is None or picture.fault == "result_missing":
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
            return
        if signature != picture.signature or time.time() > picture.expires_at:
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
            return
        content = jpeg(picture)
        match picture.fault:
            case "result_text":
                self._send(200, b"this is no picture", "image/jpeg")
            case "result_bomb":
                self._send(200, png_bomb(), "image/png")
            case "result_huge":
                self._headers(200, "image/jpeg", 3 * 1024**3)
                self._flood(content + b"\0" * 65_536)
            case "result_redirect":
                self._send(302, b"", "text/plain", {"Location": picture.location})
            case "result_hang":
                self.stopping.wait(picture.seconds)
                self._send(200, content, "image/jpeg")
            case "result_drip":
                self._headers(200, "image/jpeg", len(content))
                self._drip(content, picture.seconds)
            case "result_cut_off":
                self._headers(200, "image/jpeg", len(content))
                self.wfile.write(content[: len(content) // 2])
                self._hang_up()
            case _:
                self._send(200, content, "image/jpeg")

    def _control(self, action: Any) -> None:
        try:
            action()
        except (ValueError, TypeError) as error:
            self._send_json(400, {"error": str(error)})
        else:
            self._send_json(200, {"ok": True})

    def _send_error(self, refused: Refused, headers: dict[str, str] | None = None) -> None:
        self._send_json(refused.status, envelope(refused), headers)
