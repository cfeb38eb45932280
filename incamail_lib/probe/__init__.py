"""Probe one endpoint: own SMTP dialogue over asyncio sockets, TLS in memory, bounded in all."""

from incamail_lib.probe.endpoint import probe_endpoint
from incamail_lib.probe.settings import Limits, ProbeSettings

__all__ = ["Limits", "ProbeSettings", "probe_endpoint"]
