"""All connections to one endpoint, one after the other, bounded together.

The laws, in the order in which they are applied:

1. The first connection, the survey, shows no client certificate: it sees what every sender sees,
   and a server that refuses certificates cannot hide the rest. If nothing at all answers a large
   ClientHello, one without the hybrid group is tried, and all later ones stay small; a server that
   answers neither is judged by the first alone.
2. No STARTTLS, no second connection: every other question needs TLS.
3. One connection for each purpose, never two at a time, in the order of what it tells: the
   client's own certificate, a stranger's, the other key type, the old versions, the smuggled
   command. A server that has had enough on the way then costs the least.
4. A second try is made only where the first leaves the question open by its own kind: closed or
   reset inside TLS without a word (once more, alike), TLS 1.1 not spoken (TLS 1.0 alone), a
   stranger's certificate never shown for want of a fitting key (one of the other type). An answer,
   whatever it is, is never asked again.
5. The server is left alone when it says that it is busy, defends itself or is gone – outside TLS,
   or by a rate limit anywhere; a refusal inside TLS is about the certificate shown and stops
   nothing. So is one that always hangs up inside TLS, with and without a certificate.
6. All connections together take no longer than `limits.address_s`: each gets what is left.

What was not asked is told as not tried, and why; `verdicts` makes nothing of it. Two shorter ways
do not serve: connections side by side look like an attack to a rate limit, and one cannot
answer two questions, since a handshake asks for a certificate once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from incamail_lib.certificate import Credential
from incamail_lib.facts.observation import Observation, Reason, inconclusive, no, yes
from incamail_lib.facts.smtp import EndpointFacts, Purpose, SmtpFacts, Stage, Starttls, Target
from incamail_lib.probe.connection import converse
from incamail_lib.probe.settings import ProbeSettings
from incamail_lib.probe.tls import Offer
from incamail_lib.probe.traffic import Key, Visitor
from incamail_lib.probe.verdicts import IN_TLS, UNEXPLAINED, Visit, not_shown, together

# The order tells most first; a server that has had enough loses us the least.
_ORDER = (
    Purpose.OWN_CERTIFICATE,
    Purpose.FOREIGN_CERTIFICATE,
    Purpose.OTHER_KEY,
    Purpose.LEGACY_TLS,
    Purpose.INJECTION,
)
_SMALL_BYTES = 1_400  # a hello up to this size travels in one packet
_OTHER = {"RSA": "EC", "EC": "RSA"}
# After these the server is left alone: it is busy, defends itself, or is not there.
_LEAVE_ALONE = frozenset(
    {
        *(Reason.GREYLISTED, Reason.RATE_LIMITED, Reason.UNAVAILABLE, Reason.REJECTED),
        *(Reason.TIMEOUT, Reason.REFUSED, Reason.UNREACHABLE, Reason.TOO_MUCH_DATA),
    }
)


async def probe_endpoint(
    target: Target,
    *,
    settings: ProbeSettings,
    own: Credential | None = None,
    now: dt.datetime,
    visitor: Visitor | None = None,
) -> EndpointFacts:
    """Probe `target` for the purposes asked, one connection at a time: six, one for each, and a
    seventh for the second old version; where the server hangs up inside TLS without a word, each
    once more – but not on one that always does. In all no longer than `limits.address_s`.

    `own` is the client's certificate, `settings.foreign` the throw-away control. Trust and name
    are judged by the caller. With a `visitor` the connections are part of a run's traffic: they
    wait for each other, what was made for others serves here, and a server that is busy is asked
    again later. Never raises for what the peer does.
    """

    async def probe(not_before: float) -> EndpointFacts:
        visiting = _Visiting(target, settings, own, now, _Among(visitor, not_before))
        return together(target, await visiting.run())

    return await (visitor.patiently(probe) if visitor else probe(0.0))


@dataclass(frozen=True)
class _Among:
    """The run that the connections are part of, and since when what it knows counts."""

    visitor: Visitor | None = None
    not_before: float = 0.0


class _Visiting:
    """The connections to one endpoint while they are made."""

    def __init__(
        self,
        target: Target,
        settings: ProbeSettings,
        own: Credential | None,
        now: dt.datetime,
        among: _Among | None = None,
    ) -> None:
        self._among = among or _Among()
        self._times: Counter[Key] = Counter()
        self._target = target
        self._settings = settings
        self._own = own
        self._now = now
        self._clock = asyncio.get_running_loop().time
        self._last_moment = self._clock() + settings.limits.address_s
        self._connections: list[SmtpFacts] = []
        self._small = False

    async def run(self) -> Visit:
        """Every connection that is asked for and still welcome."""
        large = await self._survey()
        survey = self._connections[0]
        asked = self._asked(survey)
        left_alone: Reason | None = None
        for purpose in asked:
            if survey.starttls is not Starttls.ACCEPTED:
                break
            left_alone = self._enough()
            if left_alone is not None:
                break
            await self._visit(purpose)
        return Visit(tuple(self._connections), frozenset(asked), left_alone, large)

    def _asked(self, survey: SmtpFacts) -> list[Purpose]:
        possible = {
            Purpose.OWN_CERTIFICATE: self._own is not None,
            Purpose.FOREIGN_CERTIFICATE: self._settings.foreign is not None,
            Purpose.OTHER_KEY: _key_of(survey) in _OTHER,
        }
        wanted = self._settings.purposes
        return [p for p in _ORDER if p in wanted and possible.get(p, True)]

    def _enough(self) -> Reason | None:
        """Why no further connection is made, if so."""
        last = self._connections[-1]
        if _is_to_be_left_alone(last) or _always_hangs_up(self._connections):
            return last.ended
        return Reason.TIMEOUT if self._clock() >= self._last_moment else None

    async def _visit(self, purpose: Purpose) -> None:
        """One connection for `purpose`, and a second where the first leaves the question open."""
        if purpose is Purpose.OTHER_KEY:
            other = _OTHER[_key_of(self._connections[0])]
            await self._talk(purpose, None, Offer(self._small, other))
            return
        found = await self._talk(purpose, self._credential(purpose))
        if self._enough() is not None:
            return
        another = self._settings.foreign_rsa
        if purpose is Purpose.LEGACY_TLS and not (found.tls and found.tls.version):
            await self._talk(Purpose.LEGACY_TLS_1_0)
        elif purpose is Purpose.FOREIGN_CERTIFICATE and another and not_shown(found):
            await self._talk(purpose, another())  # a key of a type that the server asks for

    def _credential(self, purpose: Purpose) -> Credential | None:
        survey = self._connections[0]
        served = survey.tls is not None and survey.tls.accepted.is_yes
        return {
            Purpose.OWN_CERTIFICATE: self._own,
            Purpose.FOREIGN_CERTIFICATE: self._settings.foreign,
            # A server that demands a certificate answers nothing before it has one; any other is
            # asked without, since a certificate that it refuses would hide the answer.
            Purpose.INJECTION: None if served else self._own,
        }.get(purpose)

    async def _survey(self) -> Observation:
        """The connection without a certificate; whether a large hello gets through.

        Where a large hello stays without any answer, one without the hybrid group is tried: with
        it the server is seen after all, and the cause is named.
        """
        first = await self._talk(Purpose.SURVEY)
        size = first.tls.hello_bytes if first.tls else 0
        if size <= _SMALL_BYTES:
            return inconclusive(Reason.NOT_TRIED)
        if not _unanswered(first):
            return yes(Reason.SEEN, f"{size}") if _answered(first) else _open(first)
        if self._clock() >= self._last_moment:
            return _open(first)
        self._small = True
        second = await self._talk(Purpose.SURVEY)
        if second.tls is None or not _answered(second):
            self._small = False
            self._connections = [first]
            return _open(first)
        unanswered = first.model_copy(update={"purpose": Purpose.LARGE_HELLO})
        self._connections = [second, unanswered]
        return no(first.ended, f"{size}/{second.tls.hello_bytes}")

    async def _talk(
        self, purpose: Purpose, credential: Credential | None = None, offer: Offer | None = None
    ) -> SmtpFacts:
        """One connection; closed inside TLS without a reason, it is tried once again."""
        found = await self._once(purpose, credential, offer)
        if found.ended in UNEXPLAINED and found.ended_in in IN_TLS:
            found = await self._once(purpose, credential, offer)
        self._connections.append(found)
        return found

    async def _once(
        self, purpose: Purpose, credential: Credential | None, offer: Offer | None
    ) -> SmtpFacts:
        offered = offer or Offer(self._small)

        async def make() -> SmtpFacts:
            left_s = max(self._last_moment - self._clock(), 0.0)
            asked = self._settings
            limits = asked.limits.at_most(left_s)
            return await converse(
                self._target,
                purpose,
                settings=asked if limits is asked.limits else replace(asked, limits=limits),
                credential=credential,
                offer=offered,
                now=self._now,
            )

        visitor = self._among.visitor
        if visitor is None:
            return await make()
        begun = self._clock()
        key = self._key(purpose, credential, offered)
        found = await visitor.once(key, make, not_before=self._among.not_before)
        # That others had to be waited for is not this server's doing.
        self._last_moment += max(self._clock() - begun - found.elapsed_s, 0.0)
        return found

    def _key(self, purpose: Purpose, credential: Credential | None, offer: Offer) -> Key:
        """All that the answer may depend on; a second try is another connection."""
        asked = self._settings
        key: Key = (
            *(self._target.address, self._target.port, self._target.host, purpose),
            credential.sha256 if credential else "",
            *(offer, asked.ehlo_name, asked.limits, asked.backend),
            *(asked.ask_mail, asked.ask_postmaster),
        )
        self._times[key] += 1
        return (*key, self._times[key])


def _key_of(survey: SmtpFacts) -> str:
    return survey.tls.chain[0].key_type if survey.tls and survey.tls.chain else ""


def _unanswered(survey: SmtpFacts) -> bool:
    """Whether not one byte came back for our hello, and the connection did not survive it."""
    ended = {*UNEXPLAINED, Reason.TIMEOUT}
    return survey.ended_in is Stage.HANDSHAKE and not _answered(survey) and survey.ended in ended


def _answered(connection: SmtpFacts) -> bool:
    return connection.tls is not None and connection.tls.answered


def _open(survey: SmtpFacts) -> Observation:
    return inconclusive(survey.ended, survey.evidence)


def _is_to_be_left_alone(connection: SmtpFacts) -> bool:
    """Busy, defending itself or gone; a refusal inside TLS is about us and no reason to stop."""
    if connection.ended is Reason.RATE_LIMITED:
        return True
    return connection.ended in _LEAVE_ALONE and connection.ended_in not in IN_TLS


def _always_hangs_up(connections: Sequence[SmtpFacts]) -> bool:
    """Without and with a certificate, twice each: nothing more is to be learnt here."""
    silent = [c.ended in UNEXPLAINED and c.ended_in in IN_TLS for c in connections]
    return len(silent) >= 2 and all(silent)
