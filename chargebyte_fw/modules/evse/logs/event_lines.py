"""The session log's lines as EVerest writes them; integrators read them on `hlc_log` (recorded of C++ EVerest)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.effects import Call
from chargebyte_fw.modules.evse.machine.effects import PublishSessionEvent, SessionLogLine, number
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.signals import (
    CarBack,
    CarLost,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
)


def state_line(before: Charging, after: Charging) -> SessionLogLine | None:
    """Return the line of a state change; the session is over in Idle and Disabled."""
    if after in (Charging.Idle, Charging.Disabled):
        return None
    return SessionLogLine(f"Charger state: {before.value}->{after.value}")


def event_line(event: PublishSessionEvent) -> SessionLogLine | None:
    """Return the line of a session event; None for one that has the line of its state change."""
    extra = event.extra
    match event.event:
        case SessionEventEnum.SessionStarted:
            return SessionLogLine(f"Session Started: {extra['session_started'].reason.value}")
        case SessionEventEnum.TransactionStarted:
            return SessionLogLine(f"Transaction Started ({_kWh(extra['transaction_started'])} kWh)")
        case SessionEventEnum.TransactionFinished:
            finished = extra["transaction_finished"]
            return SessionLogLine(f"Transaction Finished: {finished.reason.value} ({_kWh(finished)} kWh)")
        case SessionEventEnum.SessionFinished:
            return SessionLogLine("Session Finished")
    return None


def _kWh(transaction: Any) -> str:
    return number(transaction.meter_value.energy_Wh_import.total / 1000)


def pilot_line(signal: Any) -> SessionLogLine | None:
    """Return the line of what the EV does on the pilot."""
    match signal:
        case CarPluggedIn() | CarUnplugged():
            name = type(signal).__name__
        case CarRequests(power):
            name = "CarRequestedPower" if power else "CarRequestedStopPower"
        case CarLost(shorted):
            name = "BCDtoE" if shorted else "BCDtoEF"
        case CarBack():
            name = "EFtoBCD"
        case _:
            return None
    return SessionLogLine(f"Event {name}", origin="CAR")


def command_line(call: Call) -> SessionLogLine | None:
    """Return the line of a command to the board or the power supply."""
    match call.interface, call.command, call.args:
        case "evse_board_support", "pwm_on", (percent,):
            # The board takes a command at once; EVerest measures how long its driver takes.
            return SessionLogLine(f"Set PWM On ({percent:.1f}%) took 0 ms")
        case "evse_board_support", "cp_state_X1", ():
            return SessionLogLine("Set PWM Off")
        case "evse_board_support", "cp_state_F", ():
            return SessionLogLine("Set PWM F")
        case "power_supply_DC", ("setExportVoltageCurrent" | "setImportVoltageCurrent"), (voltage_V, current_A):
            values = f"{voltage_V:.2f}V/{current_A:.2f}A"
            return SessionLogLine(f"DC power supply set: {values}, requested was {values}.")
        case "power_supply_DC", "setMode", (Mode.Off, _):
            return SessionLogLine("DC power supply OFF")
        case "power_supply_DC", "setMode", (Mode.Import, _):
            return SessionLogLine("DC power supply: switch ON in import mode")
        case "power_supply_DC", "setMode", (Mode.Export, ChargingPhase.Charging):
            return SessionLogLine("DC power supply: switch ON in export mode")
        case "power_supply_DC", "setMode", (Mode.Export, phase):
            return SessionLogLine(f"DC power supply: switch ON called, ChargingPhase: {phase.value}")
    return None
