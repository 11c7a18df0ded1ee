from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dev.chromium import chromium_path
from dev.environment import BASE_DIR

TESTS = """\
import os, pytest

@pytest.mark.browser
def test_one():
    assert os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] == "true"

@pytest.mark.browser
def test_two():
    pass

def test_plain():
    assert "DJANGO_ALLOW_ASYNC_UNSAFE" not in os.environ
"""


def make_program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def run_suite(directory: Path, **variables: str) -> tuple[int, str]:
    (directory / "test_some.py").write_text(TESTS)
    (directory / "pytest.ini").write_text("[pytest]\nmarkers = browser: drives a browser\n")
    kept = {
        name: text for name, text in os.environ.items() if name not in ("CI", "REQUIRE_BROWSER")
    }
    # Named services are not started: this suite needs none.
    named = {"TEST_DATABASE_URL": "postgresql://db.example/hub", "TEST_REDIS_URL": "redis://r/0"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "dev.pytest_services", "-p", "no:django"],
        cwd=directory,
        env={**kept, "PYTHONPATH": str(BASE_DIR), **named, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_without_chromium_the_run_says_how_many_were_not_run_and_how_to_get_them(tmp_path):
    code, words = run_suite(tmp_path, CHROMIUM="", PATH="/nonexistent", HOME="/nonexistent")

    assert code == 0
    assert (
        "2 browser tests were not run: no Chromium was found. "
        "Install it (Debian: apt-get install chromium) or set CHROMIUM=/path/to/chromium."
    ) in words
    assert "1 passed, 2 skipped" in words


def test_in_ci_a_browser_test_that_was_not_run_fails_the_run(tmp_path):
    code, words = run_suite(tmp_path, CHROMIUM="/nonexistent/chromium", CI="true")

    assert code == 1
    assert "2 browser tests were not run: CHROMIUM=/nonexistent/chromium is not a program" in words


def test_with_chromium_they_run_after_all_others(tmp_path):
    chromium = make_program(tmp_path / "chromium")

    code, words = run_suite(tmp_path, CHROMIUM=chromium, CI="true")

    assert code == 0
    assert "3 passed" in words
    assert "not run" not in words


def test_a_named_chromium_is_the_only_one_considered(tmp_path):
    make_program(tmp_path / "bin" / "chromium")
    named = make_program(tmp_path / "mine")
    path = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}

    assert chromium_path({**path, "CHROMIUM": named}) == named
    assert chromium_path({**path, "CHROMIUM": str(tmp_path / "none")}) is None


def test_the_systems_chromium_comes_before_playwrights(tmp_path):
    home = tmp_path / "home"
    downloaded = make_program(
        home / ".cache" / "ms-playwright" / "chromium-1200" / "chrome-linux" / "chrome"
    )
    nothing = {"PATH": str(tmp_path / "bin"), "HOME": str(home), "CHROMIUM": ""}

    assert chromium_path(nothing) == downloaded
    google = make_program(tmp_path / "bin" / "google-chrome")
    assert chromium_path(nothing) == google
    system = make_program(tmp_path / "bin" / "chromium")
    assert chromium_path(nothing) == system
    assert chromium_path({**nothing, "PATH": "/nonexistent", "HOME": "/nonexistent"}) is None
