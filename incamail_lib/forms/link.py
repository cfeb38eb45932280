"""The link test of guide 8.3: composed and classified first, sent only on consent."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence

import ipywidgets as widgets

from incamail_lib.dossier.progress import AcceptanceTest, Audience, Direction, Kind, TestResult
from incamail_lib.errors import IncaMailError
from incamail_lib.facts.delivery import Delivery, DeliveryOutcome
from incamail_lib.facts.routing import RuleSet
from incamail_lib.forms.desk import Desk
from incamail_lib.forms.papers import written
from incamail_lib.forms.view import View, column, half, html, row, wide
from incamail_lib.i18n import N_
from incamail_lib.linktest import (
    Consent,
    Mta,
    TestMessage,
    TlsUse,
    compose_all,
    delivery_text,
    save,
    send,
)
from incamail_lib.report.language import voice
from incamail_lib.report.pages import render

LONG = {"description_width": "12rem"}
SAMPLE = "partner@recipient.example"  # reserved by RFC 2606: reaches nobody
_TLS = (
    (TlsUse.REQUIRED, N_("required")),
    (TlsUse.OPPORTUNISTIC, N_("if offered")),
    (TlsUse.OFF, N_("off")),
)


class LinkTest(View):
    """The three test messages, where they would go, and what became of those that were sent."""

    key = "linktest"

    def __init__(self, desk: Desk, rules: RuleSet) -> None:
        super().__init__(desk.language, interactive=desk.interactive)
        self._desk, self._rules = desk, rules
        self._tell = voice(desk.language)
        self.recipient = SAMPLE
        self.deliveries: list[Delivery] = []
        self.task: asyncio.Task[None] | None = None

    def compose(self) -> tuple[TestMessage, ...]:
        """The messages to the recipient entered. Errors: UsageError for what cannot be sent."""
        dossier = self._desk.dossier
        return compose_all(
            dossier.sender or f"postmaster@{dossier.domains[0]}",
            [self.recipient],
            rules=self._rules,
            own_domains=dossier.domains,
            now=dt.datetime.now(dt.UTC),
        )

    def static(self) -> str:
        """Messages and their routes; or what keeps them from being composed."""
        try:
            messages: Sequence[TestMessage] = self.compose()
            problem = ""
        except IncaMailError as error:
            messages, problem = (), self._tell.told(error.text)
        told = [self._tell.told(delivery_text(delivery)) for delivery in self.deliveries]
        return render(
            "linktest",
            self.language,
            messages=messages,
            problem=problem,
            is_sample=self.recipient == SAMPLE,
            deliveries=told,
        )

    def build(self) -> widgets.Widget:
        """Recipient and server, a consent for each message, and the buttons."""
        tell = self._tell.gettext
        self.shown, self.status = html(), html()
        self.to = widgets.Text(
            description=tell("Recipient"),
            placeholder=SAMPLE,
            continuous_update=False,
            style=LONG,
            layout=wide(),
        )
        self.to.observe(lambda change: self._to(str(change["new"])), "value")
        self.host = widgets.Text(description=tell("Mail server"), style=LONG, layout=half())
        self.port = widgets.BoundedIntText(
            value=25, min=1, max=65535, description=tell("Port"), style=LONG
        )
        options = [(tell(text), use) for use, text in _TLS]
        self.tls = widgets.Dropdown(options=options, description="STARTTLS", style=LONG)
        self.user = widgets.Text(description=tell("User"), style=LONG, layout=half())
        self.password = widgets.Password(description=tell("Password"), style=LONG, layout=half())
        self.consents = column()
        self.send = widgets.Button(
            description=tell("Send what I agreed to"), layout=widgets.Layout(width="fit-content")
        )
        self.keep = widgets.Button(
            description=tell("Save as .eml"), layout=widgets.Layout(width="fit-content")
        )
        self.send.on_click(lambda _: self.begin())
        self.keep.on_click(lambda _: self._kept())
        self._to("")
        server = (row(self.host, self.port), row(self.tls), row(self.user, self.password))
        buttons = row(self.send, self.keep)
        return column(self.to, self.shown, *server, self.consents, buttons, self.status)

    def _to(self, entered: str) -> None:
        self.recipient = entered.strip() or SAMPLE
        try:
            self.messages = self.compose()
        except IncaMailError:
            self.messages = ()
        self.boxes = [
            widgets.Checkbox(description=self._consent_words(m), indent=False, layout=wide())
            for m in self.messages
            if self.recipient != SAMPLE
        ]
        self.consents.children = tuple(self.boxes)
        self.shown.value = self.framed()

    def _consent_words(self, test: TestMessage) -> str:
        return self._tell.say(
            "I agree that «{subject}» is sent to {recipient}",
            subject=str(test.message["Subject"]),
            recipient=test.recipient,
        )

    def _kept(self) -> None:
        try:
            files = [save(test, self._desk.output / "messages") for test in self.messages]
            text = written(files, self.language) if files else ""
        except IncaMailError as error:
            text = self._tell.told(error.text)
        self._say(text)

    def begin(self) -> None:
        """Send the messages agreed to, one after the other, in the kernel's own loop."""
        agreed = [test for test, box in zip(self.messages, self.boxes, strict=False) if box.value]
        if not agreed:
            self._say(self._tell.gettext("Nothing was sent: agree to a message first."))
        elif self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._run(agreed))

    async def _run(self, agreed: Sequence[TestMessage]) -> None:
        secret = self.password.value
        self.password.value = ""
        try:
            server = Mta(
                self.host.value.strip(),
                self.port.value,
                starttls=self.tls.value,
                user=self.user.value,
                password=(lambda: secret) if secret else None,
                only_here=self._desk.dossier.platform == "lab",
            )
            for test in agreed:
                delivery = await self._sent(test, server)
                self.deliveries.append(delivery)
                self._record(test, delivery)
        except IncaMailError as error:
            self._say(self._tell.told(error.text))
        self._to(self.to.value)

    async def _sent(self, test: TestMessage, server: Mta) -> Delivery:
        now = dt.datetime.now(dt.UTC)
        consent = Consent(
            message_id=test.message_id,
            recipient=test.recipient,
            agreed_by=self._desk.who,
            agreed_at=now,
        )
        return await send(test.message, recipient=test.recipient, server=server, consent=consent)

    def _record(self, test: TestMessage, delivery: Delivery) -> None:
        """Note the hand-over with its acceptance test; whether it arrived is said by a person."""
        key = (Direction.OUTGOING, Kind(test.sending_type.value), Audience.EXTERNAL)
        known = {t.key: t for t in self._desk.dossier.acceptance}
        before = known.get(key) or AcceptanceTest(direction=key[0], kind=key[1], audience=key[2])
        accepted = delivery.outcome is DeliveryOutcome.ACCEPTED
        known[key] = before.model_copy(
            update={
                "message_id": delivery.message_id,
                "smtp_reply": delivery.reply.text if delivery.reply else delivery.evidence,
                "tested_at": delivery.started_at.replace(microsecond=0),
                "tested_by": self._desk.who,
                "result": before.result if accepted else TestResult.FAILED,
            }
        )
        plain = [t.model_dump(mode="json", exclude_defaults=True) for t in known.values()]
        problem = self._desk.put(("acceptance",), plain)
        self._say(self._tell.told(problem or delivery_text(delivery)))

    def _say(self, text: str) -> None:
        self.status.value = render("status", self.language, text=text)
