"""Faulty server certificates at the client's gateway."""

from __future__ import annotations

from incamail_lib.i18n import N_
from incamail_lib.lab.pki import Variant
from incamail_lib.lab.scenario import Arrangement, Scenario, showing
from incamail_lib.lab.scenarios._words import NOT_READY, READY, codes

CERTIFICATES = (
    Scenario(
        name="expired",
        title=N_("The gateway's certificate has expired"),
        description=N_("It ended yesterday; a renewal was forgotten."),
        fails=codes("CERT07"),
        verdict=NOT_READY,
        gateways=(showing(Variant.EXPIRED),),
    ),
    Scenario(
        name="not_yet_valid",
        title=N_("The gateway's certificate is not valid yet"),
        description=N_("Its validity begins in three days."),
        fails=codes("CERT07"),
        verdict=NOT_READY,
        gateways=(showing(Variant.NOT_YET_VALID),),
    ),
    Scenario(
        name="near_expiry",
        title=N_("The gateway's certificate ends soon"),
        description=N_("It is valid for ten more days and must be renewed before go-live."),
        fails=codes("CERT08 CERT09"),
        verdict=NOT_READY,
        gateways=(showing(Variant.NEAR_EXPIRY),),
    ),
    Scenario(
        name="self_signed",
        title=N_("The gateway's certificate is self-signed"),
        description=N_("The appliance still shows the certificate it made at installation."),
        fails=codes("CERT02"),
        verdict=NOT_READY,
        gateways=(showing(Variant.SELF_SIGNED),),
    ),
    Scenario(
        name="exotic_ca",
        title=N_("The gateway's certificate comes from an exotic authority"),
        description=N_("The chain is complete, but nobody knows its root."),
        fails=codes("CERT04"),
        verdict=NOT_READY,
        gateways=(showing(Variant.EXOTIC),),
    ),
    Scenario(
        name="wrong_name",
        title=N_("The gateway's certificate is made out for another name"),
        description=N_("It names the web server of the same organisation."),
        fails=codes("CERT06"),
        verdict=NOT_READY,
        gateways=(showing(Variant.WRONG_NAME),),
    ),
    Scenario(
        name="name_in_cn_only",
        title=N_("The gateway's name stands in the common name only"),
        description=N_("There is no subject alternative name, so that no client finds a name."),
        fails=codes("CERT06"),
        verdict=NOT_READY,
        gateways=(showing(Variant.CN_ONLY),),
    ),
    Scenario(
        name="missing_intermediate",
        title=N_("The gateway does not send its intermediate certificate"),
        description=N_("The leaf comes alone; most senders cannot build a path to the root."),
        fails=codes("CERT03"),
        verdict=NOT_READY,
        gateways=(showing(Variant.BOTH, Arrangement.LEAF_ONLY),),
    ),
    Scenario(
        name="wrong_order_with_root",
        title=N_("The chain is in the wrong order and holds the root"),
        description=N_(
            "The root comes before the intermediate. Most software sorts this out, some does not."
        ),
        fails=codes("CERT13 CERT14"),
        verdict=READY,
        gateways=(showing(Variant.BOTH, Arrangement.WRONG_ORDER_WITH_ROOT),),
    ),
    Scenario(
        name="weak_key",
        title=N_("The gateway's key is too short"),
        description=N_("The certificate holds an RSA key of 1024 bits."),
        fails=codes("CERT10"),
        verdict=READY,  # OpenSSL takes it at security level 1: a recommendation
        gateways=(showing(Variant.WEAK_KEY),),
    ),
    Scenario(
        name="sha1_signature",
        title=N_("The gateway's certificate is signed with SHA-1"),
        description=N_("An old issuing authority signed it; no store trusts SHA-1 any more."),
        fails=codes("CERT11"),
        verdict=NOT_READY,
        gateways=(showing(Variant.SHA1),),
    ),
    Scenario(
        name="overlong",
        title=N_("The gateway's certificate lives too long"),
        description=N_("It was issued for 398 days, where 200 are allowed since 15 March 2026."),
        fails=codes("CERT15"),
        verdict=READY,
        gateways=(showing(Variant.OVERLONG),),
    ),
    Scenario(
        name="client_only_certificate",
        title=N_("The gateway's certificate is for clients only"),
        description=N_("It permits clientAuth and not serverAuth."),
        fails=codes("CERT12"),
        verdict=NOT_READY,
        gateways=(showing(Variant.CLIENT),),
    ),
    Scenario(
        name="renewal_due",
        title=N_("The gateway's certificate must be renewed soon after go-live"),
        description=N_("It is valid for ten more days; go-live is in five."),
        fails=codes("CERT09"),
        verdict=READY,
        gateways=(showing(Variant.NEAR_EXPIRY),),
        go_live_in_days=5,
    ),
    Scenario(
        name="other_certificate_shown",
        title=N_("The gateway shows another certificate than the one handed over"),
        description=N_("The file given for receiving is not what the gateway shows."),
        fails=codes("CERT17"),
        verdict=READY,
        receiving_certificate=Variant.SERVER,
    ),
)
