"""The least a program can do for one probe: blocking sockets, the same dialogue, nothing kept.

What our probe costs is told as a ratio to this, so that the machine drops out.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from OpenSSL import SSL

from benchmarks.gateways import HOST

CHUNK = 65_536
EHLO = b"EHLO probe.lab.example\r\n"


def _until_reply(receive: Callable[[int], bytes]) -> bytes:
    """Bytes up to the end of one SMTP reply."""
    data = b""
    while not (data.endswith(b"\r\n") and data.rsplit(b"\r\n", 2)[-2][3:4] == b" "):
        piece = receive(CHUNK)
        if not piece:
            raise ConnectionError("closed in mid-reply")
        data += piece
    return data


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
        chain = tls.get_peer_cert_chain(as_cryptography=True) or []
        tls.sendall(b"QUIT\r\n")
        _until_reply(tls.recv)
        return len(chain)


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
