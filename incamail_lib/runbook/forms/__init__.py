"""Forms for consultant and client: each object shows itself as a widget and as plain HTML.

A form is a description (`shape`), drawn (`drawing`) and shown by the one widget there is (`panel`);
no other module knows of widgets. State lives in the dossier alone, so that a reload and
"Run All" bring everything back.
"""

from incamail_lib.runbook.forms.session import Session

__all__ = ["Session"]
