"""A server that answers as it is told."""

import pytest

from tests.lib.fetch.fault_server import serve


@pytest.fixture
def server():
    with serve() as running:
        yield running
