"""What facts mean: about a hundred small rules, and the fold of their findings into a verdict.

A check enters itself where it is declared, in any module of this folder: to add one is to write
it. All of them are loaded when one of the names below is first asked for.
"""

from typing import TYPE_CHECKING

from incamail_lib.late import late

if TYPE_CHECKING:
    from incamail_lib.checks._core import Check
    from incamail_lib.checks._judging import ALL_CHECKS, judge_domain, judge_facts, of_family
    from incamail_lib.checks._until import until_text
else:
    __getattr__ = late(
        __name__,
        _core="Check",
        _judging="ALL_CHECKS judge_domain judge_facts of_family",
        _until="until_text",
    )

__all__ = ["ALL_CHECKS", "Check", "judge_domain", "judge_facts", "of_family", "until_text"]
