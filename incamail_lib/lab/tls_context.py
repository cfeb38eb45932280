"""From a declared TlsPlan to a pyOpenSSL context that plays it."""

from __future__ import annotations

import datetime as dt

from OpenSSL import SSL, crypto
from OpenSSL._util import lib

from incamail_lib.lab.plan import ClientAuth, Judged, Refusal, TlsPlan, Version

PROTOCOLS = {
    Version.TLS_1_0: SSL.TLS1_VERSION,
    Version.TLS_1_1: SSL.TLS1_1_VERSION,
    Version.TLS_1_2: SSL.TLS1_2_VERSION,
    Version.TLS_1_3: SSL.TLS1_3_VERSION,
}
WRONG_PURPOSE = 26  # X509_V_ERR_INVALID_PURPOSE
RENEGOTIATE_IN_FULL = 0x10000  # SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION
NO_AUTO_CHAIN = 0x8  # SSL_MODE_NO_AUTO_CHAIN: send what was declared and nothing more


def server_context(plan: TlsPlan, now: dt.datetime) -> SSL.Context:
    """A context for one gateway; client certificates are judged as of `now`.

    Security level 0 lets the lab show what a modern OpenSSL would refuse to serve: old
    versions, RSA 1024, SHA-1.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_cipher_list(f"{plan.ciphers}:@SECLEVEL=0".encode())
    context.set_min_proto_version(PROTOCOLS[plan.minimum])
    context.set_max_proto_version(PROTOCOLS[plan.maximum])
    context.set_mode(NO_AUTO_CHAIN)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_certificate(plan.chain[0])
    for certificate in plan.chain[1:]:
        context.add_extra_chain_cert(certificate)
    context.use_privatekey(plan.identity.key)
    if plan.second is not None:
        context.use_certificate(plan.second.certificate)
        context.use_privatekey(plan.second.key)
    if plan.signatures:
        lib.SSL_CTX_set1_sigalgs_list(context._context, plan.signatures.encode())
    if plan.client is not None:
        _ask(context, plan.client, now)
    return context


def _ask(context: SSL.Context, wanted: ClientAuth, now: dt.datetime) -> None:
    store = context.get_cert_store()
    assert store is not None
    store.set_time(now)
    for root in wanted.roots:
        store.add_cert(crypto.X509.from_cryptography(root))
        if wanted.names_its_cas:
            context.add_client_ca(root)
    mode = SSL.VERIFY_PEER
    if wanted.required and wanted.refusal is Refusal.IN_TLS:
        mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
    context.set_session_id(b"lab")
    if wanted.asks_late:
        context.set_options(RENEGOTIATE_IN_FULL)
    else:
        context.set_verify(mode, judge_by(wanted))


def judge_by(wanted: ClientAuth):  # type: ignore[no-untyped-def]
    """The callback that says whether a client certificate is taken."""

    def accept(
        connection: SSL.Connection, _: crypto.X509, error: int, _depth: int, sound: int
    ) -> bool:
        good = (
            bool(sound)
            or wanted.judged is Judged.NOTHING
            or (wanted.judged is Judged.CHAIN and error == WRONG_PURPOSE)
        )
        if not good:
            problems: list[int] = connection.get_app_data()
            problems.append(error)
        return good or wanted.refusal is not Refusal.IN_TLS

    return accept
