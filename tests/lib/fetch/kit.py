"""What the tests of the guarded fetcher share."""

import io
import socket

import pytest

from tests.lib.fetch.fault_server import FaultServer
from wevion.lib.fetch import Fetcher, FetchError, FetchLimits, FetchReason

FOUND = b"HTTP/1.1 200 OK\r\n"
CHUNKED = FOUND + b"Transfer-Encoding: chunked\r\n\r\n"
OK = FOUND + b"Content-Length: 5\r\n\r\nhello"
LIMITS = FetchLimits(max_bytes=1_000_000, connect_s=1, read_s=1, total_s=2)
HURRIED = FetchLimits(max_bytes=1_000_000, connect_s=0.5, read_s=0.3, total_s=0.6)
PUBLIC = "93.184.215.14"


class Resolver:
    """Answers look-ups in order, then repeats the last answer; remembers what was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *, type: int) -> list[tuple[object, ...]]:
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, type, 6, "", (address, port)) for address in addresses]


class RefusingDial:
    """Stands for a network where nobody answers, so that no test sends a packet to the public."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []

    def __call__(self, *, address, port, timeout_s):
        self.dialled.append((str(address), port))
        raise ConnectionRefusedError


def fetch(url: str, *, limits: FetchLimits = LIMITS, **kwargs) -> bytes:
    file = io.BytesIO()
    written_bytes = Fetcher(**kwargs).fetch_to(url=url, file=file, limits=limits)
    assert written_bytes == len(file.getvalue())
    return file.getvalue()


def failure(url: str, **kwargs) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(url, **kwargs)
    return caught.value


def from_server(server: FaultServer, answer, **kwargs) -> bytes:
    return fetch(server.says("/x", answer), allowed_origins=frozenset({server.origin}), **kwargs)


def server_failure(server: FaultServer, answer, **kwargs) -> FetchError:
    with pytest.raises(FetchError) as caught:
        from_server(server, answer, **kwargs)
    return caught.value


def untouched(url: str) -> FetchReason:
    """The reason a URL is refused, having proved that nothing was looked up or dialled for it."""
    resolver, dial = Resolver([PUBLIC]), RefusingDial()
    reason = failure(url, resolve=resolver, dial=dial).reason
    assert (resolver.asked, dial.dialled) == ([], [])
    return reason


def redirect(location: str, status: int = 302) -> bytes:
    head = f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nSet-Cookie: a=b\r\n\r\n"
    return head.encode()
