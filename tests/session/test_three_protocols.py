"""Cars of every protocol one after the other at one charger: with IsoMux before two modules, and with one module."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.authorization import AuthorizationType, IdToken, IdTokenType, ProvidedIdToken
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.security.test_pki import EMAID, Pki, make_test_pki
from chargebyte_fw.sim.car_keys import read_keys
from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import AC_SESSION, LEAVE, Story, ac_with_hlc, connected, overlay
from tests.session.plant import Plant

DC = "bsp-only-dc.yaml"
SECURITY = {"security": connected("evse_security", "main")}
WITH_ISO_MUX: dict[str, Any] = {
    "iso15118_2": {
        "module": "EvseV2G",
        "config_module": {"device": "lo", "tls_security": "allow", "enable_sdp_server": False},
        "connections": SECURITY,
    },
    "iso15118_20": {
        "module": "Evse15118D20",
        "config_module": {
            "device": "lo",
            "tls_negotiation_strategy": "ACCEPT_CLIENT_OFFER",
            "enable_sdp_server": False,
        },
        "connections": SECURITY,
    },
    "iso15118_charger": {
        "module": "IsoMux",
        "config_module": {
            "device": "eth1",
            "tls_security": "allow",
            "verify_contract_cert_chain": None,  # a key of the module that is replaced
        },
        "connections": {
            **SECURITY,
            "iso2": connected("iso15118_2", "charger"),
            "iso20": connected("iso15118_20", "charger"),
            "ext2": connected("iso15118_2", "extensions"),
            "ext20": connected("iso15118_20", "extensions"),
        },
    },
}
"""The three modules as EVerest writes them, under the name that the shipped configuration has for its one."""
WITHOUT: dict[str, Any] = {"iso15118_charger": {"config_module": {"supported_ISO15118_20": True}}}

CARD = ProvidedIdToken(
    id_token=IdToken(value="CARD", type=IdTokenType.ISO14443), authorization_type=AuthorizationType.RFID
)
"""What the driver of a car without a contract presents when the charger asks for it."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH, password="123456")


@pytest.mark.parametrize("modules", [WITH_ISO_MUX, WITHOUT], ids=["IsoMux", "one module"])
def test_three_cars_charge_one_after_the_other(run: Any, tmp_path: Path, pki: Pki, modules: dict[str, Any]) -> None:
    """DIN without TLS, ISO 15118-2 with a contract over TLS 1.2, ISO 15118-20 over TLS 1.3."""
    shutil.copytree(pki.certs, tmp_path / "etc/everest/certs")
    overlay(
        tmp_path, DC, {**modules, "auth": {"connections": {"token_provider": connected("connector", "token_provider")}}}
    )
    keys = read_keys(pki.directory)
    small: dict[str, Any] = {"battery_kWh": 20.0, "soc_percent": 79.5}
    models = (
        Model("din", **small),
        Model("iso2", tls="require", payment="contract", keys=keys, **small),
        Model("iso20-dc", tls="require", payment="external", keys=keys, **small),
    )

    async def main() -> None:
        async with Plant(tmp_path, models[0], configuration=DC) as plant:
            hlc: Any = plant.assembly.modules["iso15118_charger"]
            evse: Any = plant.assembly.modules["connector"]
            selected: list[str] = []
            tokens: list[str] = []
            events: list[str] = []
            hlc.charger.selected_protocol.subscribe(selected.append)
            hlc.charger.require_auth_eim.subscribe(
                lambda _: evse.token_provider.provided_token.publish(CARD), replay=False
            )
            evse.token_provider.provided_token.subscribe(lambda token: tokens.append(token.id_token.value))
            evse.evse.session_event.subscribe(lambda event: events.append(event.event.value))
            versions = []
            for model in models:
                car = plant.world.car
                car.settings = model.settings(car.settings.evcc_id)
                car.battery.soc_percent = 79.5
                await plant.session()
                await asyncio.sleep(10)
                versions.append(car._v2g.facts.charger.tls_version)
                assert plant.failures() == [] and plant.faults() == [] and plant.tracebacks() == []
            assert selected == ["DIN70121", "ISO15118-2-2013", "ISO15118-20:DC"]
            assert versions == ["", "1.2", "1.3"]
            assert tokens == ["CARD", EMAID["iso2"].replace("-", ""), "CARD"]
            assert events.count("TransactionFinished") == events.count("ChargingStarted") == 3

    run(main())


def test_ac_of_20_over_tls(run: Any, tmp_path: Path, pki: Pki) -> None:
    """Three phases over TLS 1.3, by contract, at an AC charger with one module for every protocol."""
    shutil.copytree(pki.certs, tmp_path / "etc/everest/certs")
    hlc = {"device": "eth1", "supported_ISO15118_20": True, "tls_security": "force"}
    modules: dict[str, Any] = {
        "iso15118_charger": {"module": "EvseV2G", "config_module": hlc, "connections": SECURITY},
        "auth": {"connections": {"token_provider": connected("connector", "token_provider")}},
    }
    configuration = ac_with_hlc(tmp_path, modules, ac_enforce_hlc=True)
    keys = read_keys(pki.directory)
    model = Model("iso20-ac", battery_kWh=20.0, soc_percent=79.5, tls="require", payment="contract", keys=keys)

    async def main() -> None:
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(f"{AC_SESSION}sleep 20;{LEAVE}")
            await plant.until(lambda: plant.world.car.inlet.power_W > 10_000)
            assert plant.world.car._v2g.facts.charger.tls_version == "1.3"
            assert story.connector.evse.selected_protocol.value == "ISO15118-20:AC"
            await plant.car_finished()
            await asyncio.sleep(2)
            assert story.count("TransactionFinished") == 1 and story.failed() == []
            assert plant.failures() == [] and plant.faults() == [] and plant.tracebacks() == []
            assert plant.world.car._v2g.facts.charger.identity == EMAID["iso20"]

    run(main())
