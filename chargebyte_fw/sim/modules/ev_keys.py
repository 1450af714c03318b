"""The certificates of PyEvJosev: those of a test infrastructure of `secc certs`, or EVerest's test certificates."""

from __future__ import annotations

from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.v2g.evcc import Credentials, Identity, KeyStore
from chargebyte_fw.sim import car_keys

ROOTS = "ca/v2g/V2G_ROOT_CA.pem"
CONTRACT, PROVISIONING, VEHICLE = ("mo", "MO"), ("oem", "OEM"), ("vehicle", "VEHICLE")
"""Folder and prefix of the files of each chain in EVerest's test certificates."""


def keys_in(folder: Path) -> KeyStore:
    """Return the car's key store in the charger's folder of certificates; raises Unavailable.

    Beside the charger's own folders a test infrastructure may have one of the car (`car`); it counts where it is of the
    V2G root that the charger's folder has. Otherwise the car has EVerest's test certificates, as far as they are there.
    """
    roots = folder / ROOTS
    for place in (folder / "car", folder.parent / "car"):
        if place.is_dir():
            found = car_keys.read_keys(place)
            if not roots.is_file() or _are_of(found, car_keys.certificates_in(roots)):
                return found
    if not roots.is_file():
        raise Unavailable(f"{folder} has no {ROOTS}")
    known = car_keys.certificates_in(roots)
    contract, provisioning = _identity(folder, *CONTRACT), _identity(folder, *PROVISIONING)
    return KeyStore(
        iso2=Credentials(contract, provisioning, roots=known),
        # Contracts of ISO 15118-20 are on other curves than these.
        iso20=Credentials(vehicle=_identity(folder, *VEHICLE), roots=known),
    )


def _are_of(keys: KeyStore, roots: tuple[bytes, ...]) -> bool:
    return any(root in roots for one in (keys.iso2, keys.iso20) for root in one.roots)


def _identity(folder: Path, place: str, prefix: str) -> Identity | None:
    """Return a chain and its key as EVerest lays them out: leaf, sub-CAs elsewhere, password beside the key."""
    leaf, key = (folder / "client" / place / f"{prefix}_LEAF{ending}" for ending in (".pem", ".key"))
    if not leaf.is_file() or not key.is_file():
        return None
    chain = car_keys.certificates_in(leaf)[:1]
    for number in (2, 1):
        ca = folder / "ca" / place / f"{prefix}_SUB_CA{number}.pem"
        if ca.is_file():
            chain += car_keys.certificates_in(ca)
    return Identity(chain, _decrypted(key, leaf.with_name(f"{prefix}_LEAF_PASSWORD.txt")))


def _decrypted(key: Path, password: Path) -> bytes:
    """Return a private key as PEM without a password."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    try:
        content = key.read_bytes()
        secret = password.read_bytes().strip() if b"ENCRYPTED" in content else None
        loaded = load_pem_private_key(content, secret)
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(f"{key} cannot be read: {error}") from error
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
