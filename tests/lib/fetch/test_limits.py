"""Time and memory are bounded, and errors tell nothing secret."""

import gc
import io
import pickle
import time
import tracemalloc
from contextlib import suppress

import pytest

from tests.lib.fetch.fault_server import Connection, FaultServer
from tests.lib.fetch.kit import (
    CHUNKED,
    FOUND,
    HURRIED,
    OK,
    PUBLIC,
    RefusingDial,
    Resolver,
    failure,
    fetch,
    redirect,
    server_failure,
)
from wevion.lib.fetch import Fetcher, FetchError, FetchLimits, FetchReason

# --- time ----------------------------------------------------------------------------


def timed_failure(server: FaultServer, answer) -> FetchError:
    started = time.monotonic()
    error = server_failure(server, answer, limits=HURRIED)
    elapsed_s = time.monotonic() - started
    assert error.reason == FetchReason.TIMEOUT
    assert error.is_retryable
    assert elapsed_s < HURRIED.total_s + 0.3
    return error


def test_a_server_that_says_nothing_is_left_after_the_read_limit(server):
    error = timed_failure(server, lambda connection: connection.wait(3))
    assert str(error) == "timeout: nothing received for 0.3 s"


@pytest.mark.parametrize(
    ("before", "dripped"),
    [
        (b"", OK),
        (FOUND, b"X-Header: " + b"a" * 50),
        (FOUND + b"Content-Length: 50\r\n\r\n", b"a" * 50),
        (FOUND + b"\r\n", b"a" * 50),
        (CHUNKED, b"1;" + b"a" * 50),
        (CHUNKED + b"ff\r\n", b"a" * 50),
    ],
    ids=["status line", "header", "body", "body without length", "chunk size", "chunk"],
)
def test_a_drip_ends_at_the_total_limit(server, before, dripped):
    def drip(connection: Connection) -> None:
        connection.send(before)
        connection.drip(dripped, every_s=0.1)

    assert str(timed_failure(server, drip)) == "timeout: longer than 0.6 s"


def test_endless_interim_answers_end_by_their_size(server):
    error = server_failure(
        server, lambda connection: connection.flood(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    )
    assert error.reason == FetchReason.CONNECTION


# --- memory --------------------------------------------------------------------------


class Discarding(io.BytesIO):
    """Counts what is written and keeps none of it."""

    written_bytes = 0
    largest_bytes = 0

    def write(self, data):
        self.written_bytes += len(data)
        self.largest_bytes = max(self.largest_bytes, len(data))
        return len(data)


@pytest.mark.parametrize(
    ("before", "flooded", "reason"),
    [
        (FOUND + b"\r\n", b"a" * 65536, FetchReason.TOO_LARGE),
        (
            CHUNKED,
            b"10000\r\n" + b"a" * 65536 + b"\r\n",
            FetchReason.TOO_LARGE,
        ),
        (
            CHUNKED + b"fffffffffffffff\r\n",
            b"a" * 65536,
            FetchReason.TOO_LARGE,
        ),
        (
            CHUNKED + b"-1\r\n",
            b"a" * 65536,
            FetchReason.CONNECTION,
        ),
        (
            CHUNKED + b"1;",
            b"a" * 65536,
            FetchReason.CONNECTION,
        ),
        (b"", b"a" * 65536, FetchReason.CONNECTION),
        (FOUND + b"X: ", b"a" * 65536, FetchReason.CONNECTION),
        (FOUND, b"X: y\r\n" * 10000, FetchReason.CONNECTION),
    ],
    ids=[
        "body",
        "chunks",
        "one chunk",
        "negative chunk",
        "chunk size",
        "status line",
        "header",
        "headers",
    ],
)
def test_an_endless_stream_is_refused_in_bounded_memory(server, before, flooded, reason):
    def flood(connection: Connection) -> None:
        connection.send(before)
        connection.flood(flooded)

    limits = FetchLimits(max_bytes=20_000_000, read_s=1, total_s=5)
    fetcher = Fetcher(allowed_origins=frozenset({server.origin}))
    file = Discarding()
    url = server.says("/x", flood)
    tracemalloc.start()
    try:
        with pytest.raises(FetchError) as caught:
            fetcher.fetch_to(url=url, file=file, limits=limits)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason == reason
    assert file.written_bytes <= 20_000_000
    assert file.largest_bytes <= 65536
    assert peak_bytes < 1_000_000


# --- what an error tells -------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 200 /x?X-Sig=s3cret&k=v\r\nContent-Length: 0\r\n\r\n",
        b"/x?X-Sig=s3cret&k=v\r\n\r\n",
        FOUND + b"X-Sig=s3cret\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://[::1?X-Sig=s3cret\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /y z?X-Sig=s3cret\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/s3cret?X-Sig=s3cret\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: https://localhost/s3cret?X-Sig=s3cret\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /x?X-Sig=s3cret\r\n\r\n",
        FOUND + b"Content-Length: 9\r\n\r\ns3cret",
    ],
)
def test_no_error_repeats_a_signed_query(server, answer):
    url = server.says("/x", answer) + "?X-Sig=s3cret&k=v"
    error = failure(url, allowed_origins=frozenset({server.origin}))
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    for shown in chain:
        assert "s3cret" not in f"{shown} {shown!r}"


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/a?X-Sig=s3cret", "https://cdn.example.com:1/a?X-Sig=s3cret",
        "https://u:s3cret@cdn.example.com/a?X-Sig=s3cret",
        "https://cdn.example.com/a b?X-Sig=s3cret", "https://[x?X-Sig=s3cret",
        "https://2130706433?X-Sig=s3cret", "https://10.0.0.1?X-Sig=s3cret",
        "https://cdn.example.com?X-Sig=s3cret\ud800", "s3cret",
    ],
)  # fmt: skip
def test_no_refusal_repeats_what_it_refused(url):
    error = failure(url, resolve=Resolver([PUBLIC]), dial=RefusingDial())
    assert "s3cret" not in f"{error} {error!r}"


def test_an_error_survives_pickling():
    error = pickle.loads(pickle.dumps(FetchError(FetchReason.HTTP_STATUS, "x answered 403", 403)))  # noqa: S301
    assert str(error) == "http_status: x answered 403"
    assert (error.reason, error.status, error.is_expired) == (FetchReason.HTTP_STATUS, 403, True)


def test_no_socket_outlives_a_fetch(server):
    # Warnings are errors here; this makes a forgotten socket one inside this test.
    gc.collect()
    for answer in (OK, b"HTTP/1.1 500 No\r\n\r\n", b"", redirect("https://10.0.0.1/")):
        url = server.says("/x", answer)
        with suppress(FetchError):
            fetch(url, allowed_origins=frozenset({server.origin}))
    gc.collect()
