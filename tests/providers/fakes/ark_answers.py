"""How the stand-in for ModelArk goes wrong: instead of an answer, in it, and in the files."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.providers.fakes.ark_rules import Refused, envelope
from tests.providers.fakes.faults import AFTER, KINDS, Fault
from tests.providers.fakes.pictures import Picture, png_bomb
from tests.providers.fakes.sending import JSON
from tests.providers.fakes.serving import Handler

# What only video tasks can do wrong: in a create's answer, in any answer, and in the task itself.
TASK_AFTER = {"no_id", "bad_id", "wrong_types"}
TASK_ENDS = {"task_failed", "task_expired", "task_cancelled"}
CREATE_ONLY = TASK_AFTER | TASK_ENDS
ALL_AFTER = AFTER | TASK_AFTER
WHERE = {"image", "create", "query", "list", "delete"}


@dataclass(slots=True, kw_only=True)
class ArkFault(Fault):
    """where: the call it hits. Pictures are meant unless the kind is one of tasks alone."""

    where: str = ""

    def __post_init__(self) -> None:
        known = KINDS | CREATE_ONLY
        if self.kind not in known:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(known))}")
        self.where = self.where or ("create" if self.kind in CREATE_ONLY else "image")
        if self.where not in WHERE:
            raise ValueError(f"unknown place {self.where!r}; known: {', '.join(sorted(WHERE))}")


def marked(name: str, *, where: str) -> ArkFault | None:
    """`[ark:429]` is an error with that status; anything else the name of a fault."""
    if re.fullmatch(r"[45][0-9]{2}", name):
        code = {"429": "RateLimitExceeded.EndpointRPMExceeded", "400": "InvalidParameter"}
        given = code.get(name, "InternalServiceError")
        return ArkFault(kind="error", where=where, status=int(name), code=given)
    known = KINDS | TASK_ENDS if where == "create" else KINDS
    return ArkFault(kind=name, where=where) if name in known else None


class Noted(Protocol):
    """The record of a call. status: what it was answered with; 0 when the answer was withheld."""

    status: int


class WrongAnswers(Handler):
    """A handler that can go wrong in every way of `faults`."""

    def _send_error(self, refused: Refused, headers: dict[str, str] | None = None) -> None:
        self._send_json(refused.status, envelope(refused), headers)

    def _went_wrong_before(self, fault: Fault, noted: Noted) -> bool:
        """Whether that was the answer."""
        if fault.kind == "hang_before":
            return self.stopping.wait(fault.seconds)
        if fault.kind == "drop_before":
            self._hang_up()
            return True
        refused = Refused(fault.status, fault.code, fault.message, fault.param)
        if fault.kind == "top_level_error":
            noted.status = 200
            self._send_json(200, envelope(refused), fault.headers)
        elif fault.kind == "redirect":
            noted.status = 307
            self._send(307, b"", "text/plain", {"Location": fault.location})
        else:
            noted.status = fault.status
            self._send_error(refused, fault.headers)
        return True

    def _went_wrong_after(
        self, fault: Fault, noted: Noted, whole: Any, odd: Mapping[str, Any]
    ) -> None:
        """whole: the right answer. odd: the bodies of this call's own faults, by kind."""
        text = json.dumps(whole).encode()
        kind = fault.kind
        noise: dict[str, tuple[bytes, str]] = {
            "garbage": (b"\x00\xff\x17not json at all{{{", JSON),
            "html": (b"<html><body>Bad gateway</body></html>", "text/html"),
            "empty": (b"", JSON),
            "truncated": (text[: len(text) // 2], JSON),
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
        elif kind in noise:
            self._send(200, *noise[kind])
        else:
            self._send_json(200, odd[kind])
        noted.status = 200

    def _send_result(self, result: Picture, content: bytes, kind: str) -> None:
        """A file, or what becomes of it. kind: its content type."""
        match result.fault:
            case "result_text":
                self._send(200, b"this is no picture", kind)
            case "result_bomb":
                self._send(200, png_bomb(), "image/png")
            case "result_huge":
                self._headers(200, kind, 3 * 1024**3)
                self._flood(content + b"\0" * 65_536)
            case "result_redirect":
                self._send(302, b"", "text/plain", {"Location": result.location})
            case "result_hang":
                self.stopping.wait(result.seconds)
                self._send(200, content, kind)
            case "result_drip":
                self._headers(200, kind, len(content))
                self._drip(content, result.seconds)
            case "result_cut_off":
                self._headers(200, kind, len(content))
                self.wfile.write(content[: len(content) // 2])
                self._hang_up()
            case _:
                self._send(200, content, kind)
