"""What lies in the store: roots by type, leaves with chains and keys, OCSP responses. Unreadable files are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateInfo,
    CertificateOCSP,
    EncodingFormat,
    LeafCertificateType,
)
from chargebyte_fw.kernel.errors import in_words
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security import ocsp_responses
from chargebyte_fw.modules.security.certificates import Certificate
from chargebyte_fw.modules.security.keys import public_bytes, read_public
from chargebyte_fw.modules.security.layout import (
    CERTIFICATE_SUFFIXES,
    KEY_SUFFIX,
    SUCCESSIONS_FILE,
    Layout,
    Preference,
    files_in,
    read_file,
)
from chargebyte_fw.modules.security.ocsp_responses import Response, Status

SUFFIX = {EncodingFormat.PEM: ".pem", EncodingFormat.DER: ".der"}
ROOT_OF = {
    LeafCertificateType.CSMS: CaCertificateType.CSMS,
    LeafCertificateType.V2G: CaCertificateType.V2G,
    LeafCertificateType.MF: CaCertificateType.MF,
    LeafCertificateType.MO: CaCertificateType.MO,
}


class Leaf(msgspec.Struct):
    """A leaf certificate with the files that begin with it."""

    certificate: Certificate
    chain: list[Certificate] = msgspec.field(default_factory=list)
    single_path: Path | None = None
    chain_path: Path | None = None
    paths: list[Path] = msgspec.field(default_factory=list)
    """All its files, copies among them; those with a chain last, so that it works until the last one is deleted."""


class CertificateStore:
    """Reads the store's files; a file is parsed again only when it has changed."""

    def __init__(
        self,
        layout: Layout,
        password: str,
        complain: Callable[[str], None],
        preference: Preference = Preference.LATEST_BEGIN,
    ) -> None:
        self.layout = layout
        self.password = password
        self.preference = preference
        self.complain = complain
        self._keys: dict[Path, tuple[tuple[int, int], bytes | None]] = {}
        self._parsed: dict[Path, tuple[tuple[int, int], list[Certificate], str]] = {}

    def read(self, path: Path, *, partly: bool = False) -> list[Certificate]:
        """Return the certificates of a file; an unreadable one has none and is complained of once.

        With `partly` the certificates that can be read count, without it a damaged file has none.
        """
        try:
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            known = self._parsed.get(path)
            if known is None or known[0] != mark:
                found, wrong = x509.parse_leniently(read_file(path))
                known = self._parsed[path] = (mark, found, wrong)
        except OSError as error:
            self.complain(f"{path}: {error.strerror or error}")
            return []
        _, found, wrong = known
        if wrong:
            self.complain(f"{path} {wrong}")
        return found if partly or not wrong else []

    def bundle_files(self, kind: CaCertificateType) -> list[Path]:
        """Return the files of one kind of roots."""
        return self.files_of(self.layout.roots[kind])

    def files_of(self, place: Path) -> list[Path]:
        """Return the files of a place of roots."""
        if not place.is_dir():
            return [place] if place.is_file() else []
        found = files_in(place, *CERTIFICATE_SUFFIXES, complain=self.complain)
        return [path for path in found if path.parent == place]

    def vehicle_roots(self, at: datetime | None = None) -> list[Certificate]:
        """Return the roots of vehicle certificates (OEM); with a time, only those valid then."""
        place = self.layout.oem_roots
        found = [each for path in (self.files_of(place) if place else []) for each in self.read(path, partly=True)]
        return [each for each in found if x509.is_self_signed(each) and (at is None or x509.is_valid(each, at))]

    def bundle(self, kind: CaCertificateType) -> list[Certificate]:
        """Return every certificate of one kind of roots, sub-CAs among them."""
        return [certificate for path in self.bundle_files(kind) for certificate in self.read(path, partly=True)]

    def roots(self, kind: CaCertificateType, at: datetime | None = None) -> list[Certificate]:
        """Return the self-signed ones; with a time, only those valid then."""
        return [
            each for each in self.bundle(kind) if self.is_root(each, kind) and (at is None or x509.is_valid(each, at))
        ]

    @property
    def successions_file(self) -> Path:
        """The file of `successions`."""
        place = self.layout.roots[CaCertificateType.CSMS]
        return (place if place.is_dir() else place.parent) / SUCCESSIONS_FILE

    def successions(self) -> list[Certificate]:
        """Return the CSMS' roots that were signed by the root before them, and those: by them the former are named."""
        return self.read(self.successions_file) if self.successions_file.is_file() else []

    def is_root(self, certificate: Certificate, kind: CaCertificateType) -> bool:
        """Return whether a certificate of a bundle is trusted by itself: self-signed, or the successor of a root."""
        if x509.is_self_signed(certificate):
            return True
        return kind is CaCertificateType.CSMS and certificate in self.successions()

    def leaves(self, kind: LeafCertificateType, encoding: EncodingFormat | None = None) -> list[Leaf]:
        """Return the leaves of one kind, the preferred one first; whether they are valid is another question."""
        folder = self.layout.leaves[kind].certificates
        suffixes = CERTIFICATE_SUFFIXES if encoding is None else (SUFFIX[encoding],)
        found: dict[bytes, Leaf] = {}
        for path in files_in(folder, *suffixes, complain=self.complain):
            certificates = self.read(path) if path.parent == folder else []
            if not certificates or x509.is_self_signed(certificates[0]) or x509.is_ca(certificates[0]):
                continue
            leaf = found.setdefault(x509.fingerprint(certificates[0]), Leaf(certificates[0], certificates[:1]))
            if len(certificates) == 1:
                leaf.single_path = leaf.single_path or path
                leaf.paths.insert(0, path)
            else:
                leaf.paths.append(path)
                if leaf.chain_path is None:
                    leaf.chain, leaf.chain_path = certificates, path
        return sorted(found.values(), key=self._rank, reverse=True)

    def _rank(self, leaf: Leaf) -> tuple[datetime, datetime]:
        begin, end = leaf.certificate.not_valid_before_utc, leaf.certificate.not_valid_after_utc
        return (begin, end) if self.preference == Preference.LATEST_BEGIN else (end, begin)

    def root_of(self, leaf: Leaf, kind: LeafCertificateType, at: datetime | None = None) -> Certificate | None:
        """Return the installed root that a leaf leads to; with a time, rather one that is valid then."""
        bundle = self.bundle(ROOT_OF[kind])
        roots = [each for each in bundle if self.is_root(each, ROOT_OF[kind])]
        if at is not None:
            # A root and its successor may have the same name and key.
            roots.sort(key=lambda root: not x509.is_valid(root, at))
        _, path = x509.path_to_root(leaf.certificate, [*leaf.chain[1:], *bundle], roots)
        return path[-1] if path else None

    def everything(self) -> list[Certificate]:
        """Return every root, and every certificate of the charger's own chains but the leaves."""
        found = [each for kind in self.layout.roots for each in self.bundle(kind)] + self.successions()
        for kind in self.layout.leaves:
            found += [each for leaf in self.leaves(kind) for each in leaf.chain[1:]]
        return found

    def names(
        self, chain: Iterable[Certificate], more: Iterable[Certificate]
    ) -> list[tuple[Certificate, CertificateHashData]]:
        """Return each certificate whose issuer is at hand (in the chain or in `more`) with its name."""
        chain = list(chain)
        issuers = x509.Issuers([*chain, *more])
        found = []
        for certificate in chain:
            issuer = issuers.of(certificate)
            if issuer is not None:
                found.append((certificate, x509.hash_data(certificate, issuer)))
        return found

    def key_files(self, kind: LeafCertificateType) -> list[Path]:
        """Return the files of private keys for leaves of this kind."""
        return files_in(self.layout.leaves[kind].keys, KEY_SUFFIX, complain=self.complain)

    def key_of(self, leaf: Leaf, kind: LeafCertificateType) -> Path | None:
        """Return the file of the leaf's private key."""
        return self.find_key(leaf.certificate, kind, leaf.paths[0].stem if leaf.paths else "")

    def find_key(self, certificate: Certificate, kind: LeafCertificateType, stem: str = "") -> Path | None:
        """Return the file of a certificate's key: the one of the same name first, then every other of the folder."""
        wanted = public_bytes(certificate)
        candidates = sorted(self.key_files(kind), key=lambda path: path.stem != stem)
        return next((path for path in candidates if self._public(path) == wanted), None)

    def _public(self, path: Path) -> bytes | None:
        """Return the public half of a key file; opening an encrypted one takes its time, so it is remembered."""
        try:
            stat = path.stat()
        except OSError:
            return None
        mark = (stat.st_mtime_ns, stat.st_size)
        known = self._keys.get(path)
        if known is None or known[0] != mark:
            known = self._keys[path] = (mark, read_public(path, self.password))
        return known[1]

    def info(
        self, leaf: Leaf, key: Path, kind: LeafCertificateType, root: Certificate | None, *, include_ocsp: bool
    ) -> CertificateInfo:
        """Return what a TLS server needs to know of a leaf."""
        found = CertificateInfo(
            key=str(key),
            certificate_count=len(leaf.chain),
            certificate_root=x509.to_pem([root]).decode() if root is not None else None,
            certificate=str(leaf.chain_path) if leaf.chain_path is not None else None,
            certificate_single=str(leaf.single_path) if leaf.single_path is not None else None,
            password=self.password or None,
        )
        if include_ocsp:
            found.ocsp = [
                CertificateOCSP(hash=name, ocsp_path=_text(self.ocsp_file(kind, name)))
                for _, name in self.names(leaf.chain, self.bundle(ROOT_OF[kind]))
            ]
        return found

    def ocsp_file(self, kind: LeafCertificateType, name: CertificateHashData) -> Path | None:
        """Return the file of the OCSP response for a certificate of a chain of this kind."""
        place = self.layout.roots[ROOT_OF[kind]]
        for folder in (self.layout.leaves[kind].certificates, place if place.is_dir() else place.parent):
            if (found := ocsp_responses.file_of(folder, name)) is not None:
                return found
        return None

    def ocsp_response(
        self, kind: LeafCertificateType, certificate: Certificate, issuer: Certificate
    ) -> Response | None:
        """Return what is kept about a certificate; None without a response, also for one that cannot be read."""
        path = self.ocsp_file(kind, x509.hash_data(certificate, issuer))
        if path is None:
            return None
        try:
            return ocsp_responses.read_response(read_file(path), certificate)
        except (OSError, ValueError) as error:
            self.complain(f"the OCSP response {path} is not used: {in_words(error, of_file=False)}")
            return None

    def revoked(self, leaf: Leaf, kind: LeafCertificateType) -> tuple[Certificate, Response] | None:
        """Return the certificate of a chain that its issuer has revoked, with the kept response that states it."""
        issuers = x509.Issuers([*leaf.chain, *self.bundle(ROOT_OF[kind])])
        for certificate in leaf.chain:
            issuer = issuers.of(certificate)
            if issuer is None or issuer == certificate:
                continue
            response = self.ocsp_response(kind, certificate, issuer)
            if response is not None and response.status is Status.REVOKED:
                return certificate, response
        return None


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None
