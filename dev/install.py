"""Create `.venv` and install the locked requirements: all that needs only a plain Python.

Kept readable for an old Python, so that it can say that it is too old.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
LOCK = BASE_DIR / "requirements" / "dev.txt"
STAMP = VENV / ".installed"
NO_VENV = (
    "This Python cannot create a virtual environment. "
    "Install its venv module (Debian: apt-get install python3-venv) and try again."
)


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - the one place that meets an older one
        found = ".".join(map(str, sys.version_info[:3]))
        print("Python 3.11 or newer is needed; this one is " + found + ".", file=sys.stderr)
        print("Name another: make install PYTHON=/path/to/python3.11", file=sys.stderr)
        return 1
    print("Installing into .venv (once; a minute or two) …", flush=True)
    python = VENV / "bin" / "python"
    # A copied or half-made one cannot be repaired by installing into it.
    if not _works(python):
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if made.returncode != 0:
            print(NO_VENV, file=sys.stderr)
            return 1
    installed = subprocess.run(
        [
            str(python),
            *("-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"),
            *("--require-hashes", "-r", str(LOCK)),
        ],
        check=False,
    )
    if installed.returncode != 0:
        print("The packages could not be installed; the lines above tell why.", file=sys.stderr)
        return 1
    STAMP.touch()
    return 0


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    asked = [str(python), "-c", "import pip, sys; print(sys.prefix)"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return answer.returncode == 0 and Path(answer.stdout.strip()).resolve() == VENV.resolve()


if __name__ == "__main__":
    sys.exit(main())
