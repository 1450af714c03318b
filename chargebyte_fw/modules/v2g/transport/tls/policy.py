"""What a server offers: TLS versions, and the algorithms of ISO 15118-2 and ISO 15118-20 by IANA's numbers."""

from __future__ import annotations

from typing import Literal

import msgspec

Profile = Literal["interoperable", "strict"]
Security = Literal["prohibit", "allow", "force"]
NegotiationStrategy = Literal["ACCEPT_CLIENT_OFFER", "ENFORCE_TLS", "ENFORCE_NO_TLS"]

P256, P384, P521, X448 = 23, 24, 25, 30
GROUP_NAMES = {P256: "P-256", P384: "P-384", P521: "P-521", X448: "X448"}

SUITES_TLS13 = (0x1302, 0x1303)
"""TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 ([V2G20-2458])."""
SUITES_TLS13_NAMES = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
SUITES_TLS12 = (0xC023,)
"""TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 ([V2G2-602]); OpenSSL has 0xC025 (no ephemeral key) no longer."""
SUITES_TLS12_NAMES = "ECDHE-ECDSA-AES128-SHA256"

GROUPS_TLS13: dict[Profile, tuple[int, ...]] = {"strict": (P521, X448), "interoperable": (P521, X448, P256, P384)}
GROUPS_TLS12 = (P256, P384, P521)

ECDSA_P256, ECDSA_P384, ECDSA_P521, ED448 = 0x0403, 0x0503, 0x0603, 0x0808
SIGNATURES_TLS13: dict[Profile, tuple[int, ...]] = {
    "strict": (ECDSA_P521, ED448),
    "interoperable": (ECDSA_P521, ED448, ECDSA_P256, ECDSA_P384),
}
"""[V2G20-2460]; test chains are mostly P-256, so that it is accepted after the standard's own."""
SIGNATURE_NAMES = {
    ECDSA_P521: "ecdsa_secp521r1_sha512",
    ED448: "ed448",
    ECDSA_P256: "ecdsa_secp256r1_sha256",
    ECDSA_P384: "ecdsa_secp384r1_sha384",
}
SIGNATURE_OF_KEY = {"P-256": ECDSA_P256, "P-384": ECDSA_P384, "P-521": ECDSA_P521, "Ed448": ED448}
GROUP_OF_KEY = {"P-256": P256, "P-384": P384, "P-521": P521}


class TlsPolicy(msgspec.Struct, frozen=True):
    """Rules of a server."""

    versions: tuple[str, ...] = ("1.2",)
    """What is offered, best first: ISO 15118-2 has TLS 1.2, ISO 15118-20 TLS 1.3."""
    profile: Profile = "interoperable"
    """`strict`: the algorithms of ISO 15118-20 alone."""

    @property
    def demands_certificates(self) -> bool:
        """Whether a car may have to show a certificate: with TLS 1.3 always ([V2G20-2400]), with TLS 1.2 never."""
        return "1.3" in self.versions


ISO2 = TlsPolicy()
"""DIN SPEC 70121 and ISO 15118-2."""


def iso20(*, enforce_tls_1_3: bool = False, profile: Profile = "interoperable") -> TlsPolicy:
    """Return the rules of a server for ISO 15118-20 and, below TLS 1.3, for ISO 15118-2 ([V2G20-2359])."""
    return TlsPolicy(("1.3",) if enforce_tls_1_3 else ("1.3", "1.2"), profile)


STRATEGIES: dict[NegotiationStrategy, Security] = {
    "ACCEPT_CLIENT_OFFER": "allow",
    "ENFORCE_TLS": "force",
    "ENFORCE_NO_TLS": "prohibit",
}
"""EVerest's `tls_negotiation_strategy` of Evse15118D20 as `tls_security` of EvseV2G."""
