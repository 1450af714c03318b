"""Plug and Charge of ISO 15118-20, the whole charger: TLS 1.3, contract, Auth, EvseManager, pause, resumption."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types import reservation
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, rfc3339, utc_now
from chargebyte_fw.modules.security.test_pki import EMAID, NEW_EMAID, Pki, make_test_pki
from chargebyte_fw.modules.v2g.evcc import KeyStore
from chargebyte_fw.sim.car_keys import read_keys
from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, connected, overlay
from tests.session.plant import Plant
from tests.session.test_iso20 import DC, HLC
from tests.session.test_pause_and_wake import STOPPED, session
from tests.session.test_plug_and_charge import back_end

WITH_TLS = {**HLC, "config_module": {**HLC["config_module"], "tls_negotiation_strategy": "ENFORCE_TLS"}}


@pytest.fixture(scope="module")
def pki_ed448(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH, password="123456", ed448=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH, password="123456")


def charger(state: Path, pki: Pki, verdict: str = "Accepted", **config: Any) -> str:
    """A charger with TLS 1.3 at which contracts alone are presented, and where the validator gives this answer."""
    shutil.copytree(pki.certs, state / "etc/everest/certs")
    overlay(
        state,
        DC,
        {
            "iso15118_charger": {**WITH_TLS, "config_module": {**WITH_TLS["config_module"], **config}},
            "auth": {"connections": {"token_provider": connected("connector", "token_provider")}},
            "token_validator": {"config_implementation": {"main": {"validation_result": verdict}}},
        },
    )
    return DC


def car(pki: Pki) -> Model:
    return Model(
        "iso20-dc",
        battery_kWh=20.0,
        soc_percent=30.0,
        target_soc_percent=99,
        tls="require",
        payment="contract",
        keys=read_keys(pki.directory),
    )


def tokens(plant: Plant) -> list[Any]:
    evse: Any = plant.assembly.modules["connector"]
    found: list[Any] = []
    evse.token_provider.provided_token.subscribe(found.append)
    return found


def test_a_contract_charges_is_paused_and_goes_on_in_its_transaction(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        async with Plant(tmp_path, car(pki), configuration=charger(tmp_path, pki)) as plant:
            story, presented = Story(plant), tokens(plant)
            await plant.charging()
            await asyncio.sleep(3)
            (token,) = presented
            assert token.id_token.value == EMAID["iso20"].replace("-", "") and token.connectors == [1]
            assert token.certificate and token.iso15118CertificateHashData
            plant.world.car.replace(f"{STOPPED}iso_wait_for_resume;{session('iso20-dc')}")
            await story.connector.evse.pause_charging()
            await asyncio.sleep(20)
            await story.connector.evse.resume_charging()
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000, 90.0)
            assert len(presented) == 1, "the transaction is authorized already"
            assert story.responses("SessionSetupRes") == ["OK_NewSessionEstablished", "OK_OldSessionJoined"]
            assert story.count("TransactionStarted") == 1 and story.count("TransactionFinished") == 0
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []

    run(main())


def test_a_contract_that_the_validator_refuses_starts_no_transaction(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        async with Plant(tmp_path, car(pki), configuration=charger(tmp_path, pki, "Invalid")) as plant:
            story, presented = Story(plant), tokens(plant)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await asyncio.sleep(40)
            assert story.responses("AuthorizationRes")[-1] == "WARNING_GeneralPnCAuthorizationError"
            assert story.count("SessionStopRes") == 1
            assert len(presented) == 1 and story.count("TransactionStarted") == 0
            assert not plant.world.pilot.contactors_closed

    run(main())


@pytest.mark.parametrize("curve", ["P-521", "X448"])
def test_a_car_gets_its_contract_and_charges(run: Any, tmp_path: Path, pki: Pki, pki_ed448: Pki, curve: str) -> None:
    """Every certificate is on P-521, or on Ed448, where the contract is encrypted on X448; the standard's TLS alone."""
    used = pki if curve == "P-521" else pki_ed448
    model = car(used)
    bare = msgspec.structs.replace(model.keys.iso20, contract=None)
    model = msgspec.structs.replace(model, soc_percent=79.5, target_soc_percent=80, keys=KeyStore(iso20=bare))

    async def main() -> None:
        async with Plant(tmp_path, model, configuration=charger(tmp_path, used, tls_profile="strict")) as plant:
            story, presented, actions = Story(plant), tokens(plant), back_end(plant, used, "iso20")
            await plant.session()
            assert plant.failures() == [] and plant.faults() == [] and plant.tracebacks() == []
            assert actions == ["Install"] and story.failed() == []
            assert [one.id_token.value for one in presented] == [NEW_EMAID["iso20"].replace("-", "")]
            assert story.count("TransactionFinished") == 1

    run(main())


def test_a_paused_session_is_not_joined_behind_another_plug_in(run: Any, tmp_path: Path, pki: Pki) -> None:
    """The car remembers its session; the plug-in that was authorized is over all the same."""

    async def main() -> None:
        async with Plant(tmp_path, car(pki), configuration=charger(tmp_path, pki)) as plant:
            story, presented = Story(plant), tokens(plant)
            await plant.charging()
            await asyncio.sleep(3)
            plant.world.car.replace(f"iso_pause_charging;{STOPPED}sleep 5;unplug")
            await plant.car_finished()
            await asyncio.sleep(5)
            story.forget()
            plant.world.car.run(f"iso_wait_slac_matched;{session('iso20-dc')}")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000, 60.0)
            assert story.responses("SessionSetupRes") == ["OK_NewSessionEstablished"]
            assert len(presented) == 2 and story.count("TransactionStarted") == 1
            assert story.failed() == [] and plant.faults() == []

    run(main())


def test_a_contract_that_its_issuer_has_revoked_is_presented_to_no_one(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        configuration = charger(tmp_path, pki)
        file = tmp_path / "etc/everest/user-config" / DC
        file.write_text(file.read_text() + "  evse_security:\n    config_module:\n      contract_revocation: true\n")
        model = replace(car(pki), keys=read_keys(pki.directory, "revoked"))
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            story, presented = Story(plant), tokens(plant)
            plant.runtime.wires.plug("ocsp:http://ocsp.test.invalid/iso20", pki.answer_ocsp)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: story.count("SessionStopRes") == 1, 40.0)
            assert story.responses("AuthorizationRes")[-1] == "WARNING_CertificateRevoked"
            assert presented == [] and story.count("TransactionStarted") == 0

    run(main())


def test_a_contract_at_an_evse_that_is_reserved_for_another_one_is_answered_at_once(
    run: Any, tmp_path: Path, pki: Pki
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, car(pki), configuration=charger(tmp_path, pki)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            reserve: Any = plant.assembly.provider("auth", "reservation")
            until = rfc3339(utc_now() + timedelta(hours=1))
            wanted = reservation.Reservation(reservation_id=1, id_token="CARD", expiry_time=until, evse_id=1)
            assert await reserve.reserve_now(wanted) == "Accepted"
            plant.world.plug_in()
            await plant.until(lambda: story.count("SessionStopRes") == 1, 40.0)
            assert story.responses("AuthorizationRes")[-1] == "WARNING_GeneralPnCAuthorizationError"
            assert story.at("SessionStopRes") - story.at("AuthorizationRes") < 5.0, "not after 55 s"

    run(main())
