"""A real Exim for tests: own configuration, spool, log and free port, all gone afterwards.

Debian's Exim and Postfix packages exclude each other, so `.ci/install` unpacks Exim into the
user's cache folder instead of installing it. This Exim speaks TLS by GnuTLS, not OpenSSL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mta.postfix import Files
from mta.process import Log, free_port, started

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
PROGRAM = CACHE / "incamail-runbook" / "exim" / "usr" / "sbin" / "exim4"
OWNER = "Debian-exim"


class Asks(StrEnum):
    """Whether Exim as server wants a client certificate (specification, chapter 43)."""

    NOT = "not"
    OPTIONALLY = "tls_try_verify_hosts"
    STRICTLY = "tls_verify_hosts"


CONFIGURATION = """\
primary_hostname = {host}
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/log/exim.pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
keep_environment =
add_environment =
# No question ever leaves this computer.
host_lookup =
dns_again_means_nonexist = *
message_size_limit = 50M
log_selector = +tls_cipher +tls_certificate_verified +tls_peerdn +tls_sni +smtp_connection \\
  +smtp_confirmation +incoming_port
acl_smtp_rcpt = accept_all
tls_advertise_hosts = {advertised}
{tls}
begin acl
accept_all:
  accept
begin routers
swallow:
  driver = redirect
  data = :blackhole:
"""
TLS = """\
tls_certificate = {folder}/chain.pem
tls_privatekey = {folder}/key.pem
tls_verify_certificates = {folder}/roots.pem
{asks}
"""


@dataclass(frozen=True)
class Exim:
    """One running instance."""

    port: int
    directory: Path
    log: Log
    pid: int


ROUTING = """\
primary_hostname = out.muster.example
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/log/exim.pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
keep_environment =
add_environment =
exim_path = {program}
queue_only = true
tls_advertise_hosts =
remote_max_parallel = 1
host_lookup =
dns_again_means_nonexist = *
qualify_domain = muster.example
qualify_recipient = muster.example
recipient_unqualified_hosts = *
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_max_unknown_commands = 100000
smtp_max_synprot_errors = 100000
smtputf8_advertise_hosts = *
acl_smtp_rcpt = accept_all
acl_smtp_data = accept_all
begin acl
accept_all:
  accept
begin routers
{routers}
begin rewrite
"""


def deliver(mta: Exim) -> None:
    """One queue run, as root: Exim's own user cannot start the program in the user's cache."""
    command: list[str | Path] = [PROGRAM, "-C", mta.directory / "exim.conf", "-qff"]
    subprocess.run(command, check=True, timeout=300)


def transports(**ports: int) -> str:
    """A transport of each name that hands over to a port on loopback."""
    made = "".join(
        f"{name}:\n  driver = smtp\n  port = {port}\n  allow_localhost\n  hosts_try_chunking =\n"
        for name, port in ports.items()
    )
    return f"begin transports\n{made}"


@contextmanager
def routing(routers: str) -> Iterator[Exim]:
    """Run Exim as a sending gateway with these routers and transports, without TLS."""
    folder = Path(tempfile.mkdtemp(prefix="incamail-exim-"))
    try:
        folder.chmod(0o755)
        for name in ("spool", "log"):
            (folder / name).mkdir()
            shutil.chown(folder / name, OWNER, OWNER)
        port = free_port()
        text = ROUTING.format(folder=folder, port=port, routers=routers, program=PROGRAM)
        (folder / "exim.conf").write_text(text)
        log = Log(folder / "log" / "mainlog")
        with started([PROGRAM, "-C", folder / "exim.conf", "-bdf"], port=port, log=log) as pid:
            yield Exim(port, folder, log, pid)
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(
    host: str, identity: Files | None, asks: Asks = Asks.NOT, *, further: str = ""
) -> Iterator[Exim]:
    """Run Exim as a client's gateway that takes mail; no `identity`: no TLS at all. `further` are
    settings of its main part.

    On leaving, every process and file is gone.
    """
    # Not pytest's tmp_path: that is closed to the user `Debian-exim`.
    folder = Path(tempfile.mkdtemp(prefix="incamail-exim-"))
    try:
        folder.chmod(0o755)
        for name in ("spool", "log"):
            (folder / name).mkdir()
            shutil.chown(folder / name, OWNER, OWNER)
        if identity:
            _write_material(folder, identity)
        yield from _run(folder, host, identity, asks, further=further)
    finally:
        shutil.rmtree(folder)


def _run(
    folder: Path, host: str, identity: Files | None, asks: Asks, *, further: str
) -> Iterator[Exim]:
    port = free_port()
    wanted = "" if asks is Asks.NOT else f"{asks.value} = *"
    tls = (TLS.format(folder=folder, asks=wanted) if identity else "") + further
    configuration = CONFIGURATION.format(
        host=host, folder=folder, port=port, advertised="*" if identity else "", tls=tls
    )
    (folder / "exim.conf").write_text(configuration)
    log = Log(folder / "log" / "mainlog")
    with started([PROGRAM, "-C", folder / "exim.conf", "-bdf"], port=port, log=log) as pid:
        yield Exim(port, folder, log, pid)


def _write_material(folder: Path, identity: Files) -> None:
    for name, content in (
        ("chain.pem", identity.chain),
        ("key.pem", identity.key),
        ("roots.pem", identity.roots),
    ):
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        shutil.chown(path, OWNER, OWNER)  # Exim reads them after it has changed user
