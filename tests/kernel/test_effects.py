"""Typed effects: a command or a value of a contract, made where mypy sees the contract."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.kernel.effects import Call, Publish, call, publish

OFF = PowerOnOff(allow_power_on=False, reason=PowerOnOffReason.PowerOff)


def test_a_call_is_plain_data_that_names_interface_and_command() -> None:
    assert call(EvseBoardSupport.allow_power_on, OFF) == Call("evse_board_support", "allow_power_on", (OFF,))
    assert call(EvseBoardSupport.cp_state_F) == Call("evse_board_support", "cp_state_F")


def test_urgency_and_replacement_are_said_of_the_call() -> None:
    assert call(EvseBoardSupport.allow_power_on, OFF).urgently().urgent is True
    assert call(EvseBoardSupport.pwm_on, 5.0).latest_only() == Call(
        "evse_board_support", "pwm_on", (5.0,), urgent=False, latest=True
    )


def test_a_publication_names_interface_and_variable() -> None:
    assert publish(Slac.dlink_ready, True) == Publish("slac", "dlink_ready", True)


def test_keyword_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="positional"):
        call(EvseBoardSupport.enable, value=True)
