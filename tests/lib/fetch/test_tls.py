"""Certificates are checked against the name that was asked for."""

import socket
import ssl
import threading
import time

import pytest

from tests.lib.fetch.fault_server import Connection, FaultServer, make_certificates, serve
from tests.lib.fetch.kit import FOUND, HURRIED, OK, Resolver, failure, fetch, redirect
from wevion.lib.fetch import Fetcher, FetchError, FetchReason

# --- TLS -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(
        directory=tmp_path_factory.mktemp("tls"), names=("media.example.com", "127.0.0.1")
    )


def over_tls(server: FaultServer, host: str, **kwargs) -> bytes:
    server.says("/x", OK)
    origin = f"https://{host}:{server.port}"
    return fetch(
        f"{origin}/x?sig=secret",
        allowed_origins=frozenset({origin}),
        resolve=Resolver(["127.0.0.1"]),
        **kwargs,
    )


@pytest.mark.parametrize("host", ["media.example.com", "127.0.0.1"])
def test_a_trusted_certificate_for_the_host_is_accepted(certificates, host):
    with serve(tls=certificates.serving) as server:
        assert over_tls(server, host, tls_context=certificates.trusting) == b"hello"
        assert b"Host: %s:%d\r\n" % (host.encode(), server.port) in server.requests[0]


def test_the_server_is_told_the_name_and_not_the_address(certificates):
    told = []
    certificates.serving.sni_callback = lambda sock, name, context: told.append(name)
    with serve(tls=certificates.serving) as server:
        over_tls(server, "media.example.com", tls_context=certificates.trusting)
    certificates.serving.sni_callback = None
    assert told == ["media.example.com"]


def test_an_untrusted_certificate_is_refused_even_at_an_allowed_origin(certificates):
    with serve(tls=certificates.serving) as server:
        with pytest.raises(FetchError) as caught:
            over_tls(server, "media.example.com")
        assert str(caught.value) == (
            "connection: the certificate of media.example.com is not trusted"
        )
        assert server.requests == []


def test_a_certificate_for_another_name_is_refused(certificates):
    with serve(tls=certificates.serving) as server:
        with pytest.raises(FetchError) as caught:
            over_tls(server, "other.example.com", tls_context=certificates.trusting)
        assert caught.value.reason == FetchReason.CONNECTION
        assert server.requests == []


def test_a_tls_context_that_does_not_verify_stops_the_start():
    blind = ssl.create_default_context()
    blind.check_hostname = False
    with pytest.raises(ValueError, match="must verify"):
        Fetcher(tls_context=blind)
    half_blind = ssl.create_default_context()
    half_blind.verify_mode = ssl.CERT_OPTIONAL
    with pytest.raises(ValueError, match="must verify"):
        Fetcher(tls_context=half_blind)
    blind.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="must verify"):
        Fetcher(tls_context=blind)


def test_a_server_that_speaks_no_tls_is_a_connection_failure():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.sendall(b"220 mail ready\r\n")
                accepted.recv(65536)

        thread = threading.Thread(target=greet)
        thread.start()
        origin = f"https://127.0.0.1:{listener.getsockname()[1]}"
        error = failure(origin, allowed_origins=frozenset({origin}))
        thread.join()
    assert str(error) == "connection: no TLS with 127.0.0.1"


def test_a_dripped_handshake_ends_at_the_connect_limit():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopping = threading.Event()

        def drip() -> None:
            accepted, _ = listener.accept()
            with accepted:
                # A handshake record of 16 KB that never becomes complete.
                accepted.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
                while not stopping.wait(0.05):
                    try:
                        accepted.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        origin = f"https://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        error = failure(origin, allowed_origins=frozenset({origin}), limits=HURRIED)
        elapsed_s = time.monotonic() - started
        stopping.set()
        thread.join()
    assert str(error) == "timeout: no connection to 127.0.0.1 within 0.5 s"
    assert elapsed_s < 0.8


def test_a_tls_stream_without_a_proper_end_is_truncated(certificates):
    def cut(connection: Connection) -> None:
        connection.send(FOUND + b"\r\nhalf of")
        # A close of TCP alone, as somebody on the path could cause it.
        socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    with serve(tls=certificates.serving) as server:
        server.says("/cut", cut)
        url = f"https://127.0.0.1:{server.port}/cut"
        error = failure(
            url, allowed_origins=frozenset({server.origin}), tls_context=certificates.trusting
        )
    assert error.reason == FetchReason.TRUNCATED


def test_a_tls_body_without_length_is_complete_after_a_proper_end(certificates):
    with serve(tls=certificates.serving) as server:
        url = server.says("/all", FOUND + b"\r\nall of it")
        content = fetch(
            url, allowed_origins=frozenset({server.origin}), tls_context=certificates.trusting
        )
    assert content == b"all of it"


def test_a_redirect_from_https_to_http_is_refused_even_to_an_allowed_origin(certificates, server):
    server.says("/x", OK)
    with serve(tls=certificates.serving) as secure:
        url = secure.says("/a", redirect(f"{server.origin}/x"))
        error = failure(
            url,
            allowed_origins=frozenset({secure.origin, server.origin}),
            tls_context=certificates.trusting,
        )
    assert str(error) == "bad_url: 127.0.0.1 redirects from https to http"
    assert server.connections == 0
