"""What HLC may offer: payment options, and energy transfer modes that are narrowed for one session."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.authorization import AuthorizationType, IdToken, IdTokenType, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import PlugAndChargeConfiguration
from chargebyte_fw.contracts.types.iso15118 import Connector, PaymentOption
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode as Mode
from chargebyte_fw.contracts.types.units import Power
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.evse.config import ChargeMode, EvseConfig
from chargebyte_fw.modules.evse.machine.dc.present_values import PresentValues
from chargebyte_fw.modules.evse.machine.effects import LogLine, SessionChanged, SetUpSession
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    BoardReported,
    DerAvailable,
    ModesAllowed,
    ModuleReady,
    PlugAndChargeConfigured,
    StartUpDone,
    SupplyCapabilitiesChanged,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.offer import Offer, OfferState
from chargebyte_fw.modules.evse.machine.transfer_modes import ac_maximum, ac_minimum, ac_parameters, can_export, power
from tests.evse.fakes import SUPPLY
from tests.evse.test_energy_machine import BOARD

EXTERNAL, CONTRACT = PaymentOption.ExternalPayment, PaymentOption.Contract


def offer(*, dc: bool = False, hlc: bool = True, **config: Any) -> Offer:
    mode = ChargeMode.DC if dc else ChargeMode.AC
    return Offer(EvseConfig(connector_id=1, charge_mode=mode, **config), hlc=hlc)


def modes_sent(effects: list[Any]) -> list[list[Mode]]:
    return [one.args[0] for one in effects if getattr(one, "command", "") == "update_energy_transfer_modes"]


@pytest.mark.parametrize(
    ("eim", "contract", "external_only", "options"),
    [
        (True, True, False, [EXTERNAL, CONTRACT]),
        (True, False, False, [EXTERNAL]),
        (False, True, False, [CONTRACT]),
        (False, True, True, [EXTERNAL]),
        (True, True, True, [EXTERNAL]),
    ],
)
def test_payment_options(eim: bool, contract: bool, external_only: bool, options: list[PaymentOption]) -> None:
    machine = offer(payment_enable_eim=eim, payment_enable_contract=contract)
    with_contract = CONTRACT in options
    setup = call(Iso15118Charger.session_setup, options, with_contract, False)
    assert machine.feed(SetUpSession(external_only), 0.0) == [setup]


def test_a_session_that_a_contract_pays_is_taken_up_by_contract_and_gets_no_other_certificate() -> None:
    machine = offer(central_contract_validation_allowed=True)
    token = ProvidedIdToken(
        id_token=IdToken(value="DEKL2C00012345U", type=IdTokenType.eMAID),
        authorization_type=AuthorizationType.PlugAndCharge,
    )
    assert machine.feed(Authorized(token, contract=True), 0.0) == []
    again = call(Iso15118Charger.session_setup, [CONTRACT], False, True)
    assert machine.feed(SetUpSession(external_only=True), 0.0) == [again]
    both = call(Iso15118Charger.session_setup, [EXTERNAL, CONTRACT], True, True)
    assert machine.feed(SetUpSession(external_only=False), 1.0) == [both], "the session is over"
    machine.feed(Authorized(token), 2.0)
    external = call(Iso15118Charger.session_setup, [EXTERNAL], False, False)
    assert machine.feed(SetUpSession(external_only=True), 2.0) == [external]


def test_without_a_payment_option_external_payment_is_offered_and_that_is_logged_once() -> None:
    machine = offer(payment_enable_eim=False, payment_enable_contract=False)
    kinds = [[type(effect) for effect in machine.feed(SetUpSession(False), 0.0)] for _ in range(2)]
    assert [LogLine in one for one in kinds] == [True, False]
    assert machine.feed(SetUpSession(False), 0.0) == [call(Iso15118Charger.session_setup, [EXTERNAL], False, False)]


def test_changes_of_plug_and_charge_count_from_the_next_session_on() -> None:
    machine = offer(payment_enable_contract=False)
    changes = PlugAndChargeConfiguration(pnc_enabled=True, central_contract_validation_allowed=True)
    assert machine.feed(PlugAndChargeConfigured(changes), 0.0) == []
    (setup,) = machine.feed(SetUpSession(False), 0.0)
    assert setup.args == ([EXTERNAL, CONTRACT], True, True)


@pytest.mark.parametrize(
    ("changes", "setup"),
    [
        ({}, ([EXTERNAL, CONTRACT], True, False)),
        ({"pnc_enabled": False}, ([EXTERNAL], False, False)),
        ({"central_contract_validation_allowed": True}, ([EXTERNAL, CONTRACT], True, True)),
        ({"contract_certificate_installation_enabled": False}, ([EXTERNAL, CONTRACT], False, False)),
    ],
)
def test_a_change_of_plug_and_charge_sets_what_it_names_and_leaves_the_rest(
    changes: dict[str, bool], setup: tuple[list[PaymentOption], bool, bool]
) -> None:
    machine = offer(payment_enable_contract=True)
    assert machine.feed(PlugAndChargeConfigured(PlugAndChargeConfiguration(**changes)), 0.0) == []
    assert [one.args for one in machine.feed(SetUpSession(False), 0.0)] == [setup]
    machine.feed(PlugAndChargeConfigured(PlugAndChargeConfiguration()), 1.0)
    assert [one.args for one in machine.feed(SetUpSession(False), 1.0)] == [setup]


def test_the_power_of_an_ac_connection_is_the_sum_of_its_equal_phases() -> None:
    """ISO 15118-20 AC_ChargeParameterDiscovery: the limits of each phase are sent beside the total."""
    assert power(16.0, 230.0, 1) == Power(total=3680.0, L1=3680.0)
    assert power(16.0, 230.0, 2) == Power(total=7360.0, L1=3680.0, L2=3680.0)
    assert power(16.0, 230.0, 3) == Power(total=11_040.0, L1=3680.0, L2=3680.0, L3=3680.0)
    board = replace(BOARD, max_current_A_export=10.0, min_current_A_export=1.0, max_phase_count_export=1)
    most, least = ac_maximum(board, 230.0), ac_minimum(board, 230.0)
    assert (most.charge_power, most.discharge_power) == (power(32.0, 230.0, 3), power(10.0, 230.0, 1))
    assert (least.charge_power, least.discharge_power) == (power(6.0, 230.0, 3), power(1.0, 230.0, 1))


@pytest.mark.parametrize(
    ("phases", "connectors"),
    [(1, [Connector.SinglePhase]), (2, [Connector.SinglePhase]), (3, [Connector.SinglePhase, Connector.ThreePhase])],
)
@pytest.mark.parametrize(("reactive_VA", "sent"), [(0.0, None), (0.5, 0.5), (-1.0, None)])
def test_the_grids_nominal_values(phases: int, connectors: list[Connector], reactive_VA: float, sent: Any) -> None:
    values = ac_parameters(replace(BOARD, max_phase_count_import=phases), 230.0, reactive_VA)
    assert (values.nominal_frequency, values.nominal_voltage) == (50.0, 230.0)
    assert (values.connectors, values.evse_max_reactive_power) == (connectors, sent)


@pytest.mark.parametrize(
    ("current_A", "phases", "both_ways"), [(0.1, 1, True), (0.0, 1, False), (0.1, 0, False), (16.0, 3, True)]
)
def test_energy_returns_to_the_grid_where_current_and_phases_allow(
    current_A: float, phases: int, both_ways: bool
) -> None:
    board = replace(BOARD, max_current_A_export=current_A, max_phase_count_export=phases)
    assert can_export(board) is both_ways


def test_modes_are_offered_when_the_hardware_is_known_and_only_when_they_change() -> None:
    machine = offer()
    assert modes_sent(machine.feed(ModuleReady(), 0.0)) == [] and machine.state is OfferState.HardwareUnknown
    effects = machine.feed(BoardReported(BOARD), 0.0)
    (modes,) = modes_sent(effects)
    assert modes[0] is Mode.AC_single_phase_core and machine.state is OfferState.Whole
    assert publish(EvseManager.supported_energy_transfer_modes, modes) in effects
    commands = [one.command for one in effects if hasattr(one, "command")]
    assert commands[1:] == ["update_ac_maximum_limits", "update_ac_minimum_limits", "update_ac_parameters"]
    assert machine.feed(BoardReported(BOARD), 0.0) == [] and machine.feed(StartUpDone(), 0.0) == []
    exports = replace(BOARD, max_current_A_export=16.0, max_phase_count_export=3)
    assert machine.feed(BoardReported(exports), 0.0) == []
    assert modes_sent(machine.feed(DerAvailable(True), 0.0)) == [[*modes, Mode.AC_DER_IEC]]


def test_modes_are_narrowed_for_one_session() -> None:
    machine = offer(dc=True)
    machine.feed(SupplyCapabilitiesChanged(SUPPLY), 0.0)
    assert machine.feed(ModesAllowed([Mode.AC_two_phase]), 0.0) == [], "none of them is possible"
    assert machine.state is OfferState.Whole
    assert modes_sent(machine.feed(ModesAllowed([machine.modes[0], Mode.AC_BPT]), 0.0)) == [[machine.modes[0]]]
    assert machine.state is OfferState.Narrowed
    assert machine.feed(SessionChanged("id"), 0.0) == [] and machine.state is OfferState.Narrowed
    assert modes_sent(machine.feed(SessionChanged(""), 0.0)) == [machine.modes] and machine.state is OfferState.Whole


def test_without_hlc_the_modes_are_published_only() -> None:
    machine = offer(hlc=False)
    assert machine.feed(ModuleReady(), 0.0) == [] and machine.feed(SetUpSession(True), 0.0) == []
    effects = machine.feed(BoardReported(BOARD), 0.0)
    assert effects == [publish(EvseManager.supported_energy_transfer_modes, machine.modes)]


@pytest.mark.parametrize(
    ("measured", "sent"), [((400.0, 10.0), (400.0, 12.0)), ((400.0, -10.0), (400.0, 12.0)), ((-1.0, 0.0), (0.0, 0.0))]
)
def test_present_values_are_sent_when_they_change(measured: tuple[float, float], sent: tuple[float, float]) -> None:
    machine = PresentValues(EvseConfig(connector_id=1, charge_mode=ChargeMode.DC, hack_present_current_offset=2))

    def values(effects: list[Any]) -> list[tuple[float, float]]:
        found = [one.args[0] for one in effects]
        return [(one.evse_present_voltage, one.evse_present_current) for one in found]

    assert values(machine.feed(ModuleReady(), 0.0)) == [(0.0, 0.0)]
    assert values(machine.feed(SupplyMeasured(*measured), 0.0)) == [sent]
    assert values(machine.feed(SupplyMeasured(*measured), 1.0)) == []
    assert values(machine.feed(SupplyMeasured(measured[0] + 1.0, measured[1]), 2.0)) != []
