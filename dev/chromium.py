"""Which Chromium the browser tests drive."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path(environment: Mapping[str, str] = os.environ) -> str | None:
    """CHROMIUM if it is set (then nothing else), the system's, else the one of Playwright."""
    named = environment.get("CHROMIUM", "")
    if named:
        return shutil.which(named)
    for name in NAMES:
        if found := shutil.which(name, path=environment.get("PATH")):
            return found
    return _playwrights_own(environment)


def _playwrights_own(environment: Mapping[str, str]) -> str | None:
    home = Path(environment.get("HOME", "/nonexistent"))
    browsers = Path(
        environment.get("PLAYWRIGHT_BROWSERS_PATH") or home / ".cache" / "ms-playwright"
    )
    # Looked up by name: asking Playwright itself would start its driver for every test run.
    found = sorted(browsers.glob("chromium-*/chrome-linux*/chrome"))
    found += sorted(browsers.glob("chromium_headless_shell-*/chrome-*/*headless*shell"))
    runnable = [str(path) for path in found if os.access(path, os.X_OK)]
    return runnable[0] if runnable else None


def how_to_get_it(environment: Mapping[str, str] = os.environ) -> str:
    named = environment.get("CHROMIUM", "")
    reason = f"CHROMIUM={named} is not a program" if named else "no Chromium was found"
    return (
        f"{reason}. Install it (Debian: apt-get install chromium) "
        "or set CHROMIUM=/path/to/chromium."
    )
