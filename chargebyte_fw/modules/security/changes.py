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
from chargebyte_fw.kernel.store import write_whole
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security.certificate_store import CertificateStore, Leaf, hash_lines
from chargebyte_fw.modules.security.certificates import Certificate
from chargebyte_fw.modules.security.keys import new_key_and_request
from chargebyte_fw.modules.security.layout import KEY_SUFFIX, LEAF_PREFIX, OCSP_FOLDER, new_name
from chargebyte_fw.modules.security.queries import Queries

INSTALL_REASON = {
    CertificateValidationResult.Expired: InstallCertificateResult.Expired,
    CertificateValidationResult.InvalidSignature: InstallCertificateResult.InvalidSignature,
    CertificateValidationResult.InvalidLeafSignature: InstallCertificateResult.InvalidSignature,
    CertificateValidationResult.InvalidChain: InstallCertificateResult.InvalidCertificateChain,
    CertificateValidationResult.IssuerNotFound: InstallCertificateResult.NoRootCertificateInstalled,
    CertificateValidationResult.Unknown: InstallCertificateResult.InvalidFormat,
}


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
        try:
            for certificate in new:
                self._put_root(certificate, kind, at)
        except OSError as error:
            self._complain(f"a root cannot be written: {error}")
            return InstallCertificateResult.WriteError
        return InstallCertificateResult.Accepted

    def _put_root(self, new: Certificate, kind: CaCertificateType, at: datetime) -> None:
        place = self.store.layout.roots[kind]
        for path in self.store.bundle_files(kind):
            there = self.store.read(path)
            if any(_same_authority(old, new) for old in there):
                write_whole(path, x509.to_pem(new if _same_authority(old, new) else old for old in there))
                return
        if place.is_dir():
            name = new_name(f"{kind.value}_ROOT_", at, self._chance)
            write_whole(place / f"{name}.pem", x509.to_pem([new]))
        else:
            write_whole(place, x509.to_pem([*self.store.read(place), new]))

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
            self._complain(f"a certificate cannot be deleted: {error}")
            return DeleteCertificateResult.Failed, []

    def _delete_root(self, kind: CaCertificateType, name: CertificateHashData, issuers: x509.Issuers) -> bool:
        found = False
        for path in self.store.bundle_files(kind):
            there = self.store.read(path)
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
        """Remove a leaf with its chain, its key and its OCSP response. OSError is the caller's."""
        issuer = issuers.of(leaf.certificate)
        key = self.store.key_of(leaf, kind)
        for path in [*leaf.paths, *([key] if key is not None else [])]:
            path.unlink(missing_ok=True)
        if issuer is None:
            return
        folder = self.store.layout.leaves[kind].certificates
        if (response := self.store.ocsp_file(folder, x509.hash_data(leaf.certificate, issuer))) is not None:
            response.unlink(missing_ok=True)
            response.with_suffix(".hash").unlink(missing_ok=True)

    def install_leaf(self, pem: str, kind: LeafCertificateType, at: datetime) -> InstallCertificateResult:
        """Install a leaf (with its chain) for which a key is waiting."""
        if self.store.layout.is_full():
            return InstallCertificateResult.CertificateStoreMaxLengthExceeded
        if kind not in self.store.layout.leaves:
            return InstallCertificateResult.InvalidFormat
        verdict = Queries(self.store).verify(pem, [kind], at)
        if verdict is not CertificateValidationResult.Valid:
            return INSTALL_REASON[verdict]
        chain = x509.parse(pem.encode())
        place = self.store.layout.leaves[kind]
        key = self.store.find_key(chain[0], kind)
        if key is None:
            self._complain("a certificate came for which there is no private key")
            return InstallCertificateResult.WriteError
        name = new_name(LEAF_PREFIX[kind], at, self._chance)
        try:
            write_whole(place.certificates / f"{name}.pem", x509.to_pem(chain[:1]))
            if len(chain) > 1:
                chain_name = name.replace(LEAF_PREFIX[kind], f"CPO_CERT_{LEAF_PREFIX[kind]}CHAIN_")
                write_whole(place.certificates / f"{chain_name}.pem", x509.to_pem(chain))
        except OSError as error:
            self._complain(f"a certificate cannot be written: {error}")
            return InstallCertificateResult.WriteError
        self.pending.pop(key, None)
        return InstallCertificateResult.Accepted

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
            write_whole(path, key, 0o600)
        except OSError as error:
            self._complain(f"a private key cannot be written: {error}")
            return GetCertificateSignRequestResult(status=status.KeyGenError)
        self.pending[path] = now_s
        return GetCertificateSignRequestResult(status=status.Accepted, csr=request.decode())

    def keep_ocsp(self, name: CertificateHashData, response: str, at: datetime) -> int:
        """Keep an OCSP response (base64 of the DER) beside each certificate of this name; returns how many places.

        Raises ValueError for text that is no base64.
        """
        try:
            data = base64.b64decode("".join(response.split()), validate=True)
        except binascii.Error as error:
            raise ValueError(f"the OCSP response is no base64: {error}") from error
        issuers = x509.Issuers(self.store.everything())
        folders: list[Path] = []
        leaves = self.store.leaves(LeafCertificateType.V2G)
        if any(_is_named(each, name, issuers) for leaf in leaves for each in leaf.chain):
            folders.append(self.store.layout.leaves[LeafCertificateType.V2G].certificates)
        if any(_is_named(each, name, issuers) for each in self.store.bundle(CaCertificateType.V2G)):
            place = self.store.layout.roots[CaCertificateType.V2G]
            folders.append(place if place.is_dir() else place.parent)
        for folder in folders:
            path = self.store.ocsp_file(folder, name) or folder / OCSP_FOLDER / f"{new_name('', at, self._chance)}.der"
            write_whole(path, data)
            write_whole(path.with_suffix(".hash"), hash_lines(name))
        return len(folders)


def _same_authority(a: Certificate, b: Certificate) -> bool:
    """Return whether two roots are the same issuer: its name and its key."""
    return a.subject == b.subject and a.public_key() == b.public_key()


def _is_named(certificate: Certificate, name: CertificateHashData, issuers: x509.Issuers) -> bool:
    issuer = issuers.of(certificate)
    return issuer is not None and x509.is_named(certificate, issuer, name)
