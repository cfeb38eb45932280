"""All organisations of one run on one page: verdicts, changes, certificates, failures, phases."""

from incamail_lib.portfolio.chapters import Portfolio, open_portfolio, portfolio_of

__all__ = ["Portfolio", "open_portfolio", "portfolio_of"]
