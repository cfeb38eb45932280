"""A real Postfix for tests: own configuration, queue, log and free port, all gone afterwards.

Debian's package supplies the programs; its own instance in /etc/postfix is neither used nor
touched. Postfix changes users, so this needs root.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mta.process import Log, free_port, started

MASTER = Path("/usr/lib/postfix/sbin/master")
PCRE = Path("/usr/lib/postfix/postfix-pcre.so")  # Debian's postfix-pcre
OWNER = "postfix"
GROUP = "postdrop"

# (directory, owner, group, mode) as postfix-files(5) of the package has them
QUEUE = (
    *((name, OWNER, "root", 0o700) for name in ("active", "bounce", "corrupt", "defer")),
    *((name, OWNER, "root", 0o700) for name in ("deferred", "flush", "hold", "incoming")),
    *((name, OWNER, "root", 0o700) for name in ("private", "saved", "trace")),
    ("public", OWNER, GROUP, 0o710),
    ("maildrop", OWNER, GROUP, 0o730),
    ("pid", "root", "root", 0o755),
)

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Asks(StrEnum):
    """Whether Postfix as server wants a client certificate (TLS_README)."""

    NOT = "not"
    OPTIONALLY = "smtpd_tls_ask_ccert"
    STRICTLY = "smtpd_tls_req_ccert"


@dataclass(frozen=True)
class Files:
    """PEM material: the chain and key to show, and the authorities to believe."""

    chain: bytes
    key: bytes = field(repr=False)
    roots: bytes


@dataclass(frozen=True)
class Postfix:
    """One running instance."""

    port: int
    directory: Path
    log: Log
    pid: int


@contextmanager
def running(
    settings: Mapping[str, str], files: Mapping[str, bytes] | None = None, services: str = ""
) -> Iterator[Postfix]:
    """Run Postfix with `settings` on top of the base; `files` are written beside main.cf, further
    `services` at the end of master.cf.

    `{dir}` in a value becomes that folder. On leaving, every process and file is gone.
    """
    # Not pytest's tmp_path: that is closed to the user `postfix`.
    folder = Path(tempfile.mkdtemp(prefix="incamail-postfix-"))
    try:
        folder.chmod(0o755)
        for name, content in (files or {}).items():
            _write(folder / name, content)
        _make_queue(folder)
        yield from _run(folder, settings, services)
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, settings: Mapping[str, str], services: str) -> Iterator[Postfix]:
    port = free_port()
    values = _base(folder) | {k: v.replace("{dir}", str(folder)) for k, v in settings.items()}
    main = "".join(f"{key} = {value}\n" for key, value in values.items())
    (folder / "main.cf").write_text(main)
    further = services.replace("{dir}", str(folder))
    (folder / "master.cf").write_text(SERVICES.format(port=port) + further)
    for path in (path for path in folder.iterdir() if path.is_file()):
        os.utime(path, (1, 1))  # Postfix waits two seconds for a file to settle
    log = Log(folder / "mail.log")
    # -d: stay in the foreground
    with started([MASTER, "-c", folder, "-d"], port=port, log=log) as pid:
        yield Postfix(port, folder, log, pid)


def gateway(
    host: str, identity: Files | None, asks: Asks = Asks.NOT
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Settings and files of a client's gateway that takes mail; no `identity`: no TLS at all."""
    settings = {"myhostname": host}
    if identity is None:
        return settings, {}
    settings |= {
        "smtpd_tls_security_level": "encrypt" if asks is Asks.STRICTLY else "may",
        "smtpd_tls_chain_files": "{dir}/key.pem, {dir}/chain.pem",
        "smtpd_tls_CAfile": "{dir}/roots.pem",
        "smtpd_tls_received_header": "yes",
    }
    if asks is not Asks.NOT:
        settings[asks.value] = "yes"
    return settings, _material(identity)


def sender(
    host: str, port: int, *, names: tuple[str, ...], identity: Files, shows: bool = True
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Settings and files of a sending gateway that routes the suffix to 127.0.0.1:`port`.

    The server must prove one of `names`; with `shows`, `identity` is presented as client.
    """
    hop = f"[127.0.0.1]:{port}"
    settings = {
        "myhostname": host,
        "transport_maps": "texthash:{dir}/transport",
        "smtp_tls_policy_maps": "texthash:{dir}/tls_policy",
        "smtp_tls_security_level": "may",
        "smtp_tls_CAfile": "{dir}/roots.pem",
    }
    if shows:
        settings["smtp_tls_chain_files"] = "{dir}/key.pem, {dir}/chain.pem"
    policy = f"{hop} secure match={':'.join(names)} servername={names[0]}\n"
    files = _material(identity) | {
        "transport": f".incamail.ch smtp:{hop}\n".encode(),
        "tls_policy": policy.encode(),
    }
    return settings, files


def _material(identity: Files) -> dict[str, bytes]:
    return {"key.pem": identity.key, "chain.pem": identity.chain, "roots.pem": identity.roots}


def _base(folder: Path) -> dict[str, str]:
    return {
        "compatibility_level": "3.6",
        "command_directory": "/usr/sbin",
        "daemon_directory": str(MASTER.parent),
        "queue_directory": f"{folder}/queue",
        "data_directory": f"{folder}/data",
        "mail_owner": OWNER,
        "setgid_group": GROUP,
        "maillog_file_prefixes": str(folder),
        "maillog_file": f"{folder}/mail.log",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "mydestination": "",
        "alias_maps": "",
        "alias_database": "",
        "relay_domains": "muster.example",
        "transport_maps": "inline:{muster.example=discard:}",
        "message_size_limit": "52428800",
        # No question ever leaves this computer.
        "smtpd_peername_lookup": "no",
        "smtp_dns_support_level": "disabled",
        "smtp_host_lookup": "native",
        "smtpd_tls_loglevel": "1",
        "smtp_tls_loglevel": "1",
        "notify_classes": "",
        "bounce_queue_lifetime": "0",
    }


def _make_queue(folder: Path) -> None:
    (folder / "queue").mkdir()
    (folder / "data").mkdir(mode=0o700)
    shutil.chown(folder / "data", OWNER, "root")
    for name, owner, group, mode in QUEUE:
        place = folder / "queue" / name
        place.mkdir()
        shutil.chown(place, owner, group)
        place.chmod(mode)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600 if "key" in path.name else 0o644)
    path.write_bytes(content)
