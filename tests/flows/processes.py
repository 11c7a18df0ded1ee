"""Real worker and beat processes against the test's own database, for killing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from creative_hub.models import ProviderJob

ROOT = Path(settings.BASE_DIR)
# What a test sets to lead the providers to its stand-ins.
PROVIDER_SETTINGS = (
    "ARK_API_BASE",
    "ARK_API_KEY",
    "KLING_API_BASE",
    "KLING_ACCESS_KEY",
    "KLING_SECRET_KEY",
    "VEO_API_BASE",
    "VEO_STORAGE_API_BASE",
    "VEO_PROJECT",
    "VEO_CREDENTIALS",
    "VEO_STORAGE_URI",
)


class Process:
    """One process of the product, in a group of its own."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self.log = tempfile.NamedTemporaryFile("w+", suffix=".log")  # noqa: SIM115
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "wevion", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self) -> None:
        """kill -9: it gets no chance to clean up."""
        os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self.log.close()

    def output(self) -> str:
        return Path(self.log.name).read_text()


class Stack:
    """A worker and a beat that can be killed and started again."""

    def __init__(self, **environment: str) -> None:
        self._environment = {
            **os.environ,
            "DATABASE_URL": _test_database_url(),
            "DATA_DIR": str(settings.DATA_DIR),
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        self._directory = tempfile.TemporaryDirectory()
        self._worker: Process | None = None
        self._beat: Process | None = None

    def start_worker(self) -> None:
        self._worker = Process(
            "worker",
            "--pool=threads",
            "--concurrency=8",
            "--queues=engine,media",
            "--without-gossip",
            "--without-mingle",
            "--loglevel=WARNING",
            environment=self._environment,
        )

    def start_beat(self) -> None:
        schedule = Path(self._directory.name) / "schedule"
        self._beat = Process(
            "beat", f"--schedule={schedule}", "--pidfile=", environment=self._environment
        )

    def kill_worker(self) -> None:
        if self._worker:
            self._worker.kill()
            self._worker = None

    def output(self) -> str:
        """What the processes that still run have written."""
        running = [one for one in (self._worker, self._beat) if one]
        return "\n".join(one.output() for one in running)

    def stop(self) -> None:
        self.kill_worker()
        if self._beat:
            self._beat.kill()
        self._directory.cleanup()


@contextmanager
def running_stack(**environment: str) -> Iterator[Stack]:
    stack = Stack(**environment)
    try:
        stack.start_worker()
        stack.start_beat()
        yield stack
    except AssertionError:
        print(stack.output())  # noqa: T201 - pytest shows it with the failure
        raise
    finally:
        stack.stop()


def provider_environment() -> dict[str, str]:
    """The providers as this test has set them, for other processes."""
    return {
        "SANDBOX": "0",
        "FETCH_ALLOWED_ORIGINS": ",".join(settings.FETCH_ALLOWED_ORIGINS),
        **{name: getattr(settings, name) for name in PROVIDER_SETTINGS},
    }


def wait_until(is_true: Callable[[], bool], *, what: str, limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not is_true():
        if time.monotonic() > end:
            raise AssertionError(f"Not within {limit_s:g} s: {what}")
        time.sleep(0.05)


def let_leases_run_out() -> None:
    """What minutes of waiting do to the leases of a worker that is gone."""
    past = timezone.now() - timedelta(seconds=1)
    ProviderJob.objects.filter(lease_until__isnull=False).update(
        lease_until=past, next_action_at=past
    )


def let_time_pass(delta: timedelta) -> None:
    """What this much waiting does to the jobs under way. Only while no worker runs."""
    ProviderJob.objects.exclude(state__in=ProviderJob.TERMINAL).update(
        sent_at=F("sent_at") - delta,
        lease_until=F("lease_until") - delta,
        next_action_at=F("next_action_at") - delta,
        deadline_at=F("deadline_at") - delta,
    )


def let_questions_come_due() -> None:
    """Let the worker ask now about what runs, and look now for what it may have sent."""
    asked = ProviderJob.objects.filter(state__in=["running", "submitting", "unknown"])
    asked.filter(lease_until__isnull=True).update(next_action_at=timezone.now())


def _test_database_url() -> str:
    """The database this test writes to: DATABASE_URL names the one it was derived from."""
    parts = urlsplit(settings.DATABASE_URL)
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))
