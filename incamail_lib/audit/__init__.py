"""The only place where measuring and judging meet: dossier -> plan -> facts -> audit."""

from incamail_lib.audit.measuring import Progress, measure
from incamail_lib.audit.merging import merged_facts, with_age
from incamail_lib.audit.planning import Plan, plan
from incamail_lib.audit.saving import load_audit, load_facts, save_record

__all__ = [
    "Plan",
    "Progress",
    "load_audit",
    "load_facts",
    "measure",
    "merged_facts",
    "plan",
    "save_record",
    "with_age",
]
