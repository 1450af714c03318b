"""The test PKI in the folders and under the names that Josev reads (`PKI_PATH`): one set of P-256 for all protocols."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki

PARTIES = {
    "contractLeaf": "contract",
    "moSubCA2": "mo_sub2",
    "moSubCA1": "mo_sub1",
    "moRootCA": "mo_root",
    "seccLeaf": "secc",
    "cpoSubCA2": "cpo_sub2",
    "cpoSubCA1": "cpo_sub1",
    "v2gRootCA": "v2g_root",
    "cpsLeaf": "cps",
    "cpsSubCA2": "prov_sub2",
    "cpsSubCA1": "prov_sub1",
    "oemLeaf": "oem_provisioning",
    "oemSubCA2": "oem_sub2",
    "oemSubCA1": "oem_sub1",
    "oemRootCA": "oem_root",
}
"""Josev's name of each certificate and key, and ours."""
CHAINS = {"cpoCertChain": "secc", "oemCertChain": "oem_provisioning"}
"""What is shown in the TLS handshake: by the charger, and by the car in TLS 1.3."""
PASSWORDS = ("seccLeaf", "oemLeaf", "contractLeaf", "cpsLeaf", "moSubCA2Leaf")


def make(directory: Path) -> Pki:
    """Make the test PKI in `directory`, valid now, and Josev's view of it in `directory/josev`."""
    pki = make_test_pki(directory, now=datetime.now(UTC))
    certificates = directory / "josev" / "iso15118_2" / "certs"
    keys = directory / "josev" / "iso15118_2" / "private_keys"
    for folder in (certificates, keys):
        folder.mkdir(parents=True)
    for name, ours in PARTIES.items():
        party = pki.iso2[ours]
        (certificates / f"{name}Cert.der").write_bytes(party.der)
        (certificates / f"{name}Cert.pem").write_bytes(party.pem)
        (keys / f"{name}.key").write_bytes(party.key_pem())
    # In TLS 1.3 the charger shows its chain of ISO 15118-20.
    (certificates / "v2gRootCACert.pem").write_bytes(pki.iso2["v2g_root"].pem + pki.iso20["v2g_root"].pem)
    for name, ours in CHAINS.items():
        (certificates / f"{name}.pem").write_bytes(pki.iso2[ours].chain_pem)
    for name in PASSWORDS:
        (keys / f"{name}Password.txt").write_text("")
    return pki
