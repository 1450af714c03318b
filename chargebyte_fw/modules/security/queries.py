"""The commands that change nothing: verify, list, find a certificate or its key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateHashDataChain,
    CertificateInfo,
    CertificateType,
    CertificateValidationResult,
    EncodingFormat,
    GetCertificateFullInfoResult,
    GetCertificateInfoResult,
    GetCertificateInfoStatus,
    GetInstalledCertificatesResult,
    GetInstalledCertificatesStatus,
    LeafCertificateType,
    OCSPRequestData,
    OCSPRequestDataList,
)
from chargebyte_fw.kernel.store import write_whole
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security.certificate_store import ROOT_OF, CertificateStore, Leaf
from chargebyte_fw.modules.security.certificates import Certificate
from chargebyte_fw.modules.security.judgement import Obstacle, judge
from chargebyte_fw.modules.security.layout import ANCHORS_FILE, is_name_link, read_file

ROOT_TYPES = {
    CertificateType.V2GRootCertificate: CaCertificateType.V2G,
    CertificateType.MORootCertificate: CaCertificateType.MO,
    CertificateType.CSMSRootCertificate: CaCertificateType.CSMS,
    CertificateType.MFRootCertificate: CaCertificateType.MF,
}


class Queries(msgspec.Struct, frozen=True):
    """Answers from what lies on the store at the time `at`."""

    store: CertificateStore

    def verify(self, pem: str, kinds: list[LeafCertificateType], at: datetime) -> CertificateValidationResult:
        """Return whether a chain (leaf first) leads to an installed, valid root of one of the kinds.

        A certificate that is not valid yet passes: the clock of a charger may be late.
        """
        try:
            chain = x509.parse(pem.encode())
        except ValueError:
            return CertificateValidationResult.Unknown
        if not chain:
            return CertificateValidationResult.Unknown
        if len(chain) > x509.MAX_CHAIN:
            return CertificateValidationResult.InvalidChain
        if x509.has_expired(chain[0], at):
            return CertificateValidationResult.Expired
        anchors = list(dict.fromkeys(ROOT_OF[kind] for kind in kinds))
        roots = [root for kind in anchors for root in self.store.roots(kind, at)]
        others = [*chain[1:], *(each for kind in anchors for each in self.store.bundle(kind))]
        if not roots:
            return CertificateValidationResult.IssuerNotFound
        verdict, _ = x509.path_to_root(chain[0], others, roots)
        if verdict is CertificateValidationResult.InvalidSignature:
            # A successor of the root may have its name and another key.
            older = [root for kind in anchors for root in self.store.roots(kind) if root not in roots]
            if x509.path_to_root(chain[0], others, older)[1]:
                return CertificateValidationResult.IssuerNotFound
        return verdict

    def path(
        self, leaf: Certificate, others: list[Certificate], kind: LeafCertificateType, at: datetime
    ) -> list[Certificate]:
        """Return the path from a leaf to an installed, valid root; empty without one."""
        bundle = self.store.bundle(ROOT_OF[kind])
        return x509.path_to_root(leaf, [*others, *bundle], self.store.roots(ROOT_OF[kind], at))[1]

    def installed(self, kinds: list[CertificateType], at: datetime) -> GetInstalledCertificatesResult:
        """List roots with what they have signed in their bundle, and the charger's own chains."""
        chains: list[CertificateHashDataChain] = []
        for kind in kinds:
            if kind is CertificateType.V2GCertificateChain:
                chains += self._leaf_chains(at)
            else:
                chains += self._root_chains(kind)
        status = GetInstalledCertificatesStatus.Accepted if chains else GetInstalledCertificatesStatus.NotFound
        return GetInstalledCertificatesResult(status=status, certificate_hash_data_chain=chains)

    def own_ocsp_requests(self, at: datetime) -> OCSPRequestDataList:
        """Return what to ask which responder about the charger's own chains."""
        found: list[OCSPRequestData] = []
        bundle = self.store.bundle(CaCertificateType.V2G)
        for leaf in self.store.leaves(LeafCertificateType.V2G):
            if not x509.has_expired(leaf.certificate, at):
                found += self._requests(leaf.chain, bundle, found)
        return OCSPRequestDataList(ocsp_request_data_list=found)

    def contract_ocsp_requests(self, pem: str) -> OCSPRequestDataList:
        """Return what to ask which responder about the chain of a contract, or of a vehicle (ISO 15118-20)."""
        try:
            chain = x509.parse(pem.encode())
        except ValueError:
            chain = []
        pool = [*self.store.bundle(CaCertificateType.V2G), *self.store.bundle(CaCertificateType.MO)]
        pool += self.store.vehicle_roots()
        return OCSPRequestDataList(ocsp_request_data_list=self._requests(chain[: x509.MAX_CHAIN], pool, []))

    def leaf_info(
        self, kind: LeafCertificateType, encoding: EncodingFormat, at: datetime, *, include_ocsp: bool
    ) -> GetCertificateInfoResult:
        """Return the valid leaf that comes first and has its key; for a CSMS an expired one where there is no other."""
        status, infos = self._infos(kind, encoding, at, include_ocsp=include_ocsp)
        return GetCertificateInfoResult(status=status, info=infos[0] if infos else None)

    def all_infos(
        self, kind: LeafCertificateType, encoding: EncodingFormat, at: datetime, *, include_ocsp: bool
    ) -> GetCertificateFullInfoResult:
        """Return the same for each root that a leaf leads to."""
        status, infos = self._infos(kind, encoding, at, include_ocsp=include_ocsp)
        return GetCertificateFullInfoResult(status=status, info=infos)

    def days_left(self, kind: LeafCertificateType, at: datetime) -> int:
        """Return the whole days until the leaf that is used expires, 0 without one."""
        if kind not in self.store.layout.leaves:
            return 0
        leaf = next(iter(self._valid(self.store.leaves(kind), kind, at)), None)
        return (leaf.certificate.not_valid_after_utc - at).days if leaf is not None else 0

    def _valid(self, leaves: list[Leaf], kind: LeafCertificateType, at: datetime) -> Iterator[Leaf]:
        """Return the leaves that are valid and not revoked, in their order."""
        for leaf in leaves:
            verdict = judge(self.store, leaf, kind, at)
            if verdict.obstacle is Obstacle.REVOKED:
                self.store.complain(f"{x509.describe(leaf.certificate)} is not used: {verdict.reason}")
            if verdict.obstacle in (None, Obstacle.NO_KEY):
                yield leaf

    def _expired(self, leaves: list[Leaf], kind: LeafCertificateType, at: datetime) -> list[Leaf]:
        """Return the leaves for a CSMS that have expired, in their order: it decides about them (OCPP, A00.FR.430).

        A charger that was away for longer than its certificate lasts gets another one over that connection.
        """
        if kind is not LeafCertificateType.CSMS:
            return []
        return [leaf for leaf in leaves if judge(self.store, leaf, kind, at).obstacle is Obstacle.EXPIRED]

    def verify_file(self, kind: CaCertificateType, at: datetime) -> str:
        """Return the file with roots of a kind; of a folder, the file of the first valid root; empty without one."""
        place = self.store.layout.roots[kind]
        if not place.is_dir():
            return str(place)
        for path in self.store.bundle_files(kind):
            if any(
                self.store.is_root(each, kind) and x509.is_valid(each, at)
                for each in self.store.read(path, partly=True)
            ):
                return str(path)
        return ""

    def verify_location(self, kind: CaCertificateType, at: datetime) -> str:
        """Return the file with roots, or the folder made fit for OpenSSL to look in; empty without a root.

        For V2G these are the trust anchors of vehicle certificates: with OEM roots installed, V2G and OEM roots in one
        file ([V2G20-2331]). OSError is the caller's.
        """
        roots = self.store.roots(kind, at)
        vehicle_roots = self.store.vehicle_roots(at) if kind is CaCertificateType.V2G else []
        if vehicle_roots and self.store.layout.oem_roots is not None:
            return str(self._write_anchors(self.store.layout.oem_roots, [*roots, *vehicle_roots]))
        if not roots:
            return ""
        place = self.store.layout.roots[kind]
        if place.is_dir():
            self._link_by_name(kind, place)
        return str(place)

    def _write_anchors(self, place: Path, roots: list[Certificate]) -> Path:
        """Write roots of two kinds to a file in a folder of its own, where it is a root of neither."""
        path = (place if place.is_dir() else place.parent) / ANCHORS_FILE
        content = x509.to_pem(roots)
        if not path.is_file() or read_file(path) != content:
            write_whole(path, content)
        return path

    def _root_chains(self, kind: CertificateType) -> list[CertificateHashDataChain]:
        bundle = self.store.bundle(ROOT_TYPES[kind])
        roots = [each for each in bundle if self.store.is_root(each, ROOT_TYPES[kind])]
        issuers = x509.Issuers([*bundle, *self.store.successions()])
        chains = []
        for root in roots:
            family, size = [root], 0
            while len(family) > size:
                size = len(family)
                found = [each for each in bundle if each not in family and each not in roots]
                family += [each for each in found if _parent(each, family) is not None]
            children = [
                x509.hash_data(each, parent) for each in family[1:] if (parent := _parent(each, family)) is not None
            ]
            chains.append(_chain(kind, x509.hash_data(root, issuers.of(root) or root), children))
        return chains

    def _leaf_chains(self, at: datetime) -> list[CertificateHashDataChain]:
        chains = []
        for leaf in self.store.leaves(LeafCertificateType.V2G):
            if x509.is_valid(leaf.certificate, at):
                names = self._names(leaf)
                if names:
                    chains.append(_chain(CertificateType.V2GCertificateChain, names[0], names[1:]))
        return chains

    def _names(self, leaf: Leaf) -> list[CertificateHashData]:
        """Return the names of a leaf and its sub-CAs, without the root."""
        bundle = self.store.bundle(CaCertificateType.V2G)
        return [name for each, name in self.store.names(leaf.chain, bundle) if not x509.is_self_signed(each)]

    def _requests(
        self, chain: list[Certificate], pool: list[Certificate], known: list[OCSPRequestData]
    ) -> list[OCSPRequestData]:
        found: list[OCSPRequestData] = []
        for certificate, name in self.store.names(chain, pool):
            url = x509.ocsp_url(certificate)
            if url is None or x509.is_self_signed(certificate):
                continue
            request = OCSPRequestData(certificate_hash_data=name, responder_url=url)
            if request not in known and request not in found:
                found.append(request)
        return found

    def _infos(
        self, kind: LeafCertificateType, encoding: EncodingFormat, at: datetime, *, include_ocsp: bool
    ) -> tuple[GetCertificateInfoStatus, list[CertificateInfo]]:
        if kind not in self.store.layout.leaves:
            return GetCertificateInfoStatus.Rejected, []
        leaves = self.store.leaves(kind, encoding)
        if not leaves:
            return GetCertificateInfoStatus.NotFound, []
        valid = list(self._valid(leaves, kind, at)) or self._expired(leaves, kind, at)
        if not valid:
            return GetCertificateInfoStatus.NotFoundValid, []
        found: dict[tuple[bytes, str], CertificateInfo] = {}
        rootless: dict[tuple[bytes, str], CertificateInfo] = {}
        for leaf in valid:
            root = self.store.root_of(leaf, kind, at)
            group = found if root is not None else rootless
            mark = x509.fingerprint(root) if root is not None else leaf.chain[-1].issuer.public_bytes()
            # TLS 1.2 and TLS 1.3 may need keys of different kinds below the same root.
            which = (mark, x509.curve(leaf.certificate))
            if which not in group and (key := self.store.key_of(leaf, kind)) is not None:
                group[which] = self.store.info(leaf, key, kind, root, include_ocsp=include_ocsp)
        if not found and not rootless:
            return GetCertificateInfoStatus.PrivateKeyNotFound, []
        return GetCertificateInfoStatus.Accepted, [*found.values(), *rootless.values()]

    def _link_by_name(self, kind: CaCertificateType, folder: Path) -> None:
        """Give each certificate of the folder the link `<hash of its subject>.<n>` under which OpenSSL finds it."""
        wanted: dict[str, str] = {}
        for path in self.store.bundle_files(kind):
            for certificate in self.store.read(path)[:1]:
                digits, number = x509.name_hash(certificate), 0
                while f"{digits}.{number}" in wanted:
                    number += 1
                wanted[f"{digits}.{number}"] = path.name
        for old in folder.iterdir():
            if is_name_link(old) and wanted.get(old.name) != os.readlink(old):
                old.unlink()
        for name, target in wanted.items():
            if not (folder / name).is_symlink():
                os.symlink(target, folder / name)


def _chain(
    kind: CertificateType, name: CertificateHashData, children: list[CertificateHashData]
) -> CertificateHashDataChain:
    return CertificateHashDataChain(
        certificate_type=kind, certificate_hash_data=name, child_certificate_hash_data=children or None
    )


def _parent(certificate: Certificate, family: list[Certificate]) -> Certificate | None:
    return next((each for each in family if each is not certificate and x509.is_issued_by(certificate, each)), None)
