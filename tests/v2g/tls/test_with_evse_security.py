"""TLS with the certificate store itself and the test PKI: who gets which chain, and why one is refused."""

from __future__ import annotations

import asyncio
import logging
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, ClockLoop
from chargebyte_fw.modules.security.evse_security import EvseSecurity
from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki
from chargebyte_fw.sim.car_keys import read_keys
from tests.security.store import CERTS
from tests.v2g.test_evse15118_d20 import World
from tests.v2g.tls.test_evse_v2g_tls import lines
from tests.v2g.tls.world import TlsCar, settings


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH)


class StoreWorld(World):
    """Evse15118D20 with EvseSecurity on the files of a store."""

    def __init__(self, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path, kind: str = "", **store: Any) -> None:
        if not store:
            shutil.copytree(pki.store(kind) if kind else pki.certs, tmp_path / CERTS)
        super().__init__(assemble, runtime, store=EvseSecurity, store_config=store)
        self.pki = pki

    def car(self, *protocols: str, wrong: str = "") -> TlsCar:
        car = TlsCar(self.host, settings(protocols=protocols, keys=read_keys(self.pki.certs.parent / "car", wrong)))
        car.start()
        return car


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "secc")
    return caplog


def test_each_version_gets_the_chain_of_its_standard(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path, caplog: Any
) -> None:
    """Field case 10, and 19: the root is never sent."""

    async def main() -> None:
        async with StoreWorld(assemble, runtime, pki, tmp_path) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
            assert car.security.tls_version == "1.3"
            assert car.security.peer_certificate == pki.of("iso20")["secc"].der
            assert len(car.security.peer_chain) == 3
            security = world.v2g.engine._session[0].machine.connection.security
            assert security.peer_certificate == pki.of("iso20")["vehicle"].der
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"
            await asyncio.sleep(10)
            other = world.car("ISO15118D2")
            await other.ended
            assert other.security.tls_version == "1.2"
            assert other.security.peer_certificate == pki.of("iso2")["secc"].der

    run(main())
    assert not [line for line in lines(caplog, logging.WARNING) if line.startswith("a certificate is not used")]


PLACES = {
    "v2g_ca_bundle": "/srv/roots/v2g.pem",
    "oem_ca_bundle": "/srv/vehicles",
    "mo_ca_bundle": "/srv/roots/mo.pem",
    "csms_ca_bundle": "/srv/roots/csms.pem",
    "mf_ca_bundle": "/srv/roots/mf.pem",
    "secc_leaf_cert_directory": "/srv/cars/certificates",
    "secc_leaf_key_directory": "/srv/cars/keys",
    "csms_leaf_cert_directory": "/srv/csms",
    "csms_leaf_key_directory": "/srv/csms",
}
"""None of them has a place that another one could be guessed from."""


def test_the_places_are_those_of_the_configuration(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path
) -> None:
    """The vehicle's root is an OEM's; with the bundle gone the vehicle is refused: nothing else is looked at."""
    for source, target in (
        ("ca/v2g/V2G_ROOT_CA.pem", "roots/v2g.pem"),
        ("ca/oem/OEM_ROOT_CA.pem", "vehicles/one.pem"),
        ("client/cso/SECC_LEAF_ISO20.key", "cars/keys/SECC_LEAF_ISO20.key"),
        ("client/cso/SECC_LEAF_ISO20.pem", "cars/certificates/SECC_LEAF_ISO20.pem"),
        ("client/cso/CPO_CERT_SECC_LEAF_CHAIN_ISO20.pem", "cars/certificates/CPO_CERT_SECC_LEAF_CHAIN_ISO20.pem"),
    ):
        (tmp_path / "srv" / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pki.certs / source, tmp_path / "srv" / target)

    async def main() -> None:
        async with StoreWorld(assemble, runtime, pki, tmp_path, **PLACES) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
            assert car.security.peer_certificate == pki.of("iso20")["secc"].der
            car.wish(stop=True)
            await car.ended
            (tmp_path / "srv/vehicles/one.pem").unlink()
            (tmp_path / "srv/oem").mkdir()
            shutil.copy(pki.certs / "ca/oem/OEM_ROOT_CA.pem", tmp_path / "srv/oem")
            await asyncio.sleep(40)
            assert "48 unknown_ca" in (await world.car("ISO15118D20").ended).reason

    run(main())


@pytest.mark.parametrize(
    ("wrong", "text"), [("expired", "it is expired: renew it"), ("wrong", "its issuer is not installed")]
)
def test_a_vehicle_certificate_that_is_refused_has_its_reason_on_both_sides(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path, caplog: Any, wrong: str, text: str
) -> None:
    async def main() -> str:
        async with StoreWorld(assemble, runtime, pki, tmp_path) as world:
            return str((await world.car("ISO15118D20", wrong=wrong).ended).reason)

    reason = run(main())
    assert "alert 45 certificate_expired" in reason if wrong == "expired" else "alert 48 unknown_ca" in reason
    (line,) = [line for line in lines(caplog, logging.WARNING) if line.startswith("no TLS with")]
    assert text in line


def test_a_charger_of_other_roots_is_refused_with_its_reason_on_both_sides(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> str:
        async with StoreWorld(assemble, runtime, pki, tmp_path, "wrong") as world:
            return str((await world.car("ISO15118D20").ended).reason)

    assert "is not installed" in run(main())
    (line,) = [line for line in lines(caplog, logging.WARNING) if line.startswith("no TLS with")]
    assert "the peer ended it with alert 48 unknown_ca" in line


@pytest.mark.parametrize("kind", ["expired", "revoked"])
def test_a_store_with_nothing_but_such_a_chain_offers_no_tls(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path, caplog: Any, kind: str
) -> None:
    async def main() -> str:
        async with StoreWorld(assemble, runtime, pki, tmp_path, kind) as world:
            return str((await world.car("ISO15118D20").ended).reason)

    assert run(main()) == "the charger offers no TLS"
    (line,) = [line for line in lines(caplog, logging.WARNING) if line.startswith("no TLS: ")]
    assert line.startswith("no TLS: no V2G certificate chain is valid now: the system time is 2026-01-01T00:00:0")


def test_the_clock_is_set_while_the_charger_runs(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path
) -> None:
    """Field case 23 with the store itself."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ClockLoop)
        loop.set_wall(VIRTUAL_EPOCH - timedelta(days=20_000))
        async with StoreWorld(assemble, runtime, pki, tmp_path) as world:
            car = world.car("ISO15118D20")
            await asyncio.sleep(2)
            assert not car.ended.done()
            loop.set_wall(VIRTUAL_EPOCH)
            await car.until("charging")

    run(main())


def test_a_new_ocsp_response_is_stapled_without_an_update_of_the_store(
    run: Any, assemble: Any, runtime: Any, pki: Pki, tmp_path: Path
) -> None:
    """Field case 12: what the back end answers goes into files, and no variable has it."""

    responses, kept = tmp_path / CERTS / "client/cso/ocsp", tmp_path / "ocsp"

    async def main() -> None:
        it = StoreWorld(assemble, runtime, pki, tmp_path)
        responses.rename(kept)
        async with it as world:
            certificates = world.v2g.endpoints.server.certificates
            await asyncio.sleep(2)
            assert [chain.ocsp for chain in certificates.current.chains] == [None, None]
            kept.rename(responses)
            await world.car("ISO15118D20").until("charging")
            assert None not in [chain.ocsp for chain in certificates.current.chains]

    run(main())
