"""What `probe` shows of one endpoint, as rows of a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, cast

from incamail_lib.checks import smtp, tls_cipher, tls_path
from incamail_lib.checks._certificates import valid_now
from incamail_lib.checks._core import Check, Context
from incamail_lib.checks._endpoints import agreed
from incamail_lib.checks.validity import Presented
from incamail_lib.checks.words import told_trust
from incamail_lib.facts.certificate import CertificateFacts, NameMatch, TrustFacts
from incamail_lib.facts.observation import Observation
from incamail_lib.facts.smtp import EndpointFacts
from incamail_lib.findings import Outcome
from incamail_lib.i18n import Translator, say
from incamail_lib.report.words import demanded, observed, word

Row = tuple[str, str]
# Checks that need nothing but the endpoint. What they find wrong is told here too, as a word of
# warning with its remedy; what is right needs no row.
_WARNINGS: tuple[Check[Any], ...] = (
    smtp.port_begins_in_clear,
    tls_path.large_hello_comes_in,
    tls_cipher.cipher_is_strong,
    tls_path.renegotiation_is_protected,
    tls_path.machines_are_alike,
)


def endpoint_rows(endpoint: EndpointFacts, t: Translator) -> list[Row]:
    """Everything worth telling, translated."""
    return [
        *_dialogue_rows(endpoint, t),
        *_certificate_rows(endpoint, t),
        *_warning_rows(endpoint, t),
    ]


def _dialogue_rows(endpoint: EndpointFacts, t: Translator) -> list[Row]:
    survey, auth = endpoint.survey, endpoint.client_auth
    tls_facts = agreed(endpoint) or survey.tls

    def told(observation: Observation) -> str:
        return f"{t.text(observed(observation))} {observation.evidence}".strip()

    shown = (tls_facts.version, tls_facts.cipher, tls_facts.group) if tls_facts else ()
    rows = [
        (t("Greeting"), survey.greeting.text if survey.greeting else "–"),
        ("STARTTLS", t.text(word(endpoint.starttls))),
        (t("TLS version"), " ".join(filter(None, shown)) or "–"),
        (t("Client certificate requested"), told(auth.requested)),
        (t("Client certificate demanded"), t.text(demanded(endpoint))),
    ]
    if survey.rcpt_reply is not None:
        rows.append((t("Postmaster as recipient"), survey.rcpt_reply.text))
    rows += [
        (t("Your certificate accepted"), told(auth.own_accepted)),
        (t("Foreign certificate accepted"), told(auth.foreign_accepted)),
    ]
    if survey.evidence:
        rows.append((t("Ended with"), survey.evidence))
    return rows


def _certificate_rows(endpoint: EndpointFacts, t: Translator) -> Iterator[Row]:
    """Each chain that was shown, with what the stores say of it."""
    if not endpoint.chains:
        return
    first, *others = endpoint.chains
    yield from _chain_rows(first, endpoint.trust, endpoint.name_match, t)
    for chain, judged in zip(others, endpoint.others, strict=False):
        yield (t("Further certificate shown"), f"{chain[0].key_type} {chain[0].key_bits}")
        yield from _chain_rows(chain, judged.trust, judged.name_match, t)


def _chain_rows(
    chain: tuple[CertificateFacts, ...],
    trust: tuple[TrustFacts, ...],
    name: NameMatch | None,
    t: Translator,
) -> Iterator[Row]:
    for number, certificate in enumerate(chain, 1):
        yield (t("Certificate {n}").format(n=number), certificate.subject)
    yield (t("Valid"), t.text(valid_now(Presented(chain, trust), dt.datetime.now(dt.UTC)).seen))
    for store in trust:
        label = say("Trust store {store}", store=store.store)
        yield (t.text(label), t.text(told_trust(store)))
    if trust:
        yield (t("Revocation"), t("was not checked"))
    if name is not None:
        yield (t("Name matches"), t("yes") if name.matched else t("no"))


def _warning_rows(endpoint: EndpointFacts, t: Translator) -> Iterator[Row]:
    nothing = cast(Context, None)  # these rules look at the endpoint alone
    for rule in _WARNINGS:
        result = rule.run(endpoint, nothing)
        if result.outcome is Outcome.FAILED:
            yield (t("Warning"), t.text(result.seen))
            yield (t("Remedy"), t.text(result.remedy or rule.advice(result.outcome)))
