"""A pytest plugin: the suite's own PostgreSQL and Redis, and settings no developer's `.env` bends.

Load it with `-p dev.pytest_services`: it must come before Django's settings are read. With
TEST_DATABASE_URL and TEST_REDIS_URL the suite uses those services and starts none.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from dev.environment import BASE_DIR
from dev.services import Services

# A test makes a hundred parallel submits, each on a connection of its own.
MAX_CONNECTIONS = 400
PREFIX = "wevion-tests-"

EXAMPLE = BASE_DIR / ".env.example"
# Variables of the suite itself, which the others' clearing spares.
OF_THE_SUITE = {"CHROMIUM", "REQUIRE_BROWSER", "TEST_DATABASE_URL", "TEST_REDIS_URL"}

SETTINGS = {
    # No `.env`, neither here nor in the processes that tests start.
    "ENV_FILE": "",
    "ARK_API_KEY": "",
    "S3_BUCKET": "",
    "DEBUG": "0",
    "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "SITE_URL": "http://127.0.0.1",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "CSRF_TRUSTED_ORIGINS": "",
    "TRUST_PROXY": "0",
    "TRUSTED_PROXY_COUNT": "0",
    "EMAIL_URL": "memorymail://",
    "DEFAULT_FROM_EMAIL": "Wevion <no-reply@localhost>",
    "SANDBOX": "1",
    "SANDBOX_DELAY_S": "0",
    "FETCH_ALLOWED_ORIGINS": "",
    "LOG_LEVEL": "WARNING",
}


class SuiteServices:
    """One throw-away directory with the services in it."""

    def __init__(self) -> None:
        _sweep()
        self.directory = Path(tempfile.mkdtemp(prefix=PREFIX))
        # The account PostgreSQL runs as has to pass through.
        self.directory.chmod(0o711)
        self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        given = {
            "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
            "REDIS_URL": os.environ.get("TEST_REDIS_URL", ""),
        }
        self._services = Services(
            directory=self.directory,
            environment=given,
            is_durable=False,
            max_connections=MAX_CONNECTIONS,
        )
        atexit.register(self.stop)
        self.environment = {**given, **self._services.start()}

    def stop(self) -> None:
        """Safe to repeat: a second Ctrl-C may cut the first one short."""
        self._services.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.stop)


_suite = pytest.StashKey[SuiteServices]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    # A wrapper runs before every plain hook, and pytest-django reads the settings in one.
    suite = early_config.stash[_suite] = SuiteServices()
    os.environ.update(SETTINGS)
    os.environ.update(suite.environment)
    os.environ["DATA_DIR"] = str(suite.directory / "data")
    for name in _foreign_settings(suite):
        os.environ.pop(name, None)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    # Registered last, so that its fixtures win over those of pytest-playwright.
    config.pluginmanager.import_plugin("dev.pytest_browser")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if suite := config.stash.get(_suite, None):
        suite.stop()


def _foreign_settings(suite: SuiteServices) -> set[str]:
    """Settings a developer may have exported and the suite must not see, such as a bucket."""
    known = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", EXAMPLE.read_text(), flags=re.MULTILINE))
    return known - SETTINGS.keys() - suite.environment.keys() - OF_THE_SUITE - {"DATA_DIR"}


def _sweep() -> None:
    """Remove what killed runs left; a live one holds its lock."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/lock"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left.parent, ignore_errors=True)
            finally:
                os.close(descriptor)
