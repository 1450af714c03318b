"""EVerest's own configuration with IsoMux: it loads as it is, and three cars charge one after the other."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargebyte_fw.contracts.types.board_support_common import BspEventEvent as Cp
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.discovery import Found, Installed, discover
from chargebyte_fw.modules.security.test_pki import EMAID, Pki, make_test_pki
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.sim.car_keys import read_keys
from tests.session import everest_simulators
from tests.session.dialogues import connected
from tests.session.test_three_protocols import CARD
from tests.v2g.tls.world import TlsCar

CONFIGURATION = Path(__file__).parent / "configurations/sil-dc-isomux.yaml"
SIMULATORS = ("EvAPI", "EvManager", "PyEvJosev", "SlacSimulator", "YetiSimulator")


def installed() -> Installed:
    """The product's modules, but with simulators whose car the test has itself."""
    own = [one for name, places in discover([]).by_name.items() if name not in SIMULATORS for one in places]
    return Installed(own + [Found(name, "tests", f"{everest_simulators.__name__}:{name}") for name in SIMULATORS])


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH, password="123456")


@pytest.mark.parametrize("modules", [None, installed()], ids=["own simulators", "simulators of the test"])
def test_nothing_of_it_is_wrong_but_that_cars_may_go_without_tls(tmp_path: Path, modules: Installed | None) -> None:
    configuration = load(CONFIGURATION, Root(tmp_path, tmp_path), installed=modules)
    assert configuration.errors == []
    (warning,) = configuration.findings
    assert "iso_mux: cars may charge without TLS" in str(warning)


@pytest.mark.parametrize("contracts", [False, True], ids=["as it is", "contracts"])
def test_three_cars_charge_one_after_the_other(run: Any, tmp_path: Path, pki: Pki, contracts: bool) -> None:
    """As it is, the file presents a card at each plug-in, before a car can show its contract."""
    shutil.copytree(pki.certs, tmp_path / "etc/everest/certs")
    keys = read_keys(pki.directory)
    file, payment = CONFIGURATION, "external"
    if contracts:
        file, payment = tmp_path / CONFIGURATION.name, "contract"
        changed = yaml.safe_load(CONFIGURATION.read_text())
        of_auth = changed["active_modules"]["auth"]["connections"]
        of_auth["token_provider"] = connected("evse_manager", "token_provider")
        file.write_text(yaml.safe_dump(changed, sort_keys=False))

    async def main() -> None:
        runtime = Runtime(root=Root(tmp_path, tmp_path))
        inner, host = memory.link()
        runtime.wires.plug("ip:auto", inner)
        configuration = load(file, runtime.root, installed=installed())
        assembly = Assembly(runtime)
        assembly.build(configuration.plans)
        await assembly.start()
        modules: Any = assembly.modules
        board, evse = modules["yeti_driver"].board_support, modules["evse_manager"].evse
        selected: list[str] = []
        events: list[str] = []
        tokens: list[str] = []
        presented = modules["evse_manager"].token_provider.provided_token
        presented.subscribe(lambda token: tokens.append(token.id_token.value))
        if contracts:
            eim = modules["iso_mux"].charger.require_auth_eim
            eim.subscribe(lambda _: presented.publish(CARD), replay=False)
        modules["iso_mux"].charger.selected_protocol.subscribe(selected.append)
        evse.session_event.subscribe(lambda event: events.append(event.event.value))
        await asyncio.sleep(5)
        versions = []
        for protocols, tls in (
            (("DIN70121",), "none"),
            (("ISO15118D2", "DIN70121"), "require"),
            (("ISO15118D20", "ISO15118D2"), "require"),
        ):
            board.becomes(Cp.B)
            while board.duty_percent != 5.0:
                await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            pays = payment if protocols[0] == "ISO15118D2" else "external"
            car = TlsCar(host, CarSettings(protocols=protocols, tls=tls, payment=pays, keys=keys))
            car.start()
            await car.until(evcc.Step.CABLE_CHECK)
            board.becomes(Cp.C)
            await car.until(evcc.Step.CHARGING)
            await asyncio.sleep(10)
            assert board.closed
            car.wish(stop=True)
            async with asyncio.timeout(30):
                assert (await car.ended).outcome == "terminated"
            versions.append("" if car.line is None else car.security.tls_version)
            board.becomes(Cp.B)
            await asyncio.sleep(10)
            board.becomes(Cp.A)
            await asyncio.sleep(10)
        await assembly.stop()
        for module in assembly.modules.values():
            assert not module.failed.done(), module.failed
        assert selected == ["DIN70121", "ISO15118-2-2013", "ISO15118-20:DC"] and versions == ["", "1.2", "1.3"]
        assert tokens == (["CARD", EMAID["iso2"].replace("-", ""), "CARD"] if contracts else [])
        assert events.count("ChargingStarted") == events.count("TransactionFinished") == 3

    run(main())
