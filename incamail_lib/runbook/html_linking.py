"""The message with an HTML attachment (guide 2), without a form: see `linking`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from incamail_lib.dossier.agreed import HTML_TEST, AcceptanceTest, Direction
from incamail_lib.dossier.model import Submission
from incamail_lib.i18n import Text, say
from incamail_lib.lab.mail import MailFlow
from incamail_lib.linktest import Mta, TestMessage, compose_html
from incamail_lib.runbook.attempts import Key
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.linking import LinkTests

OUTSIDE = "tester@outside.example"


class HtmlTests(LinkTests):
    """The message with an HTML attachment (guide 2): from outside to an address inside, handed to
    the mail server of that sender."""

    direction = Direction.INCOMING

    def __init__(self, session: Session, person: str = "") -> None:
        self.outside = Submission()
        super().__init__(session, person)
        self.sender = OUTSIDE

    @property
    def sample(self) -> str:
        """An address of the organisation that nobody entered."""
        return f"anna.muster@{self.session.dossier.domains[0]}"

    @property
    def submission(self) -> Submission:
        """The server outside; it is the tester's, and no matter of the dossier."""
        return self.outside

    @property
    def is_sample(self) -> bool:
        """Whether sender or recipient is still the example."""
        return self.recipient == self.sample or self.sender == OUTSIDE

    def from_(self, entered: str) -> None:
        """Another sender."""
        self.sender = entered.strip() or OUTSIDE

    def by(self, server: Submission) -> None:
        """Another server outside."""
        self.outside = server

    def compose(self) -> tuple[TestMessage, ...]:
        """The one message. Errors: UsageError for addresses that it may not go from or to."""
        made = compose_html(
            self.sender,
            self.recipient,
            rules=self.rules,
            own_domains=self.session.dossier.domains,
            now=dt.datetime.now(dt.UTC),
            language=self.session.language,
        )
        return (made,)

    def _on_lab(self, flow: MailFlow) -> Mta:
        return flow.outside

    def _key(self, _: TestMessage) -> Key:
        return HTML_TEST

    def _no_server(self) -> Text:
        return say("Nothing is sent yet: enter the mail server of the sender outside.")

    def _server_text(self) -> Text:
        if self.on_lab:
            return say(
                "On the lab a mail server outside and the organisation's receiving gateways are "
                "started for each test; nothing leaves this computer."
            )
        return super()._server_text()

    def _tests(self) -> Iterator[AcceptanceTest]:
        return (test for test in self.session.dossier.acceptance if test.key == HTML_TEST)
