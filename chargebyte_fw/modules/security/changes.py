"""The commands that change the store: install, delete, request a signature, keep an OCSP response."""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateValidationResult,
    DeleteCertificateResult,
    GetCertificateSignRequestResult,
    GetCertificateSignRequestStatus,
    InstallCertificateResult,
    LeafCertificateType,
)
from chargebyte_fw.kernel.errors import in_words
from chargebyte_fw.kernel.store import write_whole
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security import ocsp_responses
from chargebyte_fw.modules.security.certificate_store import CertificateStore, Leaf
from chargebyte_fw.modules.security.certificates import Certificate
from chargebyte_fw.modules.security.keys import new_key_and_request, public_bytes, read_public_of
from chargebyte_fw.modules.security.layout import (
    KEY_MODE,
    KEY_SUFFIX,
    LEAF_PREFIX,
    OCSP_FOLDER,
    new_name,
    read_file,
    sync,
)
from chargebyte_fw.modules.security.queries import Queries

INSTALL_REASON = {
    CertificateValidationResult.Expired: InstallCertificateResult.Expired,
    CertificateValidationResult.InvalidSignature: InstallCertificateResult.InvalidSignature,
    CertificateValidationResult.InvalidLeafSignature: InstallCertificateResult.InvalidSignature,
    CertificateValidationResult.InvalidChain: InstallCertificateResult.InvalidCertificateChain,
    CertificateValidationResult.IssuerNotFound: InstallCertificateResult.NoRootCertificateInstalled,
    CertificateValidationResult.Unknown: InstallCertificateResult.InvalidFormat,
}

OPERATOR_DOMAINS = {"CPO", "CSO"}
"""DC of a charging station's certificate: ISO 15118-2 ([V2G2-925]) and ISO 15118-20 name the operator differently."""


class Changes:
    """Changes the files of a store; each write is whole or not at all."""

    def __init__(self, store: CertificateStore, chance: random.Random, complain: Callable[[str], None]) -> None:
        self.store = store
        self.pending: dict[Path, float] = {}
        """Keys that wait for their certificate, since when."""
        self._chance = chance
        self._complain = complain

    def install_root(self, pem: str, kind: CaCertificateType, at: datetime) -> InstallCertificateResult:
        """Add roots, or replace those of the same name and key."""
        place = self.store.layout.roots[kind]
        issuer = self._issuer_of_successor(pem, at) if kind is CaCertificateType.CSMS else None
        return self._install_roots(pem, place, f"{kind.value}_ROOT_", at, issuer)

    def _issuer_of_successor(self, pem: str, at: datetime) -> Certificate | None:
        """Return the installed CSMS root that has signed another CA, which is to follow it (OCPP 2.x, M05)."""
        try:
            new = x509.parse(pem.encode())
        except ValueError:
            return None
        if len(new) != 1 or x509.is_self_signed(new[0]) or not x509.is_ca(new[0]):
            return None
        return x509.Issuers(self.store.roots(CaCertificateType.CSMS, at)).of(new[0])

    def install_vehicle_root(self, pem: str, at: datetime) -> InstallCertificateResult:
        """Add roots of vehicle certificates, for which EVerest's interface has no kind."""
        place = self.store.layout.oem_roots
        if place is None:
            return InstallCertificateResult.WriteError
        return self._install_roots(pem, place, "OEM_ROOT_", at)

    def _install_roots(
        self, pem: str, place: Path, prefix: str, at: datetime, issuer: Certificate | None = None
    ) -> InstallCertificateResult:
        if self.store.layout.is_full():
            return InstallCertificateResult.CertificateStoreMaxLengthExceeded
        try:
            new = x509.parse(pem.encode())
        except ValueError:
            new = []
        if not new:
            return InstallCertificateResult.InvalidFormat
        if not all(x509.is_valid(each, at) for each in new):
            return InstallCertificateResult.Expired
        if issuer is None and not all(x509.is_self_signed(each) for each in new):
            # A sub-CA in the bundle could neither be listed nor deleted by its name.
            return InstallCertificateResult.InvalidCertificateChain
        try:
            if issuer is not None:
                known = self.store.successions()
                pair = [each for each in (*new, issuer) if each not in known]
                write_whole(self.store.successions_file, x509.to_pem([*known, *pair]))
            self._put_roots(new, place, prefix, at)
        except OSError as error:
            self._complain(f"a root cannot be written: {in_words(error)}")
            return InstallCertificateResult.WriteError
        return InstallCertificateResult.Accepted

    def _put_roots(self, new: list[Certificate], place: Path, prefix: str, at: datetime) -> None:
        if not place.is_dir():
            # Not by `read`, for which an unreadable bundle has none: the others would be lost.
            there, _ = x509.parse_leniently(read_file(place) if place.exists() else b"")
            write_whole(place, x509.to_pem(_merged(there, new)))
            return
        for certificate in new:
            files = self.store.files_of(place)
            same = (p for p in files if any(_same_authority(old, certificate) for old in self.store.read(p)))
            path = next(same, place / f"{new_name(prefix, at, self._chance)}.pem")
            write_whole(path, x509.to_pem(_merged(self.store.read(path) if path.exists() else [], [certificate])))

    def delete(
        self, name: CertificateHashData
    ) -> tuple[DeleteCertificateResult, list[CaCertificateType | LeafCertificateType]]:
        """Remove a certificate; returns the kinds of certificate that are fewer now."""
        issuers = x509.Issuers(self.store.everything())
        try:
            roots = [kind for kind in self.store.layout.roots if self._delete_root(kind, name, issuers)]
            if roots:
                return DeleteCertificateResult.Accepted, list(roots)
            return self._delete_leaf(name, issuers)
        except OSError as error:
            self._complain(f"a certificate cannot be deleted: {in_words(error)}")
            return DeleteCertificateResult.Failed, []

    def _delete_root(self, kind: CaCertificateType, name: CertificateHashData, issuers: x509.Issuers) -> bool:
        found = False
        for path in self.store.bundle_files(kind):
            there = self.store.read(path, partly=True)
            rest = [each for each in there if not _is_named(each, name, issuers)]
            if len(rest) == len(there):
                continue
            found = True
            if rest or not self.store.layout.roots[kind].is_dir():
                write_whole(path, x509.to_pem(rest))
            else:
                path.unlink()
        return found

    def _delete_leaf(
        self, name: CertificateHashData, issuers: x509.Issuers
    ) -> tuple[DeleteCertificateResult, list[CaCertificateType | LeafCertificateType]]:
        places = self.store.layout.leaves
        csms = places[LeafCertificateType.CSMS].certificates
        # The certificate of the connection to the backend is never deleted, in whose folder ever it lies.
        for kind in (LeafCertificateType.CSMS, LeafCertificateType.V2G):
            hit = [leaf for leaf in self.store.leaves(kind) if any(_is_named(e, name, issuers) for e in leaf.chain)]
            if not hit:
                continue
            if places[kind].certificates == csms:
                return DeleteCertificateResult.Failed, []
            for leaf in hit:
                self.remove(leaf, kind, issuers)
            return DeleteCertificateResult.Accepted, [kind]
        return DeleteCertificateResult.NotFound, []

    def remove(self, leaf: Leaf, kind: LeafCertificateType, issuers: x509.Issuers) -> None:
        """Remove a leaf with its chain, its key unless another leaf has it too, and its OCSP response.

        What is removed first is not needed by what is left, so that it may be interrupted. OSError is the caller's.
        """
        issuer = issuers.of(leaf.certificate)
        key = self.store.key_of(leaf, kind)
        wanted = public_bytes(leaf.certificate)
        for path in leaf.paths:
            path.unlink(missing_ok=True)
        # A disk may keep deletions in another order: a chain without its key would be left.
        sync(self.store.layout.leaves[kind].certificates)
        if key is not None and not any(public_bytes(each.certificate) == wanted for each in self.store.leaves(kind)):
            key.unlink(missing_ok=True)
        if issuer is None:
            return
        if (response := self.store.ocsp_file(kind, x509.hash_data(leaf.certificate, issuer))) is not None:
            response.with_suffix(".hash").unlink(missing_ok=True)
            response.unlink(missing_ok=True)

    def install_leaf(
        self, pem: str, kind: LeafCertificateType, at: datetime, *, key_pem: bytes | None = None
    ) -> InstallCertificateResult:
        """Install a leaf (with its chain) for which a key is waiting, or with the key that comes with it.

        A root in the chain is left out, and sub-CAs are put in order: leaf first, then each by who has issued it.
        """
        if self.store.layout.is_full():
            return InstallCertificateResult.CertificateStoreMaxLengthExceeded
        if kind not in self.store.layout.leaves:
            return InstallCertificateResult.InvalidFormat
        queries = Queries(self.store)
        verdict = queries.verify(pem, [kind], at)
        if verdict is not CertificateValidationResult.Valid:
            return INSTALL_REASON[verdict]
        leaf, *others = x509.parse(pem.encode())
        if x509.is_ca(leaf):
            return InstallCertificateResult.InvalidCertificateChain
        if kind is LeafCertificateType.V2G and not OPERATOR_DOMAINS & set(x509.domains(leaf)):
            self._complain(f"{x509.describe(leaf)} is no certificate of a charging station: its subject has no DC=CPO")
            return InstallCertificateResult.InvalidCommonName
        chain = queries.path(leaf, others, kind, at)[:-1]
        place = self.store.layout.leaves[kind]
        key = self.store.find_key(leaf, kind)
        brought = None if key is not None else key_pem
        if key is None and (brought is None or read_public_of(brought, self.store.password) != public_bytes(leaf)):
            self._complain("a certificate came for which there is no private key that private_key_password opens")
            return InstallCertificateResult.WriteError
        try:
            if brought is not None:
                key = place.keys / (new_name(LEAF_PREFIX[kind], at, self._chance) + KEY_SUFFIX)
                write_whole(key, brought, KEY_MODE)
            self._write_leaf(chain, place.certificates, kind, at)
        except OSError as error:
            self._complain(f"a certificate cannot be written: {in_words(error)}")
            return InstallCertificateResult.WriteError
        if key is not None:
            self.pending.pop(key, None)
        return InstallCertificateResult.Accepted

    def _write_leaf(self, chain: list[Certificate], folder: Path, kind: LeafCertificateType, at: datetime) -> None:
        """Write the chain before the leaf alone: a leaf whose chain is missing would be shown to cars without it."""
        name = new_name(LEAF_PREFIX[kind], at, self._chance)
        chain_path = folder / f"{name.replace(LEAF_PREFIX[kind], f'CPO_CERT_{LEAF_PREFIX[kind]}CHAIN_')}.pem"
        if len(chain) > 1:
            write_whole(chain_path, x509.to_pem(chain))
        try:
            write_whole(folder / f"{name}.pem", x509.to_pem(chain[:1]))
        except OSError:
            chain_path.unlink(missing_ok=True)
            raise

    def request_signature(
        self,
        kind: LeafCertificateType,
        country: str,
        organization: str,
        common: str,
        at: datetime,
        now_s: float,
        *,
        use_tpm: bool,
    ) -> GetCertificateSignRequestResult:
        """Make a key and a signing request for it; a key inside a TPM is not to be had here."""
        status = GetCertificateSignRequestStatus
        if kind not in self.store.layout.leaves:
            return GetCertificateSignRequestResult(status=status.InvalidRequestedType)
        if use_tpm:
            self._complain("a key inside a TPM was asked for, and there is no TPM support")
            return GetCertificateSignRequestResult(status=status.KeyGenError)
        try:
            key, request = new_key_and_request(country, organization, common, self.store.password)
        except ValueError as error:
            self._complain(f"no certificate can be requested: {error}")
            return GetCertificateSignRequestResult(status=status.GenerationError)
        path = self.store.layout.leaves[kind].keys / (new_name(LEAF_PREFIX[kind], at, self._chance) + KEY_SUFFIX)
        try:
            write_whole(path, key, KEY_MODE)
        except OSError as error:
            self._complain(f"a private key cannot be written: {in_words(error)}")
            return GetCertificateSignRequestResult(status=status.KeyGenError)
        self.pending[path] = now_s
        return GetCertificateSignRequestResult(status=status.Accepted, csr=request.decode())

    def keep_ocsp(self, name: CertificateHashData, response: str, at: datetime) -> int:
        """Keep an OCSP response (base64 of the DER) beside each certificate of this name; returns how many places.

        Raises ValueError for text that is no base64, and for a response that cars would not believe.
        """
        try:
            data = base64.b64decode("".join(response.split()), validate=True)
        except binascii.Error as error:
            raise ValueError(f"the OCSP response is no base64: {error}") from error
        issuers = x509.Issuers(self.store.everything())
        place = self.store.layout.roots[CaCertificateType.V2G]
        chains = [each for leaf in self.store.leaves(LeafCertificateType.V2G) for each in leaf.chain]
        places = {
            self.store.layout.leaves[LeafCertificateType.V2G].certificates: chains,
            place if place.is_dir() else place.parent: self.store.bundle(CaCertificateType.V2G),
        }
        kept = 0
        for folder, certificates in places.items():
            named = next((each for each in certificates if _is_named(each, name, issuers)), None)
            if named is None or (issuer := issuers.of(named)) is None:
                continue
            try:
                if ocsp_responses.check_response(data, named, issuer).status is ocsp_responses.Status.UNKNOWN:
                    raise ValueError("the responder does not know it")
            except ValueError as error:
                raise ValueError(f"the OCSP response about {x509.describe(named)} is not kept: {error}") from error
            own = x509.hash_data(named, issuer)
            path = ocsp_responses.file_of(folder, own)
            if path is None:
                path = folder / OCSP_FOLDER / f"{new_name('', at, self._chance)}.der"
            write_whole(path, data)
            write_whole(path.with_suffix(".hash"), ocsp_responses.hash_lines(own))
            kept += 1
        return kept


def _merged(there: list[Certificate], new: list[Certificate]) -> list[Certificate]:
    """Return roots with new ones added, each in the place of the older one of the same authority."""
    found = list(there)
    for certificate in new:
        same = [number for number, old in enumerate(found) if _same_authority(old, certificate)]
        if same:
            found[same[0]] = certificate
        else:
            found.append(certificate)
    return found


def _same_authority(a: Certificate, b: Certificate) -> bool:
    """Return whether two roots are the same issuer: its name and its key."""
    return a.subject == b.subject and a.public_key() == b.public_key()


def _is_named(certificate: Certificate, name: CertificateHashData, issuers: x509.Issuers) -> bool:
    issuer = issuers.of(certificate)
    return issuer is not None and x509.is_named(certificate, issuer, name)
