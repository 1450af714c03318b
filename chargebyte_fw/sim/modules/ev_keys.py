"""The certificates of PyEvJosev: those of a test infrastructure of `secc certs`, or EVerest's test certificates."""

from __future__ import annotations

from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.v2g.evcc import Credentials, KeyStore
from chargebyte_fw.sim import car_keys

ROOTS = "ca/v2g/V2G_ROOT_CA.pem"


def keys_in(folder: Path) -> KeyStore:
    """Return the car's key store in the charger's folder of certificates; raises Unavailable.

    Beside the charger's own folders a test infrastructure may have one of the car (`car`). Without it the car has
    EVerest's V2G root alone, and proves nothing.
    """
    for place in (folder / "car", folder.parent / "car"):
        if place.is_dir():
            return car_keys.read_keys(place)
    roots = folder / ROOTS
    if not roots.is_file():
        raise Unavailable(f"{folder} has no {ROOTS}")
    only_roots = Credentials(roots=car_keys.certificates_in(roots))
    return KeyStore(iso2=only_roots, iso20=only_roots)
