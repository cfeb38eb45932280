"""How to find out what stayed unknown: one text for each cause that several checks share."""

from __future__ import annotations

from incamail_lib.i18n import N_

GATEWAY_DIALOGUE = N_(
    "Read in the gateway's log why the connection ended early, and repeat it from outside: "
    "openssl s_client -starttls smtp -connect HOST:25."
)
GATEWAY_CERTIFICATE = N_(
    "Read in the gateway's log why no certificate was shown, and repeat it from outside: "
    "openssl s_client -starttls smtp -showcerts -connect HOST:25."
)
PLATFORM_DIALOGUE = N_(
    "Read in the logs of the sending gateway and of its firewall why the connection ended early, "
    "then measure again there."
)
PLATFORM_CERTIFICATE = N_(
    "Have the certificate shown on the sending gateway: openssl s_client -starttls smtp "
    "-showcerts -connect HOST:25. If none comes, read the firewall's log."
)
SENDING_FILE = N_(
    "Name the certificate of the sending gateway in the dossier (certificates: sending: file), "
    "then run «incamail measure» again where the file can be read."
)
NO_STORE = N_(
    "Name a trust store in the dossier (trust_stores) that can be read where «incamail measure» "
    "runs, then measure again."
)
WHO_ISSUED = N_(
    "Ask the authority that issued the certificate whether it is bound by the rules of the "
    "CA/Browser Forum, and measure again with its root in one of the trust stores."
)
DATES_UNREAD = N_(
    "Look at the dates with «openssl x509 -noout -dates -in FILE» and ask the authority about them."
)
OTHERS_FIRST = N_(
    "First put right what the other findings about this certificate name, then measure again."
)

OTHERS_TELL = N_(
    "No gateway was found to measure; the findings about the DNS tell why. Settle those first, "
    "then measure again."
)
NOT_CLASSIFIED = N_(
    "Describe the rules of the sending mail server in the dossier (routing) and measure again: "
    "the test messages are then judged by them."
)
DECIDE_RULES = N_(
    "Decide by what the sending mail server recognises mail for IncaMail, enter it in the dossier "
    "(routing: method), and measure again."
)
ASK_AGAIN = N_(
    "Repeat the look-up, from another network too (dig NAME TYPE). If it fails there as well, the "
    "name servers of the domain need attention."
)
ALL_EXCHANGERS = N_(
    "Have all MX records of the domain shown (dig DOMAIN MX), remove those that are not in use, "
    "and measure again."
)
SENDING_ADDRESS = N_(
    "Enter the public address of this gateway in the dossier (gateways: sending: addresses), or "
    "publish it in the DNS; then measure again."
)
ONLY_ONE_RECORD = N_("Remove all of these records but one.")
OLDER_FACTS = N_(
    "The facts come from an older version, which did not ask this. Measure again with this one."
)
