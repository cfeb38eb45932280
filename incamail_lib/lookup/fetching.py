"""Fetch an MTA-STS policy over HTTPS: verified, bounded, without following anybody elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass

import dns.asyncresolver
import httpx

from incamail_lib.lookup import look_up
from incamail_lib.reach import NotContacted, Reach

MAX_BYTES = 65_536  # RFC 8461 §3.2 suggests a limit of this size
TIMEOUT_S = 15.0
MAX_ADDRESSES = 4  # tried one after the other, as a browser does
_STARTS = "text/plain"


@dataclass(frozen=True)
class HttpsFetcher:
    """Gets https://mta-sts.<domain>/.well-known/mta-sts.txt (RFC 8461 §3.3).

    The name is asked of `resolver` once, and the connection goes to exactly the address that
    `reach` allowed. The certificate must be valid for the name, redirects are not followed, and
    only text/plain with status 200 counts. `port` and `context` are for servers that are not
    public. Errors: NotContacted, OSError (httpx's included) or ValueError with the cause.
    """

    resolver: dns.asyncresolver.Resolver
    reach: Reach
    port: int = 443
    context: ssl.SSLContext | None = None

    async def __call__(self, domain: str) -> bytes:
        """The policy document as bytes."""
        name = f"mta-sts.{domain}"
        verify = self.context or ssl.create_default_context()
        async with asyncio.timeout(TIMEOUT_S):  # in all: a server that drips cannot hold us
            addresses = await self._addresses(name)
            async with httpx.AsyncClient(
                verify=verify, follow_redirects=False, trust_env=False
            ) as client:
                return await self._from_any(client, name, addresses)

    async def _addresses(self, name: str) -> list[str]:
        """The addresses that may be contacted. Errors: NotContacted, OSError without any."""
        answers = await asyncio.gather(
            *(look_up(name, kind, resolver=self.resolver) for kind in ("A", "AAAA"))
        )
        found = [address for answer in answers for address in answer.records]
        if not found:
            raise OSError(f"{name}: {answers[0].status.value}")
        allowed = [address for address in found if self.reach.allows(address)]
        if not allowed:
            raise NotContacted(", ".join(found[:MAX_ADDRESSES]))
        return allowed[:MAX_ADDRESSES]

    async def _from_any(self, client: httpx.AsyncClient, name: str, addresses: list[str]) -> bytes:
        """From the first address that takes the connection; what it then says is the answer."""
        *others, last = addresses
        try:
            for address in others:
                with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await self._from(client, name, address)
            return await self._from(client, name, last)
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__}: {error}") from None

    async def _from(self, client: httpx.AsyncClient, name: str, address: str) -> bytes:
        host = f"[{address}]" if ":" in address else address
        url = f"https://{host}:{self.port}/.well-known/mta-sts.txt"
        async with client.stream(
            "GET", url, headers={"Host": name}, extensions={"sni_hostname": name}
        ) as reply:
            return await _body(reply)


async def _body(reply: httpx.Response) -> bytes:
    if reply.status_code != httpx.codes.OK:
        raise ValueError(f"HTTP status {reply.status_code}")
    kind = reply.headers.get("content-type", "")
    if not kind.lower().startswith(_STARTS):
        raise ValueError(f"content type «{kind[:60]}» in place of text/plain")
    body = b""
    async for piece in reply.aiter_bytes():
        body += piece
        if len(body) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
    return body
