"""Plug and Charge of ISO 15118-2 through the whole charger: TLS, contract, certificate store, Auth, EvseManager."""

from __future__ import annotations

import asyncio
import base64
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types import energy, iso15118, reservation
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, rfc3339, utc_now
from chargebyte_fw.manager.recording import read
from chargebyte_fw.modules.security.test_pki import EMAID, NEW_EMAID, Pki, make_test_pki
from chargebyte_fw.modules.v2g.evcc import KeyStore, Misbehaviour
from chargebyte_fw.modules.v2g.replay import replay
from chargebyte_fw.sim.car_keys import read_keys
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.provisioning import Provisioning
from tests.session.dialogues import (
    AC_SESSION,
    DC_SESSION,
    LEAVE,
    MATCH,
    PAUSE,
    WAKE_UP,
    Story,
    ac_with_hlc,
    connected,
    overlay,
)
from tests.session.plant import Plant

DC = "bsp-only-dc.yaml"
PASSWORD = "123456"
"""Of the shipped configuration."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH, password=PASSWORD)


def car(keys: KeyStore, **changes: Any) -> Model:
    values: dict[str, Any] = {"tls": "require", "payment": "contract", "keys": keys, "soc_percent": 79.5}
    return Model("iso2", battery_kWh=20.0, target_soc_percent=80, **(values | changes))


CONTRACTS_ALONE: dict[str, Any] = {
    "auth": {"connections": {"token_provider": connected("connector", "token_provider")}},
}


def charger(state: Path, pki: Pki, **connector: Any) -> str:
    """A charger with the certificates of the test infrastructure, at which contracts alone are presented."""
    shutil.copytree(pki.certs, state / "etc/everest/certs")
    hlc = {"iso15118_charger": {"config_module": {"verify_contract_cert_chain": True}}}
    overlay(state, DC, {**CONTRACTS_ALONE, **hlc, "connector": {"config_module": connector}})
    return DC


def ac_charger(state: Path, pki: Pki, **connector: Any) -> str:
    """The same for AC."""
    shutil.copytree(pki.certs, state / "etc/everest/certs")
    return ac_with_hlc(state, CONTRACTS_ALONE, ac_enforce_hlc=True, **connector)


def tokens(plant: Plant) -> list[Any]:
    """Keep the tokens that EvseManager presents."""
    evse: Any = plant.assembly.modules["connector"]
    found: list[Any] = []
    evse.token_provider.provided_token.subscribe(found.append)
    return found


def back_end(plant: Plant, pki: Pki, standard: str = "iso2") -> list[str]:
    """Answer certificate requests as OCPP does; returns the actions that were asked for."""
    charger_module: Any = plant.assembly.modules["iso15118_charger"]
    extensions: Any = plant.assembly.provider("iso15118_charger", "extensions")
    service = Provisioning.of(pki.provisioning(standard), standard)
    # With the sixth certificate it is longer than the command carries.
    contract = msgspec.structs.replace(service.contract, chain=service.contract.chain[: 2 if standard == "iso2" else 3])
    service = msgspec.structs.replace(service, contract=contract)
    actions: list[str] = []

    async def answer(request: iso15118.RequestExiStreamSchema) -> None:
        await asyncio.sleep(1.5)
        exi = service.answer(base64.b64decode(request.exi_request))
        response = iso15118.ResponseExiStreamStatus(
            status=iso15118.ResponseExiStreamStatusStatus.Accepted,
            certificate_action=request.certificate_action,
            exi_response=base64.b64encode(exi).decode(),
        )
        # As the bus records the command of a connected module.
        arguments = {"certificate_response": msgspec.to_builtins(response)}
        name = "iso15118_charger.extensions.set_get_certificate_response"
        plant.runtime.trace.record("cmd", name, ["ocpp", arguments])
        await extensions.set_get_certificate_response(response)

    def asked(request: iso15118.RequestExiStreamSchema) -> None:
        actions.append(request.certificate_action.value)
        charger_module.spawn(answer(request), "back end")

    extensions.iso15118_certificate_request.subscribe(asked, replay=False)
    return actions


def test_a_contract_charges_without_a_card(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        model = car(read_keys(pki.directory))
        configuration = charger(tmp_path, pki, ev_receipt_required=True)
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            story, presented = Story(plant), tokens(plant)
            await plant.session()
            assert plant.failures() == [] and plant.faults() == [] and plant.tracebacks() == []
            (token,) = presented
            assert token.id_token.value == EMAID["iso2"].replace("-", "") and token.connectors == [1]
            assert token.certificate.count("BEGIN CERTIFICATE") == 3
            assert token.iso15118CertificateHashData
            assert story.names[-1] == "SessionFinished" and story.count("TransactionFinished") == 1
            assert set(story.responses("MeteringReceiptRes")) == {"OK"}
            assert plant.world.car._v2g.facts.charger.tls_version == "1.2"

    run(main())


def test_a_car_gets_its_contract_and_charges(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        keys = read_keys(pki.directory)
        bare = msgspec.structs.replace(keys, iso2=msgspec.structs.replace(keys.iso2, contract=None))
        configuration = charger(tmp_path, pki, central_contract_validation_allowed=True)
        async with Plant(tmp_path, car(bare), configuration=configuration) as plant:
            presented, actions = tokens(plant), back_end(plant, pki)
            await plant.session()
            assert plant.failures() == [] and actions == ["Install"]
            assert [one.id_token.value for one in presented] == [NEW_EMAID["iso2"].replace("-", "")]

    run(main())


@pytest.mark.parametrize(
    ("kind", "misbehaviours", "response", "code"),
    [
        ("expired", (), "PaymentDetailsRes", "FAILED_CertificateExpired"),
        ("wrong", (), "PaymentDetailsRes", "FAILED_NoCertificateAvailable"),
        ("", (Misbehaviour("signature"),), "AuthorizationRes", "FAILED_SignatureError"),
        ("", (Misbehaviour("challenge"),), "AuthorizationRes", "FAILED_ChallengeInvalid"),
    ],
)
def test_a_contract_that_is_not_in_order_starts_no_transaction(
    run: Any, tmp_path: Path, pki: Pki, kind: str, misbehaviours: tuple[Misbehaviour, ...], response: str, code: str
) -> None:
    async def main() -> None:
        model = car(read_keys(pki.directory, kind), misbehaviours=misbehaviours)
        async with Plant(tmp_path, model, configuration=charger(tmp_path, pki)) as plant:
            story, presented = Story(plant), tokens(plant)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: story.failed() != [])
            assert story.failed()[0] == (response, code)
            assert presented == [] and story.count("TransactionStarted") == 0
            plant.world.car.replace("unplug")
            await plant.car_finished()

    run(main())


def test_a_token_that_nobody_accepts_is_no_endless_wait(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        configuration = charger(tmp_path, pki)
        file = tmp_path / "etc/everest/user-config" / DC
        refusing = "  token_validator:\n    config_implementation:\n      main:\n        validation_result: Invalid\n"
        file.write_text(file.read_text() + refusing)
        async with Plant(tmp_path, car(read_keys(pki.directory)), configuration=configuration) as plant:
            story, presented = Story(plant), tokens(plant)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: story.failed() != [], limit_s=30.0)
            assert story.failed()[0] == ("AuthorizationRes", "FAILED") and len(presented) == 1
            assert story.count("TransactionStarted") == 0
            plant.world.car.replace("unplug")
            await plant.car_finished()

    run(main())


def test_a_contract_at_an_evse_that_is_reserved_for_another_one_is_refused_at_once(
    run: Any, tmp_path: Path, pki: Pki
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, car(read_keys(pki.directory)), configuration=charger(tmp_path, pki)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            reserve: Any = plant.assembly.provider("auth", "reservation")
            until = rfc3339(utc_now() + timedelta(hours=1))
            wanted = reservation.Reservation(reservation_id=1, id_token="CARD", expiry_time=until, evse_id=1)
            assert await reserve.reserve_now(wanted) == "Accepted"
            plant.world.plug_in()
            await plant.until(lambda: story.failed() != [], limit_s=30.0)
            assert story.failed()[0] == ("AuthorizationRes", "FAILED")
            assert story.at("AuthorizationRes") - story.at("PaymentDetailsRes") < 2.0, "not after auth_timeout_pnc"
            assert story.count("TransactionStarted") == 0
            plant.world.car.replace("unplug")
            await plant.car_finished()

    run(main())


def test_a_contract_that_its_issuer_has_revoked_is_refused_at_payment_details(
    run: Any, tmp_path: Path, pki: Pki
) -> None:
    async def main() -> None:
        configuration = charger(tmp_path, pki)
        file = tmp_path / "etc/everest/user-config" / DC
        file.write_text(file.read_text() + "  evse_security:\n    config_module:\n      contract_revocation: true\n")
        model = car(read_keys(pki.directory, "revoked"))
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            story, presented = Story(plant), tokens(plant)
            plant.runtime.wires.plug("ocsp:http://ocsp.test.invalid/iso2", pki.answer_ocsp)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: story.failed() != [], limit_s=30.0)
            assert story.failed()[0] == ("PaymentDetailsRes", "FAILED_CertificateRevoked") and presented == []
            plant.world.car.replace("unplug")
            await plant.car_finished()

    run(main())


@pytest.mark.parametrize("times", [1, 2])
def test_a_paused_contract_goes_on_in_its_transaction(run: Any, tmp_path: Path, pki: Pki, times: int) -> None:
    async def main() -> None:
        model = car(read_keys(pki.directory), soc_percent=30.0)
        async with Plant(tmp_path, model, configuration=charger(tmp_path, pki)) as plant:
            story, presented = Story(plant), tokens(plant)
            again = DC_SESSION.removeprefix(MATCH)
            await plant.world.charger_is_ready()
            plant.world.car.run(DC_SESSION + ("sleep 5;" + PAUSE + WAKE_UP + again) * times + f"sleep 5;{LEAVE}")
            await plant.car_finished()
            await asyncio.sleep(2)
            assert story.responses("SessionSetupRes")[1:] == ["OK_OldSessionJoined"] * times
            options = [body["PaymentOptionList"]["PaymentOption"] for body in story.of("ServiceDiscoveryRes")]
            assert options[1:] == [["Contract"]] * times, "it was authorized for this one"
            assert len(presented) == 1, "the transaction is authorized already"
            assert story.count("TransactionStarted") == story.count("TransactionFinished") == 1
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []

    run(main())


def test_an_ac_car_with_a_contract_renegotiates(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        model = car(read_keys(pki.directory), soc_percent=30.0)
        configuration = ac_charger(tmp_path, pki)
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(AC_SESSION + f"sleep 60;{LEAVE}")
            await plant.until(lambda: story.count("ChargingStatusRes") > 5)
            node: Any = plant.assembly.modules["grid_connection_point"]
            limit = energy.LimitsReq(ac_max_current_A=energy.NumberWithSource(value=8.0, source="test"))
            entry = energy.ScheduleReqEntry(timestamp=rfc3339(utc_now()), limits_to_root=limit, limits_to_leaves=limit)
            await node.external_limits.set_external_limits(
                energy.ExternalLimits(schedule_import=[entry], schedule_export=[], schedule_setpoints=[])
            )
            await plant.until(lambda: story.count("ChargeParameterDiscoveryRes") == 2)
            await asyncio.sleep(5)
            assert plant.world.car._v2g.facts.charger.ac_max_current_A == 8.0
            await plant.car_finished()
            await asyncio.sleep(2)
            notified = {body["AC_EVSEStatus"]["EVSENotification"] for body in story.of("ChargingStatusRes")}
            assert "ReNegotiation" in notified
            assert not any(
                "EVSEMaxCurrent" in body and body["EVSEMaxCurrent"] for body in story.of("ChargingStatusRes")
            )
            assert story.count("TransactionStarted") == story.count("TransactionFinished") == 1
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []

    run(main())


def test_a_certificate_store_that_is_emptied_stops_nobody_who_charges(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        model = car(read_keys(pki.directory), soc_percent=30.0)
        async with Plant(tmp_path, model, configuration=charger(tmp_path, pki)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(DC_SESSION + f"sleep 30;{LEAVE}")
            await plant.until(lambda: story.count("CurrentDemandRes") > 5)
            shutil.rmtree(tmp_path / "etc/everest/certs")
            await plant.car_finished()
            assert story.responses("SessionStopRes") == ["OK"]
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())


def test_a_back_end_that_never_answers_costs_the_certificate_alone(run: Any, tmp_path: Path, pki: Pki) -> None:
    async def main() -> None:
        keys = read_keys(pki.directory)
        bare = msgspec.structs.replace(keys, iso2=msgspec.structs.replace(keys.iso2, contract=None))
        async with Plant(tmp_path, car(bare), configuration=charger(tmp_path, pki)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: story.failed() != [])
            assert story.failed() == [("CertificateInstallationRes", "FAILED")]
            plant.world.car.replace("unplug")
            await plant.car_finished()
            plant.world.car.settings = msgspec.structs.replace(plant.world.car.settings, keys=keys)
            plant.world.plug_in()
            await plant.until(lambda: story.count("CurrentDemandRes") > 3)

    run(main())


def test_a_recorded_session_with_a_contract_can_be_played_again(run: Any, tmp_path: Path, pki: Pki) -> None:
    """The answers of certificate store and back end are in the trace."""

    async def main() -> Path:
        keys = read_keys(pki.directory)
        bare = msgspec.structs.replace(keys, iso2=msgspec.structs.replace(keys.iso2, contract=None))
        configuration = charger(tmp_path, pki, central_contract_validation_allowed=True)
        plant = Plant(tmp_path, car(bare, soc_percent=79.9), configuration=configuration, contracts=True)
        async with plant:
            back_end(plant, pki)
            await plant.session()
            target = tmp_path / "trace.cbor"
            plant.runtime.trace.save(target, "test")
            return target

    outcomes = [one for one in replay(read(run(main())).entries) if "connection" in one.what]
    assert outcomes
    for outcome in outcomes:
        assert not outcome.remark and not outcome.difference, (outcome.remark, outcome.difference)
        assert outcome.inputs > 10 and outcome.outputs > 10
