"""Which IP addresses belong to the public internet."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# The IANA IPv4 special-purpose registry (RFC 6890 and its successors) written out: Python's own
# is_global depends on the version, and says yes to multicast and to 168.63.129.16.
_REFUSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # "this network"; 0.0.0.0 reaches loopback on Linux
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; also the metadata service of Alibaba, 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent, reachable from every machine there
        "169.254.0.0/16",  # link-local, with the metadata services of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocols; Oracle's metadata service, 192.0.0.192
        "192.0.2.0/24",
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)

# IPv6 is allowed by list: only 2000::/3 has ever been given out as global unicast (RFC 4291, 2.4).
# Outside it lie loopback, ::ffff:0:0/96, IPv4-compatible ::/96, NAT64 64:ff9b::/96 and
# 64:ff9b:1::/48, unique-local, link-local, fec0::/10, multicast and 5f00::/16.
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocols: Teredo 2001::/32, benchmarks, ORCHID, AMT, AS112
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address in its next 32 bits
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation (RFC 9637)
    )
)
# ISATAP (RFC 5214, 6.1): 32 bits that announce an IPv4 address in the last 32, under any prefix.
_ISATAP_MARKS = frozenset({0x0000_5EFE, 0x0200_5EFE})


def is_public(address: Address) -> bool:
    """Whether a connection to this address stays out of every private network we can recognise.

    Every form that embeds an IPv4 address is refused, whatever it embeds. An operator who runs
    NAT64 under a prefix of their own (RFC 6052) must close private targets in that gateway:
    such an address looks like any other.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None or address not in _GLOBAL_V6:
        return False
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP_MARKS:
        return False
    return address.is_global and not any(address in network for network in _REFUSED_V6)
