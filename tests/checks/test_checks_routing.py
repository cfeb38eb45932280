"""ROUT: sound rules pass, each fault fails its own check, missing evidence is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from factories import NOW, answer, declared, facts

from incamail_lib.checks import of_family
from incamail_lib.checks._core import judge
from incamail_lib.facts.audit import AuditFacts, DeclaredGateway
from incamail_lib.facts.dns import DnsFacts, DnsStatus
from incamail_lib.facts.routing import (
    Engine,
    MessageRouting,
    Method,
    NextHop,
    NextHopKind,
    RuleSet,
)
from incamail_lib.findings import Finding, Level, Outcome
from incamail_lib.routing import classify, standard_samples

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE
CODES = [check.code for check in of_family("ROUT")]
SMART_HOST = NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch")
MX = NextHop(kind=NextHopKind.MX)
DOMAINS = ("muster.example",)
WITH_MX = DnsFacts(platform_mx=answer("probe.incamail.ch", "MX", "10 gw1.incamail.com"))


def rules(method: Method, **changes: Any) -> RuleSet:
    """By Exim on the decoded subject, where nothing else is said."""
    usual = {"method": method, "next_hop": SMART_HOST, "engine": Engine.EXIM_DECODED}
    return RuleSet(**(usual | {"subject_pattern": "(?i)<im>"} | changes))


def measured(given: RuleSet, *samples: MessageRouting, **changes: Any) -> AuditFacts:
    said = declared(rules=given, domains=DOMAINS, **changes.pop("said", {}))
    routed = (*standard_samples(given, DOMAINS), *samples)
    return facts(**({"declared": said, "routing": routed} | changes))


def found(code: str, audited: AuditFacts) -> Finding:
    return next(f for f in judge(audited, of_family("ROUT"), NOW) if f.code == code)


def failures(audited: AuditFacts) -> dict[str, Level]:
    judged = judge(audited, of_family("ROUT"), NOW)
    return {f.code: f.level for f in judged if f.outcome is FAILED}


def test_a_suffix_rule_that_refuses_tags_without_suffix_is_sound() -> None:
    """Only the two nets behind it have small holes, which are recommended at most."""
    strict = rules(
        Method.DOMAIN,
        refuses_tag_without_suffix=True,
        subject_pattern="(?i)^((re|fwd?|aw|wg|tr|r|i): *)*<(im|c|p|r)>",
    )
    assert failures(measured(strict)) == {}


def test_the_guides_suffix_rule_leaks_only_by_hand() -> None:
    """A tag typed without suffix leaves in clear: recommended, since the add-in writes both."""
    audited = measured(rules(Method.DOMAIN))
    assert failures(audited) == {"ROUT03": Level.RECOMMENDED}
    for code in ("ROUT04", "ROUT05", "ROUT06"):
        assert found(code, audited).outcome is NOT_APPLICABLE


def test_a_raw_subject_rule_alone_is_a_required_failure() -> None:
    """Encoded mail leaves in clear and nothing else catches it."""
    raw = rules(Method.SUBJECT, engine=Engine.POSTFIX_REGEXP, subject_pattern="<im>")
    assert failures(measured(raw, dns=WITH_MX)) == {
        "ROUT02": Level.RECOMMENDED,
        "ROUT04": Level.REQUIRED,
        "ROUT05": Level.RECOMMENDED,
        "ROUT07": Level.RECOMMENDED,
        "ROUT17": Level.RECOMMENDED,
    }
    decoded = rules(Method.SUBJECT)
    assert "ROUT04" not in failures(measured(decoded, dns=WITH_MX))


@pytest.mark.parametrize("code", ["ROUT02", "ROUT04", "ROUT05", "ROUT06", "ROUT16", "ROUT17"])
def test_messages_are_told_as_their_writers_know_them(code: str) -> None:
    """To whom, with the decoded subject, by which rule; no encoded word, no backslash."""
    exact = rules(Method.SUBJECT, engine=Engine.POSTFIX_REGEXP, subject_pattern="^Subject: <im>")
    finding = found(code, measured(exact, dns=WITH_MX))
    assert finding.outcome is FAILED
    told = finding.seen.english()
    assert "=?" not in told
    assert "\\" not in told
    if code != "ROUT02":
        assert "message to partner@recipient.example with the subject «" in told
        assert "subject «^Subject: <im>»." in told


def test_a_message_that_comes_in_several_forms_is_told_once() -> None:
    """Three ways to encode one subject are one message to its writer."""
    raw = rules(Method.SUBJECT, engine=Engine.POSTFIX_REGEXP, subject_pattern="<im>")
    told = found("ROUT04", measured(raw, dns=WITH_MX)).seen.english()
    assert told.count("«<im><c> Décision médicale»") == 1
    assert "encoded as Base64, encoded as quoted-printable, encoded in two pieces" in told


def test_what_to_try_is_told_by_its_decoded_subject() -> None:
    """A test message is typed into a mail program, which encodes by itself."""
    asked = rules(Method.SUBJECT, engine=Engine.NOT_KNOWN, subject_pattern="(?i)<im>")
    finding = found("ROUT04", measured(asked, dns=WITH_MX))
    assert finding.outcome is UNKNOWN
    assert "=?" not in finding.seen.english() + finding.remedy.english()


def test_rules_that_nobody_decided_are_never_judged_as_sound() -> None:
    """The usual rule is assumed and proves nothing: required unknown, and no probe passes."""
    sound = measured(rules(Method.DOMAIN), dns=WITH_MX)
    assert found("ROUT01", sound).outcome is PASSED
    open_ = measured(rules(Method.DOMAIN), dns=WITH_MX, said={"undecided": ("routing.method",)})
    first = found("ROUT01", open_)
    assert (first.outcome, first.level) == (UNKNOWN, Level.REQUIRED)
    assert "Nobody has decided" in first.seen.english()
    assert "routing: method" in first.remedy.english()
    for code in ("ROUT02", "ROUT03", "ROUT11", "ROUT12"):
        assert found(code, open_).outcome is UNKNOWN
    own = classify(("a@x.example.incamail.ch",), "Hi", rules(Method.DOMAIN), label="own")
    with_own = measured(rules(Method.DOMAIN), own, said={"undecided": ("routing.method",)})
    assert found("ROUT14", with_own).outcome is NOT_APPLICABLE


def test_beside_a_suffix_rule_the_subject_rule_is_a_second_net() -> None:
    """The same holes are recommended: add-in mail is caught by its suffix."""
    both = rules(Method.BOTH, engine=Engine.POSTFIX_REGEXP, subject_pattern="<im>")
    assert set(failures(measured(both)).values()) == {Level.RECOMMENDED}
    assert "ROUT04" in failures(measured(both))
    assert "ROUT03" not in failures(measured(both))


def test_an_anchored_pattern_misses_replies() -> None:
    """«^<im>» lets «Re: <im>» leave in clear; the finding names the prefixes."""
    anchored = rules(Method.SUBJECT, subject_pattern="(?i)^<im>")
    finding = found("ROUT06", measured(anchored))
    assert (finding.outcome, finding.level) == (FAILED, Level.REQUIRED)
    told = finding.seen.english()
    assert "«Re: <im><c> Test-Mail outbound to IncaMail»" in told
    assert "«AW:»" in told
    assert found("ROUT06", measured(rules(Method.SUBJECT))).outcome is PASSED


def test_a_pattern_that_misses_its_own_tag_is_required() -> None:
    """A subject rule that does not recognise the plain tag does nothing at all."""
    wrong = rules(Method.SUBJECT, subject_pattern=r"\N\[im\]\N")
    assert failures(measured(wrong))["ROUT03"] is Level.REQUIRED
    assert "ROUT03" not in failures(measured(rules(Method.SUBJECT)))


def test_type_tags_without_im_are_missed_by_the_usual_pattern() -> None:
    """Recommended, because which tags are written is a question to Post."""
    usual = found("ROUT05", measured(rules(Method.SUBJECT)))
    assert (usual.outcome, usual.level) == (FAILED, Level.RECOMMENDED)
    wider = rules(Method.SUBJECT, subject_pattern="<(im|c|p|r)>")
    assert found("ROUT05", measured(wider)).outcome is PASSED


def test_a_subject_rule_drags_others_along() -> None:
    """The other recipient and the colleague are named; a suffix rule routes each on its own."""
    dragged = found("ROUT07", measured(rules(Method.SUBJECT)))
    assert dragged.outcome is FAILED
    assert "colleague@muster.example" in dragged.seen.english()
    assert found("ROUT07", measured(rules(Method.DOMAIN))).outcome is PASSED


@pytest.mark.parametrize(
    ("dns", "outcome"),
    [
        (WITH_MX, PASSED),
        (DnsFacts(), UNKNOWN),
        (DnsFacts(platform_mx=answer("x.incamail.ch", "MX", status=DnsStatus.TIMEOUT)), UNKNOWN),
        (DnsFacts(platform_mx=answer("x.incamail.ch", "MX", status=DnsStatus.NXDOMAIN)), FAILED),
    ],
)
@pytest.mark.parametrize(
    "given",
    [
        rules(Method.NONE, default_relay=""),
        rules(Method.SUBJECT, default_relay=""),
        rules(Method.DOMAIN, next_hop=MX),
    ],
)
def test_a_route_by_mx_rests_on_the_mx(given: RuleSet, dns: DnsFacts, outcome: Outcome) -> None:
    """Guide 8.1 (a) works if the MX exists; a time-out is neither; a smart host needs none."""
    assert found("ROUT01", measured(given, dns=dns)).outcome is outcome
    assert found("ROUT01", measured(rules(Method.DOMAIN), dns=dns)).outcome is PASSED


def test_an_mx_proves_nothing_while_a_default_relay_may_take_the_mail() -> None:
    """Where nobody said whether there is one, the way without a rule is open."""
    assert found("ROUT01", measured(rules(Method.NONE), dns=WITH_MX)).outcome is UNKNOWN
    none = rules(Method.NONE, default_relay="")
    assert found("ROUT01", measured(none, dns=WITH_MX)).outcome is PASSED


def test_without_any_rule_encryption_is_not_forced() -> None:
    """Recommended: the guide calls the MX look-up the standard, but nothing forces TLS."""
    audited = measured(rules(Method.NONE, next_hop=MX, default_relay=""), dns=WITH_MX)
    assert failures(audited) == {"ROUT02": Level.RECOMMENDED, "ROUT03": Level.RECOMMENDED}
    assert found("ROUT08", audited).outcome is NOT_APPLICABLE
    assert found("ROUT09", audited).outcome is NOT_APPLICABLE
    assert found("ROUT02", measured(rules(Method.DOMAIN))).outcome is PASSED


@pytest.mark.parametrize(
    ("method", "hop", "outcome", "level"),
    [
        (Method.DOMAIN, SMART_HOST, PASSED, Level.REQUIRED),
        (Method.DOMAIN, MX, PASSED, Level.REQUIRED),
        (Method.DOMAIN, NextHop(kind=NextHopKind.SMART_HOST), FAILED, Level.REQUIRED),
        (Method.SUBJECT, MX, FAILED, Level.REQUIRED),
        (Method.BOTH, MX, FAILED, Level.RECOMMENDED),
        (Method.SUBJECT, NextHop(kind=NextHopKind.MX, value="im.post.ch"), PASSED, Level.REQUIRED),
    ],
)
def test_a_next_hop_is_named_where_one_is_needed(
    method: Method, hop: NextHop, outcome: Outcome, level: Level
) -> None:
    """MX look-up of the recipient's domain suits the suffix only."""
    finding = found("ROUT08", measured(rules(method, next_hop=hop)))
    assert (finding.outcome, finding.level) == (outcome, level)


def test_a_fixed_address_is_advised_against() -> None:
    """It works today and fails on the day the address changes."""
    address = "194.41.147.13"
    fixed = rules(Method.DOMAIN, next_hop=NextHop(kind=NextHopKind.STATIC, value=address))
    finding = found("ROUT09", measured(fixed))
    assert (finding.outcome, finding.level) == (FAILED, Level.RECOMMENDED)
    assert address in finding.seen.english()
    assert found("ROUT09", measured(rules(Method.DOMAIN))).outcome is PASSED


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("im.post.ch", PASSED),
        ("[IM.post.ch]", PASSED),
        ("out.muster.example", PASSED),
        ("relay.other.example", FAILED),
    ],
)
def test_the_next_hop_is_incamails_or_ones_own(value: str, outcome: Outcome) -> None:
    """A stranger's host would get everything that is confidential."""
    hop = NextHop(kind=NextHopKind.SMART_HOST, value=value)
    said = {"sending": (DeclaredGateway(host="out.muster.example"),)}
    finding = found("ROUT10", measured(rules(Method.DOMAIN, next_hop=hop), said=said))
    assert (finding.outcome, finding.level) == (outcome, Level.REQUIRED)


def test_a_suffix_without_dot_takes_lookalikes_for_incamail() -> None:
    """The finding names the domain that was caught."""
    finding = found("ROUT11", measured(rules(Method.DOMAIN, suffix="incamail.ch")))
    assert finding.outcome is FAILED
    assert "notincamail.ch" in finding.seen.english()
    assert found("ROUT11", measured(rules(Method.DOMAIN))).outcome is PASSED


def test_a_wide_pattern_selects_ordinary_mail() -> None:
    """«im» without brackets is in many German, French and Italian words."""
    assert (
        found("ROUT12", measured(rules(Method.SUBJECT, subject_pattern="(?i)im"))).outcome is FAILED
    )
    assert found("ROUT12", measured(rules(Method.SUBJECT))).outcome is PASSED


def test_an_address_that_grows_too_long_is_named() -> None:
    """Judged with the suffix, in the client's own samples too."""
    long = classify([f"{'a' * 65}@x.example.incamail.ch"], "<im><c> x", rules(Method.DOMAIN))
    assert found("ROUT13", measured(rules(Method.DOMAIN), long)).outcome is FAILED
    assert found("ROUT13", measured(rules(Method.DOMAIN))).outcome is PASSED


@pytest.mark.parametrize(
    ("to", "outcome", "level"),
    [
        (["a@x.example.incamail.ch"], PASSED, Level.REQUIRED),
        (["a@x.example"], FAILED, Level.REQUIRED),
        (["a@firm.incamail.ch"], FAILED, Level.RECOMMENDED),
        ([], UNKNOWN, Level.REQUIRED),
    ],
)
def test_own_samples_are_judged_one_by_one(to: list[str], outcome: Outcome, level: Level) -> None:
    """A leak is required, a misrouted message recommended, the finding carries the label."""
    given = rules(Method.DOMAIN)
    sample = classify(to, "<im><c> x", given, label="Befund an Praxis")
    finding = found("ROUT14", measured(given, sample))
    assert (finding.outcome, finding.level) == (outcome, level)
    assert finding.subject == "Befund an Praxis"


def test_no_own_samples_is_not_applicable() -> None:
    """The probes are not the client's own messages."""
    assert found("ROUT14", measured(rules(Method.DOMAIN))).outcome is NOT_APPLICABLE


def test_without_classified_probes_nothing_is_claimed() -> None:
    """Facts without routing evidence never pass and never fail."""
    audited = facts(declared=declared(rules=rules(Method.BOTH), domains=DOMAINS), routing=())
    outcomes = {c: found(c, audited).outcome for c in CODES if c not in ("ROUT08", "ROUT10")}
    assert outcomes.pop("ROUT14") is NOT_APPLICABLE
    assert set(outcomes.values()) == {UNKNOWN}


@pytest.mark.parametrize(
    ("engine", "pattern", "outcome"),
    [
        (Engine.POSTFIX_REGEXP, "^Subject:.*<im>", PASSED),
        (Engine.POSTFIX_REGEXP, "(?i)^Subject:.*<im>", FAILED),  # refused: there is no rule
        (Engine.POSTFIX_PCRE, "(?i)^Subject:.*<im>", PASSED),
        (Engine.POSTFIX_TABLE, "<im>", FAILED),  # compares addresses only
        (Engine.EXIM_DECODED, "(?i)<im>", PASSED),
        (Engine.NOT_KNOWN, "<im>", UNKNOWN),
        (Engine.EXCHANGE_ONLINE, "<im>", UNKNOWN),  # documented, and yet not asked
        (Engine.EXCHANGE_ONLINE_WORDS, "<im>", UNKNOWN),
        (Engine.EXCHANGE_SERVER, "<im>", UNKNOWN),
        (Engine.CISCO_ESA, "<im>", UNKNOWN),
        (Engine.SEPPMAIL, "<im>", UNKNOWN),
    ],
)
def test_the_engine_must_be_known_and_take_the_expression(
    engine: Engine, pattern: str, outcome: Outcome
) -> None:
    """A refused line is a failure; an engine that is not named or cannot be asked is unknown."""
    audited = measured(rules(Method.SUBJECT, engine=engine, subject_pattern=pattern))
    assert found("ROUT15", audited).outcome is outcome
    assert found("ROUT15", measured(rules(Method.DOMAIN))).outcome is NOT_APPLICABLE


def test_engines_that_differ_are_named_and_nothing_is_claimed() -> None:
    """«(?i)» without a named engine: one refuses it, others match; a test message settles it."""
    unnamed = rules(Method.SUBJECT, engine=Engine.NOT_KNOWN, subject_pattern="(?i)<im>")
    finding = found("ROUT03", measured(unnamed))
    assert finding.outcome is UNKNOWN
    assert "refused by: Postfix (regexp:)" in finding.seen.english()
    assert "<im><c> Test-Mail" in finding.remedy.english()
    assert found("ROUT03", measured(rules(Method.SUBJECT))).outcome is PASSED


def test_one_spelling_of_the_tag_is_not_enough() -> None:
    """Exactly one blank, small letters: a fold or a capital leaves in clear."""
    exact = rules(Method.SUBJECT, engine=Engine.POSTFIX_REGEXP, subject_pattern="^Subject: <im>")
    assert found("ROUT16", measured(exact)).outcome is FAILED
    small = rules(Method.SUBJECT, subject_pattern="<im>")
    assert "<IM>" in found("ROUT16", measured(small)).seen.english()
    assert found("ROUT16", measured(rules(Method.SUBJECT))).outcome is PASSED


def test_exim_leaves_very_long_words_undecoded() -> None:
    """Judged where the subject is all there is; the suffix rule does not need it."""
    assert found("ROUT17", measured(rules(Method.SUBJECT))).outcome is FAILED
    assert found("ROUT17", measured(rules(Method.BOTH))).outcome is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("engine", "key", "goes"),
    [
        (Engine.POSTFIX_TABLE, ".incamail.ch", True),
        (Engine.POSTFIX_TABLE, "*.incamail.ch", False),  # as the guide prints it
        (Engine.POSTFIX_TABLE, "incamail.ch", False),
        (Engine.EXIM_DECODED, "*.incamail.ch", True),
        (Engine.EXIM_DECODED, ".incamail.ch", False),
        (Engine.EXCHANGE_ONLINE, "*.incamail.ch", True),
        (Engine.CISCO_ESA, ".incamail.ch", True),
    ],
)
def test_the_suffix_key_is_read_as_the_mail_server_reads_it(
    engine: Engine, key: str, goes: bool
) -> None:
    """A key that selects nothing leaves the suffix to the MX or to the default relay."""
    by_key = rules(Method.DOMAIN, engine=engine, suffix_key=key, default_relay="relay.example")
    finding = found("ROUT01", measured(by_key))
    assert finding.outcome is (PASSED if goes else FAILED)
    if engine is Engine.POSTFIX_TABLE and not goes:
        assert ".incamail.ch smtp:[im.post.ch]" in finding.remedy.english()
    without_relay = by_key.model_copy(update={"default_relay": ""})
    assert ("ROUT02" in failures(measured(without_relay))) is not goes


def test_an_unnamed_engine_and_a_key_that_engines_read_differently_is_unknown() -> None:
    """«*.incamail.ch» works in Exim and Exchange and selects nothing in Postfix."""
    unsure = rules(
        Method.DOMAIN,
        engine=Engine.NOT_KNOWN,
        suffix_key="*.incamail.ch",
        default_relay="relay.example",
    )
    assert found("ROUT01", measured(unsure)).outcome is UNKNOWN


def test_a_sample_that_cannot_be_read_or_was_cut_never_passes() -> None:
    """ROUT14 passes on a whole list, and is unknown on one that was cut."""
    given = rules(Method.DOMAIN)
    for number, outcome in ((3, PASSED), (1001, UNKNOWN)):
        to = [f"a{n}@partner.example.incamail.ch" for n in range(number)]
        sample = classify(to, "<im><c> x", given, label="many")
        assert found("ROUT14", measured(given, sample)).outcome is outcome


@pytest.mark.parametrize("engine", [Engine.NOT_KNOWN, Engine.POSTFIX_TABLE])
def test_a_suffix_rule_whose_key_is_not_said_is_no_pass(engine: Engine) -> None:
    """Who copies the guide's asterisk into Postfix has no rule; with the key said it is known."""
    silent = rules(Method.DOMAIN, engine=engine)
    assert found("ROUT01", measured(silent)).outcome is UNKNOWN
    postfix = rules(Method.DOMAIN, engine=Engine.POSTFIX_TABLE, suffix_key=".incamail.ch")
    assert found("ROUT01", measured(postfix)).outcome is PASSED
