"""Run lines of the Procfile with honcho, quietly, with time for the worker to end in order.

`python -m dev.procfile web worker beat`; ends when the first of them ends or on SIGTERM.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import honcho.manager
from honcho.environ import Procfile, parse_procfile
from honcho.printer import Printer

from dev.environment import BASE_DIR

# On SIGTERM the worker finishes the tasks it runs. Honcho would kill it five seconds after the
# first process ended; whatever outlasts this is taken up again by the next start.
STOP_S = 25


class QuietPrinter:
    """Honcho's printer without its own remarks, except for a process that ended badly."""

    def __init__(self) -> None:
        self._printer = Printer(sys.stdout)

    @property
    def width(self) -> int:
        return int(self._printer.width)

    @width.setter
    def width(self, width: int) -> None:
        self._printer.width = width

    def write(self, message: Any) -> None:
        words = message.data
        if isinstance(words, bytes):
            words = words.decode(errors="replace")
        is_honchos = message.name == honcho.manager.SYSTEM_PRINTER_NAME
        if _tells_of_failure(words) if is_honchos else _tells_anything(words):
            self._printer.write(message)


def _tells_of_failure(remark: str) -> bool:
    # -15: ended by the SIGTERM we sent.
    return "stopped" in remark and not any(f"(rc={code})" in remark for code in (0, -15))


def _tells_anything(line: str) -> bool:
    # What Celery says of an orderly end; its advice on Ctrl-C is wrong under a supervisor.
    return bool(line.strip()) and not line.startswith(("worker: Hitting Ctrl+C", "worker: Warm"))


def read_procfile() -> Procfile:
    return parse_procfile((BASE_DIR / "Procfile").read_text())


def main(names: list[str]) -> int:
    honcho.manager.KILL_WAIT = STOP_S
    commands = read_procfile().processes
    manager = honcho.manager.Manager(QuietPrinter())
    for name in names:
        manager.add_process(name, commands[name], env=dict(os.environ), cwd=str(BASE_DIR))
    try:
        manager.loop()
    except KeyError:
        # SIGTERM in the instant before honcho has learnt of all its processes; whoever started
        # us ends those.
        return 143
    return int(manager.returncode or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
