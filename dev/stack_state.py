"""What is known about the stack of one data directory: whether it runs, and how to reach it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from dev.processes import POLL_S


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """What a running stack leaves for other commands.

    kind: "run" for a whole stack, "command" for services that were started for one command.
    environment: the variables the stack added; with them a command sees what the stack sees.
    """

    kind: Literal["run", "command"]
    pid: int
    environment: dict[str, str]
    service_pids: dict[str, int] = field(default_factory=dict)


class StackLock:
    """Held by the one program that owns the data directory; the kernel drops it at its death."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "stack.lock"
        self._state = data_dir / "stack.json"
        self._descriptor: int | None = None

    def acquire(self, *, patience_s: float = 0) -> bool:
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(POLL_S)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        if self._descriptor is not None:
            self._state.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def publish(self, state: StackState) -> None:
        unfinished = self._state.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(state), file, indent=2)
        unfinished.replace(self._state)

    def holder(self) -> StackState | None:
        """Who holds the lock, as far as it has said so; only meaningful while it is held."""
        with suppress(OSError, ValueError, TypeError):
            return StackState(**json.loads(self._state.read_text()))
        return None
