"""TLS versions and mutual authentication: who asks whom, and who is let in."""

from __future__ import annotations

from incamail_lib.i18n import N_
from incamail_lib.lab.pki import PLATFORM_ORGANISATION, Variant
from incamail_lib.lab.plan import Judged, Refusal, Version
from incamail_lib.lab.scenario import (
    Arrangement,
    Scenario,
    afterwards,
    also_showing,
    asking,
    both,
    showing,
    speaking,
)
from incamail_lib.lab.scenarios._words import INCONCLUSIVE, NOT_READY, READY, codes

MUTUAL = (
    Scenario(
        name="tls10",
        title=N_("Only TLS 1.0 is spoken"),
        description=N_("The gateway is too old for TLS 1.2."),
        fails=codes("TLS01"),
        verdict=NOT_READY,
        gateways=(speaking(minimum=Version.TLS_1_0, maximum=Version.TLS_1_0),),
    ),
    Scenario(
        name="legacy_tls_still_on",
        title=N_("TLS 1.0 is still switched on"),
        description=N_("The gateway speaks TLS 1.3, but accepts TLS 1.0 as well."),
        fails=codes("TLS03"),
        verdict=READY,
        gateways=(speaking(minimum=Version.TLS_1_0),),
    ),
    Scenario(
        name="dated_cipher",
        title=N_("An old cipher is chosen"),
        description=N_("The gateway knows TLS 1.2 with CBC ciphers only."),
        fails=codes("TLS02 TLS04 TLS08"),
        verdict=READY,
        gateways=(speaking(maximum=Version.TLS_1_2, ciphers="ECDHE+AES+SHA"),),
    ),
    Scenario(
        name="static_rsa",
        title=N_("Keys are exchanged without forward secrecy"),
        description=N_("The gateway knows TLS 1.2 with RSA key exchange only."),
        fails=codes("TLS02 TLS04"),
        verdict=READY,
        gateways=(
            both(
                showing(Variant.RSA),
                speaking(maximum=Version.TLS_1_2, ciphers="AES256-GCM-SHA384"),
            ),
        ),
    ),
    Scenario(
        name="expired_beside_sound",
        title=N_("Of two certificates one has expired"),
        description=N_(
            "The gateway shows a valid EC certificate to most senders, and an RSA certificate that "
            "has expired to the others."
        ),
        fails=codes("CERT07"),
        verdict=NOT_READY,
        gateways=(also_showing(Variant.EXPIRED_RSA),),
    ),
    Scenario(
        name="unequal_machines",
        title=N_("Two unequal machines share one address"),
        description=N_(
            "The first asks for a client certificate, the second does not, and its own certificate "
            "has expired."
        ),
        fails=codes("CERT07 TLS05 TLS17"),
        verdict=NOT_READY,
        gateways=(afterwards(both(showing(Variant.EXPIRED), speaking(client=None))),),
    ),
    Scenario(
        name="asks_late",
        title=N_("The gateway asks for the certificate in a second handshake"),
        description=N_(
            "As old Windows servers do: TLS 1.2 begins without a request, and MAIL is answered "
            "with a second handshake that has one."
        ),
        fails=codes("TLS02 TLS08"),
        verdict=READY,
        gateways=(both(asking(asks_late=True), speaking(maximum=Version.TLS_1_2)),),
    ),
    Scenario(
        name="takes_no_ec_keys",
        title=N_("IncaMail takes RSA certificates only"),
        description=N_(
            "The platform's request names no signature that an EC key can make, so that the "
            "client's certificate is not shown at all; a 250 then says nothing about it."
        ),
        fails=codes(),
        verdict=INCONCLUSIVE,
        platform=both(
            showing(Variant.RSA, organisation=PLATFORM_ORGANISATION),
            speaking(signatures="RSA-PSS+SHA256:RSA+SHA256"),
        ),
    ),
    Scenario(
        name="mutual_not_asked",
        title=N_("The gateway asks for no client certificate"),
        description=N_("TLS works, but IncaMail cannot prove its identity to this gateway."),
        fails=codes("TLS05"),
        verdict=NOT_READY,
        gateways=(speaking(client=None),),
    ),
    Scenario(
        name="accepts_any_certificate",
        title=N_("The gateway accepts any client certificate"),
        description=N_(
            "It asks for a certificate and takes one of an unknown authority as well, so it does "
            "not verify anything."
        ),
        fails=codes("TLS07"),
        verdict=READY,
        gateways=(asking(judged=Judged.NOTHING),),
    ),
    Scenario(
        name="demands_of_everybody",
        title=N_("The gateway demands a certificate of everybody"),
        description=N_(
            "A public mail exchanger refuses every sender without a client certificate in the "
            "handshake; ordinary mail can no longer arrive."
        ),
        fails=codes("TLS06"),
        verdict=NOT_READY,
        gateways=(asking(required=True),),
    ),
    Scenario(
        name="demands_of_everybody_in_smtp",
        title=N_("The gateway demands a certificate of everybody, in SMTP"),
        description=N_(
            "As Postfix does with smtpd_tls_req_ccert: TLS succeeds, then EHLO is answered with "
            "421 for want of a certificate."
        ),
        fails=codes("TLS06"),
        verdict=NOT_READY,
        gateways=(asking(required=True, refusal=Refusal.AT_EHLO),),
    ),
    Scenario(
        name="no_client_certificate",
        title=N_("No client certificate for sending"),
        description=N_(
            "The client has no certificate to show; the platform refuses after a handshake that "
            "seems to succeed (TLS 1.3, alert 116)."
        ),
        fails=codes(),
        verdict=INCONCLUSIVE,
        sending_certificate=None,
    ),
    Scenario(
        name="no_client_certificate_tls12",
        title=N_("No client certificate for sending, TLS 1.2"),
        description=N_("The platform refuses during the handshake (alert 40)."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        sending_certificate=None,
        platform=speaking(maximum=Version.TLS_1_2),
    ),
    Scenario(
        name="no_client_certificate_at_mail",
        title=N_("No client certificate for sending, refused at MAIL"),
        description=N_("TLS and EHLO succeed without a certificate; MAIL is answered with 530."),
        fails=codes(),
        verdict=INCONCLUSIVE,
        sending_certificate=None,
        platform=asking(refusal=Refusal.AT_MAIL_530),
    ),
    Scenario(
        name="server_only_client_certificate",
        title=N_("The client certificate lacks clientAuth"),
        description=N_(
            "The certificate bought for the mail server permits serverAuth only, as public "
            "authorities issue them now; the platform refuses it (alert 43)."
        ),
        fails=codes("CERT22 TLS12"),
        verdict=NOT_READY,
        sending_certificate=Variant.SERVER,
    ),
    Scenario(
        name="server_only_issuing_ca",
        title=N_("The issuing authority lacks clientAuth"),
        description=N_(
            "The certificate itself permits clientAuth, but its issuing authority is restricted to "
            "serverAuth; OpenSSL refuses the whole chain."
        ),
        fails=codes("CERT23 TLS12"),
        verdict=NOT_READY,
        sending_certificate=Variant.SERVER_ONLY_CA,
    ),
    Scenario(
        name="exotic_client_certificate",
        title=N_("The client certificate comes from an exotic authority"),
        description=N_("IncaMail does not recognise the root and refuses (alert 48)."),
        fails=codes("CERT30 TLS12 TLS13"),
        verdict=NOT_READY,
        sending_certificate=Variant.EXOTIC,
    ),
    Scenario(
        name="self_signed_client_certificate",
        title=N_("The client certificate is self-signed"),
        description=N_("A certificate that vouches for itself is refused by the platform."),
        fails=codes("CERT28 TLS12 TLS13"),
        verdict=NOT_READY,
        sending_certificate=Variant.SELF_SIGNED,
    ),
    Scenario(
        name="expired_client_certificate",
        title=N_("The client certificate has expired"),
        description=N_("The certificate for sending ended yesterday."),
        fails=codes("CERT25 TLS12"),
        verdict=NOT_READY,
        sending_certificate=Variant.EXPIRED,
    ),
    Scenario(
        name="expires_before_go_live",
        title=N_("The client certificate ends before go-live"),
        description=N_(
            "The certificate for sending is valid today and will have ended on the go-live date."
        ),
        fails=codes("CERT26 CERT27"),
        verdict=NOT_READY,
        sending_certificate=Variant.NEAR_EXPIRY,
        go_live_in_days=21,
    ),
    Scenario(
        name="client_chain_incomplete",
        title=N_("The client certificate comes without its intermediate"),
        description=N_(
            "The file for sending holds the leaf alone; the platform cannot build the chain."
        ),
        fails=codes("CERT29 TLS12 TLS13"),
        verdict=NOT_READY,
        sending_arrangement=Arrangement.LEAF_ONLY,
    ),
    Scenario(
        name="key_mismatch",
        title=N_("The private key belongs to another certificate"),
        description=N_("Certificate and key of the sending gateway were mixed up at renewal."),
        fails=codes("CERT21"),
        verdict=NOT_READY,
        sending_certificate=Variant.KEY_MISMATCH,
    ),
    Scenario(
        name="no_common_name",
        title=N_("The client certificate has no common name"),
        description=N_(
            "The names stand in the SAN only, as modern certificates have them; the set-up form "
            "of IncaMail asks for a CN."
        ),
        fails=codes("CERT33"),
        verdict=READY,
        sending_certificate=Variant.NO_CN,
    ),
    Scenario(
        name="weak_client_key",
        title=N_("The client certificate's key is too short"),
        description=N_("The certificate for sending holds an RSA key of 1024 bits."),
        fails=codes("CERT31"),
        verdict=READY,  # OpenSSL takes it at security level 1: a recommendation
        sending_certificate=Variant.WEAK_KEY,
    ),
    Scenario(
        name="sha1_client_certificate",
        title=N_("The client certificate is signed with SHA-1"),
        description=N_("An old issuing authority signed the certificate for sending."),
        fails=codes("CERT32"),
        verdict=NOT_READY,
        sending_certificate=Variant.SHA1,
    ),
    Scenario(
        name="damaged_client_certificate",
        title=N_("The file of the client certificate is damaged"),
        description=N_("The file named for sending holds no certificate that can be read."),
        fails=codes("CERT20"),
        verdict=NOT_READY,
        sending_arrangement=Arrangement.NOTHING,
    ),
    Scenario(
        name="one_certificate_for_both",
        title=N_("One certificate serves both directions"),
        description=N_(
            "The receiving gateway's certificate is shown to IncaMail as well; a renewal for one "
            "direction changes the other."
        ),
        fails=codes("CERT34"),
        verdict=READY,
        sending_host="mx1.{domain}",
    ),
)
