"""One look-up serves the check and the connection."""

import socket
import threading
import time

import pytest

from tests.lib.fetch.fault_server import serve
from tests.lib.fetch.kit import (
    FOUND,
    HURRIED,
    OK,
    PUBLIC,
    RefusingDial,
    Resolver,
    failure,
    fetch,
    from_server,
    redirect,
)
from wevion.lib.fetch import FetchReason
from wevion.lib.fetch.connection import dial

# --- one look-up for check and connection --------------------------------------------


def test_a_name_that_turns_private_after_the_check_never_reaches_the_private_server(server):
    resolver, dial = Resolver([PUBLIC], ["127.0.0.1"]), RefusingDial()
    error = failure("https://rebind.example.com/a.png", resolve=resolver, dial=dial)
    assert error.reason == FetchReason.CONNECTION
    assert resolver.asked == ["rebind.example.com"]
    assert dial.dialled == [(PUBLIC, 443)]
    assert server.connections == 0


def test_the_address_that_was_looked_up_is_the_one_connected_to():
    # Both answers would work, and a second look-up would find the second server.
    with serve() as first, serve(address="127.0.0.2", port=first.port) as second:
        first.says("/a", OK)
        second.says("/a", FOUND + b"Content-Length: 5\r\n\r\nwrong")
        origin = f"http://media.example.com:{first.port}"
        resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
        content = fetch(f"{origin}/a", resolve=resolver, allowed_origins=frozenset({origin}))
        assert content == b"hello"
        assert resolver.asked == ["media.example.com"]
        assert (first.connections, second.connections) == (1, 0)


def test_a_connection_that_ended_at_another_address_is_closed_before_a_byte_is_sent():
    opened = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def astray(*, address, port, timeout_s):
            opened.append(socket.create_connection(listener.getsockname(), timeout=timeout_s))
            return opened[0]

        error = failure("https://cdn.example.com/", resolve=Resolver([PUBLIC]), dial=astray)
        assert error.reason == FetchReason.FORBIDDEN_ADDRESS
        assert opened[0].fileno() == -1
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(1)
            assert accepted.recv(1) == b""


def test_a_redirect_to_the_same_name_is_looked_up_and_checked_anew(server):
    # The first hop is an allowed origin, so that it can be served here.
    origin = f"http://rebind.example.com:{server.port}"
    server.says("/a", redirect("https://rebind.example.com/b"))
    resolver, far = Resolver(["127.0.0.1"], ["169.254.169.254"]), []

    def near_only(*, address, port, timeout_s):
        far.append(str(address))
        return dial(address=address, port=port, timeout_s=timeout_s)

    error = failure(
        f"{origin}/a", resolve=resolver, dial=near_only, allowed_origins=frozenset({origin})
    )
    assert error.reason == FetchReason.FORBIDDEN_ADDRESS
    assert resolver.asked == ["rebind.example.com", "rebind.example.com"]
    assert far == ["127.0.0.1"]


def test_the_next_address_is_tried_when_the_first_refuses(server):
    server.says("/a", OK)
    origin = f"http://media.example.com:{server.port}"
    # Nothing listens on 127.0.0.3.
    resolver = Resolver(["127.0.0.3", "127.0.0.1"])
    assert fetch(f"{origin}/a", resolve=resolver, allowed_origins=frozenset({origin})) == b"hello"


def test_a_bracketed_ipv6_host_is_reached():
    try:
        with serve(address="::1") as server:
            assert from_server(server, OK) == b"hello"
            assert b"Host: [::1]:%d\r\n" % server.port in server.requests[0]
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")


def test_a_name_with_hundreds_of_addresses_is_dialled_sixteen_times():
    dial = RefusingDial()
    resolver = Resolver([f"1.1.{block}.{last}" for block in range(2) for last in range(1, 200)])
    failure("https://many.example.com/", resolve=resolver, dial=dial)
    assert len(dial.dialled) == 16


def test_a_look_up_that_hangs_ends_at_the_connect_limit():
    released = threading.Event()

    def hanging(host, port, *, type):
        released.wait(5)
        return []

    started = time.monotonic()
    error = failure("https://slow.example.com/", resolve=hanging, limits=HURRIED)
    released.set()
    assert error.reason == FetchReason.TIMEOUT
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("failing", [socket.gaierror(-2, "unknown"), UnicodeError("label")])
def test_a_name_that_is_not_found_is_a_connection_failure(failing):
    def resolve(host, port, *, type):
        raise failing

    error = failure("https://nowhere.example.com/", resolve=resolve)
    assert str(error) == "connection: no address found for nowhere.example.com"
    assert error.is_retryable


@pytest.mark.parametrize("addresses", [[], ["not-an-address"]])
def test_an_answer_without_an_address_is_a_connection_failure(addresses):
    error = failure("https://odd.example.com/", resolve=Resolver(addresses), dial=RefusingDial())
    assert error.reason == FetchReason.CONNECTION
