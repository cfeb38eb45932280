"""Dossiers that documents are made from: one with everything, one with next to nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from factories import GATEWAY, NOW, answer, certificate, endpoint, facts, host

from incamail_lib.checks import judge_facts
from incamail_lib.documents import Basis, documents
from incamail_lib.dossier.model import Dossier
from incamail_lib.facts.certificate import CredentialFacts, CredentialUse
from incamail_lib.facts.dns import DnsFacts, DomainFacts, MxHost
from incamail_lib.facts.observation import yes
from incamail_lib.findings import Audit
from incamail_lib.guide import Contents, contents, load_platform
from incamail_lib.sheets.model import Document

TODAY = NOW.date()
HOSTILE = "</td><script>alert(1)</script>\x00\x1b[31m\u202e=cmd|'/C calc'!A0 {x} %s"

FULL: dict[str, Any] = {
    "organisation": "Muster Gesundheit AG",
    "language": "de",
    "go_live": dt.date(2027, 1, 15),
    "domains": ("muster.example", "muster-reha.example"),
    "gateways": {
        "receiving": (
            {"host": "mx1.muster.example"},
            {"host": "mx2.muster.example", "addresses": ("192.0.2.2", "2001:db8::2")},
        ),
        "sending": ({"host": "out.muster.example", "addresses": ("192.0.2.25",)},),
    },
    "routing": {"method": "both", "refuses_tag_without_suffix": True},
    "components": {
        "mail_client": {
            "present": True,
            "product": "Outlook classic, Outlook on the web",
            "operator": "Muster IT",
        },
        "browser": {"present": True, "product": "Edge", "operator": "Muster IT"},
        "mail_server": {
            "present": True,
            "product": "Exchange Server SE",
            "operator": "Muster IT",
        },
        "mail_gateway": {"present": True, "product": "Postfix", "operator": "Muster IT"},
        "firewall": {"present": True, "product": "FortiGate"},
    },
    "mail_clients": (
        {"program": "outlook_classic", "users": 40, "add_in": "com"},
        {"program": "outlook_new", "users": 3, "add_in": "com"},
        {"program": "notes", "users": 1},
    ),
    "contacts": (
        {
            "role": "project_lead",
            "name": "Anna Muster",
            "email": "anna.muster@muster.example",
            "phone": "+41 31 000 00 01",
        },
        {"role": "mail_admin", "name": "Bruno Beispiel", "email": "bruno@muster.example"},
        {"role": "communication", "name": "Chiara Esempio", "email": "chiara@muster.example"},
        {"role": "support", "name": "Service Session", "phone": "+41 31 000 00 02"},
        {"role": "post", "name": "IncaMail Support", "email": "business@incamail.ch"},
    ),
    "answers": {
        "4.1": {"state": "clear", "answer": "Medical service, human resources, legal service"},
        "4.2": {
            "state": "clear",
            "answer": "Patient data.\nPersonnel files.\nEverything marked «confidential».",
        },
        "4.3": {
            "state": "todo",
            "note": "Template for the subject",
            "owner": "Chiara Esempio",
            "due": dt.date(2026, 11, 10),
        },
        "5.1": {
            "state": "clear",
            "answer": "Our own guide on the intranet: Services > IncaMail",
        },
        "5.2": {
            "state": "clear",
            "answer": "Service Session, +41 31 000 00 02, Monday to Friday 7 to 18",
        },
        "6.1": {
            "state": "clear",
            "answer": "Postfix for both directions",
            "reason": "New certificate is ordered",
        },
        "6.3": {
            "state": "unclear",
            "note": "Wait for the test of encoded subjects",
            "owner": "Bruno Beispiel",
            "due": dt.date(2026, 12, 4),
        },
        "6.5": {"state": "clear", "answer": "HTML add-in for all"},
        "6.7": {"state": "clear", "answer": "Zabbix watches queue, log and certificates"},
        "7.1": {"state": "todo", "note": "After the audit"},
    },
    "acceptance": (
        {
            "direction": "outgoing",
            "kind": "confidential",
            "audience": "external",
            "result": "passed",
            "tested_at": NOW,
            "tested_by": "Bruno Beispiel",
            "message_id": "<1.2@muster.example>",
            "smtp_reply": "250 2.0.0 Ok: queued as 4F1",
            "received": "Read in a browser after «Read».",
            "to": "hans@recipient.test.incamail.ch",
            "way": "runbook",
            "attempts": (
                {
                    "at": NOW - dt.timedelta(hours=1),
                    "by": "Bruno Beispiel",
                    "to": "hans@recipient.test.incamail.ch",
                    "outcome": "refused",
                    "message_id": "<1.1@muster.example>",
                    "reply": "554 5.7.1 Relay access denied",
                },
                {
                    "at": NOW,
                    "by": "Bruno Beispiel",
                    "to": "hans@recipient.test.incamail.ch",
                    "outcome": "accepted",
                    "message_id": "<1.2@muster.example>",
                    "reply": "250 2.0.0 Ok: queued as 4F1",
                },
            ),
        },
        {
            "direction": "outgoing",
            "kind": "registered",
            "audience": "external",
            "result": "failed",
            "tested_at": NOW,
            "tested_by": "Bruno Beispiel",
            "remark": "No receipt after two hours",
        },
        {
            "direction": "incoming",
            "kind": "confidential",
            "audience": "internal",
            "result": "open",
        },
    ),
    "signatures": (
        {
            "document": "link",
            "name": "Anna Muster",
            "organisation": "Muster Gesundheit AG",
            "signed_on": TODAY,
        },
    ),
}


def full(**changes: Any) -> Dossier:
    """A dossier halfway through the project, with something in every field."""
    return Dossier.model_validate(FULL | changes)


def empty(**changes: Any) -> Dossier:
    """The least that a dossier may be."""
    return Dossier.model_validate(
        {"organisation": "Leer AG", "domains": ("leer.example",)} | changes
    )


def hostile() -> Dossier:
    """A dossier whose every free text tries to do something."""
    said = {
        "state": "clear",
        "answer": HOSTILE,
        "note": HOSTILE,
        "owner": HOSTILE,
        "reason": HOSTILE,
    }
    test = {
        "direction": "outgoing",
        "kind": "confidential",
        "audience": "external",
        "result": "passed",
    }
    texts = dict.fromkeys(("tested_by", "message_id", "smtp_reply", "received", "remark"), HOSTILE)
    numbers = [item.number for item in contents().items]
    return full(
        organisation=HOSTILE,
        answers=dict.fromkeys(numbers, said),
        contacts=({"role": "support", "name": HOSTILE, "email": HOSTILE, "phone": HOSTILE},),
        components={"mail_client": {"present": True, "product": HOSTILE, "operator": HOSTILE}},
        acceptance=(test | texts,),
        incoming={"route": "static", "value": HOSTILE},
        gateways={},
    )


def audit() -> Audit:
    """An audit with certificates of both directions and MX records."""
    gateway = host("mx1.muster.example", "192.0.2.1")
    domain = DomainFacts(
        domain="muster.example",
        mx=answer("muster.example", "MX", "10 mx1.muster.example."),
        exchangers=(MxHost(preference=10, host=gateway),),
        **{
            n: answer("muster.example", "TXT")
            for n in ("spf", "dmarc", "mta_sts", "tls_rpt", "caa")
        },
    )
    ours = certificate(
        sha1="12" * 20,
        sha256="34" * 32,
        subject="CN=mx1.muster.example,O=Muster Gesundheit AG",
        subject_cn=("mx1.muster.example",),
        san_dns=("mx1.muster.example", "mx2.muster.example"),
        issuer_o=("DigiCert Inc",),
    )
    client = ours.model_copy(
        update={"sha256": "56" * 32, "subject_cn": (), "not_after": NOW + dt.timedelta(days=9)}
    )
    sending = CredentialFacts(
        label="client.pem",
        uses=(CredentialUse.SENDING,),
        format="PEM",
        readable=yes(),
        chain=(client,),
        key_matches=yes(),
    )
    receiving = sending.model_copy(
        update={"label": "server.pem", "uses": (CredentialUse.RECEIVING,), "chain": (ours,)}
    )
    platform_host = host("gw1.incamail.com", "194.41.147.13")
    measured = facts(
        dns=DnsFacts(domains=(domain,), platform_hosts=(platform_host,)),
        credentials=(sending, receiving),
        receiving=(endpoint(GATEWAY),),
    )
    return judge_facts(measured, NOW)


def basis(dossier: Dossier, found: Audit | None = None) -> Basis:
    """The sources of a document with the guide and the platform as they ship."""
    return Basis(dossier, contents(), load_platform(), found, TODAY)


def made(
    dossier: Dossier, found: Audit | None = None, *, today: dt.date = TODAY
) -> dict[str, Document]:
    """All documents of a dossier by key."""
    guide: Contents = contents()
    all_of_them = documents(dossier, guide, load_platform(), audit=found, today=today)
    return {document.key: document for document in all_of_them}
