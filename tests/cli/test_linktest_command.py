"""`incamail linktest`: a dry run asks nobody, and consent names the recipient."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from cli.test_commands import said

from incamail_lib.cli._names import host_and_port
from incamail_lib.dossier import read_dossier

TO, FULL = "hans@recipient.test", "hans@recipient.test.incamail.ch"
TEXT = """\
organisation: Muster AG
domains: [muster.example]
{more}
contacts:
  - {{role: mail_admin, name: Anna Muster}}
"""


def dossier(folder: Path, more: str = "platform: lab") -> str:
    path = folder / "muster.yaml"
    path.write_text(TEXT.format(more=more), encoding="utf-8")
    return str(path)


def told(*arguments: str, code: int) -> str:
    return " ".join(said("linktest", *arguments, code=code).split())


def test_a_dry_run_asks_and_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server is not connected to, no name is looked up, nothing is recorded; without
    --dry the same server is called at once."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def noting(host: str, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", noting)
    with socket.socket() as at:
        at.bind(("127.0.0.1", 0))
        at.listen()
        at.settimeout(0.2)
        port = at.getsockname()[1]
        path = dossier(tmp_path, f"submission: {{host: localhost, port: {port}, starttls: off}}")
        before = Path(path).read_bytes()
        shown = told(path, "--to", TO, "--kind", "personal", "--dry", code=0)
        assert FULL in shown
        assert "<im><p>" in shown
        assert "Nothing was asked of any server, and nothing was sent." in shown
        assert asked == []
        with pytest.raises(TimeoutError):
            at.accept()
        assert Path(path).read_bytes() == before
        at.close()
        sent = told(path, "--to", TO, "--by", "Anna Muster", "--agree", FULL, code=3)
        assert asked, "the test can fail"
        assert "Nothing listens there" in sent
    (noted,) = read_dossier(Path(path)).acceptance
    assert noted.attempts[0].by == "Anna Muster"


def test_one_command_sends_and_sees_on_the_lab(tmp_path: Path) -> None:
    """Agreed to by naming the whole recipient: sent, seen, recorded; 0 means that it arrived."""
    path = dossier(tmp_path)
    done = json.loads(
        said("linktest", path, "--to", TO, "--by", "Anna Muster", "--agree", FULL, "--json")
    )
    assert [(a["to"], a["outcome"], a["seen"]["arrived"]) for a in done] == [
        (FULL, "accepted", True)
    ]
    broken = dossier(tmp_path, "platform: lab\nscenario: platform_stripped")
    stopped = told(broken, "--to", TO, "--by", "Anna Muster", "--agree", FULL, code=1)
    assert "It did not arrive." in stopped


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "Anna Muster"], f"Agree by --agree {FULL}"),
        (["--by", "Anna Muster", "--agree", TO], "you agreed to"),
        (["--by", "root", "--agree", FULL], "not among the contacts of the dossier (Anna Muster)"),
        (["--agree", FULL], "choose first who is at work"),
        (["--kind", "html_attachment", "--kind", "personal"], "send it by itself"),
    ],
)
def test_without_consent_nothing_is_sent(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Nobody to ask, another recipient, nobody's name: one sentence, and no record."""
    path = dossier(tmp_path)
    assert words in told(path, "--to", TO, *arguments, code=2)
    assert read_dossier(Path(path)).acceptance == ()


def test_a_person_with_several_parts_is_listed_once(tmp_path: Path) -> None:
    """Who may agree is told by name, and each name once."""
    path = Path(dossier(tmp_path))
    again = "  - {role: project_lead, name: Anna Muster}\n  - {role: security, name: Beat B.}\n"
    path.write_text(path.read_text(encoding="utf-8") + again, encoding="utf-8")
    said_of = told(str(path), "--to", TO, "--by", "root", "--agree", FULL, code=2)
    assert "the dossier (Anna Muster, Beat B.)" in said_of


WRONG = [
    ("foo:bar", "port bar is not"),
    ("foo:", "port – is not"),
    ("foo:0", "port 0 is not"),
    ("foo:65536", "port 65536 is not"),
    ("foo:²", "port ² is not"),
    ("[::1]:x", "port x is not"),
    ("foo:1:25", "«foo:1» is no full domain name"),
    (":25", "«» is no full domain name"),
    ("two words:25", "«two words» is no full domain name"),
]


@pytest.mark.parametrize(("server", "words"), WRONG)
def test_a_mail_server_that_is_none_is_refused_in_a_dry_run_too(
    tmp_path: Path, server: str, words: str
) -> None:
    """What would not work when it counts is not shown as if it did."""
    path = dossier(tmp_path)
    rest = ("--kind", "html_attachment", "--to", "hans@muster.example", "--server", server, "--dry")
    assert words in told(path, *rest, code=2)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("mx1.muster.example:2525", ("mx1.muster.example", 2525)),
        ("mx1.muster.example", ("mx1.muster.example", 25)),
        ("localhost:587", ("localhost", 587)),
        ("mx1.müller.ch:26", ("mx1.xn--mller-kva.ch", 26)),
        ("192.0.2.1:26", ("192.0.2.1", 26)),
        ("[192.0.2.1]", ("192.0.2.1", 25)),
        ("2001:db8::1", ("2001:db8::1", 25)),
        ("[2001:db8::1]:26", ("2001:db8::1", 26)),
    ],
)
def test_a_host_and_its_port_are_told_apart(given: str, found: tuple[str, int]) -> None:
    """As a name or an address, with a port or without."""
    assert host_and_port(given, 25) == found
