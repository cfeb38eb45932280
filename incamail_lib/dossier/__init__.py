"""One client's dossier: what the organisation says about itself, read from a YAML file and
written back without losing what people wrote there."""

from incamail_lib.dossier.contradicting import Contradiction, contradictions
from incamail_lib.dossier.decisions import DECISIONS, decided, question_of
from incamail_lib.dossier.merging import Conflict
from incamail_lib.dossier.model import CertificateFile, Dossier, Gateway, Network, Sample
from incamail_lib.dossier.phases import Progress, progress
from incamail_lib.dossier.reading import read_dossier
from incamail_lib.dossier.store import DossierStore, open_store

__all__ = [
    "DECISIONS",
    "CertificateFile",
    "Conflict",
    "Contradiction",
    "Dossier",
    "DossierStore",
    "Gateway",
    "Network",
    "Progress",
    "Sample",
    "contradictions",
    "decided",
    "open_store",
    "progress",
    "question_of",
    "read_dossier",
]
