"""The message with an HTML attachment (guide 2): from outside to an address of the organisation."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from incamail_lib.dossier.agreed import HTML_TEST, AcceptanceTest
from incamail_lib.dossier.model import Submission
from incamail_lib.dossier.words import term
from incamail_lib.facts.delivery import TlsUse
from incamail_lib.i18n import say
from incamail_lib.linktest.words import tls_text
from incamail_lib.runbook.forms.acceptance import RESULT_TONES
from incamail_lib.runbook.forms.fields import not_an_address
from incamail_lib.runbook.forms.link import LinkTest
from incamail_lib.runbook.forms.session import Session
from incamail_lib.runbook.forms.shape import Card, Fact, Input, Part, Row, Width
from incamail_lib.runbook.html_linking import OUTSIDE, HtmlTests


class HtmlTest(LinkTest):
    """One message, composed and shown first; sent through a server outside, on consent only."""

    key = "htmltest"
    template = "htmltest"

    def __init__(self, session: Session) -> None:
        self.html_tests = HtmlTests(session)
        super().__init__(session, self.html_tests)

    def parts(self) -> Sequence[Part]:
        """One line that opens: sender and server, which must be outside, above what every test
        message needs."""
        tell, server = self._tell.gettext, self.html_tests.outside
        uses = tuple((use.value, str(self._tell.told(tls_text(use)))) for use in TlsUse)
        sender = "" if self.html_tests.sender == OUTSIDE else self.html_tests.sender
        half: Width = "half"
        made = (
            Input(
                "from", tell("Sender, outside"), "email", sender, placeholder=OUTSIDE, width=half
            ),
            Input("host", tell("Mail server"), value=server.host, width=half),
            Input("port", tell("Port"), "number", str(server.port), width="short"),
            Input("starttls", "STARTTLS", "choice", server.starttls.value, uses, width="short"),
            Input("user", tell("User"), value=server.user, width="short"),
        )
        parts = (Row(tuple(self.mended(one) for one in made)), *super().parts())
        title = self._tell.gettext("Message with an HTML attachment")
        return [Card("html", title, parts, facts=(self._fact(),))]

    def _fact(self) -> Fact:
        """What became of the test, in the line that opens."""
        known = {test.key: test for test in self._session.dossier.acceptance}
        test = known.get(HTML_TEST) or AcceptanceTest.of(HTML_TEST)
        words = self._tell.told(term(test.result))
        return Fact(self._tell.gettext("Result"), words, RESULT_TONES[test.result])

    def enter(self, name: str, value: str) -> None:
        """Another sender or server; both are the tester's, and no matter of the dossier."""
        if name == "from":
            self._from(value)
        elif name in ("host", "port", "starttls", "user"):
            self._by(name, value.strip())
        else:
            super().enter(name, value)

    def _from(self, value: str) -> None:
        if problem := not_an_address(value):
            self.refuse("from", value, problem)
        else:
            self.refused.pop("from", None)
            self.html_tests.from_(value)

    def _by(self, name: str, value: str) -> None:
        known = self.html_tests.outside.model_dump(mode="json")
        try:
            self.html_tests.by(Submission.model_validate({**known, name: value}))
            self.refused.pop(name, None)
        except ValidationError:
            self.refuse(name, value, say("«{given}» cannot be used here.", given=value))
