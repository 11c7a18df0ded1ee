"""Every flow ends with proof that everything adds up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from creative_hub.services import reconciliation
from tests.creative_hub.engine import Clock
from tests.factories import make_member
from tests.providers.fakes.ark import FakeArk
from tests.providers.fakes.kling import FakeKling
from tests.providers.fakes.vertex import FakeVertex
from tests.providers.fakes.vertex_rules import BUCKET, PROJECT


@pytest.fixture
def flow(committed_db):
    """A database that other processes see; after the test everything must add up."""
    yield
    assert reconciliation.findings() == []


@pytest.fixture
def books(db):
    """A database for this process alone; after the test everything must add up."""
    yield
    assert reconciliation.findings() == []


@pytest.fixture
def clock():
    """The engine's clock. It starts at the real time, by which the stand-ins date their tasks."""
    clock = Clock()
    # A moment ahead, so that what a test orders now is due by it.
    clock.now = timezone.now() + timedelta(seconds=2)
    return clock


@pytest.fixture
def buyer(books):
    return make_member(credits=10_000)


@pytest.fixture
def kling(settings):
    """Kling, served by its stand-in."""
    with FakeKling.running() as fake:
        settings.SANDBOX = False
        settings.KLING_API_BASE = fake.base_url
        settings.KLING_ACCESS_KEY = fake.access_key
        settings.KLING_SECRET_KEY = fake.secret_key
        settings.FETCH_ALLOWED_ORIGINS = [*settings.FETCH_ALLOWED_ORIGINS, fake.origin]
        yield fake


@pytest.fixture
def ark(settings):
    """ModelArk, and with it Seedance, served by its stand-in."""
    with FakeArk.running() as fake:
        settings.SANDBOX = False
        settings.ARK_API_BASE = fake.base_url
        settings.ARK_API_KEY = fake.api_key
        settings.FETCH_ALLOWED_ORIGINS = [*settings.FETCH_ALLOWED_ORIGINS, fake.origin]
        yield fake


@pytest.fixture
def vertex(settings, tmp_path):
    """Vertex AI, and with it Veo, served by its stand-in, without a bucket."""
    with FakeVertex.running() as fake:
        fake.write_credentials(tmp_path / "veo.json")
        settings.SANDBOX = False
        settings.VEO_API_BASE = settings.VEO_STORAGE_API_BASE = fake.origin
        settings.VEO_PROJECT = PROJECT
        settings.VEO_CREDENTIALS = str(tmp_path / "veo.json")
        settings.VEO_STORAGE_URI = ""
        yield fake


@pytest.fixture
def bucket(vertex, settings):
    """A bucket that Veo's clips are put into."""
    settings.VEO_STORAGE_URI = f"gs://{BUCKET}/clips"
    return settings.VEO_STORAGE_URI
