"""The stand-in for Kling as a web server: its routes, and how its answers go wrong."""

import json
import threading
import time
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.providers.fakes import clips
from tests.providers.fakes.kling_faults import AFTER, BEFORE, Fault
from tests.providers.fakes.kling_rules import (
    KINDS,
    Refused,
    Request,
    check_token,
    envelope,
)
from tests.providers.fakes.sending import JSON, Sender

if TYPE_CHECKING:
    from tests.providers.fakes.kling import FakeKling


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    kling: "FakeKling"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class Handler(Sender):
    server: Server

    @property
    def kling(self) -> "FakeKling":
        return self.server.kling

    @property
    def stopping(self) -> threading.Event:
        return self.server.kling.stopping

    # --- routes ---

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        actions = {
            "/__control__/faults": lambda: self.kling.cause(**json.loads(raw)),
            "/__control__/settings": lambda: self.kling.set(**json.loads(raw)),
            "/__control__/reset": self.kling.reset,
            "/__control__/expire": self.kling.expire_links,
        }
        action = actions.get(urlsplit(self.path).path)
        if action is not None:
            self._control(action)
        else:
            self._api("POST", raw)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/__control__/requests":
            self._send_json(200, [_without_picture(asdict(one)) for one in self.kling.requests])
        elif parts.path.startswith("/files/"):
            self._file(parts.path, parse_qs(parts.query))
        else:
            self._api("GET", b"")

    def do_DELETE(self) -> None:
        if urlsplit(self.path).path == "/__control__/faults":
            self._control(self.kling.clear_faults)
        else:
            self._api("DELETE", b"")

    def _control(self, action: Any) -> None:
        try:
            action()
        except (ValueError, TypeError) as error:
            self._send_json(400, {"error": str(error)})
        else:
            self._send_json(200, {"ok": True})

    # --- the API ---

    def _api(self, method: str, raw: bytes) -> None:
        parts = urlsplit(self.path)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        request = Request(
            method=method, path=parts.path, query=query, headers=dict(self.headers), body=body
        )
        self.kling.requests.append(request)
        try:
            check_token(
                self.headers.get("Authorization"),
                access_key=self.kling.access_key,
                secret_key=self.kling.secret_key,
            )
            match [method, *parts.path.strip("/").split("/")]:
                case ["POST", "v1", "videos", kind] if kind in KINDS:
                    self._create(kind, request)
                case ["GET", "v1", "videos", kind] if kind in KINDS:
                    self._list(kind, request)
                case ["GET", "v1", "videos", kind, name] if kind in KINDS:
                    self._query(kind, unquote(name), request)
                case _:
                    raise Refused(1202)
        except Refused as refused:
            self._refuse(request, refused)

    def _create(self, kind: str, request: Request) -> None:
        prompt = request.body.get("prompt") if isinstance(request.body, dict) else None
        fault = self.kling.fault_for("create", prompt if isinstance(prompt, str) else "")
        if self._went_wrong_before(fault, request):
            return
        task = self.kling.make(kind, request.body, fault)
        request.was_made = True
        shown = {**self.kling.shown(task), "task_status": "submitted"}
        for name in ("task_status_msg", "task_result", "final_unit_deduction"):
            shown.pop(name, None)
        self._answer(shown, fault, request)

    def _query(self, kind: str, name: str, request: Request) -> None:
        task = self.kling.task(kind, name)
        fault = self.kling.fault_for("query", task.prompt if task else "")
        if self._went_wrong_before(fault, request):
            return
        if task is None and (fault is None or fault.kind not in AFTER):
            raise Refused(self.kling.not_found_code, "task not found")
        self._answer(self.kling.shown(task) if task else None, fault, request)

    def _list(self, kind: str, request: Request) -> None:
        fault = self.kling.fault_for("list")
        if self._went_wrong_before(fault, request):
            return
        number = _within(request.query, "pageNum", default=1, maximum=1000)
        size = _within(request.query, "pageSize", default=30, maximum=500)
        tasks = self.kling.page(kind, number=number, size=size)
        self._answer([self.kling.shown(task) for task in tasks], fault, request)

    # --- how it goes wrong ---

    def _went_wrong_before(self, fault: Fault | None, request: Request) -> bool:
        if fault is None or fault.kind not in BEFORE:
            return False
        if fault.kind == "error":
            refused = Refused(fault.code, fault.message, status=fault.status)
            self._refuse(request, refused, fault.headers)
        elif fault.kind == "redirect":
            request.status = 307
            self._send(307, b"", "text/plain", {"Location": fault.location})
        else:
            if fault.kind == "hang_before":
                self.stopping.wait(fault.seconds)
            self._hang_up()
        return True

    def _answer(self, data: Any, fault: Fault | None, request: Request) -> None:
        request.status = 200
        text = json.dumps(envelope(data)).encode()
        kind = fault.kind if fault is not None and fault.kind in AFTER else ""
        if fault is None or not kind:
            self._send(200, text, JSON)
            return
        odd: dict[str, tuple[bytes, str]] = {
            "garbage": (b"\x00\xff\x17not json at all{{{", JSON),
            "html": (b"<html><body>Bad gateway</body></html>", "text/html"),
            "empty": (b"", JSON),
            "truncated": (text[: len(text) // 2], JSON),
            "odd": (json.dumps(envelope(fault.data)).encode(), JSON),
        }
        if kind in odd:
            request.status = fault.status or 200
            self._send(request.status, *odd[kind])
        elif kind == "huge":
            self._headers(200, JSON, 3 * 1024**3)
            self._flood(b'{"data":[' + b" " * 65_536)
        elif kind == "drip":
            self._headers(200, JSON, len(text))
            self._drip(text, fault.seconds)
        elif kind == "hang_after":
            self.stopping.wait(fault.seconds)
            self._send(200, text, JSON)
        else:
            request.status = 0
            self._hang_up()

    def _refuse(
        self, request: Request, refused: Refused, headers: dict[str, str] | None = None
    ) -> None:
        request.status = refused.status
        whole = envelope(None, code=refused.code, message=refused.message)
        self._send_json(refused.status, whole, headers)

    # --- the files ---

    def _file(self, path: str, query: dict[str, list[str]]) -> None:
        task = self.kling.file(path.removeprefix("/files/").removesuffix(".mp4"))
        if task is None or task.fault == "result_missing":
            self._send(404, b"no such file", "text/plain")
            return
        is_signed = query.get("sig") == [task.signature] and time.time() < task.expires_at
        if not is_signed or self.headers.get("Authorization") is not None:
            self._send(403, b"access denied", "text/plain")
            return
        content = clips.mp4(
            width=task.width, height=task.height, duration_s=task.duration_s, colour=task.colour
        )
        match task.fault:
            case "result_text":
                self._send(200, b"this is no clip", "video/mp4")
            case "result_huge":
                self._headers(200, "video/mp4", 3 * 1024**3)
                self._flood(content + b"\0" * 65_536)
            case "result_redirect":
                self._send(302, b"", "text/plain", {"Location": task.location})
            case "result_cut_off":
                self._headers(200, "video/mp4", len(content))
                self.wfile.write(content[: len(content) // 2])
                self._hang_up()
            case _:
                self._send(200, content, "video/mp4")


def _within(query: dict[str, str], name: str, *, default: int, maximum: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise Refused(1200, f"{name} must be within 1 and {maximum}")
    return int(text)


def _without_picture(request: dict[str, Any]) -> dict[str, Any]:
    if isinstance(request["body"], dict) and isinstance(request["body"].get("image"), str):
        size = len(request["body"]["image"])
        request["body"] = {**request["body"], "image": f"<{size} characters>"}
    return request
