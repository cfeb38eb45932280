"""A dossier is read exactly as written, or refused with file, line, field and remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from incamail_lib.dossier import read_dossier
from incamail_lib.errors import DossierError
from incamail_lib.facts.delivery import TlsUse
from incamail_lib.facts.routing import Method, NextHopKind
from incamail_lib.guide import load_platform
from incamail_lib.i18n import LANGUAGES, translator

GOOD = """\
organisation: Muster AG
language: de
go_live: 2027-01-15
domains: [muster.example, zürich.example]
platform: lab
gateways:
  receiving:
    - host: MX1.Muster.Example.
      addresses: [192.0.2.1]
certificates:
  sending: {file: client.pem, key: keys/client.key, passphrase_env: CLIENT_PASS}
routing: {method: both}
"""


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "muster.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(tmp_path: Path, text: str | bytes) -> str:
    path = written(tmp_path, text)
    with pytest.raises(DossierError) as caught:
        read_dossier(path)
    told = caught.value.text
    assert str(path) in told.english()
    for language in LANGUAGES:
        assert str(path) in translator(language).text(told)
    return told.english()


def test_names_become_a_labels_and_paths_absolute(tmp_path: Path) -> None:
    """Names are compared in A-label form; files are found from the dossier's own folder."""
    dossier = read_dossier(written(tmp_path, GOOD))
    assert dossier.domains == ("muster.example", "xn--zrich-kva.example")
    assert dossier.gateways.receiving[0].host == "mx1.muster.example"
    sending = dossier.certificates.sending
    assert sending is not None
    assert sending.file == tmp_path / "client.pem"
    assert sending.key == tmp_path / "keys" / "client.key"


def test_the_platform_supplies_what_the_rules_leave_open(tmp_path: Path) -> None:
    """A smart host without a name is the platform's own."""
    dossier = read_dossier(written(tmp_path, GOOD))
    rules = dossier.declared(load_platform()).rules
    assert (rules.method, rules.next_hop.kind) == (Method.BOTH, NextHopKind.SMART_HOST)
    assert rules.next_hop.value == "im.post.ch"


def test_scalars_are_not_guessed_by_yaml(tmp_path: Path) -> None:
    """`no`, numbers and dates stay what was written: YAML would make False and 750 of them."""
    text = GOOD.replace("Muster AG", "no") + "scenario: 12:30\n"
    dossier = read_dossier(written(tmp_path, text))
    assert (dossier.organisation, dossier.scenario) == ("no", "12:30")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("language: de", "language: rm", "line 2, field «language»: «rm» is not possible"),
        ("language: de", "language: de\nlanguage: fr", "line 3, field «language»: This field app"),
        ("organisation: Muster AG\n", "", "field «organisation»: This field is missing"),
        ("2027-01-15", "2027-02-30", "line 3, field «go_live»: «2027-02-30» is not a date"),
        ("muster.example,", "a..b,", "line 4, field «domains.0»: «a..b» is not a domain name"),
        ("[muster.example, zürich.example]", "[]", "field «domains»: This field is empty"),
        ("[muster.example, zürich.example]", "muster.example", "must be a list"),
        ("MX1.Muster.Example.", "192.0.2.7", "«192.0.2.7» is not a domain name"),
        ("192.0.2.1", "192.0.2.300", "«192.0.2.300» is not an IPv4 or IPv6 address"),
        ("host: MX1", "hots: MX1", "Allowed here: host, addresses, port."),
        ("{method: both}", "{method: suffix}", "allowed: 'domain', 'subject', 'both' or 'none'"),
        ("{method: both}", "{subject_pattern: '('}", "«(» is not a valid regular expression"),
        ("{method: both}", "both", "must be a group of fields"),
        ("CLIENT_PASS", "my passphrase", "has a character that is not allowed"),
        ("platform: lab", "platform: &a [*a]", "YAML anchors"),
        ("platform: lab", "network: {timeout_s: nan}", "«nan» is not a possible number"),
        ("platform: lab", "network: {ports: {mx: 99999}}", "limit: 65535"),
        ("platform: lab", "submission: {host: a b}", "has a character that is not allowed"),
        ("platform: lab", "submission: {starttls: yes}", "'required', 'opportunistic' or 'off'"),
        ("platform: lab", "submission: {port: 0}", "field «submission.port»"),
    ],
)
def test_a_wrong_field_is_named_with_line_and_remedy(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    """Every mistake is answered with its place and with what is allowed, in four languages."""
    assert old in GOOD
    assert expected in refusal(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("just words", "is not a dossier"),
        ("", "is not a dossier"),
        ("- a\n- b\n", "is not a dossier"),
        ("organisation: [", "line 1: this is not valid YAML"),
        ("organisation: Muster\n bad: :\n  - x", "not valid YAML"),
        (b"organisation: M\xfcller AG\n", "is not UTF-8 text (byte 15)"),
        ("a: \x00", "line 1, column 4: a character that is not allowed stands here (U+0000)"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: Tags"),
        (b"x" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_damaged_file_is_refused_with_a_sentence(
    tmp_path: Path, content: str | bytes, expected: str
) -> None:
    """No file, however broken, ends in a traceback."""
    assert expected in refusal(tmp_path, content)


def test_a_pipe_or_device_in_place_of_a_dossier_is_refused_without_waiting(tmp_path: Path) -> None:
    """Nobody writes to the pipe, and the device never ends: reading either would hang."""
    pipe, endless = tmp_path / "pipe.yaml", tmp_path / "endless.yaml"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    for path in (pipe, endless):
        with pytest.raises(DossierError, match=r"cannot be read \(not a regular file\)"):
            read_dossier(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error names the path that could not be read."""
    with pytest.raises(DossierError, match=r"absent\.yaml cannot be read"):
        read_dossier(tmp_path / "absent.yaml")


NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"organisation: X\ndomains:\n{NBSP} - x.example\n", "line 3, column 1: an invisible"),
        (f"organisation:{NBSP}X\n", "line 1, column 14: an invisible"),
        (f"organisation: X\ngo_live:{NBSP}2027-01-15\ndomains: [x.example]\n", "line 2, column 9"),
        ("organisation: X\ndomains:\n\t- x.example\n", "line 3, column 1"),
        ("organisation: X\ndomains:\n  -\u2003x.example\n  - y.example\n", "U+2003 EM SPACE"),
        (
            "organisation: X\ndomains: [x.example]\nsen\u200bder: a@b.ch\n",
            "U+200B ZERO WIDTH SPACE",
        ),
        (f"organisation: X\ndomains: [x.example]\n{NBSP}sender: a@b.ch\n", "U+00A0 NO-BREAK SPACE"),
        (f"organisation: X\ndomains: ['x.exa{NBSP}mple']\n", "U+00A0 NO-BREAK SPACE"),
        ("organisation: X\ndomains: [x.example]\ntrust_stores: [\u202ax.pem]\n", "invisible"),
        ("organisation: X\u0007\n", "line 1, column 16: a character that is not allowed"),
    ],
)
def test_an_invisible_character_is_named_where_it_stands(
    tmp_path: Path, text: str, expected: str
) -> None:
    """Pasted from a web page, it looks like a space, or like nothing."""
    told = refusal(tmp_path, text)
    assert expected in told
    assert "U+" in told or "invisible" in told


def test_typography_in_words_is_no_mistake(tmp_path: Path) -> None:
    """A no-break space within a name, and a byte order mark at the start, are read as they are."""
    name = f"Soci\u00e9t\u00e9{NBSP}X"
    text = f"\ufefforganisation: {name}\ndomains:\n  - x.example\n"
    assert read_dossier(written(tmp_path, text)).organisation == name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r'"C:\certs\client.pem"', r"single quotes: 'C:\certs\client.pem'"),
        (r'"C:\Users\x.pem"', "single quotes: 'C:"),
        (r'"C:\new\table.pem"', "holds a control character"),
        (r'"C:\x.pem"', "single quotes"),
    ],
)
def test_a_windows_path_in_double_quotes_is_explained(
    tmp_path: Path, path: str, expected: str
) -> None:
    """YAML reads \\c as an error and \\n as a line feed; both are told, with the remedy."""
    text = f"organisation: X\ndomains: [x.example]\ncertificates:\n  sending:\n    file: {path}\n"
    told = refusal(tmp_path, text)
    assert expected in told
    assert "line 5" in told
    single = text.replace('"', "'")
    assert read_dossier(written(tmp_path, single)).certificates.sending is not None


def test_a_misspelt_group_is_named_at_its_own_line(tmp_path: Path) -> None:
    """The line of the name, not of what stands below it."""
    wrong = GOOD.replace("  receiving:", "  receivng:")
    line = wrong.split("\n").index("  receivng:") + 1
    assert f"line {line}, field «gateways.receivng»" in refusal(tmp_path, wrong)


def test_files_of_samples_are_found_beside_the_dossier(tmp_path: Path) -> None:
    """Wherever the command is run from; a sample without a file stays as it is."""
    path = tmp_path / "client.yaml"
    path.write_text(
        "schema: 3\norganisation: Muster AG\ndomains: [muster.example]\nsamples:\n"
        "  - {label: own, file: messages/own.eml}\n"
        "  - {label: typed, recipients: [a@partner.example], subject: x}\n",
        encoding="utf-8",
    )
    own, typed = read_dossier(path).samples
    assert own.file == tmp_path / "messages" / "own.eml"
    assert typed.file is None


def test_the_own_mail_server_is_as_declared(tmp_path: Path) -> None:
    """`off` is no Boolean, and the roots of its authority lie beside the dossier."""
    text = GOOD + "submission: {host: MAIL.muster.example, starttls: off, roots: own/ca.pem}\n"
    found = read_dossier(written(tmp_path, text)).submission
    assert (found.host, found.port, found.starttls) == ("mail.muster.example", 25, TlsUse.OFF)
    assert found.roots == tmp_path / "own" / "ca.pem"
