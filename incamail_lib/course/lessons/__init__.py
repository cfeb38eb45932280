"""All lessons, in their order. Each module is the content of one, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from incamail_lib.course.lesson import Lesson
from incamail_lib.course.lessons.certificate import CERTIFICATE
from incamail_lib.course.lessons.dns import DNS
from incamail_lib.course.lessons.expiry import EXPIRY
from incamail_lib.course.lessons.mutual_tls import MUTUAL_TLS
from incamail_lib.course.lessons.onboarding import ONBOARDING
from incamail_lib.course.lessons.recipients import RECIPIENTS
from incamail_lib.course.lessons.report import REPORT
from incamail_lib.course.lessons.starttls import STARTTLS
from incamail_lib.course.lessons.travel import TRAVEL
from incamail_lib.course.lessons.trust import TRUST

LESSONS: Mapping[str, Lesson] = MappingProxyType(
    {
        lesson.key: lesson
        for lesson in (
            *(TRAVEL, RECIPIENTS, CERTIFICATE),
            *(TRUST, MUTUAL_TLS),
            *(STARTTLS, EXPIRY),
            *(DNS, REPORT),
            *(ONBOARDING,),
        )
    }
)
