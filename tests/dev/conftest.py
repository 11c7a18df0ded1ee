"""A stack small enough to start in a second: the real `dev` under a toy Procfile and manage.py."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dev.environment import BASE_DIR
from dev.ports import require_free
from dev.processes import StackError, command_line, pids_with_environment
from dev.pytest_services import SETTINGS

PROCFILE = """\
release: python manage.py migrate
web: exec python -m http.server --bind 127.0.0.1 $PORT
worker: exec sleep 600
beat: exec sleep 600
"""
MANAGE = """\
import os, psycopg, sys
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    if sys.argv[1] == "migrate":
        connection.execute("CREATE TABLE IF NOT EXISTS kept (line text)")
    if sys.argv[1] == "keep":
        connection.execute("INSERT INTO kept VALUES (%s)", [sys.argv[2]])
    if sys.argv[1] == "kept":
        print(connection.execute("SELECT line FROM kept").fetchall())
    if sys.argv[1] == "seed_demo":
        print("  owner@demo.test\\n  password:", os.environ["DEMO_PASSWORD"])
"""
OF_THE_SUITE = {*SETTINGS, "DATABASE_URL", "REDIS_URL", "DATA_DIR"}


class Stack:
    """The tiny project, and the programs started in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data_dir = root / ".data"
        self.port = _quiet_port()
        shutil.copytree(BASE_DIR / "dev", root / "dev")
        (root / "Procfile").write_text(PROCFILE)
        (root / "manage.py").write_text(MANAGE)
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        plain = {name: text for name, text in os.environ.items() if name not in OF_THE_SUITE}
        process = subprocess.Popen(
            [sys.executable, "-m", "dev.stack", *arguments],
            cwd=self.root,
            env={**plain, "PORT": str(self.port), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A group of its own, so that a Ctrl-C can be sent as a terminal does.
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def call(self, *arguments: str, **variables: str) -> tuple[int, str]:
        process = self.start(*arguments, **variables)
        words, _ = process.communicate(timeout=60)
        return process.returncode, words

    def up(self, **variables: str) -> tuple[subprocess.Popen[str], str]:
        """Start a run and read what it says until it is up."""
        process = self.start("run", **variables)
        assert process.stdout is not None
        words = ""
        while "Ctrl-C" not in words:
            line = process.stdout.readline()
            assert line, words
            words += line
        return process, words

    def down(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Ctrl-C it."""
        os.killpg(process.pid, signal.SIGINT)
        words, _ = process.communicate(timeout=60)
        return process.returncode, words

    def processes(self) -> list[str]:
        """The command lines of everything that works in this project's directory."""
        everything = (command_line(int(entry.name)) for entry in Path("/proc").glob("[0-9]*"))
        of_services = [line for line in everything if str(self.data_dir) in line]
        return of_services + [str(pid) for pid in self.marked()]

    def marked(self) -> list[int]:
        """What the run started apart from the services."""
        return pids_with_environment("WEVION_STACK", str(self.data_dir))

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
            if process.stdout is not None:
                process.stdout.close()


def _quiet_port() -> int:
    """A free port below those that the kernel gives to outgoing connections at any moment."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(StackError):
            require_free(host="127.0.0.1", port=port)
            return port


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    made.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    def wait(is_so: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not is_so():
            assert time.monotonic() < deadline, "it never became so"
            time.sleep(0.05)

    return wait
