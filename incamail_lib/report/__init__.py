"""One audit told to people, in one language: chapters as objects that display themselves."""

from incamail_lib.report.chapters import Chapter, Report

__all__ = ["Chapter", "Report"]
