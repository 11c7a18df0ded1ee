"""A pytest plugin: browser tests run whenever a Chromium is found, and never go missing unsaid.

With CI=true or REQUIRE_BROWSER=1 a browser test that was not run fails the whole run.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from dev.chromium import chromium_path, how_to_get_it

ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ASYNC_UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"
TRUE = {"1", "true", "yes", "on"}

_not_run = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive the Chromium that was found; Playwright would look for a download of its own."""
    # Chromium's sandbox refuses to run as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {
        **browser_type_launch_args,
        "executable_path": chromium_path(),
        "args": [*browser_type_launch_args.get("args", ()), *arguments, *ARGUMENTS],
    }


@pytest.fixture(scope="session")
def base_url() -> str | None:
    """None: tests name whole addresses. That of pytest-base-url warns under this pytest."""
    return None


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_not_run] = []


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Last: Playwright's event loop stays in this thread until the end, and Django refuses its ORM
    # to a thread with a loop unless told otherwise, which no other test should be.
    items.sort(key=_is_browser_test)
    if chromium_path() is None:
        left_out = pytest.mark.skip(reason=how_to_get_it())
        for item in filter(_is_browser_test, items):
            item.add_marker(left_out)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if _is_browser_test(item):
        os.environ[ASYNC_UNSAFE] = "true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report: pytest.TestReport = yield
    if report.skipped and not hasattr(report, "wasxfail") and _is_browser_test(item):
        item.config.stash[_not_run].append(item.nodeid)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if session.config.stash[_not_run] and _browser_is_required():
        session.exitstatus = max(exitstatus, pytest.ExitCode.TESTS_FAILED)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    count = len(config.stash[_not_run])
    if not count:
        return
    tests = "1 browser test was" if count == 1 else f"{count} browser tests were"
    why = how_to_get_it() if chromium_path() is None else "their skip marks stand above."
    terminalreporter.write_sep("=", "browser tests")
    terminalreporter.write_line(f"{tests} not run: {why}", yellow=True)


def pytest_unconfigure() -> None:
    os.environ.pop(ASYNC_UNSAFE, None)


def _is_browser_test(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None


def _browser_is_required() -> bool:
    return any(os.environ.get(name, "").lower() in TRUE for name in ("CI", "REQUIRE_BROWSER"))
