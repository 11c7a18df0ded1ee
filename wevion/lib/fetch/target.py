"""One strict reading of a URL, from which both the check and the connection are made.

A second parser that reads the same text differently is how such checks are passed by; so what
is not plainly `scheme://host[:port]/path?query` is refused instead of repaired.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

from wevion.lib.fetch.addresses import Address, is_public
from wevion.lib.fetch.errors import FetchError, FetchReason

MAX_URL_CHARS = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Space, controls and the backslash are where parsers disagree (some strip, some read "/").
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
# re.ASCII, because "ſ" is an "s" to a case-blind Unicode match.
_URL = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.ASCII | re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# WHATWG URL, "ends in a number": a host with such a last label is an IPv4 address or an error.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# What may stand in a request line as it is; the rest is percent-encoded.
_KEPT = "%/?:@!$&'()*+,;=-._~[]"

# Names that mean "inside": RFC 6761, 6762 (.local), 7686 (.onion), 8375 (home.arpa), 9476 (.alt),
# ICANN's .internal (2024), and the ones RFC 6762, appendix G, knows from private networks.
# The address is checked as well; this refuses before anything is asked of a resolver.
# fmt: off
_INSIDE_SUFFIXES = frozenset({
    "alt", "arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local",
    "localdomain", "localhost", "onion", "private", "test",
})
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where one request goes. Built by `parse` only."""

    scheme: str
    host: str  # lower case, without brackets
    port: int
    path_and_query: str  # starts with "/"; may hold a signature, so it is never part of a message
    address: Address | None  # set when the host is an address rather than a name

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


def parse(*, url: str) -> Target:
    """Read a URL. Raises FetchError (bad_url, or forbidden_address for an odd spelling of one)."""
    if len(url) > MAX_URL_CHARS:
        raise _bad(f"longer than {MAX_URL_CHARS} characters")
    if _AMBIGUOUS.search(url):
        raise _bad("a space, control character or backslash in the address")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise _bad("not an http(s) address")
    scheme = parts[1].lower()
    if "@" in parts[2]:
        raise _bad("a user name or password in the address")
    authority = _AUTHORITY.fullmatch(parts[2])
    if authority is None:
        # An international name is taken in its xn-- form only: mapping Unicode is how ① becomes 1.
        raise _bad("the host or port is not written in plain ASCII form")
    port = int(authority[3]) if authority[3] else _DEFAULT_PORTS[scheme]
    if port > 65535:
        raise _bad("no such port")
    host, address = _host(bracketed=authority[1], plain=authority[2])
    return Target(
        scheme=scheme,
        host=host,
        port=port,
        path_and_query=_request_target(path=parts[3], query=parts[4] or ""),
        address=address,
    )


def follow(*, base: Target, location: str) -> Target:
    """Read a Location header as the next target. Raises FetchError like `parse`.

    location: the header's value decoded as latin-1, as HTTP headers are.
    """
    if _AMBIGUOUS.search(location):
        raise _bad("a space, control character or backslash in a redirect")
    # Servers send raw UTF-8 in practice; where it is not, the bytes keep their latin-1 reading.
    with suppress(UnicodeError):
        location = location.encode("latin-1").decode("utf-8")
    if _SCHEME.match(location):
        # urljoin would read "https:///x" and "https:x" as relative, browsers as the host x.
        return parse(url=location)
    try:
        joined = urljoin(f"{base.origin}{base.path_and_query}", location)
    except ValueError:
        # "from None": the message of urllib quotes the address.
        raise _bad("a redirect that cannot be read") from None
    # Whatever urljoin makes of it is parsed anew, and only that reading is checked and used.
    return parse(url=joined)


def require_public(target: Target) -> None:
    """Refuse what is wrong without a look-up: scheme, port, literal address, inside name."""
    if target.scheme != "https":
        raise _bad("only https addresses are fetched")
    if target.port != 443:
        raise _bad("only the standard https port is fetched")
    if target.address is not None:
        if not is_public(target.address):
            raise FetchError(FetchReason.FORBIDDEN_ADDRESS, f"{target.host} is not public")
        return
    labels = target.host.split(".")
    if len(labels) == 1 or labels[-1] in _INSIDE_SUFFIXES:
        raise FetchError(FetchReason.FORBIDDEN_ADDRESS, f"{target.host} is not a public name")


def _host(*, bracketed: str | None, plain: str | None) -> tuple[str, Address | None]:
    if bracketed is not None:
        try:
            v6 = IPv6Address(bracketed)
        except ValueError:
            raise _bad("not an IPv6 address between the brackets") from None
        return str(v6), v6
    host = (plain or "").lower()
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            v4 = IPv4Address(host)
        except ValueError:
            # 2130706433, 0x7f.1, 127.1 and 0177.0.0.1 are all 127.0.0.1 to the C library.
            raise FetchError(
                FetchReason.FORBIDDEN_ADDRESS, "an IPv4 address in an unusual spelling"
            ) from None
        return str(v4), v4
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _bad("not a host name")
    return host, None


def _request_target(*, path: str, query: str) -> str:
    try:
        return quote((path or "/") + query, safe=_KEPT)
    except UnicodeEncodeError:
        raise _bad("broken Unicode in the address") from None


def _bad(detail: str) -> FetchError:
    return FetchError(FetchReason.BAD_URL, detail)
