import gc
import io
import math
import pickle
import socket
import ssl
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address

import pytest

from tests.lib.fault_server import Connection, FaultServer, make_certificates, serve
from wevion.lib.fetch import Fetcher, FetchError, FetchLimits, FetchReason
from wevion.lib.fetch.addresses import is_public
from wevion.lib.fetch.connection import dial
from wevion.lib.fetch.target import follow, parse

FOUND = b"HTTP/1.1 200 OK\r\n"
CHUNKED = FOUND + b"Transfer-Encoding: chunked\r\n\r\n"
OK = FOUND + b"Content-Length: 5\r\n\r\nhello"
LIMITS = FetchLimits(max_bytes=1_000_000, connect_s=1, read_s=1, total_s=2)
HURRIED = FetchLimits(max_bytes=1_000_000, connect_s=0.5, read_s=0.3, total_s=0.6)
PUBLIC = "93.184.215.14"


@pytest.fixture
def server():
    with serve() as running:
        yield running


class Resolver:
    """Answers look-ups in order, then repeats the last answer; remembers what was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *, type: int) -> list[tuple[object, ...]]:
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, type, 6, "", (address, port)) for address in addresses]


class RefusingDial:
    """Stands for a network where nobody answers, so that no test sends a packet to the public."""

    def __init__(self) -> None:
        self.dialled: list[tuple[str, int]] = []

    def __call__(self, *, address, port, timeout_s):
        self.dialled.append((str(address), port))
        raise ConnectionRefusedError


def fetch(url: str, *, limits: FetchLimits = LIMITS, **kwargs) -> bytes:
    file = io.BytesIO()
    written_bytes = Fetcher(**kwargs).fetch_to(url=url, file=file, limits=limits)
    assert written_bytes == len(file.getvalue())
    return file.getvalue()


def failure(url: str, **kwargs) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(url, **kwargs)
    return caught.value


def from_server(server: FaultServer, answer, **kwargs) -> bytes:
    return fetch(server.says("/x", answer), allowed_origins=frozenset({server.origin}), **kwargs)


def server_failure(server: FaultServer, answer, **kwargs) -> FetchError:
    with pytest.raises(FetchError) as caught:
        from_server(server, answer, **kwargs)
    return caught.value


def untouched(url: str) -> FetchReason:
    """The reason a URL is refused, having proved that nothing was looked up or dialled for it."""
    resolver, dial = Resolver([PUBLIC]), RefusingDial()
    reason = failure(url, resolve=resolver, dial=dial).reason
    assert (resolver.asked, dial.dialled) == ([], [])
    return reason


# --- addresses -----------------------------------------------------------------------

# fmt: off
PRIVATE_ADDRESSES = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1",
    "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.192", "192.0.2.1", "192.31.196.1",
    "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "233.252.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "::127.0.0.1", "::5db8:d70e", "::ffff:127.0.0.1",
    "::ffff:93.184.215.14", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::93.184.215.14",
    "64:ff9b:1::1", "64:ff9b:1:ffff::a9fe:a9fe", "100::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::1", "2002:5db8:d70e::1", "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:7f00:1", "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
]
# fmt: on


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_an_address_that_is_not_public_is_refused_in_the_url(address):
    host = f"[{address}]" if ":" in address else address
    assert untouched(f"https://{host}/a.png") == FetchReason.FORBIDDEN_ADDRESS


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_a_name_that_leads_to_an_address_that_is_not_public_is_refused(address):
    dial = RefusingDial()
    error = failure("https://cdn.example.com/a.png", resolve=Resolver([address]), dial=dial)
    assert error.reason == FetchReason.FORBIDDEN_ADDRESS
    assert not error.is_retryable
    assert dial.dialled == []


@pytest.mark.parametrize(
    "address", ["1.1.1.1", PUBLIC, "172.32.0.1", "100.128.0.1", "168.63.129.17", "223.255.255.1"]
)
def test_a_public_ipv4_address_is_dialled_without_a_look_up(address):
    resolver, dial = Resolver(["127.0.0.1"]), RefusingDial()
    error = failure(f"https://{address}/", resolve=resolver, dial=dial)
    assert error.reason == FetchReason.CONNECTION
    assert (resolver.asked, dial.dialled) == ([], [(address, 443)])


@pytest.mark.parametrize("address", ["2606:4700::1111", "2a00:1450:4001::200e", "2001:4860::8888"])
def test_a_public_ipv6_address_is_dialled_without_a_look_up(address):
    dial = RefusingDial()
    failure(f"https://[{address.upper()}]/", dial=dial)
    assert dial.dialled == [(address, 443)]


def test_an_address_with_a_scope_is_never_public():
    assert not is_public(ip_address("2606:4700::1111%eth0"))


def test_one_private_answer_among_public_ones_refuses_them_all():
    dial = RefusingDial()
    resolver = Resolver([PUBLIC, "10.0.0.5", "1.1.1.1"])
    error = failure("https://cdn.example.com/", resolve=resolver, dial=dial)
    assert error.reason == FetchReason.FORBIDDEN_ADDRESS
    assert dial.dialled == []


def test_an_answer_with_a_scope_is_refused():
    error = failure(
        "https://cdn.example.com/", resolve=Resolver(["fe80::1%eth0"]), dial=RefusingDial()
    )
    assert error.reason == FetchReason.FORBIDDEN_ADDRESS


# --- spellings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0X7F.0.0.1", "0x7f.1", "0x", "017700000001", "0177.0.0.1",
        "127.1", "127.0.1", "127.0.0.01", "127.0.0.0x1", "1.2.3.4.5", "256.1.1.1",
        "example.0x7f",
    ],
)  # fmt: skip
def test_an_unusual_spelling_of_an_address_is_refused(host):
    assert untouched(f"https://{host}/") == FetchReason.FORBIDDEN_ADDRESS


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "redis", "db.localhost", "printer.local",
        "metadata.google.internal", "app.corp", "nas.home.arpa", "router.lan", "x.onion",
        "localhost.localdomain",
    ],
)  # fmt: skip
def test_a_name_from_inside_a_network_is_refused_without_a_look_up(host):
    assert untouched(f"https://{host}/") == FetchReason.FORBIDDEN_ADDRESS


@pytest.mark.parametrize(
    "url",
    [
        "", "a.png", "/a.png", "//cdn.example.com/a.png", "https:cdn.example.com",
        "https:/cdn.example.com", "https://", "https:///a.png", "https://?x",
        "http://cdn.example.com/", "http://cdn.example.com:443/", "ftp://cdn.example.com/",
        "file:///etc/passwd", "gopher://cdn.example.com/", "data:image/png;base64,AAAA",
        "httpſ://cdn.example.com/", "https://cdn.example.com:80/",
        "https://cdn.example.com:8443/", "https://cdn.example.com:22/",
        "https://cdn.example.com:0/", "https://cdn.example.com:/",
        "https://cdn.example.com:0443/", "https://cdn.example.com:４４３/",
        "https://cdn.example.com:443443/", "https://cdn.example.com:65979/",
        "https://cdn.example.com:+443/", "https://user@cdn.example.com/",
        "https://user:word@cdn.example.com/", "https://cdn.example.com@127.0.0.1/",
        "https://127.0.0.1@cdn.example.com/", "https://cdn.example.com\\@127.0.0.1/",
        "https://127.0.0.1\\.cdn.example.com/", "https://cdn.example.com /",
        " https://cdn.example.com/", "https://cdn.example.com/\n", "ht\ntps://cdn.example.com/",
        "https://cdn.exa\tmple.com/", "https://cdn.example.com/a\r\nHost: 127.0.0.1",
        "https://cdn.example.com/a b", "https://cdn.example.com/\x00",
        "https://cdn.example.com/\ud800", "https://１２７.0.0.1/", "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/", "https://ｌocalhost/", "https://bücher.example.com/",
        "https://%31%32%37.0.0.1/", "https://127.0.0.1%2f.example.com/",
        "https://cdn.example.com./", "https://127.0.0.1./", "https://localhost./",
        "https://.example.com/", "https://cdn..example.com/", "https://-cdn.example.com/",
        f"https://{'a' * 64}.example.com/", f"https://{'a.' * 126}com/",
        f"https://cdn.example.com/{'a' * 8192}", "https://[::1", "https://::1/", "https://[]/",
        "https://[::1]x/", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/",
        "https://[127.0.0.1]/", "https://[v1.a]/", "https://[::1]:0/",
        "https://a,b.example.com/",
    ],
)  # fmt: skip
def test_a_url_that_could_be_read_in_two_ways_is_refused(url):
    assert untouched(url) == FetchReason.BAD_URL


def test_a_plain_url_is_read_into_its_parts():
    target = parse(url="HTTPS://CDN.Example.com:443?v=1&sig=a%2Fb#part")
    assert (target.scheme, target.host, target.port) == ("https", "cdn.example.com", 443)
    assert target.path_and_query == "/?v=1&sig=a%2Fb"
    assert target.authority == "cdn.example.com"


def test_unicode_in_a_path_is_percent_encoded_once():
    target = parse(url='https://cdn.example.com/ä%C3%A4/"<x>".png?q=😀|a+b=c')
    assert target.path_and_query == "/%C3%A4%C3%A4/%22%3Cx%3E%22.png?q=%F0%9F%98%80%7Ca+b=c"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b?c=1", "https://cdn.example.com/b?c=1"),
        ("b", "https://cdn.example.com/dir/b"),
        ("?c", "https://cdn.example.com/dir/a.png?c"),
        ("//other.example.com/b", "https://other.example.com/b"),
        ("https://other.example.com#x", "https://other.example.com/"),
        ("/\xc3\xa4", "https://cdn.example.com/%C3%A4"),
        ("/\xe4", "https://cdn.example.com/%C3%A4"),
    ],
)
def test_a_redirect_is_resolved_against_where_it_came_from(location, expected):
    base = parse(url="https://cdn.example.com/dir/a.png?old=1")
    target = follow(base=base, location=location)
    assert target.origin + target.path_and_query == expected


@pytest.mark.parametrize(
    "location",
    [
        "https://[::1",
        "//\\127.0.0.1/",
        "\\\\127.0.0.1\\x",
        "/a b",
        "https://u@x.example.com/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https:///x",
        "//１２７.0.0.1/",
        "//cdn.exa\tmple.com/",
    ],
)
def test_a_redirect_that_could_be_read_in_two_ways_is_refused(location):
    base = parse(url="https://cdn.example.com/dir/a.png")
    raw = location.encode().decode("latin-1")
    with pytest.raises(FetchError) as caught:
        follow(base=base, location=raw)
    assert caught.value.reason == FetchReason.BAD_URL


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


def redirect(location: str, status: int = 302) -> bytes:
    head = f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nSet-Cookie: a=b\r\n\r\n"
    return head.encode()


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
