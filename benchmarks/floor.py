"""The least a program can do for one probe: the same dialogue and the same chain, nothing kept.

What our probe costs is told as a ratio to this, so that the machine drops out. Two floors block,
by either library, and can do one at a time only. The third can do many at once, as the probe must:
sockets that never block, one selector, a generator for each dialogue – and no time limits.
"""

from __future__ import annotations

import selectors
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

from OpenSSL import SSL, crypto

from benchmarks.gateways import HOST

CHUNK = 65_536
EHLO = b"EHLO probe.lab.example\r\n"


def _until_reply(receive: Callable[[int], bytes]) -> bytes:
    """Bytes up to the end of one SMTP reply."""
    data = b""
    while not _is_reply(data):
        piece = receive(CHUNK)
        if not piece:
            raise ConnectionError("closed in mid-reply")
        data += piece
    return data


def _is_reply(data: bytes) -> bool:
    return data.endswith(b"\r\n") and data.rsplit(b"\r\n", 2)[-2][3:4] == b" "


def _greeted(port: int) -> socket.socket:
    """A connection on which STARTTLS was just answered."""
    plain = socket.create_connection(("127.0.0.1", port), 30)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _until_reply(plain.recv)
    for line in (EHLO, b"STARTTLS\r\n"):
        plain.sendall(line)
        _until_reply(plain.recv)
    return plain


def pyopenssl_context() -> SSL.Context:
    """The library our probe uses, with nothing switched on."""
    return SSL.Context(SSL.TLS_CLIENT_METHOD)


def pyopenssl_probe(port: int, context: SSL.Context) -> int:
    """One exchange by pyOpenSSL; gives the number of certificates that came."""
    with _greeted(port) as plain:
        plain.settimeout(None)  # pyOpenSSL reads the descriptor itself
        tls = SSL.Connection(context, plain)
        tls.set_tlsext_host_name(HOST.encode())
        tls.set_connect_state()
        tls.do_handshake()
        tls.sendall(EHLO)
        _until_reply(tls.recv)
        chain = _chain(tls)
        tls.sendall(b"QUIT\r\n")
        _until_reply(tls.recv)
        return len(chain)


def _chain(tls: SSL.Connection) -> list[bytes]:
    """The certificates as the probe takes them, in DER."""
    shown = tls.get_peer_cert_chain() or []
    return [crypto.dump_certificate(crypto.FILETYPE_ASN1, one) for one in shown]


def many(port: int, context: SSL.Context, count: int, at_once: int) -> int:
    """`count` exchanges, `at_once` at a time; gives the number of certificates that came."""
    shown: list[int] = []
    left = iter(range(count))
    with selectors.DefaultSelector() as selector:

        def begin() -> None:
            plain = socket.socket()
            plain.setblocking(False)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.connect_ex(("127.0.0.1", port))
            selector.register(plain, selectors.EVENT_READ, _exchange(plain, context, shown))

        for _ in zip(range(at_once), left, strict=False):
            begin()
        while selector.get_map():
            for key, _ in selector.select():
                if next(key.data, None) is None:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]
                    if next(left, None) is not None:
                        begin()
    assert len(shown) == count
    return sum(shown)


def _exchange(plain: socket.socket, context: SSL.Context, shown: list[int]) -> Iterator[bool]:
    """One exchange; it is gone on with whenever the socket has something."""
    for line in (EHLO, b"STARTTLS\r\n", b""):
        data = plain.recv(CHUNK)
        while not _is_reply(data):
            yield True
            data += plain.recv(CHUNK)
        if line:
            plain.send(line)
            yield True
    tls = SSL.Connection(context, plain)
    tls.set_tlsext_host_name(HOST.encode())
    tls.set_connect_state()
    while not _done(tls.do_handshake):
        yield True
    for line in (EHLO, b"QUIT\r\n"):
        tls.send(line)
        data = b""
        while not _is_reply(data):
            yield True
            data += _done(lambda: tls.recv(CHUNK)) or b""
        if line is EHLO:
            shown.append(len(_chain(tls)))


def _done(work: Callable[[], object]) -> Any:
    """What `work` gives, True for nothing; False where more has to come first."""
    try:
        return work() or True
    except SSL.WantReadError:
        return False


def stdlib_context() -> ssl.SSLContext:
    """Python's own library, unverified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def stdlib_probe(port: int, context: ssl.SSLContext) -> int:
    """One exchange by the standard library; gives the number of bytes of the leaf."""
    with _greeted(port) as plain, context.wrap_socket(plain, server_hostname=HOST) as tls:
        tls.sendall(EHLO)
        _until_reply(tls.recv)
        leaf = tls.getpeercert(binary_form=True) or b""
        tls.sendall(b"QUIT\r\n")
        _until_reply(tls.recv)
        return len(leaf)
