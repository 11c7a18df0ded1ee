"""One HTTP call to a provider: bounded in time and bytes, never repeated, never redirected.

What matters most after a failure is whether the provider may have got the request, so the
connection itself is watched: `NotReached` before it stood, `OutcomeUnknown` after.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from creative_hub.providers.base import ErrorClass, ProviderError

# What the system's resolver may take on top of the connect timeout; nothing can cut it short.
RESOLVER_SLACK_S = 30.0
_CHUNK_BYTES = 64 * 1024


class NotReached(Exception):
    """No connection stood: the provider certainly did not get the request."""


class OutcomeUnknown(Exception):
    """The connection stood, but no answer came: the provider may have got the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. headers: names in lower case.

    flaw: empty, or why the body is not whole (cut off, too large, too slow); it is then empty.
    is_too_large: the flaw is that the body has more bytes than the caller wanted.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    flaw: str = ""
    is_too_large: bool = False

    def parsed(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def ask(method: str, url: str, *, is_create: bool, **how: Any) -> Answer:
    """`call`, with what went wrong on the way in our classes.

    is_create: the request orders something, so that a lost answer leaves us in doubt. Raises
    ProviderError: TRANSIENT when nothing was ordered for certain, else AMBIGUOUS.
    """
    try:
        return call(method, url, **how)
    except NotReached as error:
        raise ProviderError(
            ErrorClass.TRANSIENT, f"could not connect: {error}", code="not_reached"
        ) from error
    except OutcomeUnknown as error:
        found = ErrorClass.AMBIGUOUS if is_create else ErrorClass.TRANSIENT
        raise ProviderError(found, f"no answer: {error}", code="no_answer") from error


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    connect_timeout_s: float,
    total_timeout_s: float,
    max_answer_bytes: int,
    body: Mapping[str, object] | None = None,
    params: Sequence[tuple[str, str]] = (),
    file: BinaryIO | None = None,
) -> Answer:
    """Send one request, with a JSON body if there is one, and read the whole answer.

    total_timeout_s: from the call to the last byte, however slowly they drip; only the resolver
    can add up to RESOLVER_SLACK_S. file: where the body of an answer with status 200 is written
    instead of being kept in memory. Raises NotReached or OutcomeUnknown.
    """
    line = _Line()
    timer = threading.Timer(total_timeout_s, line.cut)
    timer.daemon = True
    token = _current_line.set(line)
    timer.start()
    try:
        # A session of its own for every call: a pooled connection that the other side has just
        # closed looks exactly like a request that was lost on the way.
        with requests.Session() as session:
            session.trust_env = False
            session.mount("http://", _WatchedAdapter())
            session.mount("https://", _WatchedAdapter())
            response = session.request(
                method,
                url,
                params=list(params),
                json=body,
                headers={**headers, "Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=(connect_timeout_s, total_timeout_s),
                allow_redirects=False,
                stream=True,
            )
            with contextlib.closing(response):
                return _whole(response, line, max_answer_bytes, file)
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    ) as error:
        reason = "took too long" if line.is_cut else _kind_of(error)
        if not line.is_connected:
            raise NotReached(reason) from error
        raise OutcomeUnknown(reason) from error
    finally:
        timer.cancel()
        _current_line.reset(token)
        line.close()


def _whole(
    response: requests.Response, line: _Line, max_answer_bytes: int, file: BinaryIO | None
) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = bytearray()
    size, flaw, is_too_large = 0, "", False
    chunks = response.iter_content(_CHUNK_BYTES)
    while not flaw:
        try:
            chunk = next(chunks, b"")
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            flaw = _kind_of(error)
            break
        size += len(chunk)
        if not chunk:
            break
        if size > max_answer_bytes:
            flaw, is_too_large = "the answer is too large", True
        elif file is not None and response.status_code == 200:
            file.write(chunk)
        else:
            body += chunk
    if line.is_cut:
        # Cut in the headers, or in a body without a length, it looks like an end.
        flaw = "the answer took too long"
    return Answer(
        status=response.status_code,
        headers=headers,
        body=b"" if flaw else bytes(body),
        flaw=flaw,
        is_too_large=is_too_large,
    )


def _kind_of(error: BaseException) -> str:
    """The name of the innermost error: its text may hold addresses and keys."""
    while True:
        inner = error.__cause__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in error.args if isinstance(part, BaseException)), None)
        if inner is None:
            return type(error).__name__
        error = inner


class _Line:
    """The connection of one call, as seen from outside: does it stand, and cut it at the end."""

    def __init__(self) -> None:
        self.is_connected = False
        self.is_cut = False
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None

    def caught(self, sock: socket.socket) -> None:
        """Keep a second handle: TLS takes the first one away, and closing may race with us."""
        with self._lock:
            self._drop()
            self._handle = socket.socket(fileno=os.dup(sock.fileno()))
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            self._shut()

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _shut(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


_current_line: ContextVar[_Line] = ContextVar("line")


class _WatchedHTTPConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        _current_line.get().caught(sock)
        return sock

    def connect(self) -> None:
        super().connect()
        _current_line.get().is_connected = True


class _WatchedHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        _current_line.get().caught(sock)
        return sock

    def connect(self) -> None:
        super().connect()  # with the TLS handshake: before it has ended nothing was sent
        _current_line.get().is_connected = True


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class _WatchedAdapter(HTTPAdapter):
    """No retries, and connections that report to the line of the call."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def retry_after_s(headers: Mapping[str, str], *, now: float) -> float | None:
    """The Retry-After header in seconds from `now` (Unix time); None when absent or senseless.

    RFC 9110 §10.2.3: whole seconds, or a date.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,6}", value):
        return float(value)
    try:
        then = parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, then - now)


_URL_TAIL = re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*")
_BEARER = re.compile(r"(?i)\bbearer\s+\S+")
# Shorter echoes of a prompt are ordinary words of the provider's own sentence.
_ECHO_CHARS = 12


def scrubbed(text: str, *, secrets: Iterable[str], prompt: str = "") -> str:
    """A provider's message fit for logs and admins: no keys, no signed links, no prompt."""
    text = " ".join(text[:2000].split())
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[key]")
    text = _BEARER.sub("Bearer [key]", text)
    text = _URL_TAIL.sub(r"\1?[cut]", text)
    return _without_echo(text, " ".join(prompt.split()))


def _without_echo(text: str, prompt: str) -> str:
    """Cut every run of the prompt's own words out of a text."""
    if not prompt:
        return text
    size = min(len(prompt), _ECHO_CHARS)
    pieces = {prompt[i : i + size].casefold() for i in range(len(prompt) - size + 1)}
    folded = text.casefold()
    if len(folded) != len(text):
        # A few letters fold into two; then positions do not match, and we keep nothing.
        return text if not any(piece in folded for piece in pieces) else "[prompt]"
    hidden = [False] * len(text)
    for i in range(len(text) - size + 1):
        is_word = size == _ECHO_CHARS or not _touches_letters(text, i, i + size)
        if is_word and folded[i : i + size] in pieces:
            hidden[i : i + size] = [True] * size
    kept: list[str] = []
    for char, is_hidden in zip(text, hidden, strict=True):
        if not is_hidden:
            kept.append(char)
        elif not kept or kept[-1] != "[prompt]":
            kept.append("[prompt]")
    return "".join(kept)


def _touches_letters(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    return before.isalnum() or after.isalnum()
