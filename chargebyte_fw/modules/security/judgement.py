"""Which certificates of the store can be used at a time, and in words why the others cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, LeafCertificateType
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security.certificate_store import CertificateStore, Leaf
from chargebyte_fw.modules.security.layout import TPM_KEY_SUFFIX, files_in

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""No charger with this software has seen an earlier time: the clock has lost it."""


class Obstacle(StrEnum):
    """Why a leaf is not used."""

    EARLY = "early"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NO_KEY = "no key"


class Verdict(msgspec.Struct, frozen=True):
    """Whether a leaf can be used (no obstacle), and the reason in words if not."""

    obstacle: Obstacle | None = None
    reason: str = ""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What can be used at a time, and until when this stays so."""

    roots: dict[CaCertificateType, frozenset[bytes]] = {}
    """Fingerprints of the valid roots of each kind."""
    leaves: dict[LeafCertificateType, frozenset[bytes]] = {}
    """Fingerprints of the usable leaves of each kind."""
    vehicle_roots: frozenset[bytes] = frozenset()
    """Fingerprints of the valid roots of vehicle certificates."""
    until: datetime | None = None
    """When a certificate next becomes valid or expires."""
    clock: str = ""
    """Why the system time cannot be right; empty otherwise."""
    missing: dict[LeafCertificateType, str] = {}
    """For a kind with leaves of which none can be used: why, of the preferred one."""


def judge(store: CertificateStore, leaf: Leaf, kind: LeafCertificateType, at: datetime) -> Verdict:
    """Return whether a leaf can be used at a time."""
    certificate = leaf.certificate
    if at < certificate.not_valid_before_utc:
        return Verdict(Obstacle.EARLY, f"it is valid from {date(certificate.not_valid_before_utc)} on")
    if x509.has_expired(certificate, at):
        return Verdict(Obstacle.EXPIRED, f"it expired on {date(certificate.not_valid_after_utc)}")
    if (revoked := store.revoked(leaf, kind)) is not None:
        which, response = revoked
        whose = "it was" if which == certificate else f"its {x509.common_name(which)} was"
        on = f" on {date(response.revoked_at)}" if response.revoked_at is not None else ""
        return Verdict(Obstacle.REVOKED, f"{whose} revoked by its issuer{on} (OCSP)")
    if store.key_of(leaf, kind) is None:
        folder = store.layout.leaves[kind].keys
        inside = "; keys inside a TPM (.tkey) are not supported" if files_in(folder, TPM_KEY_SUFFIX) else ""
        return Verdict(Obstacle.NO_KEY, f"{folder} has no private key for it that private_key_password opens{inside}")
    return Verdict()


def doubt(store: CertificateStore, at: datetime) -> str:
    """Return why the system time cannot be right, empty if it may be.

    A root that is not valid yet is evidence: it is installed only while it is valid, so the clock has gone back.
    """
    roots = [root for kind in store.layout.roots for root in store.roots(kind)]
    leaves = [leaf.certificate for kind in store.layout.leaves for leaf in store.leaves(kind)]
    early = [each for each in (*leaves, *roots) if at < each.not_valid_before_utc]
    if at >= EARLIEST and not any(each in roots for each in early):
        return ""
    text = f"the system time {date(at)} cannot be right"
    if not early:
        return f"{text}: it is before {date(EARLIEST)}"
    first = early[0]
    return f"{text}: {x509.describe(first)} is valid from {date(first.not_valid_before_utc)} on"


def outlook(store: CertificateStore, at: datetime) -> Outlook:
    """Return what can be used at a time."""
    roots = {ca: frozenset(x509.fingerprint(root) for root in store.roots(ca, at)) for ca in store.layout.roots}
    usable: dict[LeafCertificateType, frozenset[bytes]] = {}
    missing: dict[LeafCertificateType, str] = {}
    changes: list[datetime] = []
    for kind in store.layout.leaves:
        leaves = store.leaves(kind)
        verdicts = [judge(store, leaf, kind, at) for leaf in leaves]
        good = [leaf for leaf, verdict in zip(leaves, verdicts) if verdict.obstacle is None]
        usable[kind] = frozenset(x509.fingerprint(leaf.certificate) for leaf in good)
        if leaves and not good:
            missing[kind] = f"{x509.describe(leaves[0].certificate)}: {verdicts[0].reason}"
    certificates = [each for kind in store.layout.roots for each in store.roots(kind)] + store.vehicle_roots()
    certificates += [leaf.certificate for kind in store.layout.leaves for leaf in store.leaves(kind)]
    for each in certificates:
        changes += [t for t in (each.not_valid_before_utc, each.not_valid_after_utc) if t >= at]
    vehicle_roots = frozenset(x509.fingerprint(root) for root in store.vehicle_roots(at))
    return Outlook(
        roots=roots,
        leaves=usable,
        vehicle_roots=vehicle_roots,
        until=min(changes, default=None),
        clock=doubt(store, at),
        missing=missing,
    )


def date(at: datetime) -> str:
    """Write a time for a line of the log."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
