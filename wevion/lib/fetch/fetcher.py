"""The fetcher itself: hop by hop, each one checked from the beginning."""

import math
import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from wevion.lib.fetch import connection, exchange
from wevion.lib.fetch.connection import Deadline, Dial, Resolve
from wevion.lib.fetch.errors import FetchError, FetchReason
from wevion.lib.fetch.target import Target, follow, parse, require_public

MAX_REDIRECTS = 4
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much one fetch may cost. Raises ValueError unless all are finite and > 0."""

    max_bytes: int
    connect_s: float = 5  # each hop: look-up, connection and TLS handshake together
    read_s: float = 15  # the longest silence
    total_s: float = 120  # all hops, from the call to the last byte

    def __post_init__(self) -> None:
        for value in (self.max_bytes, self.connect_s, self.read_s, self.total_s):
            if not (math.isfinite(value) and value > 0):
                raise ValueError("fetch limits are finite and greater than zero")


class Fetcher:
    """Downloads over guarded connections. Keeps no state between fetches; share it freely.

    allowed_origins: exact origins such as "http://127.0.0.1:9009" for tests and private
    deployments. They skip the rules on scheme, port and address, and nothing else; a redirect
    from one is checked anew. Raises ValueError for anything that is not a bare origin.
    resolve: in the shape of socket.getaddrinfo, asked once for each hop.
    dial: opens a TCP connection to the address that was checked.
    tls_context: for an own certificate authority. Raises ValueError if it would not verify.
    """

    def __init__(
        self,
        *,
        allowed_origins: frozenset[str] = frozenset(),
        resolve: Resolve = socket.getaddrinfo,
        dial: Dial = connection.dial,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        if tls_context is None:
            tls_context = connection.default_tls_context()
        elif tls_context.verify_mode != ssl.CERT_REQUIRED or not tls_context.check_hostname:
            raise ValueError("the TLS context must verify certificates and host names")
        self._allowed_origins = frozenset(map(_bare_origin, allowed_origins))
        self._resolve = resolve
        self._dial = dial
        self._tls_context = tls_context

    def fetch_to(self, *, url: str, file: BinaryIO, limits: FetchLimits) -> int:
        """Stream the content of a URL into a file; return the bytes written, > 0.

        file: buffered and binary, written from where it stands in pieces of at most 64 KiB. After
        an error it may hold a part, never more than max_bytes; throw it away.
        Nothing is retried here, and a repeat is a new request.
        Raises FetchError; an OSError comes from the file.
        """
        deadline = Deadline(
            at=time.monotonic() + limits.total_s, detail=f"longer than {limits.total_s:g} s"
        )
        target = parse(url=url)
        for _ in range(MAX_REDIRECTS + 1):
            with closing(self._connect(target=target, limits=limits, deadline=deadline)) as sock:
                answer = exchange.get(
                    sock=sock, target=target, read_s=limits.read_s, deadline=deadline
                )
                if answer.status == 200:
                    written_bytes = 0
                    for piece in exchange.body(answer, max_bytes=limits.max_bytes):
                        file.write(piece)
                        written_bytes += len(piece)
                    return written_bytes
            target = _next_target(target=target, answer=answer)
        raise FetchError(FetchReason.TOO_MANY_REDIRECTS, f"more than {MAX_REDIRECTS} redirects")

    def _connect(self, *, target: Target, limits: FetchLimits, deadline: Deadline) -> socket.socket:
        is_allowed = target.origin in self._allowed_origins
        if not is_allowed:
            require_public(target)
        return connection.connect(
            target=target,
            is_allowed=is_allowed,
            resolve=self._resolve,
            dial=self._dial,
            tls_context=self._tls_context,
            deadline=deadline.or_sooner(
                seconds=limits.connect_s,
                detail=f"no connection to {target.host} within {limits.connect_s:g} s",
            ),
        )


def _next_target(*, target: Target, answer: exchange.Answer) -> Target:
    location = answer.first("location")
    if answer.status not in _REDIRECT_STATUSES or not location:
        raise FetchError(
            FetchReason.HTTP_STATUS,
            f"{target.host} answered {answer.status}",
            answer.status,
        )
    following = follow(base=target, location=location)
    # Even towards an allowed origin: what began in secret does not go on in the clear.
    if target.scheme == "https" and following.scheme == "http":
        raise FetchError(FetchReason.BAD_URL, f"{target.host} redirects from https to http")
    return following


def _bare_origin(text: str) -> str:
    try:
        target = parse(url=text)
    except FetchError as error:
        raise ValueError(f"not an origin: {text!r}") from error
    # The default port may be written or left out; a path, query or fragment may not be there.
    if text.lower() not in {target.origin, f"{target.origin}:{target.port}"}:
        raise ValueError(f"not a bare origin: {text!r}")
    return target.origin
