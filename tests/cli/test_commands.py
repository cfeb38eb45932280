"""The commands as a person types them: output, JSON, languages, exit codes, plain errors."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import attempts
import pytest
from factories import facts
from programs import running
from typer.testing import CliRunner

from incamail_lib.audit import load_audit, save_record
from incamail_lib.cli.app import app, whole
from incamail_lib.lab import SCENARIOS, nameserver

COMMAND = Path(sys.executable).with_name("incamail")
runner = CliRunner()


def said(*arguments: str, code: int = 0) -> str:
    """What a command prints; its exit code is checked, and no traceback is ever shown."""
    result = runner.invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_the_folder_of_reports_is_named_alike_by_every_command() -> None:
    """Whoever knows `audit --output` need not learn another word for many, nor another default."""
    told = {
        name: parameter
        for name, command in whole().commands.items()
        for parameter in command.params
        if parameter.name == "output"
    }
    assert {"audit", "batch", "demo", "documents", "start"} <= set(told)
    assert [name for name, one in told.items() if "--output" not in one.opts] == []
    assert {str(one.default) for name, one in told.items() if name != "portfolio"} == {"reports"}


def test_judge_tells_saved_facts_anew(tmp_path: Path) -> None:
    """Without a network, as of any date: the same facts are ready today and not after expiry."""
    saved = str(save_record(facts(), tmp_path / "facts.json"))
    now = json.loads(said("judge", saved, "--at", "2026-11-24", "--json", code=3))
    later = json.loads(said("judge", saved, "--at", "2030-01-01", "--json", code=1))
    failed = [{f["code"] for f in a["findings"] if f["outcome"] == "failed"} for a in (now, later)]
    assert failed[1] - failed[0]


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("en", "inconclusive"),
        ("fr", "indéterminé"),
        ("de", "nicht beurteilbar"),
        ("it", "non valutabile"),
    ],
)
def test_the_language_is_chosen(tmp_path: Path, language: str, word: str) -> None:
    """--lang decides; without it the dossier's language does (here German)."""
    saved = str(save_record(facts(), tmp_path / "facts.json"))
    assert word in said("judge", saved, "--at", "2026-11-24", "--lang", language, code=3)
    assert "nicht beurteilbar" in said("judge", saved, "--at", "2026-11-24", code=3)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["audit", "nothing.yaml"], "names no dossier"),
        (["judge", "nothing.json"], "nothing.json"),
        (["inspect", "--passphrase-env", "NOT_SET_ANYWHERE", "x.pem"], "NOT_SET_ANYWHERE"),
        (["lab", "no_such_scenario"], "no_such_scenario"),
        (["route"], "at least one recipient"),
        (["route", "none.eml"], "none.eml"),
        (["lookup", "x.example", "--nameserver", "nonsense"], "nonsense"),
        (["lookup", "a..example", "--nameserver", "127.0.0.1:9"], "«a..example»"),
        (["lookup", "..", "--nameserver", "127.0.0.1:9"], "«..» is not a domain name"),
        (["inspect", __file__, "--at", "9999-12-31T23:00:00-12:00"], "9999-12-31T23"),
        (["route", "--to", "a@b.example", "--method", "subject", "--pattern", "(("], "(("),
        (["route", "--to", "a@b.example", "--lang", "xx"], "«xx»"),
        (["probe", "127.0.0.1:99999"], "99999"),
        (["probe", "[::1]:0"], "port 0"),
    ],
)
def test_wrong_use_is_one_clear_sentence(arguments: list[str], told: str) -> None:
    """Exit code 2, the wrong thing named, no traceback."""
    assert told in said(*arguments, code=2)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 9}', "\x00\xff"])
def test_a_damaged_facts_file_is_told(tmp_path: Path, content: str) -> None:
    """The file is named, with what may stand there instead."""
    path = tmp_path / "facts.json"
    path.write_text(content, encoding="utf-8")
    assert "facts.json" in said("judge", str(path), code=2).replace("\n", "")


def test_route_warns_of_a_leak_by_its_exit_code() -> None:
    """1 when a recipient would get the message in clear, 0 when none would."""
    tag = ["--subject", "<im><c>Offer"]
    safe = said("route", "--to", "a@b.example.incamail.ch", *tag, "--json")
    assert json.loads(safe)["routes"][0]["delivered_to"] == "a@b.example"
    leak = json.loads(said("route", "--to", "a@b.example", *tag, "--json", code=1))
    assert leak["routes"][0]["hazards"][0]["severity"] == "leak"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--method", "subject", "--pattern", "(?i)^Subject:.*<im>"], 3),  # engines differ
        (["--method", "subject", "--engine", "postfix_regexp", "--pattern", "(?i)<im>"], 1),
        (["--method", "subject", "--engine", "exim_decoded", "--pattern", "(?i)<im>"], 0),
        (["--method", "subject", "--engine", "seppmail"], 3),
        (["--own-domain", "b.example"], 0),
    ],
)
def test_route_asks_the_named_engine(arguments: list[str], code: int) -> None:
    """0 to IncaMail, 1 in clear, 3 where it cannot be told."""
    message = ["route", "--to", "a@b.example", "--subject", "<im><c> x", "--json"]
    found = json.loads(said(*message, *arguments, code=code))
    assert (found["routes"][0]["unknown"] is not None) is (code == 3)


def test_route_says_that_the_key_of_the_suffix_is_not_known() -> None:
    """Until it is named with its mail server."""
    to = ["route", "--to", "a@b.example.incamail.ch", "--subject", "<im><c> x"]
    assert "--suffix-key" in said(*to)
    named = ["--engine", "postfix_table", "--suffix-key", ".incamail.ch"]
    assert "--suffix-key" not in said(*to, *named)


def test_contradictory_tags_end_with_exit_code_1() -> None:
    """Although the message goes to IncaMail: which type is meant cannot be known."""
    to = ["route", "--to", "a@b.example.incamail.ch", "--subject"]
    said(*to, "<im><c><r> x", code=1)
    said(*to, "<im><c> x")


def test_route_takes_the_dossiers_domains_and_refuses_what_contradicts_it(tmp_path: Path) -> None:
    """A colleague is a colleague; the same option with the same value is no contradiction."""
    dossier = tmp_path / "muster.yaml"
    dossier.write_text(
        "organisation: Muster AG\ndomains: [muster.example]\nrouting: {method: domain, "
        "engine: postfix_table, suffix_key: .incamail.ch, default_relay: none}\n",
        encoding="utf-8",
    )
    asked = ["route", "--dossier", str(dossier), "--to", "b@muster.example"]
    found = json.loads(said(*asked, "--subject", "<im><c> x", "--json"))
    assert [h["code"] for h in found["routes"][0]["hazards"]] == ["stays_internal"]
    said(*asked, "--method", "domain", "--engine", "postfix_table")
    for option in (
        ["--method", "subject"],
        ["--engine", "exim_raw"],
        ["--suffix-key", "*.incamail.ch"],
        ["--relay", "relay.example"],
        ["--own-domain", "other.example"],
    ):
        assert "dossier says otherwise" in said(*asked, *option, code=2).replace("\n", " ")


def test_a_message_that_cannot_be_read_ends_with_exit_code_3(tmp_path: Path) -> None:
    """With its cause; in order it ends with 0."""
    eml = tmp_path / "message.eml"
    eml.write_bytes(b"\xef\xbb\xbfTo: a@b.example\r\nSubject: x\r\n\r\n")
    assert "byte order mark" in said("route", str(eml), code=3).replace("\n", " ")
    eml.write_bytes(b"To: a@b.example\r\nSubject: x\r\n\r\n")
    said("route", str(eml))


def test_inspect_says_what_a_file_is_good_for(tmp_path: Path) -> None:
    """Usable as server and as client, key present; a missing file is wrong use."""
    from probe.served import LAB

    from incamail_lib.lab import pki
    from incamail_lib.lab.pki import Variant

    file, key = pki.write_pem(LAB.leaf(Variant.SERVER, "mx1.muster.example"), tmp_path, "own")
    told = json.loads(said("inspect", str(file), "--key", str(key), "--json"))
    assert told["has_key"]
    assert told["key_matches"]["answer"] == "yes"
    assert "PRIVATE KEY" not in json.dumps(told)
    assert "no" in said("inspect", str(file))
    said("inspect", str(tmp_path / "none.pem"), code=2)
    said("inspect", str(file), "--for", "sending", code=1)


def test_the_lab_lists_its_scenarios() -> None:
    """Every scenario with its title and the checks that fail in it."""
    listed = json.loads(said("lab", "--list", "--json"))
    assert {entry["name"] for entry in listed} == set(SCENARIOS)
    assert len(listed) >= 25
    assert "tarpit" in said("lab", "--list")


def test_ctrl_c_ends_the_lab_and_leaves_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The lab tells its ports as JSON, answers on them, takes a test message that then lies in its
    mailbox, and is gone after an interrupt."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    environment.pop("PYTHONUNBUFFERED", None)  # it would hide a line that is not flushed
    with running(
        [COMMAND, "lab", "sound", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while line := process.stdout.readline():
            lines.append(line)
            if line == "}\n":
                break
        told = json.loads("".join(lines))
        assert Path(told["key"]).exists()
        port = told["ports"]["gw1.incamail.com"]
        probed = [str(COMMAND), "probe", "gw1.incamail.com", "--address", "127.0.0.1", "--json"]
        done = subprocess.run(
            [*probed, "--port", str(port)], capture_output=True, check=False, timeout=60
        )
        assert json.loads(done.stdout)[0]["starttls"] == "accepted"
        as_printed = json.loads(said("probe", f"127.0.0.1:{port}", "--json"))
        assert as_printed[0]["target"]["port"] == port
        handed_in(told, tmp_path_factory.mktemp("dossier"))
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=20)
    assert process.returncode == 0
    assert complaints == ""
    assert list(tmp_path.iterdir()) == []


def handed_in(lab: dict[str, Any], folder: Path) -> None:
    """Send a test message by what the lab printed, and look into its mailbox."""
    to = "hans@partner.example.incamail.ch"
    host, _, port = lab["submission"].partition(":")
    server = {"host": host, "port": port, "name": lab["submission_name"]}
    dossier = folder / "muster.yaml"
    given = {
        "organisation": "Muster AG",
        "domains": ["muster.example"],
        "platform": "lab",
        "submission": {**server, "roots": lab["trust_store"]},
        "contacts": [{"role": "mail_admin", "name": "Anna Muster"}],
    }
    dossier.write_text(json.dumps(given), encoding="utf-8")
    agreed = ["--to", to, "--by", "Anna Muster", "--agree", to, "--json"]
    (done,) = json.loads(said("linktest", str(dossier), *agreed))
    assert (done["outcome"], done["seen"]) == ("accepted", None), (
        "whether it arrived, a person says"
    )
    deadline = time.monotonic() + 20
    while not (found := list(Path(lab["mailbox"]).glob("*.eml"))) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert f"Message-ID: {done['message_id']}".encode() in found[0].read_bytes()


def test_probe_goes_inside_only_where_a_person_says_so() -> None:
    """A name that leads to a private address is refused, and how to allow it is told."""

    async def asked(*addresses: str, words: tuple[str, ...] = ()) -> tuple[int, str]:
        records = [("mx.muster.example", "AAAA" if ":" in a else "A", a) for a in addresses]
        async with nameserver.serve(records) as (address, port):
            arguments = ["probe", "mx.muster.example", "--nameserver", f"{address}:{port}"]
            done = await asyncio.to_thread(
                runner.invoke, app, [*arguments, "--timeout", "1", "--port", "9", *words]
            )
            return done.exit_code, " ".join(done.output.split())

    for inside in ("10.1.2.3", "169.254.169.254", "::ffff:10.1.2.3"):
        with attempts.recorded() as tried:
            code, told = asyncio.run(asked(inside))
        assert (code, tried) == (2, [])
        assert f"--address {inside[:7]}" in told
    with attempts.recorded() as tried:
        code, _ = asyncio.run(asked("10.1.2.3", words=("--address", "127.0.0.5")))
    assert (code, set(tried)) == (3, {("127.0.0.5", 9)})


def test_piped_output_is_plain(tmp_path: Path) -> None:
    """No colour, no animation, no control characters when nobody is at the terminal."""
    path = tmp_path / "muster.yaml"
    path.write_text("organisation: Muster AG\ndomains: [muster.example]\nplatform: lab\n")
    done = subprocess.run(
        [COMMAND, "audit", path, "--output", tmp_path / "reports", "--no-pdf"],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]", done.stdout)
    record = next((tmp_path / "reports").glob("*/*/audit.json"))
    assert load_audit(record).verdict == "ready"


def test_the_demo_shows_three_fates_and_names_what_it_wrote(tmp_path: Path) -> None:
    """Ready, not ready and inconclusive; the last line names a file that is there; exit code 0."""
    done = subprocess.run(
        [COMMAND, "demo", "--output", tmp_path, "--lang", "en"],
        capture_output=True,
        check=False,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert [w for w in ("ready", "not ready", "inconclusive") if f": {w}\n" in done.stdout] == [
        "ready",
        "not ready",
        "inconclusive",
    ]
    assert Path(done.stdout.splitlines()[-1].removeprefix("Overview: ")).exists()
    assert len(list(tmp_path.glob("*/*/report.html"))) == 3


def test_the_demo_fails_where_it_does_not_show_what_it_is_to_show(tmp_path: Path) -> None:
    """An output folder in which no report can be written is no success."""
    for name in ("muster-ag", *(f"muster-ag-{number}" for number in range(2, 1000))):
        (tmp_path / name).touch()  # a file in the place of each folder that it might take
    told = said("demo", "--output", str(tmp_path), "--lang", "en", code=4)
    assert "three verdicts" in told


def test_a_terminal_that_knows_only_ascii_is_served(tmp_path: Path) -> None:
    """Blanks and dashes come plain, other characters as codes; JSON stays JSON."""
    path = tmp_path / "zuerich.yaml"
    path.write_text("organisation: Zürich–Genève\ndomains: [zh.example]\n", encoding="utf-8")

    def shown(*options: str) -> str:
        done = subprocess.run(
            [COMMAND, "dossier", "show", path, "--lang", "fr", *options],
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("ascii")

    told = shown()
    assert r"Z\xfcrich-Gen\xe8ve" in told
    assert r"\u202f" not in told
    assert "Zürich–Genève" in json.dumps(json.loads(shown("--json")), ensure_ascii=False)


def test_what_a_dossier_says_cannot_move_the_terminal(tmp_path: Path) -> None:
    """Escapes, bells and bidirectional marks in a name are printed as their code points."""
    path = tmp_path / "evil.yaml"
    path.write_text(
        'organisation: "Evil \\e[31mred\\a \\u202egnp"\ndomains: [evil.example]\nplatform: lab\n',
        encoding="utf-8",
    )
    told = said("dossier", "show", str(path), "--lang", "en")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", told)
    assert "\\x1b[31mred" in told


ELEVEN = " ".join(f"include:{letter}.example" for letter in "abcdefghijk")


def test_lookup_says_what_the_records_mean() -> None:
    """Eleven look-ups, +all, and a DMARC policy that stands at the domain above."""
    records = [
        ("a.muster.example", "MX", "10 mx1.muster.example."),
        ("mx1.muster.example", "A", "127.0.0.1"),
        ("a.muster.example", "TXT", f'"v=spf1 {ELEVEN} +all"'),
        *((f"{letter}.example", "TXT", '"v=spf1 -all"') for letter in "abcdefghijk"),
        ("_dmarc.muster.example", "TXT", '"v=DMARC1; p=reject"'),
    ]

    async def looked_up() -> str:
        async with nameserver.serve(records) as (host, port):
            server = f"{host}:{port}"
            return await asyncio.to_thread(
                said, "lookup", "a.muster.example", "--nameserver", server
            )

    output = re.sub(r"[\s│]+", " ", asyncio.run(looked_up()))
    for words in ("11 look-ups are", "«+all» lets everybody", "p=reject applies"):
        assert words in output
