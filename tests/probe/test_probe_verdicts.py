"""What connections to one endpoint say together, on literal facts: never more than was seen."""

from __future__ import annotations

from typing import Any

import pytest
from factories import GATEWAY, broken, certificate, survey

from incamail_lib.facts.observation import Answer, Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import (
    Alert,
    EndpointFacts,
    Purpose,
    Reply,
    SmtpFacts,
    Stage,
    Starttls,
    TlsFacts,
    Trait,
)
from incamail_lib.probe.verdicts import Visit, accepted, not_shown, together

YES, NO, OPEN = Answer.YES, Answer.NO, Answer.INCONCLUSIVE
OWN, FOREIGN = Purpose.OWN_CERTIFICATE, Purpose.FOREIGN_CERTIFICATE
OLD, OLDER = Purpose.LEGACY_TLS, Purpose.LEGACY_TLS_1_0
NOTHING = inconclusive(Reason.NOT_REACHED)
OK, NOT_OK = Reply(code=250, lines=("ok",)), Reply(code=554, lines=("certificate required",))


def tls(**changes: Any) -> TlsFacts:
    sound = survey().tls
    assert sound is not None
    return sound.model_copy(update=changes)


def made(purpose: Purpose = Purpose.SURVEY, *, shown: Any = None, **changes: Any) -> SmtpFacts:
    """A whole connection; `shown` changes what its TLS showed."""
    own = {"certificate_sent": True} if purpose in (OWN, FOREIGN) else {}
    return survey(purpose=purpose, **({"tls": tls(**(own | (shown or {})))} | changes))


def cut(purpose: Purpose, reason: Reason, stage: Stage = Stage.HANDSHAKE, **more: Any) -> SmtpFacts:
    return broken(reason, stage, purpose=purpose, **({"starttls": Starttls.ACCEPTED} | more))


def seen(
    *connections: SmtpFacts,
    asked: frozenset[Purpose] = frozenset(Purpose),
    left_alone: Reason | None = None,
) -> EndpointFacts:
    return together(GATEWAY, Visit(connections, asked, left_alone, yes()))


REFUSED = {"established": True, "accepted": no(Reason.ALERT, "alert 48")}


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((Starttls.ACCEPTED, Starttls.ACCEPTED), Starttls.ACCEPTED),
        ((Starttls.ACCEPTED, Starttls.NOT_OFFERED), Starttls.VANISHED),
        ((Starttls.ACCEPTED, Starttls.ACCEPTED, Starttls.MASKED), Starttls.VANISHED),
        ((Starttls.ACCEPTED, Starttls.UNKNOWN), Starttls.ACCEPTED),
        ((Starttls.NOT_OFFERED, Starttls.NOT_OFFERED), Starttls.NOT_OFFERED),
        ((Starttls.NOT_OFFERED, Starttls.ACCEPTED), Starttls.NOT_OFFERED),
    ],
)
def test_starttls_vanishes_only_where_it_was_there(
    states: tuple[Starttls, ...], told: Starttls
) -> None:
    """The first connection decides; a later one without the offer betrays a device or machine."""
    purposes = (Purpose.SURVEY, OWN, FOREIGN)
    found = seen(*(made(p, starttls=s) for p, s in zip(purposes, states, strict=False)))
    assert found.starttls is told


@pytest.mark.parametrize(
    ("other", "trait"),
    [
        (made(OWN), None),
        (made(OWN, starttls=Starttls.NOT_OFFERED), Trait.STARTTLS),
        (made(OWN, starttls=Starttls.MASKED), Trait.STARTTLS),
        (made(OWN, starttls=Starttls.REFUSED), None),
        (made(OWN, starttls=Starttls.UNKNOWN), None),
        (made(OWN, shown={"version": "TLSv1.2"}), Trait.VERSION),
        (made(OWN, shown={"version": ""}), None),
        (made(OWN, shown={"chain": (certificate(sha256="ee" * 32),)}), Trait.CERTIFICATE),
        (made(OWN, shown={"chain": ()}), None),
        (made(OWN, shown={"certificate_requested": no()}), Trait.REQUEST),
        (made(OWN, shown={"certificate_requested": NOTHING}), None),
        (made(OWN, tls=None), None),
        (made(Purpose.OTHER_KEY, shown={"version": "TLSv1.2"}), None),
    ],
)
def test_what_differs_between_connections_alike_is_named(
    other: SmtpFacts, trait: Trait | None
) -> None:
    """What was not seen differs from nothing, nor does another hello's answer."""
    assert seen(made(), other).differing == (() if trait is None else (trait,))


def test_a_request_on_some_connections_only_is_no_request() -> None:
    """The share is told; what was not seen does not count."""
    asks, silent = made(OWN), made(FOREIGN, shown={"certificate_requested": no()})
    found = seen(made(), asks, silent).client_auth.requested
    assert (found.answer, found.evidence) == (NO, "2/3")
    open_ = made(FOREIGN, shown={"certificate_requested": NOTHING})
    assert seen(made(), asks, open_).client_auth.requested.answer is YES
    assert seen(silent.model_copy(update={"purpose": Purpose.SURVEY})).client_auth.requested.is_no


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (cut(Purpose.SURVEY, Reason.RESET), Reason.RESET),
        (made(tls=None), Reason.NOT_REACHED),
    ],
)
def test_without_tls_nothing_is_known_of_certificates(first: SmtpFacts, reason: Reason) -> None:
    """Why TLS was not seen is told; a dialogue that ended in peace did not reach it."""
    found = seen(first).client_auth
    assert found.requested == found.demanded == inconclusive(reason, first.evidence)
    assert found.demanded_in is None
    assert found.acceptable_cas == ()
    assert found.acceptable_cas_left_out == 0


def test_authorities_of_the_request_are_kept_with_their_number() -> None:
    """Names and how many were left out come from the connection without a certificate."""
    shown = {"acceptable_cas": ("CN=A",), "acceptable_cas_left_out": 7}
    found = seen(made(shown=shown), made(OWN)).client_auth
    assert (found.acceptable_cas, found.acceptable_cas_left_out) == (("CN=A",), 7)


def demanded(first: SmtpFacts, *more: SmtpFacts) -> tuple[Answer, Stage | None]:
    found = seen(first, *more).client_auth
    return found.demanded.answer, found.demanded_in


ALERT = Alert(number=116, name="certificate_required", stage=Stage.EHLO_IN_TLS)
RCPT = {"mail_reply": OK, "ended_in": Stage.QUIT}


@pytest.mark.parametrize(
    ("first", "answer", "stage"),
    [
        (made(), NO, None),
        (made(mail_reply=OK), NO, None),
        (made(shown=REFUSED | {"alert": ALERT}), YES, Stage.EHLO_IN_TLS),
        (made(shown=REFUSED, ended_in=Stage.HANDSHAKE), YES, Stage.HANDSHAKE),
        (made(shown={"accepted": NOTHING}), OPEN, None),
        (made(shown={"certificate_requested": NOTHING}), OPEN, None),
        (made(mail_reply=NOT_OK), YES, Stage.MAIL),
        (made(mail_reply=NOT_OK, ended_in=Stage.MAIL), YES, Stage.MAIL),
        (made(mail_reply=OK, rcpt_reply=NOT_OK), YES, Stage.RCPT),
        (made(mail_reply=OK, rcpt_reply=NOT_OK, ended_in=Stage.RCPT), YES, Stage.RCPT),
        (made(mail_reply=Reply(code=550, lines=("no",))), OPEN, None),
        (made(mail_reply=Reply(code=299)), NO, None),
        (made(mail_reply=Reply(code=300)), OPEN, None),
        (made(ended=Reason.RESET, ended_in=Stage.MAIL), OPEN, None),
        (made(ended=Reason.RESET, ended_in=Stage.EHLO_IN_TLS), NO, None),
    ],
)
def test_a_demand_is_seen_in_tls_or_in_smtp(
    first: SmtpFacts, answer: Answer, stage: Stage | None
) -> None:
    """Refused for want of a certificate is a demand, with its stage; cut off is no word of it."""
    assert demanded(first) == (answer, stage)


def test_an_alert_in_answer_to_mail_is_a_demand_where_one_was_asked_for() -> None:
    """The second handshake failed for want of a certificate; other alerts are other troubles."""
    ended: dict[str, Any] = {"ended": Reason.ALERT, "ended_in": Stage.MAIL}
    about = {"alert": Alert(number=40, name="handshake_failure", stage=Stage.MAIL)}
    assert demanded(made(shown=about, **ended)) == (YES, Stage.MAIL)
    other = {"alert": Alert(number=80, name="internal_error", stage=Stage.MAIL)}
    assert demanded(made(shown=other, **ended)) == (OPEN, None)
    assert demanded(made(**ended)) == (OPEN, None)
    unasked = about | {"certificate_requested": no()}
    assert demanded(made(shown=unasked, **ended)) == (OPEN, None)


def test_what_a_refusal_says_is_the_evidence() -> None:
    """The last reply is shown where it let us on, the refusing one where it did not."""
    assert seen(made(mail_reply=OK)).client_auth.demanded.evidence == OK.text
    taken = Reply(code=250, lines=("recipient ok",))
    found = seen(made(mail_reply=OK, rcpt_reply=taken)).client_auth.demanded
    assert found.evidence == taken.text
    assert seen(made(mail_reply=NOT_OK)).client_auth.demanded.evidence == NOT_OK.text


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        (made(OWN, mail_reply=OK, rcpt_reply=OK), YES),
        (made(OWN, mail_reply=OK, rcpt_reply=Reply(code=300)), OPEN),
        (made(OWN, mail_reply=OK), OPEN),
        (made(OWN, shown={"certificate_sent": False}, mail_reply=OK, rcpt_reply=OK), OPEN),
        (made(OWN, tls=None, mail_reply=OK, rcpt_reply=OK), OPEN),
    ],
)
def test_the_same_recipient_taken_with_a_certificate_shows_the_demand(
    shown: SmtpFacts, answer: Answer
) -> None:
    """Only where a certificate was really sent and the recipient really taken."""
    denied = Reply(code=550, lines=("relaying denied",))
    first = made(mail_reply=OK, rcpt_reply=denied)
    assert demanded(first, shown) == (answer, Stage.RCPT if answer is YES else None)
    assert demanded(first) == (OPEN, None)
    # Refused at MAIL already: no recipient was compared.
    assert demanded(made(mail_reply=denied), made(OWN, mail_reply=OK, rcpt_reply=OK))[0] is OPEN


@pytest.mark.parametrize(
    ("connection", "answer", "reason"),
    [
        (made(OWN), YES, Reason.SMTP_REPLY),
        (made(OWN, shown=REFUSED), NO, Reason.ALERT),
        (made(OWN, shown={"certificate_requested": no()}), OPEN, Reason.NOT_ASKED),
        (made(OWN, shown={"certificate_sent": False}), OPEN, Reason.NOT_SHOWN),
        (made(OWN, shown={"certificate_sent": None}), YES, Reason.SMTP_REPLY),
        (made(OWN, mail_reply=NOT_OK), NO, Reason.SMTP_REPLY),
        (made(OWN, mail_reply=Reply(code=451, lines=("later",))), OPEN, Reason.SMTP_REPLY),
        (made(OWN, ended=Reason.TIMEOUT, ended_in=Stage.RCPT), OPEN, Reason.TIMEOUT),
        (cut(OWN, Reason.RESET), OPEN, Reason.RESET),
        (
            made(OWN, shown={"certificate_sent": False, "certificate_requested": NOTHING}),
            OPEN,
            Reason.NOT_REACHED,
        ),
    ],
)
def test_a_certificate_is_accepted_only_where_it_was_sent_and_let_in(
    connection: SmtpFacts, answer: Answer, reason: Reason
) -> None:
    """As far as the dialogue went; a trouble of the server's own is neither."""
    found = accepted(connection)
    assert (found.answer, found.reason) == (answer, reason)


@pytest.mark.parametrize(
    ("shown", "kept_back"),
    [
        ({"certificate_sent": False}, True),
        ({"certificate_sent": None}, False),
        ({"certificate_sent": True}, False),
        ({"certificate_sent": False, "certificate_requested": no()}, False),
        ({"certificate_sent": False, "established": False, "accepted": NOTHING}, False),
        ({"certificate_sent": False, "established": False}, True),
    ],
)
def test_a_key_that_does_not_fit_is_kept_back(shown: dict[str, Any], kept_back: bool) -> None:
    """Known only once the handshake came to an end, or the server said no."""
    assert not_shown(made(OWN, shown=shown)) is kept_back
    assert not not_shown(cut(OWN, Reason.RESET))


@pytest.mark.parametrize(
    ("own", "foreign", "verified", "reason"),
    [
        (made(OWN), made(FOREIGN, shown=REFUSED), YES, Reason.ALERT),
        (made(OWN), made(FOREIGN), NO, Reason.SMTP_REPLY),
        (made(OWN, shown=REFUSED), made(FOREIGN), NO, Reason.SMTP_REPLY),
        (made(OWN, shown=REFUSED), made(FOREIGN, shown=REFUSED), OPEN, Reason.ALERT),
        (made(OWN), cut(FOREIGN, Reason.RESET), OPEN, Reason.RESET),
        (cut(OWN, Reason.TIMEOUT), made(FOREIGN, shown=REFUSED), OPEN, Reason.TIMEOUT),
    ],
)
def test_verifying_shows_in_a_stranger_refused_and_ours_taken(
    own: SmtpFacts, foreign: SmtpFacts, verified: Answer, reason: Reason
) -> None:
    """One of the two alone proves nothing; a stranger that is let in disproves it."""
    found = seen(made(), own, foreign).client_auth.verified
    assert (found.answer, found.reason) == (verified, reason)


def test_a_connection_that_was_not_made_says_why() -> None:
    """By wish, for want of STARTTLS, or since the server had enough: three different reasons."""
    none: frozenset[Purpose] = frozenset()
    wish = seen(made(), asked=none)
    for found in (wish.legacy, wish.injection, wish.other_key, wish.client_auth.own_accepted):
        assert found == inconclusive(Reason.NOT_TRIED)
    plain = seen(made(starttls=Starttls.NOT_OFFERED))
    for found in (plain.legacy, plain.injection, plain.client_auth.foreign_accepted):
        assert found == inconclusive(Reason.NOT_REACHED)
    assert seen(made(starttls=Starttls.NOT_OFFERED), asked=none).legacy.reason is Reason.NOT_TRIED
    last = cut(OWN, Reason.UNAVAILABLE, Stage.GREETING)
    tired = seen(made(), last, left_alone=Reason.UNAVAILABLE)
    assert tired.legacy.reason is Reason.NOT_TRIED
    assert tired.legacy.evidence == "unavailable in own_certificate"
    assert tired.left_alone is Reason.UNAVAILABLE
    unasked = seen(made(), last, asked=none, left_alone=Reason.UNAVAILABLE)
    assert unasked.legacy.evidence == ""


def alert(number: int) -> dict[str, Any]:
    """TLS that ended in an alert before anything was agreed."""
    told = Alert(number=number, name="a", stage=Stage.HANDSHAKE)
    nothing = {"established": False, "version": "", "chain": (), "accepted": NOTHING}
    return nothing | {"certificate_requested": NOTHING, "alert": told}


def old(purpose: Purpose, shown: dict[str, Any], reason: Reason = Reason.ALERT) -> SmtpFacts:
    return made(purpose, shown=shown, ended=reason, ended_in=Stage.HANDSHAKE)


NO_TLS = made(shown=alert(40), ended=Reason.ALERT, ended_in=Stage.HANDSHAKE)


@pytest.mark.parametrize(
    ("first", "pair", "answer", "version"),
    [
        (made(), (old(OLD, {"version": "TLSv1.1"}),), YES, "TLSv1.1"),
        (made(), (old(OLD, alert(70)), old(OLDER, {"version": "TLSv1"})), YES, "TLSv1"),
        (made(), (old(OLD, {"version": "SSLv3"}),), YES, "SSLv3"),
        (made(), (old(OLD, alert(70)), old(OLDER, alert(70))), NO, ""),
        (made(), (old(OLD, alert(70)),), OPEN, ""),
        (made(), (old(OLD, alert(70)), cut(OLDER, Reason.TIMEOUT)), OPEN, ""),
        (made(), (cut(OLD, Reason.TIMEOUT), old(OLDER, alert(70))), OPEN, ""),
        (NO_TLS, (old(OLD, alert(70)), old(OLDER, alert(70))), NO, ""),
        *((made(), (old(OLD, alert(n)), old(OLDER, alert(n))), NO, "") for n in (10, 40, 47, 71)),
        (made(), (old(OLD, alert(80)), old(OLDER, alert(80))), OPEN, ""),
        (NO_TLS, (old(OLD, alert(40)), old(OLDER, alert(40))), OPEN, ""),
    ],
)
def test_old_versions_are_refused_only_where_both_were(
    first: SmtpFacts, pair: tuple[SmtpFacts, ...], answer: Answer, version: str
) -> None:
    """Agreed names the version; who refuses every hello alike says nothing of versions."""
    found = seen(first, *pair)
    assert (found.legacy.answer, found.legacy_version) == (answer, version)


@pytest.mark.parametrize(
    ("reason", "answer"),
    [(Reason.RESET, NO), (Reason.CLOSED, NO), (Reason.TIMEOUT, OPEN), (Reason.RATE_LIMITED, OPEN)],
)
def test_who_hangs_up_on_an_old_hello_refuses_it_if_he_speaks_tls_elsewhere(
    reason: Reason, answer: Answer
) -> None:
    """Windows does so without an alert; a server that never speaks TLS tells nothing by it."""
    silent = alert(0) | {"alert": None}
    pair = (old(OLD, silent, reason), old(OLDER, silent, reason))
    assert seen(made(), *pair).legacy.answer is answer
    assert seen(made(shown={"established": False} | REFUSED), *pair).legacy.answer is answer
    assert seen(NO_TLS, *pair).legacy.answer is OPEN
    refused = {"established": False, "accepted": no(Reason.ALERT)}
    assert seen(made(shown=refused), *pair).legacy.answer is answer


@pytest.mark.parametrize(
    ("connection", "answer"),
    [
        (made(Purpose.OTHER_KEY), NO),
        (made(Purpose.OTHER_KEY, shown={"chain": (certificate(sha256="ee" * 32),)}), YES),
        (old(Purpose.OTHER_KEY, alert(40)), NO),
        (old(Purpose.OTHER_KEY, alert(40) | {"alert": None}, Reason.RESET), OPEN),
        (cut(Purpose.OTHER_KEY, Reason.RESET), OPEN),
    ],
)
def test_a_second_certificate_is_another_one(connection: SmtpFacts, answer: Answer) -> None:
    """The same again, or a refusal, is none; a connection that broke off says nothing."""
    assert seen(made(), connection).other_key.answer is answer


def test_a_certificate_beside_none_is_a_second_one() -> None:
    """Where the first connection showed none, the other's is told with its type of key."""
    ec = made(Purpose.OTHER_KEY, shown={"chain": (certificate(key_type="EC"),)})
    found = seen(cut(Purpose.SURVEY, Reason.RESET), ec).other_key
    assert (found.answer, found.evidence) == (YES, "EC")


def smuggled(**changes: Any) -> SmtpFacts:
    return made(Purpose.INJECTION, **changes)


FAILED_TLS = {"shown": alert(10), "ended": Reason.ALERT, "ended_in": Stage.HANDSHAKE}


@pytest.mark.parametrize(
    ("connection", "answer"),
    [
        (smuggled(injected_reply=OK), YES),
        (smuggled(tls_replies=2), NO),
        (smuggled(tls_replies=2, ended=Reason.RESET), OPEN),
        (smuggled(), OPEN),
        (smuggled(starttls=Starttls.REFUSED, starttls_reply=Reply(code=500)), NO),
        (smuggled(starttls=Starttls.REFUSED, starttls_reply=Reply(code=499)), OPEN),
        (smuggled(starttls=Starttls.REFUSED, starttls_reply=None), OPEN),
        (smuggled(starttls_reply=Reply(code=500)), OPEN),
        (smuggled(**FAILED_TLS), NO),
        (smuggled(**FAILED_TLS | {"ended": Reason.PROTOCOL_ERROR}), NO),
        (smuggled(**FAILED_TLS | {"ended": Reason.RESET}), NO),
        (smuggled(**FAILED_TLS | {"ended": Reason.TIMEOUT}), OPEN),
        (smuggled(**FAILED_TLS | {"shown": alert(10) | {"certificate_requested": yes()}}), OPEN),
        (smuggled(**FAILED_TLS | {"shown": alert(10) | {"established": True}}), OPEN),
        (cut(Purpose.INJECTION, Reason.RESET), OPEN),
    ],
)
def test_a_smuggled_command_is_obeyed_dropped_or_in_the_way(
    connection: SmtpFacts, answer: Answer
) -> None:
    """A reply to it is yes; ours answered alone, a refusal, or a spoilt handshake is no."""
    assert seen(made(), connection).injection.answer is answer


def test_a_spoilt_handshake_tells_nothing_where_none_ever_works() -> None:
    """Only a server that speaks TLS otherwise was spoilt by the smuggled bytes."""
    assert seen(NO_TLS, smuggled(**FAILED_TLS)).injection.answer is OPEN


def test_the_answer_to_the_large_hello_goes_along() -> None:
    """It is measured before, and kept as it was seen."""
    said: Observation = no(Reason.RESET, "1536/329")
    visit = Visit((made(),), frozenset(Purpose), None, said)
    assert together(GATEWAY, visit).large_hello == said
    assert together(GATEWAY, visit).target == GATEWAY
