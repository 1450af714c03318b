"""Who may charge: Autocharge, Plug and Charge, free charging, time-outs, withdrawal, reservations."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types import powermeter, text_message
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    CertificateStatus,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
)
from chargebyte_fw.contracts.types.evse_manager import CarManufacturer
from tests.evse.world import ACCEPTED, TOKEN, Assemble, Run, World

CONTRACT = ProvidedIdToken(
    id_token=IdToken(value="DE8AA1A2B3C4D59", type=IdTokenType.eMAID),
    authorization_type=AuthorizationType.PlugAndCharge,
)


def test_autocharge_offers_the_evs_mac(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, enable_autocharge=True).start()
        await w.plug_and_match()
        w.ask_authorization()
        await asyncio.sleep(0.1)
        (token,) = w.tokens
        assert token.id_token == IdToken(value="VID:562F3397B374", type=IdTokenType.MacAddress)
        assert (token.authorization_type, token.connectors) == (AuthorizationType.Autocharge, [1])
        await w.authorize(token)
        await asyncio.sleep(0.1)
        assert len(w.calls("hlc", "authorization_response")) == 1

    run(story())


def test_an_address_of_zeros_is_no_identity(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, enable_autocharge=True).start()
        await w.plug_and_match()
        w.hlc.publish("evcc_id", "00:00:00:00:00:00")
        w.hlc.publish("require_auth_eim")
        await asyncio.sleep(0.1)
        assert w.tokens == []

    run(story())


def test_autocharge_with_the_mac_of_slac(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, enable_autocharge=True, autocharge_use_slac_instead_of_hlc=True).start()
        await w.plug_and_match()
        w.slac.main.ev_mac_address.publish("00:7D:FA:01:02:03")
        w.ask_authorization()
        await asyncio.sleep(0.1)
        assert w.tokens[0].id_token.value == "VID:007DFA010203"

    run(story())


@pytest.mark.parametrize(
    ("mac", "maker"),
    [
        ("00:7D:FA:01:02:03", CarManufacturer.VolkswagenGroup),
        ("98:ED:5C:01:02:03", CarManufacturer.Tesla),
        ("DC:44:27:1F:02:03", CarManufacturer.Tesla),
        ("DC:44:27:2F:02:03", CarManufacturer.Unknown),
    ],
)
def test_maker_from_the_mac(assemble: Assemble, run: Run, mac: str, maker: CarManufacturer) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        w.hlc.publish("evcc_id", mac)
        await asyncio.sleep(0.1)
        assert w.m.evse.car_manufacturer.value is maker
        assert w.m.evse.ev_info.value is not None and w.m.evse.ev_info.value.evcc_id == mac

    run(story())


def test_plug_and_charge(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        w.hlc.publish("require_auth_pnc", CONTRACT)
        await asyncio.sleep(0.1)
        assert w.tokens[0].connectors == [1]
        await w.authorize(TOKEN)
        await asyncio.sleep(1.0)
        assert w.state == "WaitingForAuthentication", "an external token while the contract is looked at"
        await w.authorize(w.tokens[0])
        await asyncio.sleep(0.5)
        assert w.calls("hlc", "authorization_response") == [(AuthorizationStatus.Accepted, CertificateStatus.Accepted)]
        assert w.state == "PrepareCharging"
        request = w.calls("meter", "start_transaction")[-1][0]
        assert request.identification_type is powermeter.OCMFIdentificationType.EMAID

    run(story())


def test_rejected_contract_goes_to_hlc(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        w.hlc.publish("require_auth_pnc", CONTRACT)
        await asyncio.sleep(0.1)
        result = ValidationResult(
            authorization_status=AuthorizationStatus.Blocked,
            tariff_messages=[],
            certificate_status=CertificateStatus.CertificateRevoked,
        )
        await w.m.evse.authorize_response(w.tokens[0], result)
        await asyncio.sleep(0.1)
        assert w.calls("hlc", "authorization_response") == [
            (AuthorizationStatus.Blocked, CertificateStatus.CertificateRevoked)
        ]
        assert w.state == "WaitingForAuthentication"

    run(story())


@pytest.mark.parametrize("dc", [False, True])
def test_with_authentication_disabled_the_evse_manager_authorizes_itself(
    assemble: Assemble, run: Run, dc: bool
) -> None:
    async def story() -> None:
        w = await World(assemble, dc=dc, disable_authentication=True).start()
        for _ in range(2):
            w.events.clear()
            w.bsp.cp("B")
            await w.until_state("PrepareCharging", limit_s=10)
            assert [event.event.value for event in w.events[:4]] == [
                "SessionStarted",
                "AuthRequired",
                "Authorized",
                "TransactionStarted",
            ]
            started = w.events[3].transaction_started
            assert started is not None
            token = started.id_tag
            assert (token.id_token.value, token.id_token.type.value) == ("FREESERVICE", "Local")
            assert (token.authorization_type.value, token.prevalidated) == ("RFID", True)
            w.bsp.cp("A")
            await w.until_state("Idle")
        assert w.tokens == [], "the token is nobody else's business: no Auth is connected"

    run(story())


def test_with_authentication_disabled_a_session_that_waited_for_a_fault_is_authorized_too(
    assemble: Assemble, run: Run
) -> None:
    async def story() -> None:
        w = await World(assemble, disable_authentication=True).start()
        w.bsp.main.faults.raise_fault("evse_board_support/VendorError", "test")
        w.bsp.cp("B")
        await asyncio.sleep(5)
        assert "SessionStarted" not in w.names
        w.bsp.main.faults.clear("evse_board_support/VendorError")
        await w.until_state("PrepareCharging", limit_s=10)

    run(story())


def test_with_authentication_disabled_a_stopped_transaction_is_not_begun_again_before_the_unplug(
    assemble: Assemble, run: Run
) -> None:
    async def story() -> None:
        w = await World(assemble, disable_authentication=True).start()
        w.bsp.cp("B")
        await w.until_state("PrepareCharging", limit_s=10)
        await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=types.StopTransactionReason.Local))
        await w.until_state("Finished", limit_s=10)
        await asyncio.sleep(60)
        assert w.names.count("TransactionStarted") == 1 and w.state == "Finished"

    run(story())


@pytest.mark.parametrize("disabled", [False, True])
def test_an_evse_that_waits_for_an_authorization_says_so(
    assemble: Assemble, run: Run, caplog: pytest.LogCaptureFixture, disabled: bool
) -> None:
    async def story() -> None:
        w = await World(assemble, disable_authentication=disabled).start()
        w.bsp.cp("B")
        await asyncio.sleep(60)
        lines = [record.getMessage() for record in caplog.records]
        assert lines.count("waiting for an authorization") == (0 if disabled else 1)

    caplog.set_level("INFO", "secc")
    run(story())


@pytest.mark.parametrize("raises", [False, True])
def test_nobody_authorizes_in_time(assemble: Assemble, run: Run, raises: bool) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, raise_mrec9=raises).start()
        await w.plug_and_match()
        w.ask_authorization()
        await asyncio.sleep(0.1)
        await w.m.evse.withdraw_authorization()
        await asyncio.sleep(0.1)
        assert "PluginTimeout" in w.names
        assert w.calls("hlc", "authorization_response") == [
            (AuthorizationStatus.Unknown, CertificateStatus.NoCertificateAvailable)
        ]
        assert w.m.evse.faults.is_active("evse_manager/MREC9AuthorizationTimeout") is raises

    run(story())


def test_withdrawal_before_plug_in_ends_the_session(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.authorize()
        await w.m.evse.withdraw_authorization()
        await asyncio.sleep(0.1)
        assert w.names == ["SessionStarted", "Authorized", "Deauthorized", "SessionFinished"]
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.state == "WaitingForAuthentication"

    run(story())


def test_withdrawal_during_the_error_routine_counts(assemble: Assemble, run: Run) -> None:
    """SLAC has failed and t_step_EF runs: nothing begins afterwards that was withdrawn meanwhile."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        w.slac.main.request_error_routine.publish(None)
        await w.until_state("TStepEF")
        await w.authorize()
        await w.m.evse.withdraw_authorization()
        await w.until_state("WaitingForAuthentication", 6.0)
        await asyncio.sleep(2.0)
        assert w.state == "WaitingForAuthentication"
        assert "TransactionStarted" not in w.names

    run(story())


def test_withdrawal_while_the_meter_starts_ends_as_withdrawn(assemble: Assemble, run: Run) -> None:
    """Another authorization waits for the next plug-in: the transaction that begins belongs to the first one."""

    async def story() -> None:
        w = await World(assemble).start()
        start = w.meter.main.start_transaction
        release = asyncio.Event()

        async def slow(value: Any) -> Any:
            await release.wait()
            return await start(value)

        w.meter.main.start_transaction = slow
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.authorize()
        await w.m.evse.withdraw_authorization()
        await w.authorize()
        release.set()
        await w.until_state("Finished")
        await asyncio.sleep(1.0)
        ended = [event.transaction_finished for event in w.events if event.transaction_finished is not None]
        assert [one.reason for one in ended] == [types.StopTransactionReason.DeAuthorized]
        assert w.names.count("TransactionStarted") == 1
        await w.unplug()
        assert w.state == "Idle"

    run(story())


def test_withdrawal_with_a_transaction_only_tells(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.bsp.cp("B")
        await w.authorize()
        await w.until_state("PrepareCharging")
        await w.m.evse.withdraw_authorization()
        await asyncio.sleep(0.1)
        assert w.names[-1] == "Deauthorized"
        assert w.state == "PrepareCharging"

    run(story())


def test_late_authorization_after_a_stop_is_ignored(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=types.StopTransactionReason.Remote))
        await w.authorize()
        await w.until_state("Finished")
        assert w.names.count("Authorized") == 1

    run(story())


def test_a_stop_during_the_wake_up_of_the_ev_is_not_undone_by_another_authorization(
    assemble: Assemble, run: Run
) -> None:
    """A stopped transaction is over for good: who authorizes next does so for the next plug-in."""

    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        await w.until_state("TStepEF", 40.0)
        reason = types.StopTransactionReason.Remote
        assert await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=reason))
        await w.authorize()
        assert w.names.count("Authorized") == 1 and not w.now.authorized
        await w.until_state("Finished", 30.0)
        (finished,) = (event.transaction_finished for event in w.events if event.transaction_finished is not None)
        assert finished.reason == reason

    run(story())


def test_unplug_while_the_meter_starts(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.meter.answers = False
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.authorize()
        await asyncio.sleep(0.5)
        w.bsp.cp("A")
        await asyncio.sleep(25.0)
        assert w.names[-1] == "SessionFinished"
        assert w.state == "Idle"

    run(story())


def test_tariff_text_reaches_the_meter(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        result = ValidationResult(
            authorization_status=AuthorizationStatus.Accepted,
            tariff_messages=[text_message.MessageContent(content="0.49 EUR/kWh" * 40)],
        )
        await w.m.evse.authorize_response(TOKEN, result)
        await asyncio.sleep(0.5)
        request = w.calls("meter", "start_transaction")[-1][0]
        assert request.tariff_text is not None and len(request.tariff_text) == 250
        assert (request.transaction_id, request.identification_data) == (w.events[-1].uuid, "DEADBEEF")

    run(story())


def test_payments_offered_change_with_the_session(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        await w.authorize()
        await asyncio.sleep(1.0)
        await w.unplug()
        offered = [[option.value for option in args[0]] for args in w.calls("hlc", "session_setup")]
        both = ["ExternalPayment", "Contract"]
        assert offered == [both, both, ["ExternalPayment"], both]
        changes = types.PlugAndChargeConfiguration(pnc_enabled=False)
        await w.m.evse.set_plug_and_charge_configuration(changes)
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.calls("hlc", "session_setup")[-1][1:] == (False, False)
        assert [option.value for option in w.calls("hlc", "session_setup")[-1][0]] == ["ExternalPayment"]

    run(story())


def test_energy_transfer_modes_are_narrowed_for_one_session(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode as Mode

        w = await World(assemble, hlc=True).start()
        result = types.UpdateAllowedEnergyTransferModesResult
        evse = w.m.evse
        assert await evse.update_allowed_energy_transfer_modes([Mode.DC_extended]) is result.IncompatibleEnergyTransfer
        assert await evse.update_allowed_energy_transfer_modes([Mode.AC_single_phase_core]) is result.Accepted
        await asyncio.sleep(0.1)
        assert w.calls("hlc", "update_energy_transfer_modes")[-1] == ([Mode.AC_single_phase_core],)
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        await w.unplug()
        assert len(w.calls("hlc", "update_energy_transfer_modes")[-1][0]) == 3
        basic = await World(assemble).start()
        assert await basic.m.evse.update_allowed_energy_transfer_modes([Mode.AC_single_phase_core]) is result.NoHlc

    run(story())


def test_reservation(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        assert await w.m.evse.reserve(7)
        assert await w.m.evse.reserve(7)
        assert not await w.m.evse.reserve(8)
        await asyncio.sleep(0.1)
        assert w.names == ["ReservationStart"]
        await w.m.evse.cancel_reservation()
        await asyncio.sleep(0.1)
        assert w.names == ["ReservationStart", "ReservationEnd"]
        assert w.events[-1].uuid == ""
        assert await w.m.evse.reserve(-1)
        assert await w.m.evse.reserve(9), "a placeholder for the station gives way"
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.authorize()
        await asyncio.sleep(0.5)
        (started,) = [event.transaction_started for event in w.events if event.transaction_started]
        assert started is not None and started.reservation_id == 9
        assert not await w.m.evse.reserve(10)

    run(story())


def test_fault_cancels_a_reservation(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        assert await w.m.evse.reserve(7)
        w.bsp.main.faults.raise_fault("evse_board_support/MREC2GroundFailure", "earth")
        await asyncio.sleep(0.1)
        assert w.names[-1] == "ReservationEnd"
        assert not await w.m.evse.reserve(7)

    run(story())


def test_answers_about_itself(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, connector_type="cCCS2").start()
        evse = await w.m.evse.get_evse()
        assert (evse.id, [(c.id, c.type) for c in evse.connectors]) == (1, [(1, types.ConnectorTypeEnum.cCCS2)])
        assert w.m.evse.evse_id.value == "DE*PNX*E1234567*1"
        assert ACCEPTED.reservation_id is None

    run(story())
