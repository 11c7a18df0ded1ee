"""The stand-in for Kling as a web server: its routes, and how its answers go wrong."""

import json
import time
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
from tests.providers.fakes.sending import JSON
from tests.providers.fakes.serving import Handler

if TYPE_CHECKING:
    from tests.providers.fakes.kling import FakeKling


class KlingHandler(Handler):
    stand_in: "FakeKling"

    def _route(self, path: str, raw: bytes) -> None:
        if self.command == "GET" and path.startswith("/files/"):
            self._file(path, parse_qs(urlsplit(self.path).query))
        else:
            self._api(self.command, raw)

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
        self.stand_in.requests.append(request)
        try:
            check_token(
                self.headers.get("Authorization"),
                access_key=self.stand_in.access_key,
                secret_key=self.stand_in.secret_key,
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
        fault = self.stand_in.fault_for(prompt if isinstance(prompt, str) else "", where="create")
        if self._went_wrong_before(fault, request):
            return
        task = self.stand_in.make(kind, request.body, fault)
        request.was_made = True
        shown = {**self.stand_in.shown(task), "task_status": "submitted"}
        for name in ("task_status_msg", "task_result", "final_unit_deduction"):
            shown.pop(name, None)
        self._answer(shown, fault, request)

    def _query(self, kind: str, name: str, request: Request) -> None:
        task = self.stand_in.task(kind, name)
        fault = self.stand_in.fault_for(task.prompt if task else "", where="query")
        if self._went_wrong_before(fault, request):
            return
        if task is None and (fault is None or fault.kind not in AFTER):
            raise Refused(self.stand_in.not_found_code, "task not found")
        self._answer(self.stand_in.shown(task) if task else None, fault, request)

    def _list(self, kind: str, request: Request) -> None:
        fault = self.stand_in.fault_for("", where="list")
        if self._went_wrong_before(fault, request):
            return
        number = _within(request.query, "pageNum", default=1, maximum=1000)
        size = _within(request.query, "pageSize", default=30, maximum=500)
        tasks = self.stand_in.page(kind, number=number, size=size)
        self._answer([self.stand_in.shown(task) for task in tasks], fault, request)

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
        task = self.stand_in.file(path.removeprefix("/files/").removesuffix(".mp4"))
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
