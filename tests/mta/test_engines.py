"""Expressions put to the engines themselves: Postfix's postmap and Exim's expansion must agree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from mta.exim import PROGRAM

from incamail_lib.facts.routing import Engine, Method, NextHop, NextHopKind, RuleSet
from incamail_lib.routing.engine import Headers, ask_subject
from incamail_lib.routing.reply import Answer

pytestmark = pytest.mark.xdist_group("mta")

TEXTS = (
    "<im><c> Befund",
    "<IM><C> Befund",
    "Re: <im> x",
    "AW: Re: <c> x",
    "Termin im Januar",
    "impression",
    "<p>",
    "x <r> y",
    "",
    " <im>",
    "\t<im> x",
    "Décision <im>",
    "<im>é",
    "[im] x",
    "aaa",
    "a.b+c",
    "<im",
    "im>",
    "Subject: <im>",
    "abcabc 123_x",
)
PATTERNS = (
    "<im>",
    "^<im>",
    "<im>$",
    "^Subject:.*<im>",
    "^Subject: <im>",
    "^Subject:[[:space:]]*<im>",
    r"^Subject:\s*<im>",
    r"\<im\>",
    r"\bim\b",
    r"\Bim",
    "(?i)<im>",
    "(?i)^subject:.*<im>",
    "(?-i)<IM>",
    "(?:<im>|<c>)",
    r"\A<im>",
    r"\ASubject",
    r"x\Z",
    r"x\z",
    "<(im|c|p|r)>",
    "<[cpr]>",
    "<(im|[cpr])>",
    "^Subject: ((re|aw): *)*<im>",
    "^Subject: ((re|aw):[[:blank:]]*)*<(im|c)>",
    "[[:alpha:]]{3}",
    "[[:upper:]]",
    "[[:lower:]]{2}",
    "[[:punct:]]im[[:punct:]]",
    "[[:digit:]_]",
    "[^a-z]im[^a-z]",
    r"\d",
    r"\D$",
    r"\w+",
    r"\W{2}",
    r"\s",
    r"\S+\s\S+",
    "a{3}",
    "a{2,}",
    "a{,2}b",
    "a{3",
    "a{x}",
    "a{4}",
    "a+b?c*",
    "(a)(b)?",
    "()",
    "(|x)",
    "x|",
    "|x",
    "*a",
    "+a",
    "?a",
    "^*",
    "a**",
    "a+?",
    "a*?b",
    "a++",
    "(?=<im>)",
    "(?!<im>)x",
    "(?<=<)im",
    "(?P<tag>im)",
    "(?#note)im",
    "(im",
    "im)",
    "[im",
    "im]",
    "[]x]",
    "[^]x]im",
    "[a-]",
    "[z-a]",
    "[[:nope:]]",
    r"\[im\]",
    r"\.b\+",
    r"\x3cim",
    r"\Qa.b\E",
    r"\h*<im>",
    r"\R",
    r"\p{L}",
    r"\N",
    r"\t<im>",
    r"\/",
    "é",
    "[é]",
    "^.{9}<im>",
    "^Subject: .{2}$",
    "D.cision",
    "D..cision",
    "(<im>|<c>|<p>|<r>).*(Befund|x)",
    "^[^<]*<im>",
    "^Subject: <im><c> Befund$",
    "((((im))))",
    "(a|aa)*b",
    "x{1,3}y{0}",
    "^Subject: *$",
    r"\\",
    "<im>\\",
    "$",
    "^",
    "^$",
    ".",
    "",
)


def said(engine: Engine, pattern: str, text: str) -> Answer:
    """What we say that the engine says of this subject line."""
    rules = RuleSet(
        method=Method.SUBJECT,
        next_hop=NextHop(kind=NextHopKind.SMART_HOST, value="im.post.ch"),
        engine=engine,
        subject_pattern=pattern,
    )
    line = f"Subject: {text}".encode()
    return ask_subject(rules, Headers(subjects=(line,), raw=text, decoded=text)).answer


def by_postmap(kind: str, pattern: str, folder: Path) -> list[Answer]:
    """What Postfix's own query answers for each text; a refused line is no rule for any."""
    for name, text in (
        ("main.cf", "compatibility_level = 3.6\nmyhostname = mx.example\n"),
        ("table", f"/{pattern}/ HIT\n"),
    ):
        (folder / name).write_text(text)
        os.utime(folder / name, (1, 1))  # Postfix waits two seconds for a file to settle
    command = ["/usr/sbin/postmap", "-c", str(folder), "-q", "-", f"{kind}:{folder!s}/table"]
    asked = "".join(f"Subject: {text}\n" for text in TEXTS)
    done = subprocess.run(
        command, input=asked.encode(), capture_output=True, check=False, timeout=60
    )
    hits = {
        line.partition(b"\tHIT")[0] for line in done.stdout.splitlines() if line.endswith(b"HIT")
    }
    if done.stderr:
        assert not hits
        return [Answer.NO_RULE] * len(TEXTS)
    return [
        Answer.MATCHES if f"Subject: {text}".encode() in hits else Answer.MISSES for text in TEXTS
    ]


@pytest.mark.postfix
@pytest.mark.parametrize(
    ("kind", "engine"), [("regexp", Engine.POSTFIX_REGEXP), ("pcre", Engine.POSTFIX_PCRE)]
)
def test_postfix_says_the_same_of_every_expression(
    kind: str, engine: Engine, tmp_path: Path
) -> None:
    """Each pattern and text: where we know, postmap says the same; and we mostly know."""
    wrong, unknown = [], 0
    for pattern in PATTERNS:
        for text, theirs in zip(TEXTS, by_postmap(kind, pattern, tmp_path), strict=True):
            ours = said(engine, pattern, text)
            unknown += ours is Answer.UNKNOWN
            if ours not in (theirs, Answer.UNKNOWN):
                wrong.append((pattern, text, ours, theirs))
    assert wrong == []
    assert unknown == len(TEXTS) * (kind == "pcre")  # "a{,2}b", which versions read differently


@pytest.mark.exim
@pytest.mark.parametrize("engine", [Engine.EXIM_RAW, Engine.EXIM_DECODED])
def test_exim_says_the_same_of_every_expression(engine: Engine) -> None:
    """Each pattern and text, as `match` expands them."""
    usable = [p for p in PATTERNS if "\\N" not in p and not p.endswith("\\")]
    lead = " " if engine is Engine.EXIM_RAW else ""
    lines = [
        f"${{if match{{\\N{lead}{text if lead else text.strip()}\\N}}"
        f"{{\\N{pattern}\\N}}{{matches}}{{misses}}}}"
        for pattern in usable
        for text in TEXTS
    ]
    command: list[str | Path] = [PROGRAM, "-C", "/dev/null", "-be"]
    asked = "\n".join(lines) + "\n"
    done = subprocess.run(
        command, input=asked.encode(), capture_output=True, check=True, timeout=60
    )
    theirs = [line.removeprefix("> ") for line in done.stdout.decode().splitlines()][: len(lines)]
    pairs = [(pattern, text) for pattern in usable for text in TEXTS]
    wrong = []
    for (pattern, text), answer in zip(pairs, theirs, strict=True):
        ours = said(engine, f"\\N{pattern}\\N", text)
        expected = Answer.NO_RULE if answer.startswith("Failed") else Answer(answer)
        if ours not in (expected, Answer.UNKNOWN):
            wrong.append((pattern, text, ours, answer))
    assert wrong == []


@pytest.mark.exim
@pytest.mark.parametrize("pattern", ["<im>$", "<im>{1,2}", "^.*<im>.*$", "<im>${x}"])
def test_exim_fails_on_what_it_would_look_up_itself(pattern: str) -> None:
    """A bare "$" or brace breaks the whole condition, so that nothing is said of it; between \\N
    and \\N, or escaped, it is the expression's own."""

    def asked(written: str) -> str:
        command: list[str | Path] = [
            PROGRAM,
            "-C",
            "/dev/null",
            "-be",
            f"${{if match{{<im>}}{{{written}}}{{y}}{{n}}}}",
        ]
        return subprocess.run(
            command, capture_output=True, check=False, text=True, timeout=60
        ).stdout.strip()

    assert asked(pattern) not in ("y", "n")
    assert said(Engine.EXIM_DECODED, pattern, "<im>") is Answer.UNKNOWN
    told = said(Engine.EXIM_DECODED, f"\\N{pattern}\\N", "<im>")
    assert asked(f"\\N{pattern}\\N") == {Answer.MATCHES: "y", Answer.MISSES: "n"}[told]
    assert said(Engine.EXIM_DECODED, f"\\N<im>\\N{pattern}", "<im>") is Answer.UNKNOWN
