"""Helper library of IncaMail Runbook: measure, judge and tell a mail gateway's readiness."""
