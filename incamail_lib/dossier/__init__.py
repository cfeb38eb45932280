"""One client's dossier: what the organisation says about itself, read from a YAML file."""

from incamail_lib.dossier.model import CertificateFile, Dossier, Gateway, Network, Sample
from incamail_lib.dossier.reading import read_dossier

__all__ = ["CertificateFile", "Dossier", "Gateway", "Network", "Sample", "read_dossier"]
