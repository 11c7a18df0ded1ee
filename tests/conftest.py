"""What every test may ask for."""

from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _empty_cache():
    """No test sees what another one cached: sessions, throttles, usual times."""
    cache.clear()


@pytest.fixture
def committed_db(transactional_db):
    """A database whose commits are real, for threads and other processes.

    It is emptied after each test, with the rows that migrations wrote, so they are written anew.
    """
    from importlib import import_module

    from django.apps import apps

    first = import_module("credits.migrations.0002_append_only_and_prices")
    if not apps.get_model("credits", "Price").objects.exists():
        first.add_prices(apps, None)
    import_module("creative_hub.migrations.0002_clips").add_switches(apps, None)
