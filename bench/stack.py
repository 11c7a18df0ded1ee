"""A throw-away PostgreSQL and Redis, and the product set up on them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.environment import BASE_DIR
from dev.services import Services

_SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "bench.settings",
    "ENV_FILE": "",
    "SECRET_KEY": "only-for-the-bench-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
    "SITE_URL": "http://127.0.0.1",
    "EMAIL_URL": "memorymail://",
    "SANDBOX": "1",
    "LOG_LEVEL": "WARNING",
}
# Settings of whoever runs this, such as a bucket or a key, must not reach what is measured.
_KNOWN = re.compile(r"^#? ?([A-Z][A-Z0-9_]*)=", flags=re.MULTILINE)


@contextmanager
def running(**more: str) -> Iterator[None]:
    """Services as durable as in production, an empty migrated database, Django ready.

    more: further settings.
    """
    directory = Path(tempfile.mkdtemp(prefix="wevion-bench-"))
    # The account PostgreSQL runs as has to pass through.
    directory.chmod(0o711)
    services = Services(directory=directory, environment={}, is_durable=True, max_connections=50)
    try:
        for name in _KNOWN.findall((BASE_DIR / ".env.example").read_text()):
            os.environ.pop(name, None)
        os.environ.update(_SETTINGS | more)
        os.environ.update(services.start())
        os.environ["DATA_DIR"] = str(directory / "data")
        _set_up()
        yield
    finally:
        services.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _set_up() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
