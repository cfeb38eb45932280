"""One audit told to people, in one language: chapters as objects that display themselves."""

from typing import TYPE_CHECKING

from incamail_lib.late import late

if TYPE_CHECKING:
    from incamail_lib.report.chapters import Chapter, Report
else:
    __getattr__ = late(__name__, chapters="Chapter Report")

__all__ = ["Chapter", "Report"]
