"""The one HTTP call: over TLS too, bounded in time and bytes, and honest about what was sent."""

import gc
import gzip
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from creative_hub.providers import http
from tests.lib.fetch.fault_server import Certificates, make_certificates, serve

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def whole(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    directory: Path = tmp_path_factory.mktemp("tls")
    return make_certificates(directory=directory, names=("127.0.0.1",))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trusting(http._WatchedAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=certificates.trusting, **kwargs)

    monkeypatch.setattr(http, "_WatchedAdapter", Trusting)


def call(url: str, *, total_timeout_s: float = 3.0) -> http.Answer:
    return http.call(
        "POST",
        url,
        body={"prompt": "a boat"},
        headers={"Authorization": "Bearer key"},
        connect_timeout_s=1.0,
        total_timeout_s=total_timeout_s,
        max_answer_bytes=100_000,
    )


@pytest.mark.usefixtures("trusted")
def test_a_call_over_tls_is_answered(certificates: Certificates) -> None:
    with serve(tls=certificates.serving) as server:
        answer = call(server.says("/x", whole(b'{"a": 1}')))
    assert (answer.status, answer.parsed(), answer.flaw) == (200, {"a": 1}, "")


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "dripped",
    [
        whole(b"x" * 4000),
        # Without a length the end of the connection ends the body: a cut must not pass for it.
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4000,
    ],
)
def test_a_drip_over_tls_is_cut_at_the_deadline(certificates: Certificates, dripped: bytes) -> None:
    with serve(tls=certificates.serving) as server:
        url = server.says("/x", lambda link: link.drip(dripped, every_s=0.02))
        began = time.monotonic()
        answer = call(url, total_timeout_s=0.6)
        assert time.monotonic() - began < 1.2
    assert (answer.flaw, answer.body) == ("the answer took too long", b"")


def test_a_call_cut_before_the_first_line_has_no_known_outcome() -> None:
    with serve() as server:
        url = server.says("/x", lambda link: link.drip(b"HTTP/1.1 200", every_s=0.2))
        with pytest.raises(http.OutcomeUnknown, match="took too long"):
            call(url, total_timeout_s=0.4)


def test_a_certificate_we_do_not_trust_never_gets_the_request(certificates: Certificates) -> None:
    with serve(tls=certificates.serving) as server:
        with pytest.raises(http.NotReached):
            call(server.says("/x", whole(b"{}")))
        assert server.requests == []


def test_an_answer_is_cut_by_its_size_even_when_it_comes_compressed() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with serve() as server:
        tracemalloc.start()
        answer = call(server.says("/x", head + bomb))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (answer.flaw, answer.body) == ("the answer is too large", b"")
    assert peak_bytes < 10_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000,
    ],
)
def test_what_is_no_http_leaves_the_outcome_unknown(answer: bytes) -> None:
    with serve() as server:
        with pytest.raises(http.OutcomeUnknown):
            call(server.says("/x", answer))
        assert server.connections == 1


def test_a_redirect_is_handed_back_and_not_followed() -> None:
    with serve() as server:
        target = server.says("/secret", whole(b"{}"))
        head = b"HTTP/1.1 302 Found\r\nLocation: " + target.encode()
        answer = call(server.says("/x", head + b"\r\nContent-Length: 0\r\n\r\n"))
        assert answer.status == 302
        assert server.connections == 1


@pytest.mark.parametrize(
    ("prompt", "text", "shown"),
    [
        ("", "plain", "plain"),
        ("A quiet house by the sea", "no A QUIET HOUSE by the sea", "no [prompt]"),
        ("A quiet house by the sea", "the quiet", "the quiet"),
        ("静かな海", "静かな海 は不可", "[prompt] は不可"),
    ],
)
def test_the_prompt_is_cut_out_of_messages(prompt: str, text: str, shown: str) -> None:
    assert http.scrubbed(text, secrets=["", "k"], prompt=prompt).replace("  ", " ") == shown


def test_every_call_leaves_nothing_open() -> None:
    with serve() as server:
        url = server.says("/x", whole(b"{}"))
        call(url)
        before = threading.active_count()
        for _ in range(20):
            call(url)
        gc.collect()
        assert threading.active_count() <= before + 1
