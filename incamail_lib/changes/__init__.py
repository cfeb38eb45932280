"""What changed between two audits of one organisation, as sentences for a client.

A renewal is no alarm. What the passing of time, the rules of the program or the facts about the
platform did is told as theirs: the older facts are judged again by the rules of today, and as of
the later day.
"""

from incamail_lib.changes.comparing import compare, compare_supposed
from incamail_lib.changes.fingerprint import fingerprint
from incamail_lib.changes.model import Change, Kind, alarms

__all__ = ["Change", "Kind", "alarms", "compare", "compare_supposed", "fingerprint"]
