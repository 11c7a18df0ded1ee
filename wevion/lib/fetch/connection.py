"""From a target to a connected socket: one look-up, every answer checked, one of them dialled."""

import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from certifi import where

from wevion.lib.fetch.addresses import Address, is_public
from wevion.lib.fetch.errors import FetchError, FetchReason
from wevion.lib.fetch.target import Target

# A name may answer with hundreds of addresses; all are checked, but we do not knock on them all.
MAX_DIALS = 16


class Resolve(Protocol):
    """socket.getaddrinfo, or a resolver that answers in its shape."""

    def __call__(self, host: str, port: int, *, type: int) -> Sequence[tuple[Any, ...]]: ...


class Dial(Protocol):
    """Opens a TCP connection to exactly this address. Raises OSError."""

    def __call__(self, *, address: Address, port: int, timeout_s: float) -> socket.socket: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment on the monotonic clock that no wait may pass."""

    at: float
    detail: str

    def left_s(self) -> float:
        """Seconds left, > 0. Raises FetchError(timeout) when there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise self.error()
        return left

    def error(self) -> FetchError:
        return FetchError(FetchReason.TIMEOUT, self.detail)

    def or_sooner(self, *, seconds: float, detail: str) -> "Deadline":
        at = time.monotonic() + seconds
        return self if self.at <= at else Deadline(at=at, detail=detail)


@cache
def default_tls_context() -> ssl.SSLContext:
    """Verifies certificates and names, against the roots that requests brings for the adapters.

    One for the process: loading the roots takes milliseconds, and a context may be shared by
    threads once it is set up.
    """
    context = ssl.create_default_context(cafile=where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def dial(*, address: Address, port: int, timeout_s: float) -> socket.socket:
    """Connect to an address, never to a name, so nothing is looked up here."""
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect((str(address), port))
    except BaseException:
        sock.close()
        raise
    return sock


def connect(
    *,
    target: Target,
    is_allowed: bool,
    resolve: Resolve,
    dial: Dial,
    tls_context: ssl.SSLContext,
    deadline: Deadline,
) -> socket.socket:
    """Return a connected socket, with TLS verified against the host name where it is https.

    is_allowed: the operator named this origin, so its addresses need not be public. The look-up
    is still done once, and the certificate is still verified.
    deadline: for look-up, connection and TLS handshake together.
    Raises FetchError (forbidden_address, connection, timeout).
    """
    if target.address is None:
        addresses = _look_up(target=target, resolve=resolve, deadline=deadline)
    else:
        addresses = [target.address]
    # One private answer among public ones is refused as a whole: no honest host answers so.
    if not is_allowed and not all(map(is_public, addresses)):
        raise FetchError(
            FetchReason.FORBIDDEN_ADDRESS, f"{target.host} leads to an address that is not public"
        )
    sock = _dial_first(target=target, addresses=addresses, dial=dial, deadline=deadline)
    if target.scheme == "http":
        return sock
    return _start_tls(sock=sock, target=target, tls_context=tls_context, deadline=deadline)


def _look_up(*, target: Target, resolve: Resolve, deadline: Deadline) -> list[Address]:
    """Ask once. The answer is the only one this connection will ever use (no DNS rebinding)."""
    answers: SimpleQueue[Sequence[tuple[Any, ...]] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # getaddrinfo takes no timeout and cannot be interrupted. A slow one is left behind in a daemon
    # thread: the C library gives up by itself (5 s a try), and unlike an executor's, such a thread
    # does not hold up the exit of the worker.
    Thread(target=ask, name="fetch-look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left_s())
    except Empty:
        raise deadline.error() from None
    if isinstance(answer, Exception):
        raise FetchError(FetchReason.CONNECTION, f"no address found for {target.host}") from answer
    try:
        # The address alone is taken: a family, port or scope from the answer decides nothing.
        addresses = list(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in answer))
    except ValueError:
        raise FetchError(
            FetchReason.CONNECTION, f"an unreadable address for {target.host}"
        ) from None
    if not addresses:
        raise FetchError(FetchReason.CONNECTION, f"no address found for {target.host}")
    return addresses


def _dial_first(
    *, target: Target, addresses: list[Address], dial: Dial, deadline: Deadline
) -> socket.socket:
    failure: OSError | None = None
    candidates = addresses[:MAX_DIALS]
    for tried, address in enumerate(candidates):
        # An equal share for each that is left, so that one dead address does not eat all the time.
        share_s = deadline.left_s() / (len(candidates) - tried)
        try:
            sock = dial(address=address, port=target.port, timeout_s=share_s)
        except OSError as error:
            failure = error
            continue
        _require_peer(sock=sock, address=address, target=target)
        return sock
    reason = FetchReason.TIMEOUT if isinstance(failure, TimeoutError) else FetchReason.CONNECTION
    raise FetchError(reason, f"cannot connect to {target.host}") from failure


def _require_peer(*, sock: socket.socket, address: Address, target: Target) -> None:
    """Believe the kernel rather than ourselves: the other end is the address that was checked."""
    try:
        peer = ip_address(sock.getpeername()[0])
    except (OSError, ValueError) as error:
        sock.close()
        raise FetchError(FetchReason.CONNECTION, f"{target.host} hung up") from error
    if peer != address:
        sock.close()
        raise FetchError(
            FetchReason.FORBIDDEN_ADDRESS,
            f"the connection to {target.host} ended at another address than the one checked",
        )


def _start_tls(
    *, sock: socket.socket, target: Target, tls_context: ssl.SSLContext, deadline: Deadline
) -> ssl.SSLSocket:
    try:
        # CPython counts a socket's timeout over the whole handshake, so dripping does not extend
        # it. Without a close_notify the end of a body that has no length cannot be told from a
        # cut, hence no ragged EOFs.
        sock.settimeout(deadline.left_s())
        return tls_context.wrap_socket(
            sock, server_hostname=target.host, suppress_ragged_eofs=False
        )
    except TimeoutError:
        sock.close()
        raise deadline.error() from None
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise FetchError(
            FetchReason.CONNECTION, f"the certificate of {target.host} is not trusted"
        ) from error
    except OSError as error:
        sock.close()
        raise FetchError(FetchReason.CONNECTION, f"no TLS with {target.host}") from error
    except BaseException:
        sock.close()
        raise
