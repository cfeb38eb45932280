"""One message through a real mail server, and certificates as it wants them."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

from cryptography import x509
from mta.postfix import Files

from incamail_lib.lab.authority import Issued, pem_of
from incamail_lib.lab.pki import Pki


def files_of(issued: Issued, lab: Pki) -> Files:
    """PEM material of one certificate, believing the lab's recognised roots."""
    return Files(issued.pem(), issued.key_pem(), pem_of(lab.roots))


def submit(port: int, *recipients: str, subject: str = "<im><c> Test-Mail outbound") -> None:
    """Hand a message to the server on loopback, as a mail client would (guide 8.3)."""
    message = EmailMessage()
    message["From"] = "anna@muster.example"
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject
    message.set_content("This is a test.\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.send_message(message)


def subject_of(certificate: x509.Certificate) -> str:
    """The subject as the lab's records write it."""
    return certificate.subject.rfc4514_string()
