"""What the server answers to a ClientHello: version, chain, group, the demand for a certificate, or an alert. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g.transport.tls import policy as rules
from chargebyte_fw.modules.v2g.transport.tls.alerts import Alert, name_of
from chargebyte_fw.modules.v2g.transport.tls.client_hello import ClientHello, TrustedAuthority
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain
from chargebyte_fw.modules.v2g.transport.tls.policy import TlsPolicy

_GREASE = frozenset(0x0A0A + 0x1010 * number for number in range(16))
"""Numbers that mean nothing (RFC 8701)."""
_KEYS_TLS13 = ("P-521", "Ed448", "P-256", "P-384")
_KEYS_TLS12 = ("P-256", "P-384", "P-521")


class Refused(PeerError):
    """The handshake is refused with an alert."""

    def __init__(self, alert: Alert, what: str) -> None:
        super().__init__("TLS", f"{what}; refused with alert {name_of(alert)}")
        self.alert = alert


class Choice(msgspec.Struct, frozen=True):
    """How the server goes on with a handshake."""

    version: str
    chain: Chain
    group: int | None
    """The one group to offer; None: those of OpenSSL, of which the car has none but X448."""
    demand_certificate: bool
    profile: rules.Profile


def choose(hello: ClientHello, policy: TlsPolicy, chains: Sequence[Chain], *, any_group: bool = False) -> Choice:
    """Return the server's choice; raises Refused. `any_group`: OpenSSL can be restricted to X448 as well.

    `chains` are those that are valid now, best first.
    """
    if not chains:
        raise Refused(Alert.handshake_failure, "there is no certificate chain that is valid now")
    common = [version for version in policy.versions if version in hello.tls_versions]
    if not common:
        offered = ", ".join(hello.tls_versions) or "none that is known"
        raise Refused(Alert.protocol_version, f"the car offers TLS {offered}, served is {', '.join(policy.versions)}")
    reasons = []
    for version in common:
        result = (_tls13 if version == "1.3" else _tls12)(hello, policy, chains, any_group)
        if isinstance(result, Choice):
            return result
        reasons.append(f"TLS {version}: {result}")
    raise Refused(Alert.handshake_failure, "; ".join(reasons))


def _tls13(hello: ClientHello, policy: TlsPolicy, chains: Sequence[Chain], any_group: bool) -> Choice | str:
    if not set(hello.cipher_suites) & set(rules.SUITES_TLS13):
        return f"no common cipher suite among {_numbers(hello.cipher_suites)}"
    allowed = rules.GROUPS_TLS13[policy.profile]
    offered = [group for group in allowed if group in hello.groups]
    if not offered:
        return f"no common group among {_numbers(hello.groups)}"
    signatures = rules.SIGNATURES_TLS13[policy.profile]
    usable = [
        chain
        for chain in chains
        if (scheme := rules.SIGNATURE_OF_KEY.get(chain.key_kind)) in signatures and scheme in hello.signature_algorithms
    ]
    if not usable:
        kinds = ", ".join(sorted({chain.key_kind for chain in chains}))
        return (
            f"no signature algorithm of the car ({_numbers(hello.signature_algorithms)}) fits the chain's key ({kinds})"
        )
    matching = [chain for chain in usable if chain.names & set(hello.certificate_authorities)]
    chain = _preferred(matching or usable, _KEYS_TLS13)
    for group in offered:
        if group != rules.X448 or any_group:
            return Choice("1.3", chain, group, True, policy.profile)
        if set(hello.groups) <= {rules.X448, *_GREASE}:
            return Choice("1.3", chain, None, True, policy.profile)
    return "of the groups that are allowed the car has X448 alone, and this OpenSSL cannot be restricted to it"


def _tls12(hello: ClientHello, policy: TlsPolicy, chains: Sequence[Chain], any_group: bool) -> Choice | str:
    if not set(hello.cipher_suites) & set(rules.SUITES_TLS12):
        return f"no common cipher suite among {_numbers(hello.cipher_suites)}"
    groups = hello.groups or (rules.P256,)
    offered = [group for group in rules.GROUPS_TLS12 if group in groups]
    if not offered:
        return f"no common group among {_numbers(hello.groups)}"
    usable = [chain for chain in chains if rules.GROUP_OF_KEY.get(chain.key_kind) in groups]
    if not usable:
        return f"the car's groups ({_numbers(groups)}) are not those of the chains' keys"
    ecdsa = [algorithm for algorithm in hello.signature_algorithms if algorithm & 0xFF == 3]
    if hello.signature_algorithms and not ecdsa:
        return f"the car verifies no ECDSA signatures ({_numbers(hello.signature_algorithms)})"
    matching = [chain for chain in usable if any(is_authority_of(chain, entry) for entry in hello.trusted_authorities)]
    return Choice("1.2", _preferred(matching or usable, _KEYS_TLS12), offered[0], False, policy.profile)


def is_usable(chain: Chain, policy: TlsPolicy) -> bool:
    """Return whether there may be a car to which these rules show a chain: by the kind of its key."""
    signature = rules.SIGNATURE_OF_KEY.get(chain.key_kind)
    return ("1.3" in policy.versions and signature in rules.SIGNATURES_TLS13[policy.profile]) or (
        "1.2" in policy.versions and chain.key_kind in rules.GROUP_OF_KEY
    )


def is_authority_of(chain: Chain, entry: TrustedAuthority) -> bool:
    """Return whether an entry of trusted_ca_keys names the root of a chain (RFC 6066 clause 6)."""
    import hashlib

    root = chain.root
    if entry.kind == 0:
        return True
    if root is None:
        return False
    match entry.kind:
        case 1:
            return hashlib.sha1(root.public_key, usedforsecurity=False).digest() == entry.value
        case 2:
            return root.subject == entry.value
        case 3:
            return hashlib.sha1(root.certificate, usedforsecurity=False).digest() == entry.value
    return False


def _preferred(chains: Sequence[Chain], kinds: Sequence[str]) -> Chain:
    """Return the first chain with the best kind of key: TLS 1.2 has P-256, TLS 1.3 has P-521."""
    rank = {kind: place for place, kind in enumerate(kinds)}
    return min(chains, key=lambda chain: rank.get(chain.key_kind, len(rank)))


def _numbers(values: Sequence[int]) -> str:
    return ", ".join(f"0x{value:04X}" for value in values[:8]) + (", ..." if len(values) > 8 else "") or "none"
