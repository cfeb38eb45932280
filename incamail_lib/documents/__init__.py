"""Documents made from a dossier at any time, also from a partial one: HTML, PDF, DOCX, CSV."""

from incamail_lib.documents.collection import KEYS, documents, to_sign
from incamail_lib.documents.matrix import Pair, Side, network_csv, network_pairs, web_pairs
from incamail_lib.documents.parts import Basis
from incamail_lib.documents.rules import SYNTAXES, Syntax, network_rules

__all__ = [
    "KEYS",
    "SYNTAXES",
    "Basis",
    "Pair",
    "Side",
    "Syntax",
    "documents",
    "network_csv",
    "network_pairs",
    "network_rules",
    "to_sign",
    "web_pairs",
]
