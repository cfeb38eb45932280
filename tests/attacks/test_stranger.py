"""A folder or file from a stranger: nothing in it runs, nothing in it is waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attacks.started import COMMAND, started
from factories import NOW
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incamail_lib.audit.merging import with_age
from incamail_lib.audit.saving import load_facts
from incamail_lib.checks import judge_facts
from incamail_lib.dossier import read_dossier
from incamail_lib.errors import DossierError, MaterialError

AT_ONCE_S = 25.0  # starting the program included, on a busy machine
PLANTED = "import pathlib; pathlib.Path({flag!r}).write_text(__name__)\n"
DOSSIER = "organisation: Muster AG\ndomains: [muster.example]\nplatform: lab\n"


def incamail(
    *arguments: str | Path, folder: Path, limit_s: float = AT_ONCE_S
) -> subprocess.CompletedProcess[str]:
    """The command in a folder, within a time."""
    return subprocess.run(
        [COMMAND, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=limit_s,
        cwd=folder,
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    """Wrong use is told as a sentence and ends with 2."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert 0 < len(done.stderr.strip().splitlines()) <= 3


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What an audit of the lab saved, to be edited."""
    place = tmp_path_factory.mktemp("lab")
    (place / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    done = incamail("measure", "muster.yaml", "--out", "facts.json", folder=place, limit_s=100)
    assert done.returncode == 0, done.stderr
    return (place / "facts.json").read_text(encoding="utf-8")


# Modules that some part imports by name, and files that Jupyter and IPython run where they lie.
NAMES = (
    "yaml.py",
    "jupyterlab.py",
    "voila.py",
    "nbformat.py",
    "ipykernel_launcher.py",
    "sitecustomize.py",
    "jupyter_config.py",
    "jupyter_server_config.py",
    "jupyter_lab_config.py",
    "voila.py",
    "ipython_config.py",
    "ipython_kernel_config.py",
)


def plant(folder: Path, flag: Path) -> None:
    """Code under every name that somebody might load."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / name).write_text(PLANTED.format(flag=str(flag)), encoding="utf-8")
    # A configuration that names code, for readers of JSON.
    for name in ("jupyter_server_config.json", "voila.json", "jupyter_config.json"):
        text = {"ServerApp": {"jpserver_extensions": {"yaml": True}}, "Voila": {"port": 1}}
        (folder / name).write_text(json.dumps(text), encoding="utf-8")


def test_code_beside_a_dossier_never_runs_in_an_audit(tmp_path: Path) -> None:
    """Neither what lies in the folder one stands in, nor beside the dossier, nor in the output."""
    flag = tmp_path / "ran"
    place = tmp_path / "client"
    plant(place, flag)
    plant(place / "reports", flag)
    (place / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    done = incamail("audit", "muster.yaml", "--no-pdf", folder=place, limit_s=200)
    assert done.returncode in (0, 1, 3), done.stderr
    assert not flag.exists(), flag.read_text(encoding="utf-8")


@pytest.mark.parametrize("way", [(), ("--app",)], ids=["lab", "app"])
def test_code_beside_a_dossier_never_runs_in_the_runbook(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    """The same for the server and its kernels, also where the output folder was prepared."""
    flag = tmp_path / "ran"
    place = tmp_path / "client"
    (place / "muster.yaml").parent.mkdir()
    (place / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    own = place / "reports" / "runbooks" / "muster-ag"
    for folder in (place, place / "reports", own.parent, own, own / ".jupyter" / "config"):
        plant(folder, flag)
    with started(Path("reports"), "muster.yaml", *way, folder=place) as run:
        run.start_kernel()
        deadline = time.monotonic() + 5
        while not flag.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert run.kernels()
    assert not flag.exists(), flag.read_text(encoding="utf-8")


def test_a_link_in_the_output_folder_is_not_written_through(tmp_path: Path) -> None:
    """A planted `server.log` that leads to a file of the user's does not empty it."""
    precious = tmp_path / "precious"
    precious.write_text("keep", encoding="utf-8")
    (tmp_path / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    own = tmp_path / "reports" / "runbooks" / "muster-ag" / ".jupyter"
    own.mkdir(parents=True)
    (own / "server.log").symlink_to(precious)
    with started(tmp_path / "reports", tmp_path / "muster.yaml"):
        assert precious.read_text(encoding="utf-8") == "keep"


def pipe(place: Path) -> None:
    os.mkfifo(place)


def endless(place: Path) -> None:
    place.symlink_to("/dev/zero")


def folder(place: Path) -> None:
    place.mkdir()


def huge(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(300_000_000)


ODD = (pipe, endless, folder, huge)
ODD_FILES = pytest.mark.parametrize("odd", ODD, ids=[odd.__name__ for odd in ODD])


@ODD_FILES
@pytest.mark.parametrize(
    "field",
    [
        "certificates: {{sending: {{file: {odd}}}}}",
        "certificates: {{sending: {{file: {odd}, key: {odd}}}}}",
        "trust_stores: [certifi, {odd}]",
        "platform: {odd}",
        "samples: [{{label: one, file: {odd}}}]",
    ],
    ids=["certificate", "key", "store", "platform", "sample"],
)
def test_no_file_that_a_dossier_names_is_waited_for(
    tmp_path: Path, field: str, odd: Callable[[Path], None]
) -> None:
    """A pipe, a device, a folder or far too much is told, or is a finding; nothing crashes."""
    odd(tmp_path / "odd.pem")
    text = DOSSIER if "platform" not in field else DOSSIER.replace("platform: lab\n", "")
    path = tmp_path / "muster.yaml"
    path.write_text(text + field.format(odd="odd.pem") + "\n", encoding="utf-8")
    began = time.monotonic()
    done = incamail("measure", "muster.yaml", "--out", "facts.json", folder=tmp_path, limit_s=90)
    assert time.monotonic() - began < 60
    assert done.returncode in (0, 2), (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr


@ODD_FILES
def test_no_dossier_and_no_facts_are_waited_for(
    tmp_path: Path, odd: Callable[[Path], None]
) -> None:
    """Each is refused at once with a sentence."""
    place = tmp_path / "odd.yaml"
    odd(place)
    if odd is not folder:  # a folder is searched for dossiers
        one_sentence(incamail("audit", place, folder=tmp_path))
    one_sentence(incamail("judge", place, folder=tmp_path))
    one_sentence(incamail("dossier", "show", place, folder=tmp_path))


@ODD_FILES
def test_one_bad_file_takes_no_other_with_it(tmp_path: Path, odd: Callable[[Path], None]) -> None:
    """Of two dossiers in a folder the sound one is audited and has its report."""
    odd(tmp_path / "evil.yaml")
    (tmp_path / "muster.yaml").write_text(DOSSIER, encoding="utf-8")
    done = incamail("audit", tmp_path, "--no-pdf", "--output", "out", folder=tmp_path, limit_s=200)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "evil" in done.stdout
    assert len(list((tmp_path / "out" / "muster-ag").glob("*/report.html"))) == 1


def test_a_pipe_in_the_place_of_the_lock_is_not_waited_for(tmp_path: Path) -> None:
    """The lock file beside a dossier may be a stranger's too."""
    path = tmp_path / "muster.yaml"
    path.write_text(DOSSIER, encoding="utf-8")
    os.mkfifo(tmp_path / ".muster.yaml.lock")
    code = (
        "import sys; from incamail_lib.dossier import open_store\n"
        "from incamail_lib.errors import OutputError\n"
        "try: open_store(sys.argv[1], wait_s=1).put('language', 'de', who='Anna')\n"
        "except OutputError as error: print(error)\n"
    )
    command: list[str | Path] = [sys.executable, "-c", code, path]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=AT_ONCE_S, stdin=-3
    )
    assert "lock" in done.stdout


def at(*keys: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of one value in the saved facts."""

    def change(found: Any) -> None:
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value

    return change


EDITS = {
    "year_1": at("measured_at", value="0001-01-01T00:00:00Z"),
    "year_9999": at("measured_at", value="9999-12-31T23:59:59Z"),
    "before_year_1": at("measured_at", value="0001-01-01T00:00:00+14:00"),
    "braces": at("limits", value=[{"template": "{x} and {", "values": {}}]),
    "attribute": at("limits", value=[{"template": "{x.__class__}", "values": {"x": "a"}}]),
    "index": at("limits", value=[{"template": "{0} {} {x[0]}", "values": {"x": "a"}}]),
    "wide": at("limits", value=[{"template": "{x:>999999999}", "values": {"x": "a"}}]),
    "deep_text": at("limits", value=[{"template": "a", "values": {"x": {"template": "{y}"}}}]),
    "number": at("schema_version", value=10**400),
    "nothing": at("declared", value=None),
    "address": at(
        "dns", "domains", 0, "exchangers", 0, "host", "a", "records", value=["not-an-ip"]
    ),
    "mx": at("dns", "domains", 0, "mx", "records", value=["x", "", "10", "a b c"]),
    "caa": at("dns", "domains", 0, "caa", "records", value=["not", "\\"]),
    "no_chain": at("credentials", 0, "chain", value=[]),
    "port_text": at("receiving", 0, "target", "address", value="mx1"),
    "no_connection": at("receiving", 0, "connections", value=[]),
    "usage": at("credentials", 0, "chain", 0, "key_usage", value=["{x}"]),
    "walk": at("dns", "domains", 0, "domain", value="a.b.c.d"),
    "port": at("receiving", 0, "target", "port", value=10**9),
    "machine": at("vantage", "addresses", value=["not/a/net"]),
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS.keys())
def test_facts_edited_by_hand_are_told_or_judged(
    tmp_path: Path, measured: str, change: Callable[[dict[str, Any]], None]
) -> None:
    """Absurd values give a verdict or one sentence, never a crash."""
    found = json.loads(measured)
    change(found)
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    done = incamail("judge", path, folder=tmp_path)
    assert done.returncode in (0, 1, 2, 3), (done.stdout[-300:], done.stderr)
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        one_sentence(done)
    assert len(done.stdout) < 200_000


REFUSED = (
    "year_1",
    "before_year_1",
    "attribute",
    "index",
    "wide",
    "address",
    "no_chain",
    "port_text",
)


@pytest.mark.parametrize("name", REFUSED)
def test_facts_that_cannot_be_are_no_evidence(tmp_path: Path, measured: str, name: str) -> None:
    """They are refused as a whole: nothing is judged on what cannot have been measured."""
    found = json.loads(measured)
    EDITS[name](found)
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(MaterialError):
        load_facts(path)


LAST = "9999-12-31T23:59:59Z"
ANY: tuple[Any, ...] = ("", "x", [], None, -1, 10**12, "{x}", LAST, ["not-an-ip"], ["", ""], {})


@given(data=st.data())
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_facts_of_any_value_are_refused_or_judged(
    tmp_path: Path, measured: str, data: st.DataObject
) -> None:
    """Whatever one value of the facts is changed to, no bug shows."""
    found = json.loads(measured)
    where = found
    key: Any = None
    while isinstance(where, dict | list) and where:
        here = where
        key = data.draw(
            st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where)))
        )
        where = where[key]
        if data.draw(st.integers(0, 5)) == 0:
            break
    here[key] = data.draw(st.sampled_from(ANY))
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    try:
        facts = with_age(load_facts(path), NOW)
    except MaterialError:
        return
    for finding in judge_facts(facts, NOW).findings:
        assert finding.seen.english() is not None


NO_FACTS = {
    "nested": "[" * 100_000 + "]" * 100_000,
    "nested_object": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "digits": '{"schema_version": ' + "9" * 100_000 + "}",
    "surrogate": '{"measured_at": "\\ud800"}',
    "nan": '{"schema_version": NaN}',
    "infinite": '{"schema_version": 1e999}',
    "list": "[]",
    "text": '"facts"',
    "empty": "",
    "audit_without": '{"facts": null, "findings": []}',
}


@pytest.mark.parametrize("text", NO_FACTS.values(), ids=NO_FACTS.keys())
def test_what_is_no_facts_file_is_a_sentence(tmp_path: Path, text: str) -> None:
    """Nested, huge or not JSON at all."""
    path = tmp_path / "facts.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MaterialError):
        load_facts(path)


@pytest.mark.parametrize(
    "text",
    [
        "organisation: !!python/object/apply:os.system [id]\ndomains: [muster.example]\n",
        "organisation: !!str Muster AG\ndomains: [muster.example]\n",
        "organisation: !secret Muster AG\ndomains: [muster.example]\n",
        "organisation: Muster AG\ndomains: !!set {muster.example}\n",
        "!!map\norganisation: Muster AG\ndomains: [muster.example]\n",
        "!!str organisation: Muster AG\ndomains: [muster.example]\n",
        "organisation: ! Muster AG\ndomains: [muster.example]\n",
    ],
)
def test_tags_in_a_dossier_are_refused(tmp_path: Path, text: str) -> None:
    """A tag asks the reader to make something; a dossier says, and asks nothing."""
    path = tmp_path / "muster.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DossierError, match=r"line \d.*Tags"):
        read_dossier(path)


def test_an_exclamation_mark_in_quotes_is_text(tmp_path: Path) -> None:
    """Only a tag is one."""
    path = tmp_path / "muster.yaml"
    path.write_text('organisation: "!Muster AG"\ndomains: [muster.example]\n', encoding="utf-8")
    assert read_dossier(path).organisation == "!Muster AG"


@pytest.mark.parametrize(
    "given",
    [
        "127.0.0.1:99999",
        "127.0.0.1:0",
        "127.0.0.1:x",
        "resolver.example",
        "[::1",
        "[::1]:70000",
        "",
    ],
)
def test_a_name_server_that_cannot_be_is_an_error_of_the_dossier(
    tmp_path: Path, given: str
) -> None:
    """Told with file and line when the dossier is read, not after a measurement."""
    path = tmp_path / "muster.yaml"
    path.write_text(
        f"organisation: Muster AG\ndomains: [muster.example]\nnetwork:\n"
        f"  nameservers: [{json.dumps(given)}]\n",
        encoding="utf-8",
    )
    with pytest.raises(DossierError, match=r"muster\.yaml, line \d"):
        read_dossier(path)


@pytest.mark.parametrize("given", ["127.0.0.1", "127.0.0.1:5300", "[::1]:5300", "::1"])
def test_a_name_server_that_can_be_is_taken(tmp_path: Path, given: str) -> None:
    """Address and port in every form that is documented."""
    path = tmp_path / "muster.yaml"
    path.write_text(
        f"organisation: Muster AG\ndomains: [muster.example]\n"
        f"network: {{nameservers: ['{given}']}}\n",
        encoding="utf-8",
    )
    assert read_dossier(path).network.nameservers == (given,)
