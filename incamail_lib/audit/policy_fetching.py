"""Fetch an MTA-STS policy over HTTPS: verified, bounded, without following anybody elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

import httpx

MAX_BYTES = 65_536  # RFC 8461 §3.2 suggests a limit of this size
TIMEOUT_S = 15.0
_STARTS = "text/plain"


@dataclass(frozen=True)
class HttpsFetcher:
    """Gets https://mta-sts.<domain>/.well-known/mta-sts.txt (RFC 8461 §3.3).

    The certificate must be valid for that name, redirects are not followed, and only text/plain
    with status 200 counts. `port`, `address` and `context` are for servers that are not public.
    Errors: OSError (httpx's included) or ValueError with the cause.
    """

    port: int = 443
    address: str | None = None
    context: ssl.SSLContext | None = None

    async def __call__(self, domain: str) -> bytes:
        """The policy document as bytes."""
        name = f"mta-sts.{domain}"
        url = f"https://{self.address or name}:{self.port}/.well-known/mta-sts.txt"
        verify = self.context or ssl.create_default_context()
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),  # in all: a server that drips cannot hold us
                httpx.AsyncClient(verify=verify, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    "GET", url, headers={"Host": name}, extensions={"sni_hostname": name}
                ) as reply,
            ):
                return await _body(reply)
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__}: {error}") from None


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
