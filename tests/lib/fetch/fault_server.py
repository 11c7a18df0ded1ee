"""A real HTTP server on loopback that answers as badly as it is told to.

An answer is a function that gets the Connection and writes whatever bytes it likes; leaving it
closes the connection. Nothing here knows the fetcher.
"""

import datetime as dt
import ipaddress
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Connection:
    sock: socket.socket
    stopping: threading.Event

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def wait(self, seconds: float) -> None:
        """Sleep, but not past the end of the test."""
        self.stopping.wait(seconds)

    def drip(self, data: bytes, *, every_s: float) -> None:
        for position in range(len(data)):
            self.send(data[position : position + 1])
            if self.stopping.wait(every_s):
                return

    def flood(self, data: bytes, *, for_s: float = 3) -> None:
        """Send the same bytes until the other side hangs up."""
        until = time.monotonic() + for_s
        while time.monotonic() < until and not self.stopping.is_set():
            self.send(data)


Answer = Callable[[Connection], None]


@dataclass(slots=True)
class FaultServer:
    host: str
    port: int
    scheme: str
    answers: dict[str, Answer] = field(default_factory=dict)
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    surprises: list[BaseException] = field(default_factory=list)

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def says(self, path: str, answer: Answer | bytes) -> str:
        """Answer this path so (a query is ignored); return its URL."""
        if isinstance(answer, bytes):
            fixed = answer
            self.answers[path] = lambda connection: connection.send(fixed)
        else:
            self.answers[path] = answer
        return self.origin + path


@contextmanager
def serve(
    *, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[FaultServer]:
    """Serve until the block ends; then every connection is closed and every thread is done."""
    stopping = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            server.connections += 1
            sock = self.request
            try:
                if tls is not None:
                    sock.settimeout(3)
                    sock = tls.wrap_socket(sock, server_side=True)
                head = b""
                while b"\r\n\r\n" not in head:
                    received = sock.recv(65536)
                    if not received:
                        return
                    head += received
                server.requests.append(head)
                path = head.split(b" ")[1].split(b"?")[0].decode("ascii")
                server.answers[path](Connection(sock, stopping))
                if tls is not None:
                    # A polite end, so that an end without it can be told from this one.
                    sock.unwrap()
            except OSError:
                # The client hung up: what most of these tests are about.
                pass
            except BaseException as error:
                server.surprises.append(error)
            finally:
                sock.close()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = False
        request_queue_size = 64
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with Server((address, port), Handler) as listener:
        server = FaultServer(
            host=address, port=listener.server_address[1], scheme="https" if tls else "http"
        )
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            stopping.set()
            listener.shutdown()
            thread.join()
    assert server.surprises == []


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """A certificate authority of our own, and a server certificate signed by it."""

    trusting: ssl.SSLContext  # for a client that knows this authority and no other
    serving: ssl.SSLContext


def make_certificates(*, directory: Path, names: tuple[str, ...]) -> Certificates:
    """Sign a certificate for these host names or addresses, valid for an hour around now."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    authority = _sign(
        subject=authority_name,
        key=authority_key,
        issuer=authority_name,
        issuer_key=authority_key,
        extensions=[
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (_key_usage(is_authority=True), True),
        ],
    )
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(
        subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]),
        key=key,
        issuer=authority_name,
        issuer_key=authority_key,
        extensions=[
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(is_authority=False), True),
            (x509.SubjectAlternativeName([_general_name(name) for name in names]), False),
            (
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
                False,
            ),
        ],
    )
    authority_pem = authority.public_bytes(serialization.Encoding.PEM).decode("ascii")
    pair = directory / "server.pem"
    pair.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(pair)
    return Certificates(trusting=ssl.create_default_context(cadata=authority_pem), serving=serving)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(
    *,
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(issuer_key, hashes.SHA256())
