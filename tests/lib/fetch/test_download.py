"""Proper downloads, redirects and bad answers."""

import io
import math
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lib.fetch.fault_server import Connection, serve
from tests.lib.fetch.kit import (
    CHUNKED,
    FOUND,
    HURRIED,
    LIMITS,
    OK,
    RefusingDial,
    Resolver,
    failure,
    fetch,
    from_server,
    redirect,
    server_failure,
)
from wevion.lib.fetch import Fetcher, FetchLimits, FetchReason

# --- a proper download ---------------------------------------------------------------


def test_a_file_arrives_byte_for_byte_with_only_our_own_headers_sent(server):
    content = bytes(range(256)) * 3000
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    url = server.says("/a.png", head + content)
    origins = frozenset({server.origin})
    assert fetch(f"{url}?sig=1#x", allowed_origins=origins) == content
    assert server.requests == [
        b"GET /a.png?sig=1 HTTP/1.1\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"User-Agent: wevion-fetch/1\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Connection: close\r\n"
        b"\r\n" % server.port
    ]


def test_proxies_and_netrc_of_the_environment_are_ignored(server, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert from_server(server, OK) == b"hello"
    assert b"uthorization" not in server.requests[0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"abcde"),
        (FOUND + b"\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK, b"hello"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
        (FOUND + b"Content-Encoding: Identity\r\n\r\nok", b"ok"),
        (FOUND + b"Content-Length: 5\r\n\r\nhello, and more than announced", b"hello"),
        (FOUND + b"Content-Length: 9\r\n" + CHUNKED[len(FOUND):] + b"2\r\nok\r\n0\r\n\r\n", b"ok"),
    ],
    ids=["chunked", "none", "twice", "1xx first", "newlines", "identity", "longer", "both"],
)  # fmt: skip
def test_every_lawful_way_to_frame_a_body_is_read(server, answer, expected):
    assert from_server(server, answer) == expected


def test_a_file_of_exactly_the_limit_is_taken(server):
    limits = FetchLimits(max_bytes=5)
    assert from_server(server, OK, limits=limits) == b"hello"


def test_one_fetcher_serves_many_threads(server):
    fetcher = Fetcher(allowed_origins=frozenset({server.origin}))
    urls = [server.says(f"/{n}", FOUND + b"Content-Length: 2\r\n\r\n%02d" % n) for n in range(40)]

    def one(url: str) -> bytes:
        file = io.BytesIO()
        fetcher.fetch_to(url=url, file=file, limits=LIMITS)
        return file.getvalue()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, urls)) == [b"%02d" % n for n in range(40)]


def test_an_allowed_origin_may_be_written_with_or_without_its_default_port():
    dial = RefusingDial()
    for written in ("http://store.example.com", "http://store.example.com:80"):
        failure(
            "http://store.example.com/a",
            resolve=Resolver(["10.0.0.1"]),
            dial=dial,
            allowed_origins=frozenset({written}),
        )
    assert dial.dialled == [("10.0.0.1", 80), ("10.0.0.1", 80)]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:9009/",
        "http://127.0.0.1:9010/",
        "http://127.0.0.1/",
        "https://127.0.0.1:9009/",
        "http://127.1:9009/",
        "http://x@127.0.0.1:9009/",
        "http://127.0.0.1:9009.example.com/",
    ],
)
def test_only_the_exact_origin_is_allowed(url):
    dial = RefusingDial()
    error = failure(url, dial=dial, allowed_origins=frozenset({"http://127.0.0.1:9009"}))
    assert error.reason in {FetchReason.BAD_URL, FetchReason.FORBIDDEN_ADDRESS}
    assert dial.dialled == []


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:9009",
        "http://127.0.0.1:9009/",
        "http://127.0.0.1:9009?",
        "http://127.0.0.1:65979",
        "http://a@b.com",
        "http://*.b.com",
        "ftp://b.com",
    ],
)
def test_an_allowed_origin_that_is_not_a_bare_origin_stops_the_start(text):
    with pytest.raises(ValueError, match="origin"):
        Fetcher(allowed_origins=frozenset({text}))


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_limits_that_do_not_limit_are_refused(value):
    with pytest.raises(ValueError, match="finite"):
        FetchLimits(max_bytes=1, total_s=value)


def test_a_full_disk_is_not_mistaken_for_a_broken_connection(server):
    class FullDisk(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    url = server.says("/x", OK)
    with pytest.raises(OSError, match="No space left"):
        Fetcher(allowed_origins=frozenset({server.origin})).fetch_to(
            url=url, file=FullDisk(), limits=LIMITS
        )


# --- redirects -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_without_carrying_anything_over(server, status):
    server.says("/b", OK)
    assert from_server(server, redirect("/b", status)) == b"hello"
    first, second = server.requests
    assert second == first.replace(b"/x", b"/b")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://127.0.0.1/", FetchReason.FORBIDDEN_ADDRESS),
        ("https://169.254.169.254/latest/meta-data/", FetchReason.FORBIDDEN_ADDRESS),
        ("https://[::ffff:10.0.0.1]/", FetchReason.FORBIDDEN_ADDRESS),
        ("https://2130706433/", FetchReason.FORBIDDEN_ADDRESS),
        ("https://localhost/", FetchReason.FORBIDDEN_ADDRESS),
        ("https://private.example.com/", FetchReason.FORBIDDEN_ADDRESS),
        ("http://cdn.example.com/", FetchReason.BAD_URL),
        ("https://cdn.example.com:8443/", FetchReason.BAD_URL),
        ("https://u:p@cdn.example.com/", FetchReason.BAD_URL),
        ("file:///etc/passwd", FetchReason.BAD_URL),
        ("//127.0.0.1:1/", FetchReason.BAD_URL),
    ],
)
def test_a_redirect_away_from_an_allowed_origin_obeys_every_rule(server, location, reason):
    resolver = Resolver(["192.168.0.1"])
    error = server_failure(server, redirect(location), resolve=resolver)
    assert error.reason == reason
    assert server.connections == 1


def test_a_redirect_to_another_port_of_an_allowed_host_is_refused(server):
    with serve() as other:
        other.says("/secret", OK)
        error = server_failure(server, redirect(f"{other.origin}/secret"))
        assert error.reason == FetchReason.BAD_URL
        assert other.connections == 0


def test_four_redirects_are_followed(server):
    for hop in range(1, 4):
        server.says(f"/{hop}", redirect(f"/{hop + 1}"))
    server.says("/4", OK)
    assert from_server(server, redirect("/1")) == b"hello"
    assert server.connections == 5


def test_a_redirect_loop_ends_after_four(server):
    error = server_failure(server, redirect("/x"))
    assert error.reason == FetchReason.TOO_MANY_REDIRECTS
    assert not error.is_retryable
    assert server.connections == 5


def test_slow_redirects_share_one_deadline(server):
    def slowly(connection: Connection) -> None:
        connection.wait(0.25)
        connection.send(redirect("/x"))

    started = time.monotonic()
    error = server_failure(server, slowly, limits=HURRIED)
    assert error.reason == FetchReason.TIMEOUT
    assert time.monotonic() - started < 1


def test_a_redirect_without_a_location_is_an_unusable_status(server):
    error = server_failure(server, b"HTTP/1.1 302 Found\r\n\r\n")
    assert (error.reason, error.status) == (FetchReason.HTTP_STATUS, 302)


# --- bad answers ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_retryable", "is_expired"),
    [
        (101, False, False),
        (201, False, False),
        (204, False, False),
        (206, False, False),
        (300, False, False),
        (304, False, False),
        (400, False, False),
        (401, False, True),
        (403, False, True),
        (404, False, True),
        (410, False, True),
        (418, False, False),
        (429, True, False),
        (500, True, False),
        (503, True, False),
    ],
)
def test_any_status_but_200_is_reported_with_its_number(server, status, is_retryable, is_expired):
    answer = f"HTTP/1.1 {status} Whatever\r\nContent-Length: 5\r\n\r\nhello".encode()
    error = server_failure(server, answer)
    assert (error.reason, error.status) == (FetchReason.HTTP_STATUS, status)
    assert (error.is_retryable, error.is_expired) == (is_retryable, is_expired)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (FOUND + b"Content-Length: 10\r\n\r\nhello", FetchReason.TRUNCATED),
        (CHUNKED + b"9\r\nhello", FetchReason.TRUNCATED),
        (CHUNKED + b"5\r\nhello\r\n5", FetchReason.TRUNCATED),
        (FOUND + b"Content-Len", FetchReason.TRUNCATED),
        (FOUND + b"Content-Length: 0\r\n\r\n", FetchReason.EMPTY),
        (FOUND + b"\r\n", FetchReason.EMPTY),
        (CHUNKED + b"0\r\n\r\n", FetchReason.EMPTY),
        (FOUND + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", FetchReason.ENCODED),
        (FOUND + b"Content-Encoding: br\r\n\r\nhello", FetchReason.ENCODED),
        (FOUND + b"Content-Encoding: identity, gzip\r\n\r\nhello", FetchReason.ENCODED),
        (FOUND + b"Transfer-Encoding: gzip, chunked\r\n\r\n", FetchReason.ENCODED),
        (FOUND + b"Content-Length: 3221225472\r\n\r\nhello", FetchReason.TOO_LARGE),
        (FOUND + b"Content-Length: 1000001\r\n\r\n", FetchReason.TOO_LARGE),
        (b"", FetchReason.CONNECTION),
        (b"<html>not http</html>\r\n\r\n", FetchReason.CONNECTION),
        (b"HTTP/2 200\r\n\r\nhello", FetchReason.CONNECTION),
        (b"HTTP/1.1 20 OK\r\n\r\nhello", FetchReason.CONNECTION),
        (FOUND + b"no colon\r\n\r\nhello", FetchReason.CONNECTION),
        (FOUND + b"X: a\r\n folded\r\n\r\nhello", FetchReason.CONNECTION),
        (FOUND + b"Content-Length: -5\r\n\r\nhello", FetchReason.CONNECTION),
        (FOUND + b"Content-Length: 5, 6\r\n\r\nhello!", FetchReason.CONNECTION),
        (FOUND + b"Content-Length: \xb2\r\n\r\nhello", FetchReason.CONNECTION),
        (CHUNKED + b"-1\r\nhello", FetchReason.CONNECTION),
        (CHUNKED + b"0x5\r\nhello", FetchReason.CONNECTION),
        (CHUNKED + b"2\r\nhello\r\n", FetchReason.CONNECTION),
    ],
)  # fmt: skip
def test_an_improper_answer_is_refused_for_what_it_is(server, answer, reason):
    error = server_failure(server, answer)
    assert error.reason == reason
    assert error.is_retryable == (reason in {FetchReason.TRUNCATED, FetchReason.CONNECTION})


def test_a_length_beyond_the_limit_is_refused_before_the_body_is_awaited(server):
    def three_gigabytes(connection: Connection) -> None:
        connection.send(FOUND + b"Content-Length: 3221225472\r\n\r\n")
        connection.wait(3)

    started = time.monotonic()
    error = server_failure(server, three_gigabytes)
    assert str(error) == "too_large: more than 1000000 bytes"
    assert time.monotonic() - started < 0.5


def test_a_refused_connection_may_be_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as free:
        origin = f"http://127.0.0.1:{free.getsockname()[1]}"
    error = failure(origin, allowed_origins=frozenset({origin}))
    assert error.reason == FetchReason.CONNECTION
    assert error.is_retryable


def test_a_reset_in_the_middle_may_be_tried_again(server):
    def reset(connection: Connection) -> None:
        connection.send(FOUND + b"Content-Length: 10\r\n\r\nhello")
        connection.wait(0.1)
        # SO_LINGER of zero seconds makes close() send a reset.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    error = server_failure(server, reset)
    assert error.reason == FetchReason.CONNECTION
    assert error.is_retryable
