"""Which TCP ports are free on this machine."""

from __future__ import annotations

import errno
import socket
import time

from dev.processes import POLL_S, StackError


def free_port() -> int:
    """A loopback port nobody listens on now; whoever binds it first has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(*, host: str, port: int, patience_s: float = 0) -> None:
    """Raise StackError unless a server could listen there, now or before patience ends."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return _require_free(host=host, port=port)
        except StackError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(POLL_S)


def _require_free(*, host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise StackError(f"HOST={host} is not an address of this machine.") from None
    with socket.socket(family, kind) as probe:
        # Connections of the last run that linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise StackError(_refusal(error, host=host, port=port)) from None


def _refusal(error: OSError, *, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return f"Port {port} is in use. Stop what uses it, or start with PORT={other} make run."
    if error.errno == errno.EACCES:
        return f"Port {port} needs root. Start with PORT=8000 make run."
    return f"Nothing can listen on {host}:{port}: {error.strerror}."
