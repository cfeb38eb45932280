"""Whose an exchanger is, by its name: providers are recognised, strangers are not guessed."""

from __future__ import annotations

import pytest

from incamail_lib.guide.hosted import hosted_by, hosted_gateways

COMMON = {
    "muster-ch.mail.protection.outlook.com": "Microsoft",
    "aspmx.l.google.com": "Google",
    "mxa-001.pphosted.com": "Proofpoint",
    "eu-smtp-inbound-1.mimecast.com": "Mimecast",
    "d1.ess.barracudanetworks.com": "Barracuda",
    "mx1.hc1-55.eu.iphmx.com": "Cisco",
    "muster.in.tmes.trendmicro.eu": "Trend Micro",
    "mx-01-eu-central-1.prod.hydra.sophos.com": "Sophos",
    "mx01.hornetsecurity.com": "Hornetsecurity",
    "gate.seppmail.cloud": "SEPPmail",
    "mx1.retarus.com": "Retarus",
    "cluster1.eu.messagelabs.com": "Symantec",
    "route1.mx.cloudflare.net": "Cloudflare",
    "mx.zoho.eu": "Zoho",
    "mta-gw.infomaniak.ch": "Infomaniak",
    "mx1.mail.hostpoint.ch": "Hostpoint",
    "mail.cyon.ch": "cyon",
    "gwch123.fortimailcloud.com": "Forti",
    "muster-ch.cloud.nospamproxy.com": "NoSpamProxy",
    "cust12345-1.in.mailcontrol.com": "Forcepoint",
    "mx.spamexperts.com": "SpamExperts",
    "mx1.antispamcloud.com": "SpamExperts",
    "mx1-eu.mtaroutes.com": "Mail Assure",
    "mx1.emailsrvr.com": "Rackspace",
    "mx1.hin.ch": "HIN",
    "mailsec.protonmail.ch": "Proton",
    "mxzhb.bluewin.ch": "Swisscom",
    "mx.green.ch": "green",
    "mail.metanet.ch": "METANET",
    "ms1.webland.ch": "Webland",
    "mx00.ionos.de": "IONOS",
    "mx01.kundenserver.de": "IONOS",
    "mx0.mail.ovh.net": "OVH",
    "spool.mail.gandi.net": "Gandi",
    "smtpin.rzone.de": "STRATO",
    "www123.your-server.de": "Hetzner",
    "inbound-smtp.eu-west-1.amazonaws.com": "Amazon",
    "mxa.mailgun.org": "Mailgun",
    "mx.sendgrid.net": "SendGrid",
    "in1-smtp.messagingengine.com": "Fastmail",
    "mxext1.mailbox.org": "mailbox.org",
    "mail.tutanota.de": "Tuta",
    "mx01.mail.icloud.com": "iCloud",
    "smtp.secureserver.net": "GoDaddy",
    "mx1.privateemail.com": "Namecheap",
    "aspmx1.migadu.com": "Migadu",
    "w0123.kasserver.com": "all-inkl",
    "mx00.udag.de": "united-domains",
    "mx1.a1.net": "A1",
    "mx1.expurgate.net": "eXpurgate",
    "mx.aruba.it": "Aruba",
    "mx1.mail.transip.email": "TransIP",
    "mx1.pub.mailpod1-cph3.one.com": "one.com",
    "mx.mailprotect.be": "Combell",
    "mx1.titan.email": "Titan",
    "mx1.hostinger.com": "Hostinger",
    "mx.yandex.net": "Yandex",
    "mta5.am0.yahoodns.net": "Yahoo",
    "mx1.esvacloud.com": "Libraesva",
    "primary.us.email.fireeyecloud.com": "Trellix",
}


@pytest.mark.parametrize(("host", "provider"), COMMON.items())
def test_a_common_provider_is_recognised(host: str, provider: str) -> None:
    """By the end of the name, on label borders, in any case of letters."""
    for spelt in (host, f"{host.upper()}."):
        found = hosted_by(spelt)
        assert found is not None
        assert provider in found.provider


def test_a_name_that_only_ends_alike_is_nobodys() -> None:
    """notbluewin.ch is not bluewin.ch, and a suffix in front proves nothing."""
    assert hosted_by("mx.notbluewin.ch") is None
    assert hosted_by("mx1.hin.ch.muster.example") is None
    assert hosted_by("mx1.muster.example") is None


def test_each_entry_stands_for_itself() -> None:
    """Every provider has a source, and no suffix belongs to two."""
    entries = hosted_gateways()
    suffixes = [s for e in entries for s in e.suffixes]
    assert len(COMMON) >= 55
    assert len(entries) >= 55
    assert len(suffixes) == len(set(suffixes))
    assert all(e.source.strip() and e.provider.strip() for e in entries)
    assert all(s == s.lower() and not s.startswith(".") and "." in s for s in suffixes)
