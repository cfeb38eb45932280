"""The platform in a box: PKI, mail gateways and DNS on loopback, set up by named scenarios.

pki, authority (certificates) · gateway (SMTP and TLS with declared behaviour) · latency
(round-trip time) · nameserver · scenarios (declarations) · running (start and stop one).
Nothing here leaves the machine: every server listens on 127.0.0.1, on a port chosen free.
"""
