"""Certificates that are refused: the reason in words on both sides, in EvseManager, and the next car charges."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, CertificateStatus, ValidationResult
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as Reason
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.modules.auth.dummy_token_validator import Validator
from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki
from chargebyte_fw.sim.car_keys import read_keys
from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, connected, overlay
from tests.session.plant import Plant

DC = "bsp-only-dc.yaml"
CONTRACTS_ALONE: dict[str, Any] = {
    "auth": {"connections": {"token_provider": connected("connector", "token_provider")}},
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH, password="123456")


def charger(state: Path, certs: Path, **config: Any) -> str:
    """A charger with these certificates, which speaks every protocol."""
    shutil.copytree(certs, state / "etc/everest/certs")
    config = {"supported_ISO15118_20": True, "verify_contract_cert_chain": True, **config}
    overlay(state, DC, {**CONTRACTS_ALONE, "iso15118_charger": {"config_module": config}})
    return DC


def car(pki: Pki, protocol: str, kind: str = "", **values: Any) -> Model:
    keys = read_keys(pki.directory, kind)
    return Model(protocol, battery_kWh=20.0, soc_percent=79.5, tls="require", payment="contract", keys=keys, **values)


async def comes_and_leaves(plant: Plant, model: Model) -> None:
    """Let a car come whose session fails, and take it away."""
    plant.world.car.settings = model.settings(plant.world.car.settings.evcc_id)
    plant.reports.clear()
    await plant.world.charger_is_ready()
    plant.world.plug_in()
    await plant.until(lambda: plant.failures() != [])
    await asyncio.sleep(1)
    assert not plant.world.pilot.contactors_closed
    plant.world.car.replace("unplug")
    await plant.car_finished()
    await asyncio.sleep(5)


async def charges(plant: Plant, model: Model) -> None:
    """Let a car come and charge."""
    plant.world.car.settings = model.settings(plant.world.car.settings.evcc_id)
    plant.world.car.battery.soc_percent = model.soc_percent
    plant.reports.clear()
    story = Story(plant)
    await plant.session()
    assert plant.failures() == [] and plant.faults() == [] and plant.tracebacks() == []
    assert story.count("TransactionFinished") == story.count("ChargingStarted") == 1


@pytest.mark.parametrize(
    ("kind", "on_charger", "on_car"),
    [
        ("expired", "is refused: it is expired", "alert 45 certificate_expired"),
        ("wrong", "is refused: its issuer is not installed", "alert 48 unknown_ca"),
    ],
)
def test_a_handshake_fails_and_the_next_car_charges(
    run: Any, tmp_path: Path, pki: Pki, kind: str, on_charger: str, on_car: str
) -> None:
    """A vehicle certificate in TLS 1.3 of ISO 15118-20; at the end the same car with a good one."""

    async def main() -> None:
        model = car(pki, "iso20-dc", kind)
        async with Plant(tmp_path, model, configuration=charger(tmp_path, pki.certs)) as plant:
            evse: Any = plant.assembly.modules["connector"]
            failed: list[Any] = []
            evse.evse.hlc_session_failed.subscribe(lambda event: failed.append(event.reason))
            await comes_and_leaves(plant, model)
            assert failed == [Reason.FailedTLSHandshake]
            (line,) = [line for line in plant.warnings() if line.startswith("no TLS with")]
            assert on_charger in line and on_car in plant.failures()[0]
            await charges(plant, car(pki, "iso20-dc"))
            assert failed == [Reason.FailedTLSHandshake]

    run(main())


@pytest.mark.parametrize(
    ("kind", "reason"), [("expired", "it expired on 2025-12-22"), ("revoked", "it was revoked by its issuer")]
)
def test_a_charger_with_such_a_chain_alone_offers_no_tls(
    run: Any, tmp_path: Path, pki: Pki, kind: str, reason: str
) -> None:
    async def main() -> None:
        model = car(pki, "iso2")
        async with Plant(tmp_path, model, configuration=charger(tmp_path, pki.store(kind))) as plant:
            await comes_and_leaves(plant, model)
            assert plant.failures() == ["the charger offers no TLS"]
            (line,) = [line for line in plant.warnings() if line.startswith("no TLS: ")]
            assert line.startswith("no TLS: no V2G certificate chain is valid now: the system time is 2026-01-01T")
            assert any(reason in line for line in plant.warnings()), plant.warnings()

    run(main())


@pytest.mark.parametrize(
    ("kind", "on_charger", "on_car"),
    [
        ("expired", "the contract has expired on 2025-12-22", "FAILED_CertificateExpired"),
        ("revoked", "revoked", "FAILED_CertificateRevoked"),
    ],
)
def test_a_contract_that_is_refused_and_the_next_one_charges(
    run: Any, tmp_path: Path, pki: Pki, monkeypatch: Any, kind: str, on_charger: str, on_car: str
) -> None:
    """The back end knows of the revocation; the charger has the date."""

    async def revoked(self: Validator, provided_token: Any) -> ValidationResult:
        return ValidationResult(
            authorization_status=AuthorizationStatus.Invalid,
            certificate_status=CertificateStatus.CertificateRevoked,
            tariff_messages=[],
        )

    async def main() -> None:
        model = car(pki, "iso2", kind)
        async with Plant(tmp_path, model, configuration=charger(tmp_path, pki.certs)) as plant:
            evse: Any = plant.assembly.modules["connector"]
            failed: list[Any] = []
            evse.evse.hlc_session_failed.subscribe(lambda event: failed.append(event.reason))
            with monkeypatch.context() as patch:
                if kind == "revoked":
                    patch.setattr(Validator, "validate_token", revoked)
                await comes_and_leaves(plant, model)
            assert any(on_charger in record.getMessage() for record in plant.records)
            assert on_car in plant.failures()[0]
            assert failed == [Reason.AuthorizationFailed]
            await charges(plant, car(pki, "iso2"))

    run(main())


@pytest.mark.parametrize("protocol", ["iso2", "iso20-dc"])
def test_a_contract_too_large_for_its_message_fails_at_the_car_and_the_next_one_charges(
    run: Any, tmp_path: Path, pki: Pki, protocol: str
) -> None:
    """More than 800 bytes in ISO 15118-2, than 1600 in -20: the car cannot write the request."""

    async def main() -> None:
        model = car(pki, protocol, "oversized")
        async with Plant(tmp_path, model, configuration=charger(tmp_path, pki.certs)) as plant:
            await comes_and_leaves(plant, model)
            assert "ContractCertificateChain.Certificate: " in plant.failures()[0].replace(
                "SignatureCert", "Certificate"
            )
            assert "octets are out of bounds" in plant.failures()[0]
            await charges(plant, car(pki, protocol))

    run(main())
