"""Reads and keeps a car's key store: a folder with `contract.pem`, `oem_provisioning.pem`, ... for each standard.

The layout is that of `secc certs make-test-pki` (`car/iso2`, `car/iso20`): chains are PEM, leaf first and without the
root, each with its `.key`; `v2g_root.pem` has the roots. What is missing the car does not have. A provisioning
certificate on Ed448 has its second key, for the exchange, in `oem_provisioning_x448.key`.
"""

from __future__ import annotations

import os
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.v2g.evcc import Credentials, Identity, KeyStore

STANDARDS = ("iso2", "iso20")


def read_keys(folder: Path, kind: str = "") -> KeyStore:
    """Return the key store in `folder`; `kind` is what is wrong with it (`expired`, `revoked`, ...).

    `folder` is a car's (with `iso2`, `iso20`), a test infrastructure's (with `car`), or one standard's. Raises
    Unavailable.
    """
    if (folder / "car").is_dir():
        folder /= "car"
    ending = f"-{kind}" if kind else ""
    places = {name: folder / f"{name}{ending}" for name in STANDARDS}
    for name in STANDARDS:
        if folder.name.partition("-")[0] == name:
            places = {name: folder}
    found = {name: _credentials(place) for name, place in places.items() if place.is_dir()}
    if not found:
        raise Unavailable(f"{folder} has no {' or '.join(str(place.name) for place in places.values())}")
    return KeyStore(**found)


def _credentials(folder: Path) -> Credentials:
    def identity(name: str) -> Identity | None:
        return read_identity(folder / f"{name}.pem") if (folder / f"{name}.pem").exists() else None

    roots = folder / "v2g_root.pem"
    return Credentials(
        identity("contract"),
        identity("oem_provisioning"),
        identity("vehicle"),
        certificates_in(roots) if roots.exists() else (),
    )


def read_identity(path: Path) -> Identity:
    """Return the chain in a PEM file with the keys beside it; raises Unavailable."""
    chain, key = certificates_in(path), path.with_suffix(".key")
    if not chain:
        raise Unavailable(f"{path} has no certificate")
    exchange = path.with_name(f"{path.stem}_x448.key")
    return Identity(chain, _content(key), _content(exchange) if exchange.exists() else b"")


def keep_contract(folder: Path, contract: Identity) -> None:
    """Write a contract that the car got, in place of the one it had; raises OSError."""
    for name, content in (("contract.key", contract.key_pem), ("contract.pem", pem(contract.chain))):
        part = folder / f"{name}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        part.replace(folder / name)


def pem(chain: tuple[bytes, ...]) -> bytes:
    """Return certificates (DER) as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in chain)


def certificates_in(path: Path) -> tuple[bytes, ...]:
    """Return the certificates (DER) of a PEM file; raises Unavailable."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        return tuple(one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(_content(path)))
    except ValueError as error:
        raise Unavailable(f"{path} has no certificates: {error}") from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error
