"""The whole product on one machine: `run` it, or `exec`/`manage` one command against it.

    python -m dev.stack run
    python -m dev.stack exec -- COMMAND…
    python -m dev.stack manage reconcile

A stack belongs to one DATA_DIR. `exec` and `manage` use the one that runs there, or start the
embedded services just for their command.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from dev.environment import BASE_DIR, address_of, data_dir_of, defaults, read_environment
from dev.ports import require_free
from dev.processes import (
    StackError,
    Step,
    pids_with_environment,
    start,
    stop,
    stop_group,
    stop_pid,
)
from dev.procfile import STOP_S, read_procfile
from dev.services import Services
from dev.stack_state import StackLock, StackState

MARK = "WEVION_STACK"  # in the environment of all that a run starts, with its DATA_DIR
PROCESSES = ("web", "worker", "beat")
MAX_CONNECTIONS = 200
TICK_S = 0.1
WEB_S = 60
BUSY_S = 60

_STOP_STEP = (
    Step(signal=signal.SIGTERM, patience_s=5),
    Step(signal=signal.SIGKILL, patience_s=5),
)
_STOP_PROCESSES = (
    Step(signal=signal.SIGTERM, patience_s=STOP_S + 10),
    Step(signal=signal.SIGKILL, patience_s=5),
)


class StopRequest:
    """Whether someone asked us to end: Ctrl-C, a SIGTERM, or the terminal going away."""

    def __init__(self) -> None:
        self.is_made = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup asked for SIGHUP to be ignored.
            if signal.getsignal(number) != signal.SIG_IGN or number == signal.SIGINT:
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        # A second Ctrl-C changes nothing: the end is under way and every step of it is bounded.
        self.is_made = True


class Stopped(Exception):
    """The run was asked to end before it was up."""


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError:  # the terminal is gone; what is left to do is not
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def run() -> int:
    request = StopRequest()
    environment = read_environment()
    data_dir = data_dir_of(environment)
    lock = StackLock(data_dir)
    if not lock.acquire():
        raise StackError(_why_busy(lock, data_dir))
    services: Services | None = None
    processes: subprocess.Popen[bytes] | None = None
    code = 0
    try:
        _stop_leftovers(data_dir)
        host, port = address_of(environment)
        # A server of a killed run may be letting go of it just now.
        require_free(host=host, port=port, patience_s=1)
        added = defaults(environment, data_dir=data_dir)
        services = Services(
            directory=data_dir,
            environment=environment,
            is_durable=True,
            max_connections=MAX_CONNECTIONS,
        )
        if services.names():
            say(f"Starting {services.names()} …")
        added.update(services.start())
        everything = _environment({**environment, **added, MARK: str(data_dir)})
        say("Preparing the database, the static files and the demo …")
        release = read_procfile().processes["release"]
        _step(["/bin/sh", "-c", release], everything, data_dir=data_dir, request=request)
        processes = start(
            [sys.executable, "-m", "dev.procfile", *PROCESSES],
            death_signal=signal.SIGTERM,
            environment=everything,
            directory=BASE_DIR,
        )
        lock.publish(
            StackState(kind="run", pid=os.getpid(), environment=added, service_pids=services.pids())
        )
        people = ""
        if seed := _seed(environment, added=added):
            # While the processes come up: it hashes passwords, which takes its time.
            people = _step(seed, everything, data_dir=data_dir, request=request)
        _await_web(host=host, port=port, is_over=lambda: _is_over(processes, services, request))
        if not _is_over(processes, services, request):
            _greet(everything["SITE_URL"], people=people, data_dir=data_dir)
        while not _is_over(processes, services, request):
            time.sleep(TICK_S)
        if not request.is_made:
            code = 1
            ended = services.ended()
            say(
                f"{ended} ended by itself; its log is in {_shown(data_dir)}. Stopping the rest …"
                if ended
                else "A process ended by itself; the lines above tell why. Stopping the rest …"
            )
    except Stopped:
        pass
    finally:
        if request.is_made:
            say("\nStopping …")
        try:
            if processes is not None:
                stop(processes, steps=_STOP_PROCESSES)
            _stop_leftovers(data_dir)
        finally:
            if services is not None:
                services.stop()
            lock.release()
    if request.is_made:
        say(f"Stopped. Everything is kept in {_shown(data_dir)}.")
    return code


def execute(command: Sequence[str]) -> int:
    """Run a command with the variables of the stack; returns its exit status."""
    request = StopRequest()
    environment = read_environment()
    data_dir = data_dir_of(environment)
    lock = StackLock(data_dir)
    running = _running_or_lock(lock, data_dir=data_dir, request=request)
    if running is not None:
        return _foreground(
            command,
            {**running.environment, **environment, "DATA_DIR": str(data_dir)},
            request=request,
        )
    services = Services(
        directory=data_dir,
        environment=environment,
        is_durable=True,
        max_connections=MAX_CONNECTIONS,
    )
    try:
        _stop_leftovers(data_dir)
        added = {**defaults(environment, data_dir=data_dir), **services.start()}
        lock.publish(StackState(kind="command", pid=os.getpid(), environment=added))
        if request.is_made:
            return 130
        return _foreground(command, {**environment, **added}, request=request)
    finally:
        services.stop()
        lock.release()


def _running_or_lock(lock: StackLock, *, data_dir: Path, request: StopRequest) -> StackState | None:
    """The stack that runs, or None once the lock is ours."""
    deadline = time.monotonic() + BUSY_S
    while not lock.acquire():
        holder = lock.holder()
        if holder is not None and holder.kind == "run":
            return holder
        if time.monotonic() > deadline or request.is_made:
            raise StackError(_why_busy(lock, data_dir))
        time.sleep(TICK_S)
    return None


def _why_busy(lock: StackLock, data_dir: Path) -> str:
    holder = lock.holder()
    where = _shown(data_dir)
    if holder is None:
        return f"A stack with its data in {where} is starting or stopping. Try again in a moment."
    if holder.kind == "command":
        return f"A command (process {holder.pid}) is using the database in {where}. Wait for it."
    return (
        f"A stack with its data in {where} already runs at {holder.environment.get('SITE_URL')}. "
        f"Stop it first (kill {holder.pid}), or start another with DATA_DIR=… PORT=… make run."
    )


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What the processes of the stack see: this Python first, output at once, no root sermon."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{variables.get('PATH', os.defpath)}"
    result = {**variables, "PATH": programs, "PYTHONUNBUFFERED": "1"}
    if os.geteuid() == 0:
        result["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
    return result


def _step(
    command: Sequence[str], environment: Mapping[str, str], *, data_dir: Path, request: StopRequest
) -> str:
    """Run one preparation to its end; returns its words, or fails with them."""
    log = data_dir / "prepare.log"
    with log.open("wb") as output:
        process = start(
            command,
            death_signal=signal.SIGTERM,
            environment=environment,
            output=output,
            directory=BASE_DIR,
        )
        while process.poll() is None and not request.is_made:
            time.sleep(TICK_S / 2)
    if request.is_made:
        stop_group(process, steps=_STOP_STEP)
        raise Stopped
    words = log.read_text(errors="replace").strip("\n")
    if process.returncode != 0:
        shown = command[-1] if command[0] == "/bin/sh" else " ".join(command[1:])
        raise StackError(f"{words}\n\nThis failed: {shown}")
    return words


def _seed(environment: Mapping[str, str], *, added: Mapping[str, str]) -> list[str] | None:
    """The command that makes the demo's people, or None.

    Who says DEBUG=0 may mean a real database: nobody with a shared password belongs there. Who says
    nothing gets the demo, with the pages and errors a deployment shows.
    """
    command = [sys.executable, "manage.py", "seed_demo"]
    if "DEBUG" in added:
        return [*command, "--force"]
    is_debug = environment["DEBUG"].strip().lower() in {"1", "true", "yes", "on"}
    return command if is_debug else None


def _is_over(
    processes: subprocess.Popen[bytes] | None, services: Services, request: StopRequest
) -> bool:
    has_ended = processes is None or processes.poll() is not None
    return request.is_made or has_ended or services.ended() is not None


def _await_web(*, host: str, port: int, is_over: Callable[[], bool]) -> None:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    deadline = time.monotonic() + WEB_S
    while not is_over():
        connection = http.client.HTTPConnection(reachable, port, timeout=5)
        try:
            connection.request("GET", "/livez", headers={"Host": f"127.0.0.1:{port}"})
            # Any answer: a deployment-like ALLOWED_HOSTS may refuse ours.
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            if time.monotonic() > deadline:
                say("The web process does not answer yet; the lines above may tell why.")
                return
            time.sleep(TICK_S)
        else:
            return
        finally:
            connection.close()


def _greet(site: str, *, people: str, data_dir: Path) -> None:
    nobody = '  No demo people, because DEBUG=0. To make them: make manage ARGS="seed_demo --force"'
    say(
        f"""
  Wevion Creative Hub is up at {site}

{people or nobody}

  Admin pages: {site}/admin/
  Ctrl-C ends it; everything is kept in {_shown(data_dir)}.
"""
    )


def _foreground(
    command: Sequence[str], environment: Mapping[str, str], *, request: StopRequest
) -> int:
    """Run a command that owns the terminal: a Ctrl-C reaches it directly and we wait for it."""
    try:
        process = start(
            command,
            death_signal=signal.SIGTERM,
            environment={
                **environment,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}"
                f"{environment.get('PATH', os.defpath)}",
            },
            directory=BASE_DIR,
            has_terminal=True,
        )
    except FileNotFoundError:
        raise StackError(f"There is no command {command[0]}.") from None
    signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
    code = process.wait()
    return code if code >= 0 else 128 - code


def _stop_leftovers(data_dir: Path) -> None:
    """End what a killed run, or a killed honcho, left behind."""
    pids = [pid for pid in pids_with_environment(MARK, str(data_dir)) if pid != os.getpid()]
    for pid in pids:
        try:
            os.kill(pid, signal.SIGTERM)
        except OSError:
            continue
    for pid in pids:
        stop_pid(pid, steps=_STOP_STEP)


def _shown(path: Path) -> str:
    return str(path.relative_to(BASE_DIR)) if path.is_relative_to(BASE_DIR) else str(path)


def main(arguments: list[str]) -> int:
    usage = "Usage: python -m dev.stack run | exec -- COMMAND… | manage COMMAND…"
    try:
        match arguments:
            case ["run"]:
                return run()
            case ["exec", "--", _, *_]:
                return execute(arguments[2:])
            case ["manage", *rest]:
                return execute([sys.executable, "manage.py", *rest])
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    print(usage, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
