"""Helper library of IncaMail Runbook: measure, judge and tell a mail gateway's readiness."""

__version__ = "0.1.0"
