"""What findings of TLS, CERT and PLAT are called: the title and the advice fit the outcome."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from factories import (
    GATEWAY,
    NOW,
    PLATFORM,
    answer,
    certificate,
    endpoint,
    facts,
    mail_domain,
    platform,
    sourced,
    survey,
    trusted,
    unreached,
)
from judging import RULES, alone

from incamail_lib.checks import ALL_CHECKS, of_family
from incamail_lib.checks._core import Check
from incamail_lib.checks._subjects import platform as on_platform
from incamail_lib.checks._subjects import receiving, sending_credentials
from incamail_lib.facts.audit import AuditFacts
from incamail_lib.facts.certificate import (
    ChainFacts,
    CredentialFacts,
    CredentialUse,
    NameMatch,
    TrustFacts,
    TrustReason,
)
from incamail_lib.facts.dns import DnsFacts, DnsStatus
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import (
    Alert,
    ClientAuthFacts,
    EndpointFacts,
    Stage,
    Starttls,
    Target,
    Trait,
)
from incamail_lib.findings import Outcome

T = TrustReason
OURS = of_family("TLS", "CERT", "PLAT")
ISSUER = certificate(subject="CN=Issuing CA", is_ca=True, ext_key_usage=None)
ROOT = certificate(subject="CN=Root", is_ca=True, ext_key_usage=None, self_signed=True)
DAY = dt.timedelta(days=1)
TWICE = (survey(), survey())


def at(target: Target, leaf: dict[str, Any], tls: dict[str, Any], **changes: Any) -> EndpointFacts:
    """An endpoint that shows a leaf with `leaf` changed, over TLS with `tls` changed."""
    sound = survey().tls
    assert sound is not None
    chain = (certificate(**leaf), ISSUER)
    shown = survey(tls=sound.model_copy(update={"chain": chain, **tls}))
    return endpoint(target, **({"connections": (shown,)} | changes))


def gateway(
    leaf: dict[str, Any] | None = None, tls: dict[str, Any] | None = None, **changes: Any
) -> AuditFacts:
    """An audit of a receiving gateway."""
    return facts(receiving=(at(GATEWAY, leaf or {}, tls or {}, **changes),))


def incamail(
    leaf: dict[str, Any] | None = None, tls: dict[str, Any] | None = None, **changes: Any
) -> AuditFacts:
    """An audit of the platform."""
    return facts(platform_endpoints=(at(PLATFORM, leaf or {}, tls or {}, **changes),))


def file(leaf: dict[str, Any] | None = None, **changes: Any) -> AuditFacts:
    """An audit with a certificate file for sending, and no word of the platform about it."""
    sound: dict[str, Any] = {
        "label": "sending.pem",
        "uses": (CredentialUse.SENDING,),
        "format": "PEM",
        "readable": yes(),
        "chain": (certificate(**({"ext_key_usage": ("clientAuth",)} | (leaf or {}))), ISSUER),
        "has_key": True,
        "key_matches": yes(),
        "trust": client_trust(T.TRUSTED),
    }
    audit = {"credentials": (CredentialFacts(**(sound | changes)),), "platform_endpoints": ()}
    return facts(**audit)


def client_trust(*reasons: TrustReason, **changes: Any) -> tuple[TrustFacts, ...]:
    """What stores say about use as a client."""
    names = ("certifi", "system")
    updated = {"purpose": "clientAuth", **changes}
    pairs = zip(names, reasons, strict=False)
    return tuple(trusted(n, r).model_copy(update=updated) for n, r in pairs)


def asks(**changes: Observation | Any) -> ClientAuthFacts:
    """What is known of mutual authentication, with changes."""
    return endpoint().client_auth.model_copy(update=changes)


def naming(*authorities: str, left_out: int = 0, **changes: Any) -> AuditFacts:
    """IncaMail names authorities, and there is a file of an authority among others."""
    auth = asks(acceptable_cas=authorities, acceptable_cas_left_out=left_out)
    named = at(PLATFORM, {}, {}, client_auth=auth)
    return file(**changes).model_copy(update={"platform_endpoints": (named,)})


UNREACHED_GATEWAY = facts(receiving=(unreached(Reason.TIMEOUT, Stage.GREETING, GATEWAY),))
UNREACHED_PLATFORM = facts(
    platform_endpoints=(unreached(Reason.TIMEOUT, Stage.GREETING),),
    platform=platform(fingerprints_sha1=sourced(("00" * 20,))),
)
NO_FILE = facts(credentials=())
EXPIRED = {"not_after": NOW - DAY}
ENDS_SOON = {"not_after": NOW + 3 * DAY}
OUT_OF_ORDER = {"links": ChainFacts(length=3, in_order=False, root_sent=True)}
REFUSED_HELLO = {
    "established": False,
    "version": "",
    "chain": (),
    "certificate_requested": inconclusive(Reason.NOT_REACHED),
    "accepted": inconclusive(Reason.NOT_REACHED),
    "alert": Alert(number=40, name="handshake_failure", stage=Stage.HANDSHAKE),
}
FAILS: dict[str, AuditFacts] = {
    "TLS01": gateway(tls=REFUSED_HELLO),
    "TLS10": incamail(tls=REFUSED_HELLO),
    "TLS13": naming("CN=Other"),
    "TLS02": gateway(tls={"version": "TLSv1.2"}),
    "TLS03": gateway(legacy=yes()),
    "TLS04": gateway(tls={"version": "TLSv1.2", "cipher": "ECDHE-RSA-AES128-SHA"}),
    "TLS05": gateway(client_auth=asks(requested=no())),
    "TLS06": facts(dns=DnsFacts(domains=(mail_domain(GATEWAY.host),))),
    "TLS07": gateway(client_auth=asks(foreign_accepted=yes())),
    "TLS08": gateway(tls={"post_quantum": False}),
    "TLS11": incamail(client_auth=asks(requested=no())),
    "TLS12": incamail(client_auth=asks(own_accepted=no(Reason.ALERT, "48"))),
    "TLS14": incamail(client_auth=asks(foreign_accepted=yes())),
    "TLS15": gateway(large_hello=no(Reason.RESET, "1536/329")),
    "TLS16": gateway(tls={"version": "TLSv1.2", "secure_renegotiation": False}),
    "TLS17": gateway(connections=TWICE, differing=(Trait.VERSION,)),
    "TLS18": incamail(large_hello=no(Reason.RESET, "1536/329")),
    "TLS19": incamail(connections=TWICE, differing=(Trait.VERSION,)),
    "CERT01": gateway({"problem": "bad tag"}),
    "CERT02": gateway({"self_signed": True}),
    "CERT03": gateway(trust=(trusted("certifi", T.MISSING_INTERMEDIATE),)),
    "CERT04": gateway(trust=(trusted("certifi", T.UNKNOWN_ROOT),)),
    "CERT05": gateway(trust=(trusted(), trusted("system", T.UNKNOWN_ROOT))),
    "CERT06": gateway(name_match=NameMatch(host="mx1.muster.example", matched=False)),
    "CERT07": gateway(EXPIRED),
    "CERT08": gateway(ENDS_SOON),
    "CERT09": gateway(ENDS_SOON),
    "CERT10": gateway({"key_bits": 512}),
    "CERT11": gateway({"signature_hash": "md5", "signature_algorithm": "md5"}),
    "CERT12": gateway({"ext_key_usage": ("clientAuth",)}),
    "CERT13": gateway(tls=OUT_OF_ORDER),
    "CERT14": gateway(tls=OUT_OF_ORDER),
    "CERT15": gateway({"not_after": NOW + 900 * DAY}),
    "CERT16": gateway({"sct_count": 0}),
    "CERT17": facts(
        credentials=tuple(
            c.model_copy(
                update={
                    "uses": (CredentialUse.RECEIVING,),
                    "chain": (certificate(sha256="11" * 32),),
                }
            )
            for c in file().credentials
        )
    ),
    "CERT20": file(readable=no(Reason.SEEN, "no certificate in it"), chain=()),
    "CERT21": file(key_matches=no(Reason.SEEN, "another key")),
    "CERT22": file({"ext_key_usage": ("serverAuth",)}),
    "CERT23": file(
        chain=(
            certificate(ext_key_usage=("clientAuth",)),
            ISSUER.model_copy(update={"ext_key_usage": ("serverAuth",)}),
        )
    ),
    "CERT24": file({"not_after": NOW + 3000 * DAY}),
    "CERT25": file(EXPIRED),
    "CERT26": file(ENDS_SOON),
    "CERT27": file(ENDS_SOON),
    "CERT28": file({"self_signed": True}),
    "CERT29": file(trust=client_trust(T.MISSING_INTERMEDIATE)),
    "CERT30": file(trust=client_trust(T.UNKNOWN_ROOT)),
    "CERT31": file({"key_bits": 512}),
    "CERT32": file({"signature_hash": "md5", "signature_algorithm": "md5"}),
    "CERT33": file({"subject_cn": ()}),
    "CERT34": file(uses=(CredentialUse.SENDING, CredentialUse.RECEIVING)),
    "PLAT01": incamail(starttls=Starttls.NOT_OFFERED),
    "PLAT02": incamail({"subject_o": ("Bluecoat Corp",)}),
    "PLAT03": incamail({"issuer_o": ("Corporate Proxy",)}),
    "PLAT04": incamail({"san_dns": ("proxy.example",)}),
    "PLAT05": incamail(name_match=NameMatch(host="gw1.incamail.com", matched=False)),
    "PLAT06": incamail(trust=(trusted(), trusted("system", T.UNKNOWN_ROOT))),
    "PLAT07": incamail(EXPIRED),
    "PLAT08": facts(platform=platform(fingerprints_sha1=sourced(("00" * 20,)))),
    "PLAT09": facts(
        platform_endpoints=(
            endpoint(),
            at(PLATFORM, {"issuer_o": ("Corporate Proxy",)}, {}),
        )
    ),
    "PLAT10": incamail(trust=(trusted("certifi", T.MISSING_INTERMEDIATE),)),
}

LARGE = inconclusive(Reason.RESET)
UNKNOWN: dict[str, AuditFacts] = {
    **{c.code: UNREACHED_GATEWAY for c in OURS if c.subjects is receiving},
    **{c.code: UNREACHED_PLATFORM for c in OURS if c.subjects is on_platform},
    **{c.code: NO_FILE for c in OURS if c.subjects is sending_credentials},
    "TLS13": naming("CN=Other", left_out=1),
    "TLS15": gateway(large_hello=LARGE),
    "TLS18": incamail(large_hello=LARGE),
    "PLAT09": facts(
        platform_endpoints=(endpoint(), unreached(Reason.TIMEOUT, Stage.GREETING)),
    ),
}


@pytest.mark.parametrize("code", [c.code for c in OURS])
def test_a_failed_check_reads_as_failed(code: str) -> None:
    """The title says what is wrong, and there is something to do about it."""
    found = alone(code, FAILS[code])
    assert found.outcome is Outcome.FAILED
    assert found.title == RULES[code].fails
    assert found.remedy.template


@pytest.mark.parametrize("code", [c.code for c in OURS])
def test_an_open_check_reads_as_a_question(code: str) -> None:
    """The title asks, and the advice says how to find out; it does not have a fault mended."""
    found = alone(code, UNKNOWN[code])
    assert found.outcome is Outcome.UNKNOWN
    assert found.title == RULES[code].asks
    assert found.remedy.template == RULES[code].clarify


@pytest.mark.parametrize("rule", ALL_CHECKS, ids=lambda rule: rule.code)
def test_each_outcome_has_words_of_its_own(rule: Check[Any]) -> None:
    """Three titles, two advices: no full stop, a question that asks, nothing longer than a line."""
    titles = (rule.passes, rule.fails, rule.asks)
    assert len(set(titles)) == 3
    assert rule.asks.endswith("?")
    assert not any(title.endswith(".") for title in titles)
    assert max(map(len, titles)) <= 70
    assert rule.clarify != rule.remedy or rule.code in MEASURING


# They ask from where it was measured: measuring there is what mends and what finds out.
MEASURING = {"NET07", "NET08"}


OLD_ISSUER = client_trust(T.ISSUER_KEY_DIFFERS, detail="CN=Issuing CA")
MEMBER_ENDED = (
    certificate(ext_key_usage=("clientAuth",)),
    ISSUER.model_copy(update={"not_after": NOW - DAY}),
)
MEMBER_ENDS = (
    certificate(ext_key_usage=("clientAuth",)),
    ISSUER.model_copy(update={"not_after": NOW + 3 * DAY}),
)
WEAK_ABOVE = (
    certificate(ext_key_usage=("clientAuth",)),
    ISSUER.model_copy(update={"key_bits": 512}),
)
DH = {"version": "TLSv1.2", "cipher": "DHE-RSA-AES128-GCM-SHA256", "dh_bits": 1024}
SPECIAL_FAILURES = [
    ("TLS04", gateway(tls={"cipher": "RC4-SHA"}), "A broken cipher is chosen", "RC4"),
    ("TLS04", gateway(tls=DH), "The Diffie-Hellman group is too small", "2048"),
    (
        "TLS04",
        gateway(tls={"version": "TLSv1.2", "cipher": "AES128-GCM-SHA256"}),
        "The key exchange has no forward secrecy",
        "ECDHE",
    ),
    (
        "TLS05",
        gateway(differing=(Trait.REQUEST,)),
        "The gateway asks for a client certificate only sometimes",
        "every machine",
    ),
    (
        "TLS11",
        incamail(differing=(Trait.REQUEST,)),
        "IncaMail asks for your certificate only sometimes",
        "Swiss Post",
    ),
    (
        "CERT29",
        file(trust=OLD_ISSUER),
        "An outdated intermediate certificate stands in the chain",
        "current intermediate",
    ),
    (
        "CERT25",
        file(chain=MEMBER_ENDED),
        "A certificate on the path to the authority is not valid today",
        "intermediate",
    ),
    ("CERT25", file({"not_before": NOW + DAY}), RULES["CERT25"].fails, "Wait until"),
    (
        "CERT26",
        file(chain=MEMBER_ENDS),
        "A certificate on the path does not outlast the go-live date",
        "Renew",
    ),
    ("CERT31", file(chain=WEAK_ABOVE), RULES["CERT31"].fails, "authority's current intermediate"),
    (
        "CERT22",
        file({"ext_key_usage": None, "unreadable": ("ext_key_usage",)}),
        "What a certificate may be used for cannot be read",
        "Swiss Post",
    ),
    (
        "CERT22",
        file({"is_ca": True}),
        "Not every TLS library takes the certificate for this use",
        "not that of an authority",
    ),
    (
        "CERT13",
        gateway(tls={"links": ChainFacts(length=2, in_order=True, root_sent=False, duplicates=1)}),
        "A certificate is sent more than once",
        "only once",
    ),
    ("PLAT01", incamail(starttls=Starttls.MASKED), "STARTTLS is masked on the way", "inspection"),
    ("PLAT01", incamail(starttls=Starttls.REFUSED), "STARTTLS is refused on this path", "Repeat"),
    (
        "PLAT01",
        incamail(starttls=Starttls.VANISHED),
        "STARTTLS is missing on some connections",
        "inspection",
    ),
    (
        "PLAT06",
        incamail(trust=(trusted("certifi", T.UNKNOWN_ROOT),)),
        "No trust store accepts IncaMail's certificate",
        "root certificate",
    ),
    (
        "PLAT07",
        incamail(ENDS_SOON),
        "IncaMail's certificate does not outlast the go-live date",
        "Swiss Post",
    ),
]


@pytest.mark.parametrize(("code", "audit", "title", "remedy"), SPECIAL_FAILURES)
def test_a_failure_of_another_kind_is_called_by_its_name(
    code: str, audit: AuditFacts, title: str, remedy: str
) -> None:
    """Where a check fails in more than one way, title and advice follow what was seen."""
    found = alone(code, audit)
    assert found.outcome is Outcome.FAILED
    assert found.title == title
    assert remedy in found.remedy.english()


UNSEEN_MX = mail_domain("other.example").model_copy(
    update={"mx": answer("muster.example", "MX", status=DnsStatus.SERVFAIL)}
)
UNREADABLE = (trusted("mta.pem", T.STORE_UNREADABLE),)
SPECIAL_UNKNOWNS = [
    ("TLS06", facts(dns=DnsFacts(domains=(UNSEEN_MX,))), "MX"),
    ("TLS07", gateway(client_auth=asks(foreign_accepted=inconclusive(Reason.NOT_TRIED))), "show"),
    ("TLS08", gateway(large_hello=no(Reason.RESET, "1536/329")), "large ClientHello"),
    ("TLS13", naming("CN=Other", chain=()), "certificates: sending: file"),
    ("CERT03", gateway(trust=UNREADABLE), "trust_stores"),
    ("CERT04", gateway(trust=UNREADABLE), "trust_stores"),
    ("CERT04", gateway(trust=(trusted("certifi", T.EXPIRED),)), "other findings"),
    ("CERT08", gateway({"not_after": None}), "-dates"),
    ("PLAT07", incamail({"not_after": None}), "-dates"),
    ("CERT14", gateway(tls={"links": None}), "older version"),
    ("CERT15", gateway(trust=(trusted("certifi", T.UNKNOWN_ROOT),)), "CA/Browser Forum"),
    ("CERT21", file(has_key=False, key_matches=inconclusive(Reason.NOT_TRIED)), "sending: key"),
    ("CERT21", file(key_matches=inconclusive(Reason.NOT_TRIED)), "passphrase_env"),
    ("CERT24", file(trust=client_trust(T.STORE_UNREADABLE)), "trust_stores"),
    ("CERT25", file({"not_after": None}), "-dates"),
    ("CERT30", file(trust=client_trust(T.EXPIRED)), "other findings"),
    ("CERT31", file({"key_type": "X9"}), "not known here"),
    ("PLAT02", incamail({"subject_o": ()}), "fingerprint"),
    ("PLAT06", incamail(trust=(trusted(), *UNREADABLE)), "trust_stores"),
    ("PLAT10", incamail(trust=UNREADABLE), "trust_stores"),
]


@pytest.mark.parametrize(("code", "audit", "advice"), SPECIAL_UNKNOWNS)
def test_an_open_question_says_what_opens_it(code: str, audit: AuditFacts, advice: str) -> None:
    """Each cause of an unknown has the advice that helps against it."""
    found = alone(code, audit)
    assert found.outcome is Outcome.UNKNOWN
    assert found.title == RULES[code].asks
    assert advice in found.remedy.english()


TAKEN = file(trust=client_trust(T.UNKNOWN_ROOT)).model_copy(
    update={"platform_endpoints": (endpoint(),)}
)
NO_DAY = facts().declared.model_copy(update={"go_live": None})
SPECIAL_PASSES = [
    ("TLS06", facts(), "No MX record names the gateway, so it may demand a certificate"),
    ("TLS16", gateway(), "TLS 1.3 is chosen, which needs no protected renegotiation"),
    ("PLAT07", facts(declared=NO_DAY), "IncaMail's certificate is valid today"),
    ("PLAT07", facts(), RULES["PLAT07"].passes),
    ("CERT30", TAKEN, "IncaMail recognises the certificate for sending"),
    ("CERT30", file(), RULES["CERT30"].passes),
]


@pytest.mark.parametrize(("code", "audit", "title"), SPECIAL_PASSES)
def test_a_tick_says_no_more_than_was_seen(code: str, audit: AuditFacts, title: str) -> None:
    """Where a check passes in more than one way, the title is what was seen."""
    found = alone(code, audit)
    assert found.outcome is Outcome.PASSED
    assert found.title == title


@pytest.mark.parametrize("spoiled", ["refused elsewhere", "two files"])
def test_what_incamail_took_counts_only_for_the_file_that_it_took(spoiled: str) -> None:
    """One refusal, or a second file, and acceptance does not answer for an unknown authority."""
    same_again = TAKEN.model_copy(update={"credentials": TAKEN.credentials * 2})
    assert alone("CERT30", TAKEN).outcome is Outcome.PASSED
    assert alone("CERT30", same_again).outcome is Outcome.PASSED
    refusing = at(PLATFORM, {}, {}, client_auth=asks(own_accepted=no(Reason.ALERT, "48")))
    another = file({"sha256": "22" * 32})
    changes: dict[str, dict[str, Any]] = {
        "refused elsewhere": {"platform_endpoints": (*TAKEN.platform_endpoints, refusing)},
        "two files": {"credentials": (*TAKEN.credentials, *another.credentials)},
    }
    assert alone("CERT30", TAKEN.model_copy(update=changes[spoiled])).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("code", "one", "told"),
    [
        ("TLS11", naming("CN=Other"), "names 1 authority."),
        ("TLS11", naming("CN=A", "CN=B"), "names 2 authorities."),
        ("TLS11", naming(), "names no authority"),
        ("CERT16", gateway({"sct_count": 1}), "1 timestamp is"),
        ("CERT20", file(chain=(certificate(),)), "1 certificate."),
        ("CERT27", file({"not_after": NOW + DAY}), "1 day left"),
        ("CERT29", file(chain=(certificate(),)), "1 certificate, none missing."),
        ("CERT29", file(), "2 certificates, none missing."),
    ],
)
def test_what_counts_has_its_plural(code: str, one: AuditFacts, told: str) -> None:
    """One is not told as several, nor none as a number."""
    assert told in alone(code, one).seen.english()


@pytest.mark.parametrize("after", [-1, 0, 1])
def test_gateway_and_platform_follow_one_rule_of_go_live(after: int) -> None:
    """A path that ends before, on or after the day is judged alike in every direction."""
    day = facts().declared.go_live
    assert day is not None
    end = {"not_after": dt.datetime.combine(day, dt.time(12), dt.UTC) + after * DAY}
    judged = {
        alone(code, audit(end)).outcome
        for code, audit in (("CERT08", gateway), ("CERT26", file), ("PLAT07", incamail))
    }
    assert judged == {Outcome.PASSED if after > 0 else Outcome.FAILED}
