"""Which addresses and spellings of hosts are refused."""

from ipaddress import ip_address

import pytest

from tests.lib.fetch.kit import PUBLIC, RefusingDial, Resolver, failure, untouched
from wevion.lib.fetch import FetchError, FetchReason
from wevion.lib.fetch.addresses import is_public
from wevion.lib.fetch.target import follow, parse

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
