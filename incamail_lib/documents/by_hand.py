"""The openssl command of guide 8.4, ready to be copied: plain hyphens, and the client certificate.

Files are the dossier's own. A passphrase stands in no command: openssl asks for
it. The guide's own lines have typographic dashes, wait for input and show no certificate.
"""

from __future__ import annotations

import re
import shlex

from incamail_lib.documents.filling import gap_at
from incamail_lib.documents.parts import Basis
from incamail_lib.dossier.model import CertificateFile
from incamail_lib.guide import PlatformGateway
from incamail_lib.i18n import say
from incamail_lib.sheets.model import Block, Code, Paragraph, Section

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def identity_commands(basis: Basis) -> tuple[str, ...]:
    """One line for each of IncaMail's gateways; with the own certificate, where one is named."""
    shown = _shown(basis.dossier.certificates.sending)
    return tuple(_command(gateway, shown) for gateway in basis.platform.gateways)


def by_hand(basis: Basis) -> Section:
    """The commands with what to look for in their output."""
    blocks: list[Block] = [
        Paragraph(
            say(
                "To be entered on the sending gateway. «Verify return code: 0» means that this "
                "computer believes IncaMail's certificate, the answer «221» that IncaMail did not "
                "refuse yours."
            )
        ),
        *(Paragraph(Code(command), "quote") for command in identity_commands(basis)),
    ]
    if basis.dossier.certificates.sending is None:
        field = ("certificates", "sending", "file")
        blocks.append(gap_at(say("file of the certificate for sending"), field))
    blocks.append(
        Paragraph(
            say(
                "openssl asks for the passphrase of an encrypted key. It trusts the roots of this "
                "computer; add -CAfile where IncaMail's root is in another file."
            ),
            "note",
        )
    )
    return Section(say("Looking at IncaMail by hand (guide 8.4)"), tuple(blocks))


def _command(gateway: PlatformGateway, shown: tuple[str, ...]) -> str:
    host = _word(gateway.host)
    words = (
        # QUIT makes the server answer: under TLS 1.3 a refused certificate shows only then.
        "echo QUIT | openssl s_client -starttls smtp -crlf -ign_eof",
        f"-connect {_word(f'{gateway.host}:{gateway.port}')}",
        f"-servername {host} -verify_hostname {host} -verify_return_error -showcerts",
        *shown,
    )
    return " ".join(words)


def _shown(sending: CertificateFile | None) -> tuple[str, ...]:
    """Certificate, its authorities from the same file, and the key."""
    if sending is None:
        return ()
    file, key = _file(str(sending.file)), _file(str(sending.key or sending.file))
    return (f"-cert {file} -cert_chain {file} -key {key}",)


def _file(path: str) -> str:
    """A path as one word: a leading hyphen would be read as an option."""
    return _word(f"./{path}" if path.startswith("-") else path)


def _word(text: str) -> str:
    """One word for the shell: of Windows, where only double quotes hold, or of any other."""
    if _WINDOWS.match(text) and '"' not in text and "%" not in text:
        return f'"{text}"'
    return shlex.quote(text)
