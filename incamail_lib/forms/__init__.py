"""Forms for consultant and client: each object shows itself as a widget and as plain HTML.

The only room that imports ipywidgets. State lives in the dossier alone, so that a reload and
"Run All" bring everything back.
"""

from incamail_lib.forms.desk import Desk

__all__ = ["Desk"]
