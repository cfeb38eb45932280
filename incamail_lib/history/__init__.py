"""Runs kept night by night in one SQLite file: what became of each organisation, and what changed.

Facts and audits hold no key and no passphrase, so none comes in here.
"""

from incamail_lib.history.digest import Digest
from incamail_lib.history.recording import Recorded, digests_of, record
from incamail_lib.history.store import History, HistoryError, Run

__all__ = ["Digest", "History", "HistoryError", "Recorded", "Run", "digests_of", "record"]
