from __future__ import annotations

import re

from dev import install
from dev.environment import BASE_DIR
from dev.procfile import read_procfile


def test_the_procfile_has_the_four_lines_a_platform_needs():
    assert list(read_procfile().processes) == ["release", "web", "worker", "beat"]


def test_the_example_names_every_variable_that_the_settings_read():
    settings = (BASE_DIR / "wevion" / "settings.py").read_text()
    read = set(re.findall(r"(?:env\.\w+|_\w+)\(\s*\"([A-Z][A-Z0-9_]*)\"", settings))
    example = (BASE_DIR / ".env.example").read_text()
    named = set(re.findall(r"^# ([A-Z][A-Z0-9_]*)=", example, flags=re.MULTILINE))

    assert len(read) > 20
    assert read - named == set()


def test_an_old_python_is_told_so_before_anything_is_made(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(install, "VENV", tmp_path / "venv")
    monkeypatch.setattr("sys.version_info", (3, 9, 2, "final", 0))

    assert install.main() == 1
    assert capsys.readouterr().err.startswith("Python 3.11 or newer is needed; this one is 3.9.2.")
    assert not (tmp_path / "venv").exists()
