"""What a domain publishes about its mail (SPF, DMARC, MTA-STS, TLS reports, CAA): text <-> meaning.

Pure, on answers that were looked up: the measuring wing learns here what to ask next, and the
judging wing what the answers mean.
"""
