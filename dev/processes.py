"""Start helpers so that none outlives the program that started it, and stop them in steps."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# Linux: what <sys/prctl.h>, <linux/securebits.h> and <linux/capability.h> call these.
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 4
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

_HAS_PROC = Path("/proc/self/cmdline").exists()

POLL_S = 0.05


class StackError(Exception):
    """A reason to stop, worded for the person at the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom a server runs as when we are root.

    reaches_everything: keep the one capability that looks past directory permissions, for a
    checkout inside a directory that the account may not enter (such as root's home).
    """

    uid: int
    gid: int
    reaches_everything: bool


def start(
    command: Sequence[str],
    *,
    death_signal: signal.Signals,
    environment: Mapping[str, str],
    output: IO[bytes] | int | None = None,
    given: bytes = b"",
    account: Account | None = None,
    directory: Path | None = None,
    has_terminal: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a helper outside our terminal's reach: a Ctrl-C is ours to pass on.

    death_signal: what the kernel sends it should we be killed (Linux). Call from the main thread:
    the kernel watches the starting thread.
    given: what it reads from standard input; at most a pipe's worth, 4 KiB.
    has_terminal: leave it in the terminal's foreground group, for interactive commands.
    """
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb") as sink:
        sink.write(given)
        sink.close()
        return subprocess.Popen(
            command,
            stdin=None if has_terminal else source,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=not has_terminal,
            preexec_fn=_in_the_child(death_signal=death_signal, account=account),
        )


def _in_the_child(*, death_signal: signal.Signals, account: Account | None) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        if account is not None:
            _become(account)
        # After the change of account: that change clears the death signal.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _become(account: Account) -> None:
    if account.reaches_everything:
        # Not just "keep capabilities": access(2), by which PostgreSQL checks its own programs,
        # overlooks those of an ordinary user otherwise.
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if account.reaches_everything:
        _keep_only_reach()


def _keep_only_reach() -> None:
    if _libc is None:
        raise OSError("capabilities exist on Linux only")
    bit = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; then the same three for capabilities above 31.
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def _prctl(option: int, *arguments: int) -> None:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if _libc is None or _libc.prctl(option, *padded) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request to end, and how long it may take to be followed."""

    signal: signal.Signals
    patience_s: float


def stop(process: subprocess.Popen[bytes], *, steps: Sequence[Step]) -> bool:
    """Ask our own child to end, harder with each step; True when it has ended."""
    return _end(send=process.send_signal, is_running=lambda: process.poll() is None, steps=steps)


def stop_group(process: subprocess.Popen[bytes], *, steps: Sequence[Step]) -> bool:
    """The same for our own child and what it started in its session, such as a shell's commands."""
    return _end(
        send=lambda number: os.killpg(process.pid, number),
        is_running=lambda: process.poll() is None,
        steps=steps,
    )


def stop_pid(pid: int, *, steps: Sequence[Step]) -> bool:
    """The same for a process that an earlier run left behind."""
    return _end(
        send=lambda number: os.kill(pid, number),
        is_running=lambda: is_running(pid),
        steps=steps,
    )


def _end(
    *, send: Callable[[int], None], is_running: Callable[[], bool], steps: Sequence[Step]
) -> bool:
    for step in steps:
        if not is_running():
            return True
        try:
            send(step.signal)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + step.patience_s
        while is_running() and time.monotonic() < deadline:
            time.sleep(POLL_S)
    return not is_running()


def is_running(pid: int) -> bool:
    """Whether it still holds anything, such as a port: one that waits to be reaped does not."""
    if not _HAS_PROC:
        return bool(command_line(pid))
    try:
        # After the name in brackets, which may hold anything: the state.
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return False
    return state not in {"Z", "X"} or threads > 1


def command_line(pid: int) -> str:
    """What a process was started as; empty for one that is gone or about to be."""
    if _HAS_PROC:
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    shown = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def pids_with_environment(name: str, value: str) -> list[int]:
    """Processes that were started with NAME=value (Linux; elsewhere none are found)."""
    wanted = f"{name}={value}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = entry.read_bytes().split(b"\0")
        except OSError:  # gone meanwhile, or another account's
            continue
        if wanted in variables:
            found.append(int(entry.parent.name))
    return found
