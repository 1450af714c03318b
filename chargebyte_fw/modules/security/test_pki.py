"""A public key infrastructure for tests and laboratories: all that charger, car and provisioning service need.

`make_test_pki` writes this tree; each chain file is PEM, leaf first, without the root, and keys are PKCS#8:

    certs/                         the charger's store as EvseSecurity reads it (`/etc/everest/certs`)
      ca/{v2g,mo,oem,csms,mf}/     roots of both standards
      client/cso/                  SECC chains of both standards, one that expired, one that is revoked; ocsp/
      client/csms/                 the certificate towards the CSMS
    certs-expired/, certs-revoked/, certs-wrong/    the same with nothing but such an SECC chain in client/cso
    car/iso2/, car/iso20/          contract.pem, oem_provisioning.pem, vehicle.pem (iso20), each with its .key;
                                   v2g_root.pem, the car's trust anchor
    car/iso2-expired/ ...          the same with a contract (and vehicle) chain that is `expired`, `revoked`, `early`
                                   (valid from tomorrow), `wrong` (of roots that are not installed), `oversized`
    provisioning/iso2/, provisioning/iso20/   cps.pem signs an installation, contract.pem is the contract to install
    ocsp/                          OCSP responses of the cars' contract chains, <standard>[-<kind>]-<party>.der

`iso2` is on P-256 with SHA-256, `iso20` on P-521 with SHA-512, or on Ed448 where wanted: then the provisioning
certificate of the car has an X448 key as well (`oem_provisioning_x448.key`). Nothing of it belongs on a charger in the
field.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, x448

from chargebyte_fw.modules.security.certificates import hash_data
from chargebyte_fw.modules.security.issuing import ED448, Curve, Party, answer_ocsp, issue, name_of, ocsp_response
from chargebyte_fw.modules.security.ocsp_responses import hash_lines

STANDARDS = ("iso2", "iso20")
CURVES: dict[str, Curve] = {"iso2": ec.SECP256R1(), "iso20": ec.SECP521R1()}
KINDS = ("expired", "revoked", "early", "wrong", "oversized")
"""What may be wrong with a contract (and a vehicle's certificate): each kind has a car of its own."""
STORE_KINDS = ("expired", "revoked", "wrong")
"""What may be wrong with the SECC's certificate: each kind has a store of its own."""
EMAID = {"iso2": "DEKL2C00012345U", "iso20": "DEKL2C00067890Q"}
"""eMAID of the contract that a car has; `NEW_EMAID` is that of the contract to install."""
NEW_EMAID = {"iso2": "DEKL2C00054321N", "iso20": "DEKL2C00098765P"}
PCID = {"iso2": "WMIV0A1B2C3D4E5F67", "iso20": "WMIV0F6E5D4C3B2A17"}
EVCCID = {"iso2": "", "iso20": "WMIV0A1B2C3D4E5F60"}
SECC_ID = "DECBYE000001"
OCSP_URL = "http://ocsp.test.invalid"
ROOT_FILES = {
    "v2g": "V2G_ROOT_CA",
    "mo": "MO_ROOT_CA",
    "oem": "OEM_ROOT_CA",
    "csms": "CSMS_ROOT_CA",
    "mf": "MF_ROOT_CA",
}
_OVERSIZE_BYTES = {"iso2": 800, "iso20": 1600}
"""Longest certificate that the messages of each standard can carry."""


class _Role(msgspec.Struct, frozen=True):
    """One row: who issues it, its name, and when it is valid in days from now."""

    issuer: str
    common: str
    domain: str
    days: tuple[float, float]
    path_length: int | None = None
    key_agreement: bool = False


_AUTHORITIES = {
    "v2g_root": _Role("", "V2G Root CA", "V2G", (-365, 40 * 365)),
    "cpo_sub1": _Role("v2g_root", "CPO Sub-CA 1", "V2G", (-200, 4 * 365), 1),
    "cpo_sub2": _Role("cpo_sub1", "CPO Sub-CA 2", "V2G", (-100, 2 * 365), 0),
    "prov_sub1": _Role("v2g_root", "PROV Sub-CA 1", "V2G", (-200, 4 * 365), 1),
    "prov_sub2": _Role("prov_sub1", "PROV Sub-CA 2", "V2G", (-100, 2 * 365), 0),
    "mo_root": _Role("", "MO Root CA", "MO", (-365, 10 * 365)),
    "mo_sub1": _Role("mo_root", "MO Sub-CA 1", "MO", (-200, 4 * 365), 1),
    "mo_sub2": _Role("mo_sub1", "MO Sub-CA 2", "MO", (-100, 4 * 365), 0),
    "oem_root": _Role("", "OEM Root CA", "OEM", (-365, 40 * 365)),
    "oem_sub1": _Role("oem_root", "OEM Sub-CA 1", "OEM", (-200, 30 * 365), 1),
    "oem_sub2": _Role("oem_sub1", "OEM Sub-CA 2", "OEM", (-100, 30 * 365), 0),
    "csms_root": _Role("", "CSMS Root CA", "", (-365, 10 * 365)),
    "mf_root": _Role("", "MF Root CA", "", (-365, 10 * 365)),
    "wrong_v2g_root": _Role("", "Another V2G Root CA", "V2G", (-365, 40 * 365)),
    "wrong_cpo_sub1": _Role("wrong_v2g_root", "Another CPO Sub-CA 1", "V2G", (-200, 4 * 365), 1),
    "wrong_cpo_sub2": _Role("wrong_cpo_sub1", "Another CPO Sub-CA 2", "V2G", (-100, 2 * 365), 0),
    "wrong_mo_root": _Role("", "Another MO Root CA", "MO", (-365, 10 * 365)),
    "wrong_mo_sub1": _Role("wrong_mo_root", "Another MO Sub-CA 1", "MO", (-200, 4 * 365), 1),
    "wrong_mo_sub2": _Role("wrong_mo_sub1", "Another MO Sub-CA 2", "MO", (-100, 4 * 365), 0),
    "wrong_oem_root": _Role("", "Another OEM Root CA", "OEM", (-365, 40 * 365)),
    "wrong_oem_sub1": _Role("wrong_oem_root", "Another OEM Sub-CA 1", "OEM", (-200, 30 * 365), 1),
    "wrong_oem_sub2": _Role("wrong_oem_sub1", "Another OEM Sub-CA 2", "OEM", (-100, 30 * 365), 0),
}
_LEAVES = {
    "secc": _Role("cpo_sub2", SECC_ID, "CPO", (-1, 60)),
    "cps": _Role("prov_sub2", "CPS", "CPS", (-1, 60)),
    "contract": _Role("mo_sub2", "", "MO", (-30, 2 * 365), key_agreement=True),
    "new_contract": _Role("mo_sub2", "", "MO", (-1, 2 * 365), key_agreement=True),
    "oem_provisioning": _Role("oem_sub2", "", "OEM", (-90, 30 * 365), key_agreement=True),
    "vehicle": _Role("oem_sub2", "", "OEM", (-90, 10 * 365)),
    "csms_client": _Role("csms_root", SECC_ID, "", (-1, 365)),
    "firmware": _Role("mf_root", "Firmware signing", "", (-1, 365)),
}
_DAYS_OF_KIND = {"expired": (-60, -10), "early": (1, 60), "revoked": (-20, 40)}


class Pki(msgspec.Struct, frozen=True):
    """What was made: where it lies, and every party with its key, by standard and name.

    Names are those of the tables above (`secc`, `contract`, `mo_sub2`, ...), and `<kind>_secc`, `<kind>_contract`,
    `<kind>_vehicle`.
    """

    directory: Path
    now: datetime
    iso2: dict[str, Party]
    iso20: dict[str, Party]

    @property
    def certs(self) -> Path:
        """Return the folder of the charger's store."""
        return self.directory / "certs"

    def store(self, kind: str) -> Path:
        """Return the folder of a store with nothing but an SECC chain of this kind."""
        return self.directory / f"certs-{kind}"

    def car(self, standard: str, kind: str = "") -> Path:
        """Return the folder of a car; `kind` is what is wrong with its contract."""
        return self.directory / "car" / (f"{standard}-{kind}" if kind else standard)

    def provisioning(self, standard: str) -> Path:
        """Return the folder of the provisioning service and the contract that it installs."""
        return self.directory / "provisioning" / standard

    def of(self, standard: str) -> dict[str, Party]:
        """Return the parties of a standard."""
        return self.iso2 if standard == "iso2" else self.iso20

    def answer_ocsp(self, request: bytes, *, now: datetime | None = None) -> bytes:
        """Answer an OCSP request (DER) as the responder that the certificates name; ValueError for other bytes."""
        parties = [party for standard in STANDARDS for party in self.of(standard).values()]
        revoked = [p for standard in STANDARDS for name, p in self.of(standard).items() if name.startswith("revoked")]
        return answer_ocsp(request, parties, revoked, now=now or self.now)


def make_test_pki(directory: Path, *, now: datetime, password: str = "", ed448: bool = False) -> Pki:
    """Make the tree in `directory` (what is there is replaced), valid around `now` (aware), and return its parties.

    `password` encrypts the private keys of the charger; `ed448` has ISO 15118-20 on Ed448 in place of P-521. Raises
    OSError when it cannot be written.
    """
    curves = CURVES | ({"iso20": ED448} if ed448 else {})
    now = now.replace(microsecond=0)
    pki = Pki(directory, now, *(_parties(standard, now, curves[standard]) for standard in STANDARDS))
    for place in ("certs", *(f"certs-{kind}" for kind in STORE_KINDS), "car", "provisioning", "ocsp"):
        if (directory / place).exists():
            shutil.rmtree(directory / place)
    good = {"": "secc", "EXPIRED_": "expired_secc", "REVOKED_": "revoked_secc"}
    _write_store(pki, pki.certs, good, password)
    for kind in STORE_KINDS:
        _write_store(pki, pki.store(kind), {f"{kind.upper()}_": f"{kind}_secc"}, password)
    for standard in STANDARDS:
        for kind in ("", *KINDS):
            _write_car(pki, standard, kind)
        folder, parties = pki.provisioning(standard), pki.of(standard)
        _write_chain(folder / "cps", parties["cps"])
        _write_chain(folder / "contract", parties["new_contract"])
    return pki


def _parties(standard: str, now: datetime, curve: Curve) -> dict[str, Party]:
    made: dict[str, Party] = {}
    common_names = {"contract": EMAID, "new_contract": NEW_EMAID, "oem_provisioning": PCID, "vehicle": EVCCID}
    title = "ISO 15118-2" if standard == "iso2" else "ISO 15118-20"

    def add(name: str, role: _Role, common: str, *, ca: bool = False, padding_bytes: int = 0) -> None:
        # The profile of -20 names its SECC certificates differently ([V2G20] Annex B).
        domain = "CSO" if role.domain == "CPO" and standard == "iso20" else role.domain
        begin, end = (now + timedelta(days=day) for day in role.days)
        made[name] = issue(
            name_of(common, "chargebyte test PKI", domain),
            made[role.issuer] if role.issuer else None,
            begin=begin,
            end=end,
            curve=curve,
            exchange_key=x448.X448PrivateKey.generate() if curve == ED448 and name == "oem_provisioning" else None,
            ca=ca,
            path_length=role.path_length,
            ocsp_url=f"{OCSP_URL}/{standard}" if role.issuer else "",
            key_agreement=role.key_agreement,
            padding_bytes=padding_bytes,
        )

    for name, role in _AUTHORITIES.items():
        add(name, role, f"{role.common} {title}", ca=True)
    for name, role in _LEAVES.items():
        if name != "vehicle" or standard == "iso20":
            add(name, role, role.common or common_names[name][standard])
    for kind in KINDS:
        for name in ("secc", "contract", "vehicle"):
            if name not in made or (name == "secc" and kind not in STORE_KINDS):
                continue
            role = _LEAVES[name]
            role = msgspec.structs.replace(role, days=_DAYS_OF_KIND.get(kind, role.days))
            if kind == "wrong":
                role = msgspec.structs.replace(role, issuer=f"wrong_{role.issuer}")
            padding_bytes = _OVERSIZE_BYTES[standard] if kind == "oversized" else 0
            common = role.common or common_names[name][standard]
            add(f"{kind}_{name}", role, common, padding_bytes=padding_bytes)
    return made


def _write_store(pki: Pki, store: Path, leaves: dict[str, str], password: str) -> None:
    for kind, file in ROOT_FILES.items():
        roots = [pki.of(standard)[f"{kind}_root"] for standard in STANDARDS]
        if any(name.startswith("wrong") for name in leaves.values()) and kind == "v2g":
            roots += [pki.of(standard)["wrong_v2g_root"] for standard in STANDARDS]
        _write(store / "ca" / kind / f"{file}.pem", b"".join(root.pem for root in roots))
    for prefix, name in leaves.items():
        for standard in STANDARDS:
            _write_own(pki, store / "client/cso", f"{prefix}{standard.upper()}", pki.of(standard)[name], password)
    client = pki.iso2["csms_client"]
    _write(store / "client/csms/CSMS_LEAF.pem", client.pem)
    _write(store / "client/csms/CSMS_LEAF.key", client.key_pem(password), 0o600)
    for place in ("client/cso", "client/csms"):
        (store / place).chmod(0o700)


def _write_own(pki: Pki, folder: Path, title: str, leaf: Party, password: str) -> None:
    """Write a chain of the charger as EvseSecurity names its files, with the OCSP responses of all its certificates."""
    _write(folder / f"SECC_LEAF_{title}.pem", leaf.pem)
    _write(folder / f"CPO_CERT_SECC_LEAF_CHAIN_{title}.pem", leaf.chain_pem)
    _write(folder / f"SECC_LEAF_{title}.key", leaf.key_pem(password), 0o600)
    party = leaf
    while party.issuer is not None:
        name = hash_data(party.certificate, party.issuer.certificate)
        revoked = party is leaf and title.startswith("REVOKED")
        path = folder / "ocsp" / f"{name.serial_number}.der"
        _write(path, ocsp_response(party, now=pki.now, revoked=revoked))
        _write(path.with_suffix(".hash"), hash_lines(name))
        party = party.issuer


def _write_car(pki: Pki, standard: str, kind: str) -> None:
    folder, parties = pki.car(standard, kind), pki.of(standard)
    prefix = f"{kind}_" if kind else ""
    _write(folder / "v2g_root.pem", parties["v2g_root"].pem)
    _write_chain(folder / "oem_provisioning", parties["oem_provisioning"])
    contract = parties[f"{prefix}contract"]
    _write_chain(folder / "contract", contract)
    if "vehicle" in parties:
        _write_chain(folder / "vehicle", parties[f"{prefix}vehicle"])
    title = f"{standard}-{kind}" if kind else standard
    response = ocsp_response(contract, now=pki.now, revoked=kind == "revoked")
    _write(pki.directory / "ocsp" / f"{title}-contract.der", response)


def _write_chain(stem: Path, leaf: Party) -> None:
    _write(stem.with_suffix(".pem"), leaf.chain_pem)
    _write(stem.with_suffix(".key"), leaf.key_pem(), 0o600)
    if leaf.exchange_key is not None:
        _write(stem.with_name(f"{stem.name}_x448.key"), leaf.exchange_key_pem, 0o600)


def _write(path: Path, data: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
