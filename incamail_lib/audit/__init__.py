"""The only place where measuring and judging meet: dossier -> plan -> facts -> audit."""

from typing import TYPE_CHECKING

from incamail_lib.late import late

if TYPE_CHECKING:
    from incamail_lib.audit.evidence import latest_audit
    from incamail_lib.audit.measuring import measure
    from incamail_lib.audit.merging import merged_facts, with_age
    from incamail_lib.audit.planning import Plan, plan
    from incamail_lib.audit.probing import Progress
    from incamail_lib.audit.saving import load_audit, load_facts, read_unchanged, save_record
else:
    __getattr__ = late(
        __name__,
        evidence="latest_audit",
        measuring="measure",
        merging="merged_facts with_age",
        planning="Plan plan",
        probing="Progress",
        saving="load_audit load_facts read_unchanged save_record",
    )

__all__ = [
    "Plan",
    "Progress",
    "latest_audit",
    "load_audit",
    "load_facts",
    "measure",
    "merged_facts",
    "plan",
    "read_unchanged",
    "save_record",
    "with_age",
]
