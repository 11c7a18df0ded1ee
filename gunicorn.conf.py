"""How the web process serves: read by gunicorn from the directory it starts in."""

import os
import socket
import struct
from pathlib import Path
from typing import Any

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
# One import for all workers: a quicker start and shared memory. Nothing connects at import.
preload_app = True
timeout = 60
graceful_timeout = 20
# Longer than the page's poll, so that an open studio keeps its connection.
keepalive = 15
# A worker is renewed now and then, whatever may have leaked; the jitter keeps them apart.
max_requests = 50_000
max_requests_jitter = 10_000
# A heartbeat file on a slow disk can block a worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# Requests are in the application's own log, without query strings.
accesslog = None
errorlog = "-"
loglevel = "warning"
# Whether a proxy's word on https counts is TRUST_PROXY's to say, in the settings.
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True

# How long one read or write of a connection may take, in seconds. gunicorn's threads wait for the
# rest of a request for ever; a proxy that buffers requests belongs in front in any case.
SOCKET_LIMIT_S = 15


def when_ready(server: Any) -> None:
    """Give the listening sockets a limit that every connection inherits from them."""
    limit = struct.pack("ll", SOCKET_LIMIT_S, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
