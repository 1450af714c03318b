"""A root of the CSMS that the one before it has signed (OCPP 2.x, M05): trusted once that one is gone, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, CertificateType
from tests.security.pki import Party, issue
from tests.security.store import CSMS, ask, put, running

OLD = issue("Old root")
NEW = issue("New root", OLD)
NEXT = issue("Next root", NEW)
PLACES = pytest.mark.parametrize("place", ["ca/csms/CSMS_ROOT_CA.pem", "ca/csms"])


async def install(world: Any, party: Party, kind: CaCertificateType = CaCertificateType.CSMS) -> str:
    return str(await ask(world, "install_ca_certificate", party.pem, kind))


async def listed(world: Any) -> dict[str, Any]:
    """Return the names of the roots by their serial number."""
    found = await ask(world, "get_installed_certificates", [CertificateType.CSMSRootCertificate])
    chains = found.certificate_hash_data_chain
    return {one.certificate_hash_data.serial_number: one.certificate_hash_data for one in chains}


def serial(party: Party) -> str:
    return f"{party.certificate.serial_number:x}"


@PLACES
def test_a_successor_takes_the_place_of_its_root(run: Any, assemble: Any, tmp_path: Path, place: str) -> None:
    below = issue("cp001", NEW, ca=False)

    async def test(world: Any) -> None:
        assert await install(world, OLD) == "Accepted"
        assert await install(world, NEW) == "Accepted"
        both = await listed(world)
        assert set(both) == {serial(OLD), serial(NEW)}
        assert both[serial(NEW)].issuer_key_hash == both[serial(OLD)].issuer_key_hash, "the one who has signed it"
        assert await ask(world, "delete_certificate", both[serial(OLD)]) == "Accepted"
        assert await listed(world) == {serial(NEW): both[serial(NEW)]}, "under the same name"
        assert await ask(world, "is_ca_certificate_installed", CaCertificateType.CSMS)
        assert await ask(world, "get_verify_location", CaCertificateType.CSMS)
        assert NEW.pem in Path(await ask(world, "get_verify_file", CaCertificateType.CSMS)).read_text()
        assert await ask(world, "verify_certificate", below.pem, [CSMS]) == "Valid"
        assert await install(world, NEXT) == "Accepted"
        assert await ask(world, "delete_certificate", both[serial(NEW)]) == "Accepted"
        assert set(await listed(world)) == {serial(NEXT)}
        assert await ask(world, "verify_certificate", below.pem, [CSMS]) == "IssuerNotFound"

    running(run, assemble, test, csms_ca_bundle=place)


@pytest.mark.parametrize(
    ("party", "kind"),
    [
        (NEW, CaCertificateType.V2G),
        (NEXT, CaCertificateType.CSMS),
        (issue("cp001", OLD, ca=False), CaCertificateType.CSMS),
    ],
)
def test_what_no_installed_root_of_the_csms_has_signed_is_none(
    run: Any, assemble: Any, party: Party, kind: CaCertificateType
) -> None:
    async def test(world: Any) -> None:
        assert await install(world, OLD, kind) == "Accepted"
        assert await install(world, party, kind) == "InvalidCertificateChain"

    running(run, assemble, test)


def test_a_sub_ca_of_a_bundle_is_no_root_without_its_issuer(run: Any, assemble: Any, tmp_path: Path) -> None:
    put(tmp_path, "ca/csms/CSMS_ROOT_CA.pem", OLD.pem, NEW.pem)

    async def test(world: Any) -> None:
        [name] = (await listed(world)).values()
        assert await ask(world, "delete_certificate", name) == "Accepted"
        assert await listed(world) == {}
        assert not await ask(world, "is_ca_certificate_installed", CaCertificateType.CSMS)

    running(run, assemble, test)
