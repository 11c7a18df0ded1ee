"""What all stand-ins are: a server of a test's own that fails, and is steered, on request."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from typing import Any, Generic, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from tests.providers.fakes.sending import Sender

CONTROL = "/__control__/"


class AnyFault(Protocol):
    """One thing that goes wrong. where: in which call; match: for prompts that contain it."""

    kind: str
    where: str
    times: int
    match: str


FaultT = TypeVar("FaultT", bound=AnyFault)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stand_in: "FakeServer[Any]", *, port: int) -> None:
        self.stand_in = stand_in
        super().__init__(("127.0.0.1", port), stand_in.handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class Handler(Sender):
    """Answers what steers the stand-in, and leaves every other request to `_route`."""

    server: Server
    stand_in: Any

    def setup(self) -> None:
        super().setup()
        self.stand_in = self.server.stand_in

    @property
    def stopping(self) -> threading.Event:
        return self.server.stand_in.stopping

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        action = self.server.stand_in.controls().get((self.command, path.removeprefix(CONTROL)))
        if not path.startswith(CONTROL) or action is None:
            self._route(path, raw)
            return
        try:
            found = action(**json.loads(raw or b"{}"))
        except (ValueError, TypeError) as error:
            self._send_json(400, {"error": str(error)})
        else:
            self._send_json(200, {"ok": True} if found is None else found)

    def _route(self, path: str, raw: bytes) -> None:
        raise NotImplementedError


class FakeServer(Generic[FaultT]):
    """The server. Use it as `with FakeThis.running() as this:`.

    handler: what answers. fault: what `cause` makes of its words. marker: how a prompt names a
    fault, and how many times it may hit. origin: scheme, host and port, without a slash.
    """

    handler: type[Handler]
    fault: Callable[..., FaultT]
    marker: re.Pattern[str]

    def __init__(self, *, port: int = 0) -> None:
        self.requests: list[Any] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._faults: list[FaultT] = []
        self._marks: dict[tuple[str, str], int] = {}
        self.reset()
        self._server = Server(self, port=port)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @classmethod
    @contextmanager
    def running(cls, *, port: int = 0) -> Iterator[Self]:
        stand_in = cls(port=port)
        stand_in.start()
        try:
            yield stand_in
        finally:
            stand_in.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # --- steering ---

    def cause(self, kind: str, **details: Any) -> None:
        """Make the next call that fits go wrong; see `fault`."""
        fault = self.fault(kind=kind, **details)
        with self._lock:
            self._faults.append(fault)

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()

    def reset(self) -> None:
        """Forget everything, settings included."""
        with self._lock:
            self.requests.clear()
            self._faults.clear()
            self._marks.clear()
            self._forget()

    def _forget(self) -> None:
        """Set what the stand-in itself keeps to its beginning. The lock is held."""
        raise NotImplementedError

    def controls(self) -> dict[tuple[str, str], Callable[..., object]]:
        """What the paths below `/__control__/` do; a JSON body becomes keyword arguments."""
        return {
            ("GET", "requests"): lambda: [self._told(request) for request in self.requests],
            ("POST", "faults"): self.cause,
            ("DELETE", "faults"): self.clear_faults,
            ("POST", "reset"): self.reset,
        }

    def _told(self, request: Any) -> dict[str, Any]:
        """A request as `/__control__/requests` shows it."""
        return asdict(request)

    # --- what the handler needs ---

    def fault_for(self, prompt: str, *, where: str) -> FaultT | None:
        """The fault that hits this call, counted down."""
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and fault.where == where and fault.match in prompt:
                    fault.times -= 1
                    return fault
            for name, limit in self.marker.findall(prompt):
                found = self._marked(name, where)
                hits = self._marks.get((prompt, name), 0)
                if found is not None and (not limit or hits < int(limit)):
                    self._marks[(prompt, name)] = hits + 1
                    return found
        return None

    def _marked(self, name: str, where: str) -> FaultT | None:
        """What a marker of this name does to such a call, if anything."""
        raise NotImplementedError
