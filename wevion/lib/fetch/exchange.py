"""One GET over a socket we hold: HTTP/1.1 read strictly, bounded in time and memory.

http.client, urllib3 and requests are not used here, because what they add is what we must not
have (a second parse of the URL, environment proxies, .netrc, cookies, redirects, decoding), and
because http.client reads a chunk of size "-1" as "everything until the end", into memory.
"""

import io
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from wevion.lib.fetch.connection import Deadline
from wevion.lib.fetch.errors import FetchError, FetchReason
from wevion.lib.fetch.target import Target

CHUNK_BYTES = 64 * 1024
MAX_HEAD_BYTES = 64 * 1024  # status line and headers, with those of interim 1xx answers
_MAX_CHUNK_LINE_BYTES = 1024

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: .*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


class _TimedSocketReader(io.RawIOBase):
    """Reads from a socket; no single wait passes read_s and no wait at all passes the deadline.

    A socket's own timeout starts again with every byte, so by itself it never ends a drip.
    Failures of the connection become FetchError here, and only here: an OSError out of the
    caller's file (a full disk) passes through as it is.
    """

    def __init__(self, *, sock: socket.socket, read_s: float, deadline: Deadline) -> None:
        self._sock = sock
        self._read_s = read_s
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        left_s = self._deadline.left_s()
        self._sock.settimeout(min(left_s, self._read_s))
        try:
            return self._sock.recv_into(buffer)
        except TimeoutError:
            self._deadline.left_s()
            raise FetchError(
                FetchReason.TIMEOUT, f"nothing received for {self._read_s:g} s"
            ) from None
        except ssl.SSLEOFError as error:
            raise FetchError(FetchReason.TRUNCATED, "cut off inside the TLS stream") from error
        except OSError as error:
            raise FetchError(FetchReason.CONNECTION, "the connection broke") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and its headers; the body waits in the reader."""

    status: int
    headers: dict[str, list[str]]  # names in lower case, values as latin-1
    reader: io.BufferedIOBase

    def first(self, name: str) -> str | None:
        return self.headers.get(name, [None])[0]


def get(*, sock: socket.socket, target: Target, read_s: float, deadline: Deadline) -> Answer:
    """Send the request and read up to the body. The socket stays the caller's to close.

    read_s: the longest silence, seconds. Raises FetchError (timeout, connection, truncated).
    """
    # These lines are all we say: no cookie, credential or Referer exists that could leak, and a
    # redirect starts from the same constants.
    request = (
        f"GET {target.path_and_query} HTTP/1.1\r\n"
        f"Host: {target.authority}\r\n"
        "User-Agent: wevion-fetch/1\r\n"
        "Accept: */*\r\n"
        "Accept-Encoding: identity\r\n"
        "Connection: close\r\n"
        "\r\n"
    )
    sock.settimeout(min(deadline.left_s(), read_s))
    try:
        sock.sendall(request.encode("ascii"))
    except TimeoutError:
        raise FetchError(FetchReason.TIMEOUT, f"{target.host} does not take the request") from None
    except OSError as error:
        raise FetchError(FetchReason.CONNECTION, f"{target.host} hung up") from error
    raw = _TimedSocketReader(sock=sock, read_s=read_s, deadline=deadline)
    reader = io.BufferedReader(raw, CHUNK_BYTES)
    return _read_head(reader)


def body(answer: Answer, *, max_bytes: int) -> Iterator[bytes]:
    """Yield the body in pieces of at most 64 KiB, never more than max_bytes in all.

    Raises FetchError: encoded, too_large (before the first byte where the length is announced),
    truncated, empty, or what reading raises.
    """
    codings = ",".join(answer.headers.get("content-encoding", []))
    if codings.strip().lower() not in {"", "identity"}:
        # We asked for identity; decoding what comes anyway is how 10 KB become 10 GB.
        raise FetchError(FetchReason.ENCODED, "the answer is compressed")
    received_bytes = 0
    for piece in _pieces(answer, max_bytes=max_bytes):
        received_bytes += len(piece)
        if received_bytes > max_bytes:
            raise _too_large(max_bytes)
        yield piece
    if received_bytes == 0:
        raise FetchError(FetchReason.EMPTY, "the answer has no content")


def _pieces(answer: Answer, *, max_bytes: int) -> Iterator[bytes]:
    # RFC 9112, 6.3: a transfer coding overrides the length; without either the end is the end.
    transfer = answer.headers.get("transfer-encoding")
    if transfer is not None:
        if ",".join(transfer).strip().lower() != "chunked":
            raise FetchError(FetchReason.ENCODED, "an unknown transfer coding")
        return _chunked(answer.reader)
    length = _content_length(answer)
    if length is None:
        return _until_end(answer.reader)
    if length > max_bytes:
        raise _too_large(max_bytes)
    return _exactly(answer.reader, length)


def _content_length(answer: Answer) -> int | None:
    stated = {
        value.strip()
        for header in answer.headers.get("content-length", [])
        for value in header.split(",")
    }
    if not stated:
        return None
    value = stated.pop()
    if stated or not _LENGTH.fullmatch(value):
        raise _not_http("an unreadable Content-Length")
    return int(value)


def _until_end(reader: io.BufferedIOBase) -> Iterator[bytes]:
    while piece := reader.read1(CHUNK_BYTES):
        yield piece


def _exactly(reader: io.BufferedIOBase, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = reader.read1(min(left, CHUNK_BYTES))
        if not piece:
            raise FetchError(FetchReason.TRUNCATED, f"{left} bytes of the answer are missing")
        left -= len(piece)
        yield piece


def _chunked(reader: io.BufferedIOBase) -> Iterator[bytes]:
    while True:
        size = _CHUNK_SIZE.fullmatch(_line(reader, max_bytes=_MAX_CHUNK_LINE_BYTES))
        if size is None:
            raise _not_http("an unreadable chunk size")
        if int(size[1], 16) == 0:
            # Trailers may follow; the connection ends here, so nobody reads them.
            return
        yield from _exactly(reader, int(size[1], 16))
        if _line(reader, max_bytes=_MAX_CHUNK_LINE_BYTES):
            raise _not_http("a chunk longer than announced")


def _read_head(reader: io.BufferedIOBase) -> Answer:
    left = MAX_HEAD_BYTES
    while True:
        line = _line(reader, max_bytes=left)
        left -= len(line) + 2
        status = _STATUS_LINE.fullmatch(line)
        if status is None:
            raise _not_http("no HTTP/1 status line")
        headers: dict[str, list[str]] = {}
        while line := _line(reader, max_bytes=left):
            left -= len(line) + 2
            header = _HEADER.fullmatch(line)
            if header is None:
                raise _not_http("an unreadable header")
            name = header[1].decode("ascii").lower()
            headers.setdefault(name, []).append(header[2].decode("latin-1"))
        left -= 2
        # 100, 102 and 103 announce the real answer. 101 would change the protocol: it is final.
        if status[1].startswith(b"1") and status[1] != b"101":
            continue
        return Answer(status=int(status[1]), headers=headers, reader=reader)


def _line(reader: io.BufferedIOBase, *, max_bytes: int) -> bytes:
    """A line without its end. Raises FetchError when it is longer, or the connection ends."""
    line = reader.readline(max(max_bytes, 0) + 2)
    if line.endswith(b"\n"):
        return line[:-1].removesuffix(b"\r")
    if len(line) >= max_bytes:
        raise _not_http("a line too long to be HTTP")
    if not line:
        raise FetchError(FetchReason.CONNECTION, "hung up before the answer was complete")
    raise FetchError(FetchReason.TRUNCATED, "cut off inside a line")


def _not_http(detail: str) -> FetchError:
    return FetchError(FetchReason.CONNECTION, f"not a proper HTTP answer: {detail}")


def _too_large(max_bytes: int) -> FetchError:
    return FetchError(FetchReason.TOO_LARGE, f"more than {max_bytes} bytes")
