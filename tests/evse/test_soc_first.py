"""`ac_with_soc`, machine by machine: when the offer changes, and what HLC is sent for it."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode as Mode
from chargebyte_fw.kernel.effects import Call
from chargebyte_fw.modules.evse.config import EvseConfig, contradictions
from chargebyte_fw.modules.evse.machine.ac.soc_first import Offered, SocFirst
from chargebyte_fw.modules.evse.machine.events import (
    BoardReported,
    Charging,
    LinkError,
    LinkTerminate,
    StateOfChargeRead,
)
from chargebyte_fw.modules.evse.machine.offer import Offer
from chargebyte_fw.modules.evse.machine.signals import OfferDirectCurrent, RestartLink, StateEntered
from tests.evse.test_energy_machine import BOARD


def machine(state: Charging = Charging.WaitingForAuthentication) -> SocFirst:
    one = SocFirst()
    one.feed(StateEntered(state), 0.0)
    return one


@pytest.mark.parametrize("event", [StateOfChargeRead(), LinkError(), LinkTerminate()])
def test_the_offer_changes_once_in_a_session_and_the_ev_begins_anew(event: Any) -> None:
    one = machine()
    assert one.feed(event, 1.0)[:2] == [OfferDirectCurrent(False), RestartLink()]
    for later in (StateOfChargeRead(), LinkError(), LinkTerminate(), StateEntered(Charging.PrepareCharging)):
        assert one.feed(later, 2.0) == []
    assert one.feed(StateEntered(Charging.Idle), 3.0) == [OfferDirectCurrent(True)]
    assert one.state is Offered.DirectCurrent


@pytest.mark.parametrize("event", [LinkError(), LinkTerminate()])
@pytest.mark.parametrize("state", [Charging.Idle, Charging.Disabled])
def test_the_end_of_an_ev_that_has_left_is_not_the_next_ones(event: Any, state: Charging) -> None:
    one = machine(state)
    assert one.feed(event, 1.0) == [] and one.state is Offered.DirectCurrent


def test_an_ev_without_communication_is_not_begun_anew() -> None:
    assert machine().feed(StateEntered(Charging.PrepareCharging), 1.0) == [OfferDirectCurrent(False)]


def sent(effects: list[Any]) -> dict[str, Any]:
    return {effect.command: effect.args[0] for effect in effects if isinstance(effect, Call)}


def test_hlc_is_sent_direct_current_first_and_clients_what_the_board_can_do() -> None:
    offer = Offer(EvseConfig(connector_id=1, ac_with_soc=True), hlc=True)
    assert offer.feed(OfferDirectCurrent(True), 0.0) == [], "nothing is known of the board"
    commands = sent(offer.feed(BoardReported(BOARD), 0.0))
    assert set(commands["update_energy_transfer_modes"]) == {
        Mode.DC_core,
        Mode.DC_extended,
        Mode.DC_combo_core,
        Mode.DC_unique,
    }
    most = commands["update_dc_maximum_limits"]
    assert (most.evse_maximum_current_limit, most.evse_maximum_power_limit) == (400.0, 200_000.0)
    assert most.evse_maximum_voltage_limit == 1_000.0
    present = commands["update_dc_present_values"]
    assert (present.evse_present_voltage, present.evse_present_current) == (400.0, 0.0)
    assert "update_dc_minimum_limits" in commands and "update_ac_maximum_limits" in commands
    assert offer.modes == [Mode.AC_single_phase_core, Mode.AC_two_phase, Mode.AC_three_phase_core]
    (command,) = offer.feed(OfferDirectCurrent(False), 1.0)
    assert command.command == Iso15118Charger.update_energy_transfer_modes.__name__
    assert command.args == (offer.modes,)


@pytest.mark.parametrize("key", ["ac_hlc_enabled", "ac_with_soc"])
def test_without_slac_and_hlc_the_keys_that_need_them_are_warned_of(key: str) -> None:
    changes: dict[str, Any] = {key: True}
    config = EvseConfig(connector_id=1, **changes)
    (issue,) = contradictions(config, {"slac"}, None)
    assert issue.about == key and issue.severity == "warning"
    assert list(contradictions(config, {"slac", "hlc"}, None)) == []
