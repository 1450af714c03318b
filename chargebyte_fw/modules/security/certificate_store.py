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
    HashAlgorithm,
    LeafCertificateType,
)
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security.certificates import Certificate
from chargebyte_fw.modules.security.keys import public_bytes, read_public
from chargebyte_fw.modules.security.layout import (
    CERTIFICATE_SUFFIXES,
    KEY_SUFFIX,
    OCSP_FOLDER,
    Layout,
    files_in,
    read_file,
)

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

    @property
    def paths(self) -> list[Path]:
        """Its files."""
        return [path for path in (self.single_path, self.chain_path) if path is not None]


class CertificateStore:
    """Reads the store's files; a file is parsed again only when it has changed."""

    def __init__(self, layout: Layout, password: str, complain: Callable[[str], None]) -> None:
        self.layout = layout
        self.password = password
        self._complain = complain
        self._keys: dict[Path, tuple[tuple[int, int], bytes | None]] = {}
        self._parsed: dict[Path, tuple[tuple[int, int], list[Certificate]]] = {}

    def read(self, path: Path) -> list[Certificate]:
        """Return the certificates of a file; an unreadable one has none and is complained of once."""
        try:
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            known = self._parsed.get(path)
            if known is not None and known[0] == mark:
                return known[1]
            found = x509.parse(read_file(path))
        except OSError as error:
            self._complain(f"{path}: {error.strerror or error}")
            return []
        except ValueError as error:
            self._complain(f"{path} holds no certificate: {error}")
            found = []
        self._parsed[path] = (mark, found)
        return found

    def bundle_files(self, kind: CaCertificateType) -> list[Path]:
        """Return the files of one kind of roots."""
        place = self.layout.roots[kind]
        if not place.is_dir():
            return [place] if place.is_file() else []
        return [path for path in files_in(place, *CERTIFICATE_SUFFIXES) if path.parent == place]

    def bundle(self, kind: CaCertificateType) -> list[Certificate]:
        """Return every certificate of one kind of roots, sub-CAs among them."""
        return [certificate for path in self.bundle_files(kind) for certificate in self.read(path)]

    def roots(self, kind: CaCertificateType, at: datetime | None = None) -> list[Certificate]:
        """Return the self-signed ones; with a time, only those valid then."""
        return [
            each for each in self.bundle(kind) if x509.is_self_signed(each) and (at is None or x509.is_valid(each, at))
        ]

    def leaves(self, kind: LeafCertificateType, encoding: EncodingFormat | None = None) -> list[Leaf]:
        """Return the leaves of one kind, the one that lasts longest first."""
        folder = self.layout.leaves[kind].certificates
        suffixes = CERTIFICATE_SUFFIXES if encoding is None else (SUFFIX[encoding],)
        found: dict[bytes, Leaf] = {}
        for path in files_in(folder, *suffixes):
            certificates = self.read(path) if path.parent == folder else []
            if not certificates or x509.is_self_signed(certificates[0]) or x509.is_ca(certificates[0]):
                continue
            leaf = found.setdefault(x509.fingerprint(certificates[0]), Leaf(certificates[0], certificates[:1]))
            if len(certificates) == 1:
                leaf.single_path = leaf.single_path or path
            elif leaf.chain_path is None:
                leaf.chain, leaf.chain_path = certificates, path
        return sorted(found.values(), key=lambda leaf: leaf.certificate.not_valid_after_utc, reverse=True)

    def root_of(self, leaf: Leaf, kind: LeafCertificateType) -> Certificate | None:
        """Return the installed root that a leaf leads to."""
        bundle = self.bundle(ROOT_OF[kind])
        roots = [each for each in bundle if x509.is_self_signed(each)]
        _, path = x509.path_to_root(leaf.certificate, [*leaf.chain[1:], *bundle], roots)
        return path[-1] if path else None

    def everything(self) -> list[Certificate]:
        """Return every root, and every certificate of the charger's own chains but the leaves."""
        found = [each for kind in self.layout.roots for each in self.bundle(kind)]
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

    def key_of(self, leaf: Leaf, kind: LeafCertificateType) -> Path | None:
        """Return the file of the leaf's private key."""
        return self.find_key(leaf.certificate, kind, leaf.paths[0].stem if leaf.paths else "")

    def find_key(self, certificate: Certificate, kind: LeafCertificateType, stem: str = "") -> Path | None:
        """Return the file of a certificate's key: the one of the same name first, then every other of the folder."""
        wanted = public_bytes(certificate)
        candidates = sorted(files_in(self.layout.leaves[kind].keys, KEY_SUFFIX), key=lambda path: path.stem != stem)
        return next((path for path in candidates if self._public(path) == wanted), None)

    def _public(self, path: Path) -> bytes | None:
        """Return the public half of a key file; opening an encrypted one takes its time, so it is remembered."""
        stat = path.stat()
        mark = (stat.st_mtime_ns, stat.st_size)
        known = self._keys.get(path)
        if known is None or known[0] != mark:
            known = self._keys[path] = (mark, read_public(path, self.password))
        return known[1]

    def info(self, leaf: Leaf, key: Path, kind: LeafCertificateType, *, include_ocsp: bool) -> CertificateInfo:
        """Return what a TLS server needs to know of a leaf."""
        root = self.root_of(leaf, kind)
        found = CertificateInfo(
            key=str(key),
            certificate_count=len(leaf.chain),
            certificate_root=x509.to_pem([root]).decode() if root is not None else None,
            certificate=str(leaf.chain_path) if leaf.chain_path is not None else None,
            certificate_single=str(leaf.single_path) if leaf.single_path is not None else None,
            password=self.password or None,
        )
        if include_ocsp:
            folder = self.layout.leaves[kind].certificates
            found.ocsp = [
                CertificateOCSP(hash=name, ocsp_path=_text(self.ocsp_file(folder, name)))
                for _, name in self.names(leaf.chain, self.bundle(ROOT_OF[kind]))
            ]
        return found

    def ocsp_file(self, folder: Path, name: CertificateHashData) -> Path | None:
        """Return the file of the OCSP response for a certificate, kept beside the certificates of `folder`."""
        for path in files_in(folder / OCSP_FOLDER, ".hash"):
            response = path.with_suffix(".der")
            if _read_hash(path) == name and response.is_file():
                return response
        return None


def hash_lines(name: CertificateHashData) -> bytes:
    """Write a certificate's name as the four lines of a `.hash` file."""
    parts = (name.hash_algorithm.value, name.issuer_name_hash, name.issuer_key_hash, name.serial_number)
    return "".join(f"{part}\n" for part in parts).encode()


def _read_hash(path: Path) -> CertificateHashData | None:
    try:
        lines = read_file(path).decode("ascii").split()
        return CertificateHashData(
            hash_algorithm=HashAlgorithm(lines[0]),
            issuer_name_hash=lines[1],
            issuer_key_hash=lines[2],
            serial_number=lines[3],
        )
    except (OSError, ValueError, IndexError):
        return None


def _text(path: Path | None) -> str | None:
    return str(path) if path is not None else None
