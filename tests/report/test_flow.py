"""The way of a message: this client's stations, and per hop only what evidence says."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from xml.etree import ElementTree

import pytest
from factories import NOW, declared, facts

from incamail_lib.audit.case import measure_dossier
from incamail_lib.checks import ALL_CHECKS, judge_facts
from incamail_lib.dossier import Dossier
from incamail_lib.dossier.agreed import Direction
from incamail_lib.dossier.model import Network
from incamail_lib.facts.audit import ComponentFacts, DeclaredGateway, IncomingRoute
from incamail_lib.facts.routing import Method, NextHop, NextHopKind, RuleSet
from incamail_lib.findings import Audit, Finding, Leg, Level, Outcome
from incamail_lib.i18n import LANGUAGES, Language, say
from incamail_lib.report import Report
from incamail_lib.report.flow import MOST_CODES, Flow, Hop, HopState, flow, state_of
from incamail_lib.report.flow_chart import LETTERS, MOST_LINES, chart
from incamail_lib.report.order import chapter_of

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</svg><script>alert(1)</script>\x1b\u202e" + "A" * 5000
LIGHTEST = 4.5  # WCAG 2.2, 1.4.3


@cache
def audited(scenario: str) -> Audit:
    """The verdict on one scenario of the lab, measured with short time limits."""
    dossier = Dossier(
        organisation="Muster AG",
        domains=("muster.example",),
        platform="lab",
        scenario=scenario,
        network=Network(timeout_s=1.0, ehlo_name="probe.example"),
    )
    found = asyncio.run(measure_dossier(dossier))
    return judge_facts(found, found.measured_at)


def measured(scenario: str, direction: Direction) -> Flow:
    audit = audited(scenario)
    return flow(direction, audit.facts.declared, audit)


def states(given: Flow) -> list[str]:
    return [hop.state.value for hop in given.hops]


def finding(
    code: str, outcome: Outcome, level: Level = Level.REQUIRED, blocked_by: str = ""
) -> Finding:
    return Finding(
        code=code,
        subject="x",
        outcome=outcome,
        level=level,
        title="t",
        why="w",
        remedy=say("r"),
        seen=say("s"),
        item="6.1",
        reference="",
        blocked_by=blocked_by,
    )


def component(key: str, present: bool | None, product: str = "") -> ComponentFacts:
    return ComponentFacts(key=key, present=present, product=product)


def test_a_sound_set_up_is_in_order_where_it_was_measured() -> None:
    """Both ways are fine on the hops that the audit saw, and «not measured» on all others."""
    blind, good = "not_measured", "ok"
    assert states(measured("sound", Direction.OUTGOING)) == [blind, blind, good, good, blind]
    assert states(measured("sound", Direction.INCOMING)) == [blind, good, good, blind, blind]
    assert measured("sound", Direction.OUTGOING).worst is HopState.OK


@pytest.mark.parametrize(
    ("scenario", "direction", "hop", "state", "code"),
    [
        ("platform_stripped", Direction.OUTGOING, 3, HopState.FAILED, "PLAT01"),
        ("server_only_client_certificate", Direction.OUTGOING, 3, HopState.FAILED, "TLS12"),
        ("foreign_next_hop", Direction.OUTGOING, 2, HopState.FAILED, "ROUT10"),
        ("starttls_missing", Direction.INCOMING, 2, HopState.FAILED, "SMTP02"),
        ("null_mx", Direction.INCOMING, 1, HopState.FAILED, "DNS02"),
        ("tarpit", Direction.INCOMING, 2, HopState.UNKNOWN, "SMTP09"),
    ],
)
def test_the_hop_that_failed_is_marked(
    scenario: str, direction: Direction, hop: int, state: HopState, code: str
) -> None:
    """Each fault of the lab shows on its own hop, with the code that decides; the other way
    stays as in the sound set-up."""
    found = measured(scenario, direction)
    assert found.hops[hop].state is state
    assert code in found.hops[hop].codes
    assert found.worst is state
    other = next(d for d in Direction if d is not direction)
    assert states(measured(scenario, other)) == states(measured("sound", other))


@pytest.mark.parametrize("scenario", ["sound", "tarpit", "platform_stripped", "null_mx"])
def test_the_hops_agree_with_the_chapters(scenario: str) -> None:
    """A finding that the report tells under the outgoing link or under routing belongs to the hop
    of that name, and one about the client's gateway to its arrival."""
    audit = audited(scenario)
    legs = {"routing": Leg.ROUTE, "identity": Leg.LINK, "outgoing": Leg.LINK}
    for found in audit.findings:
        chapter = chapter_of(found)
        if chapter in legs:
            assert found.leg is legs[chapter], found.code
        elif chapter == "gateways" and found.level is Level.REQUIRED and found.subject:
            assert found.leg is Leg.ARRIVAL, found.code


def test_every_required_check_belongs_to_a_hop() -> None:
    """Nothing that can stop secure mail is missing from the picture."""
    required = [check for check in ALL_CHECKS if check.level is Level.REQUIRED]
    assert {check.code for check in required if check.leg is None} == set()
    assert next(check for check in ALL_CHECKS if check.code == "DNS16").leg is None


PASSED, FAILED, UNKNOWN, NONE = (
    Outcome.PASSED,
    Outcome.FAILED,
    Outcome.UNKNOWN,
    Outcome.NOT_APPLICABLE,
)


@pytest.mark.parametrize(
    ("findings", "state", "codes"),
    [
        ([], HopState.NOT_MEASURED, ()),
        ([finding("A01", NONE)], HopState.NOT_MEASURED, ()),
        ([finding("A01", PASSED, Level.RECOMMENDED)], HopState.NOT_MEASURED, ()),
        ([finding("A01", PASSED), finding("A02", NONE)], HopState.OK, ("A01",)),
        ([finding("A01", PASSED), finding("A01", UNKNOWN)], HopState.UNKNOWN, ("A01",)),
        ([finding("A01", PASSED), finding("A02", UNKNOWN)], HopState.UNKNOWN, ("A02",)),
        ([finding("A02", UNKNOWN), finding("A01", FAILED)], HopState.FAILED, ("A01",)),
        ([finding("A01", FAILED), finding("A01", FAILED)], HopState.FAILED, ("A01",)),
        ([finding("A01", PASSED), finding("A02", FAILED, Level.INFO)], HopState.OK, ("A01",)),
        (
            [finding("A02", UNKNOWN, blocked_by="A01"), finding("A03", UNKNOWN)],
            HopState.UNKNOWN,
            ("A03",),
        ),
        ([finding("A02", UNKNOWN, blocked_by="B01")], HopState.UNKNOWN, ("B01",)),
    ],
)
def test_the_state_of_a_hop(
    findings: list[Finding], state: HopState, codes: tuple[str, ...]
) -> None:
    """Required failures decide, then required unknowns; without a required pass nothing is ok."""
    assert state_of(findings) == (state, codes)


def test_nothing_is_claimed_without_an_audit() -> None:
    """The set-up as declared can be drawn before anything was measured."""
    for direction in Direction:
        drawn = flow(direction, declared())
        assert set(states(drawn)) == {"not_measured"}
        assert drawn.worst is HopState.NOT_MEASURED


@pytest.mark.parametrize("direction", list(Direction))
def test_the_gateway_is_drawn_only_if_there_is_one(direction: Direction) -> None:
    """Declared absent it is left out and the mail server bears the names that face IncaMail;
    undeclared it is drawn as uncertain."""
    names = {
        "sending": (DeclaredGateway(host="out.muster.example"),),
        "receiving": (DeclaredGateway(host="in.muster.example"),),
    }
    host = "out.muster.example" if direction is Direction.OUTGOING else "in.muster.example"
    drawn = {}
    for present in (True, False, None):
        parts = (
            component("mail_gateway", present, "SEPPmail"),
            component("mail_server", True, "Exchange"),
        )
        found = flow(direction, declared(components=parts, **names))
        assert len(found.hops) == len(found.nodes) - 1
        drawn[present] = {node.key: node for node in found.nodes}
    assert drawn[True]["mail_gateway"].detail == f"SEPPmail, {host}"
    assert drawn[True]["mail_server"].detail == "Exchange"
    assert "mail_gateway" not in drawn[False]
    assert drawn[False]["mail_server"].detail == f"Exchange, {host}"
    assert drawn[None]["mail_gateway"].present is None


def test_the_stations_stand_in_the_order_of_the_guide() -> None:
    """Outgoing from the mail client to the recipient (8.1), incoming the other way (8.2)."""
    inside = ["mail_client", "mail_server", "mail_gateway", "firewall"]
    assert [n.key for n in flow(Direction.OUTGOING, declared()).nodes] == [
        *inside,
        "incamail",
        "recipient",
    ]
    assert [n.key for n in flow(Direction.INCOMING, declared()).nodes] == [
        "sender",
        "incamail",
        *reversed(inside),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (NextHopKind.MX, "", "MX look-up"),
        (NextHopKind.SMART_HOST, "im.post.ch", "im.post.ch"),
        (NextHopKind.STATIC, "192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_hop_says_how_the_next_station_is_found(kind: NextHopKind, value: str, said: str) -> None:
    """The declared next hop, and IncaMail's way to the gateway, stand at their hops."""
    rules = RuleSet(method=Method.DOMAIN, next_hop=NextHop(kind=kind, value=value))
    given = declared(rules=rules, incoming=IncomingRoute(kind=kind, value=value))
    assert said in flow(Direction.OUTGOING, given).hops[2].label.english()
    assert said in flow(Direction.INCOMING, given).hops[1].label.english()


def test_what_is_only_recommended_is_told_and_decides_nothing() -> None:
    """Without a rule the MX look-up still leads to IncaMail: in order, with the advice beside."""
    hop = measured("no_rule", Direction.OUTGOING).hops[2]
    assert (hop.state, hop.advice) == (HopState.OK, ("ROUT02", "ROUT03"))
    assert hop.words.english().endswith("failed: ROUT02, ROUT03")
    assert measured("sound", Direction.OUTGOING).hops[2].advice == ()


def test_many_codes_are_cut_and_counted() -> None:
    """A hop with a dozen failures stays readable."""
    codes = tuple(f"A{n:02}" for n in range(12))
    words = Hop(say("x"), HopState.FAILED, codes).words.english()
    assert words.endswith(f"{codes[MOST_CODES - 1]}, +{12 - MOST_CODES}")


def svgs(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(found) for found in re.findall(r"<svg.*?</svg>", html, re.S)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_drawing_has_a_name_and_a_list(language: Language) -> None:
    """Each way is one image with a name, and the same hop by hop as an ordered list."""
    report = Report(audited("server_only_client_certificate"), language)
    html = report.flows.html
    drawn = svgs(html)
    assert len(drawn) == 2
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for image in drawn:
        assert image.get("role") == "img"
        assert image.get("aria-label")
    assert html.count("<li>") == sum(len(measured("sound", d).hops) for d in Direction)
    assert "TLS12" in html
    assert f'lang="{language}"' in html
    assert str(report.flows)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one) + 0.05, luminance(other) + 0.05), reverse=True)
    return light / dark


@pytest.mark.parametrize("scenario", ["sound", "tarpit", "platform_stripped"])
def test_states_differ_by_more_than_colour(scenario: str) -> None:
    """Text and symbols keep a contrast of 4.5 to 1 on every ground used, and each state has a
    symbol of its own: a tick, a cross, a question mark, a dash."""
    assert contrast("#bbbbbb", "#ffffff") < LIGHTEST
    html = Report(audited(scenario), "en").flows.html
    shapes = {"ok": "l4 4 l6 -8", "failed": "l8 8 m0 -8", "unknown": ">?</text>"}
    for image in svgs(html):
        for text in image.iter(f"{SVG}text"):
            assert contrast(text.get("fill") or "", "#f5f5f3") >= LIGHTEST
        for circle in image.iter(f"{SVG}circle"):
            assert contrast(circle.get("stroke") or "", "#ffffff") >= LIGHTEST
        assert not any(e.get("class") or e.get("style") for e in image.iter() if e is not image)
    seen = {state for d in Direction for state in states(measured(scenario, d))}
    for state, shape in shapes.items():
        assert (shape in html) is (state in seen), state


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_and_long_names_stay_text_within_the_picture(language: Language) -> None:
    """Markup in a product's name is escaped, and five thousand letters are wrapped and cut."""
    parts = (component("mail_gateway", True, HOSTILE), component("mail_server", True, HOSTILE))
    audit = judge_facts(facts(declared=declared(components=parts)), NOW)
    html = Report(audit, language).flows.html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", html)
    assert len(svgs(html)) == 2
    made = chart(flow(Direction.OUTGOING, audit.facts.declared, audit), language)
    lines = [line for box in made.boxes for line in (box.title, *box.detail)]
    lines += [line for arrow in made.arrows for line in (*arrow.label, *arrow.words)]
    assert max(map(len, lines)) <= LETTERS
    assert max(len(box.detail) for box in made.boxes) == MOST_LINES


def test_boxes_and_hops_follow_each_other_without_overlap() -> None:
    """Each hop starts where its box ends, and the picture is as high as its contents."""
    made = chart(measured("sound", Direction.INCOMING), "en")
    for box, arrow, below in zip(made.boxes, made.arrows, made.boxes[1:], strict=False):
        assert box.y + box.height == arrow.top
        assert arrow.top < arrow.symbol_y < arrow.bottom == below.y
    assert made.boxes[-1].y + made.boxes[-1].height < made.height
    assert len(made.boxes) == len(made.arrows) + 1


@pytest.mark.parametrize("direction", list(Direction))
def test_the_way_inside_shows_what_messages_tell(direction: Direction) -> None:
    """Between mail server and gateway the drawing is not measured, then failed, by NET10 alone."""
    parts = (ComponentFacts(key="mail_gateway", present=True),)
    audit = judge_facts(facts(declared=declared(components=parts)), NOW)
    inside = 1 if direction is Direction.OUTGOING else -2
    assert flow(direction, audit.facts.declared).hops[inside].state is HopState.NOT_MEASURED
    assert flow(direction, audit.facts.declared, audit).hops[inside].codes == ("NET10",)
    seen = [f for f in audit.findings if f.code != "NET10"]
    failed = finding("NET10", Outcome.FAILED).model_copy(update={"leg": Leg.INSIDE})
    worse = audit.model_copy(update={"findings": (*seen, failed)})
    assert flow(direction, worse.facts.declared, worse).hops[inside].state is HopState.FAILED
