"""Every flow ends with proof that everything adds up."""

from __future__ import annotations

import pytest

from creative_hub.services import reconciliation


@pytest.fixture
def flow(committed_db):
    """A database that other processes see; after the test everything must add up."""
    yield
    assert reconciliation.findings() == []
