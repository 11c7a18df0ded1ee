"""What `make run` sets when neither the environment nor `.env` does."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import environ

from dev.processes import StackError

BASE_DIR = Path(__file__).resolve().parent.parent


def read_environment(*, base_dir: Path = BASE_DIR) -> dict[str, str]:
    """The environment over `.env`, read as the settings read it. Blank values count as not set."""
    named = os.environ.get("ENV_FILE", str(base_dir / ".env"))
    if named and Path(named).is_file():
        environ.Env.read_env(named)
    return {name: value for name, value in os.environ.items() if value.strip()}


def data_dir_of(environment: Mapping[str, str], *, base_dir: Path = BASE_DIR) -> Path:
    """Where everything lives that a run keeps; created on first use."""
    # The parent of commands is the checkout, so a relative path means the same everywhere.
    data_dir = (base_dir / environment.get("DATA_DIR", ".data")).resolve()
    try:
        # Others may pass through (the account PostgreSQL runs as must) but not look around.
        data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"DATA_DIR {data_dir} cannot be created: {error.strerror}.") from None
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise StackError(
            f"DATA_DIR {data_dir} belongs to another user. Run as that user, or set another one."
        )
    return data_dir


def address_of(environment: Mapping[str, str]) -> tuple[str, int]:
    """The host and port the web process listens on."""
    raw = environment.get("PORT", "8000")
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= 65535:
        raise StackError(f"PORT must be a number from 1 to 65535, not {raw!r}.")
    return environment.get("HOST", "127.0.0.1"), int(raw)


def defaults(environment: Mapping[str, str], *, data_dir: Path) -> dict[str, str]:
    """The variables to add; those of the services come from the services."""
    host, port = address_of(environment)
    site_url = environment.get("SITE_URL", f"http://127.0.0.1:{port}")
    hosts = ["127.0.0.1", "localhost", urlsplit(site_url).hostname or "", host]
    wanted = {
        "DEBUG": "0",
        "SITE_URL": site_url,
        "ALLOWED_HOSTS": ",".join(
            dict.fromkeys(name for name in hosts if name not in {"", "0.0.0.0", "::"})  # noqa: S104
        ),
        "HOST": host,
        "PORT": str(port),
        "SANDBOX": "1",
        "SANDBOX_DELAY_S": "4",
        "EMAIL_URL": "consolemail://",
        "LOG_LEVEL": "WARNING",
    }
    added = {name: value for name, value in wanted.items() if name not in environment}
    if "SECRET_KEY" not in environment:
        added["SECRET_KEY"] = kept_secret(data_dir / "secret-key", bytes_of_chance=48)
    if "DEMO_PASSWORD" not in environment:
        added["DEMO_PASSWORD"] = kept_secret(data_dir / "demo-password", bytes_of_chance=9)
    # Absolute: the settings read a relative one from wherever a command was started.
    added["DATA_DIR"] = str(data_dir)
    return added


def kept_secret(file: Path, *, bytes_of_chance: int) -> str:
    """The secret in this file, made up on first use and readable by its owner alone."""
    try:
        kept = file.read_text().strip()
    except FileNotFoundError:
        kept = ""
    except OSError as error:
        raise StackError(f"{file} cannot be read: {error.strerror}.") from None
    if kept:
        return kept
    made = secrets.token_urlsafe(bytes_of_chance)
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(made + "\n")
    unfinished.replace(file)
    return made
