"""How a stand-in sends: properly, or drip by drip, without end, or not at all."""

import json
import secrets
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

JSON = "application/json; charset=utf-8"


class Sender(BaseHTTPRequestHandler):
    """A request handler that can misbehave. `stopping` ends every wait when the test does."""

    protocol_version = "HTTP/1.1"

    @property
    def stopping(self) -> threading.Event:
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: what matters is kept by the stand-in."""

    def _send_json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), JSON, headers)

    def _send(
        self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self._headers(status, kind, len(body), headers)
        self.wfile.write(body)

    def _headers(
        self, status: int, kind: str, length: int | None, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Request-Id", "req-" + secrets.token_hex(8))
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, data: bytes, every_s: float) -> None:
        with suppress(OSError):
            for i in range(len(data)):
                self.wfile.write(data[i : i + 1])
                self.wfile.flush()
                if self.stopping.wait(every_s):
                    break
        self._hang_up()

    def _flood(self, data: bytes) -> None:
        """Until the other side hangs up, or ten seconds."""
        until = time.monotonic() + 10
        with suppress(OSError):
            while time.monotonic() < until and not self.stopping.is_set():
                self.wfile.write(data)
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
