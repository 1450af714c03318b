"""The modules of recorded sessions publish again; the session events must be the reference's."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types import (
    authorization,
    board_support_common,
    energy,
    evse_board_support,
    iso15118,
    isolation_monitor,
    power_supply_DC,
    powermeter,
    slac,
)
from chargebyte_fw.kernel.module import provides
from chargebyte_fw.modules.evse.config import ChargeMode
from chargebyte_fw.modules.evse.evse_manager import EvseManager
from tests.evse.fakes import Commands, FakeModule, recording, signed
from tests.evse.world import Assemble, Run

CAPTURES = Path(__file__).parents[1] / "captures/evse"
METER_KEYS = ("meter_value",)
TYPES: dict[tuple[str, str], Any] = {
    ("bsp", "event"): board_support_common.BspEvent,
    ("bsp", "capabilities"): evse_board_support.HardwareCapabilities,
    ("slac", "state"): slac.State,
    ("supply", "voltage_current"): power_supply_DC.VoltageCurrent,
    ("supply", "capabilities"): power_supply_DC.Capabilities,
    ("meter", "powermeter"): powermeter.Powermeter,
    ("imd", "isolation_measurement"): isolation_monitor.IsolationMeasurement,
    ("hlc", "dc_ev_maximum_limits"): iso15118.DcEvMaximumLimits,
    ("hlc", "dc_ev_target_voltage_current"): iso15118.DcEvTargetValues,
    ("hlc", "v2g_messages"): iso15118.V2gMessages,
    ("bsp", "telemetry"): evse_board_support.Telemetry,
    ("hlc", "dc_ev_status"): iso15118.DcEvStatus,
    ("hlc", "dc_ev_remaining_time"): iso15118.DcEvRemainingTime,
    ("hlc", "selected_payment_option"): iso15118.PaymentOption,
    ("hlc", "requested_energy_transfer_mode"): iso15118.EnergyTransferMode,
}


class Silent(FakeModule):
    """Every module in one: it records its commands and publishes only what the recording has."""

    async def _start(self: Any, _: Any) -> powermeter.TransactionStartResponse:
        status = powermeter.TransactionRequestStatus
        if not self.module.signs:
            return powermeter.TransactionStartResponse(status=status.NOT_SUPPORTED)
        return powermeter.TransactionStartResponse(status=status.OK, signed_meter_value=signed("start"))

    async def _stop(self: Any, _: str) -> powermeter.TransactionStopResponse:
        status = powermeter.TransactionRequestStatus
        if not self.module.signs:
            return powermeter.TransactionStopResponse(status=status.NOT_SUPPORTED)
        return powermeter.TransactionStopResponse(status=status.OK, signed_meter_value=signed("stop"))

    signs = False
    bsp = provides(recording(EvseBoardSupport))
    slac = provides(recording(Slac))
    hlc = provides(recording(Iso15118Charger))
    supply = provides(recording(PowerSupplyDC))
    meter = provides(recording(Powermeter, start_transaction=_start, stop_transaction=_stop))
    imd = provides(recording(IsolationMonitor))
    monitor = provides(recording(OverVoltageMonitor))
    lock = provides(recording(ConnectorLock))
    rcd = provides(recording(AcRcd))

    def __init__(self) -> None:
        super().__init__()
        self.commands: Commands = []


def rows(name: str) -> list[list[Any]]:
    lines = (CAPTURES / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def without_meter(value: Any) -> Any:
    """Leave out meter values, signatures' texts and folders: the recording's are its own."""
    if isinstance(value, dict):
        return {key: without_meter(inner) for key, inner in value.items() if key not in METER_KEYS}
    return value


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """What must be alike: every field's presence and every value that the session decides."""
    event = json.loads(json.dumps(event))
    for field in ("session_started", "transaction_started", "transaction_finished", "session_finished"):
        if field in event:
            assert "meter_value" in event[field]
            for own in ("logging_path", "signed_meter_value", "start_signed_meter_value"):
                if own in event[field]:
                    event[field][own] = "present"
    return dict(without_meter(event))


async def replay(
    assemble: Assemble, name: str, *, more: list[list[Any]] | None = None, **beside: tuple[Any, ...]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Silent]:
    """Play a recording, `more` rows and modules `beside`; returns (events of the reference, ours, the module)."""
    dc = name == "dc"
    names = ["bsp", "slac", "hlc"] + (["supply", "imd"] if dc else ["rcd", "lock"])
    requirements = {part: part for part in names} | {"powermeter_car_side" if dc else "powermeter_grid_side": "meter"}
    renamed = {"supply": "powersupply_DC", "rcd": "ac_rcd", "lock": "connector_lock"}
    connections = {renamed.get(key, key): f"all.{value}" for key, value in requirements.items()}
    if dc:
        connections["over_voltage_monitor"] = "all.monitor"
    config = {
        "connector_id": 1,
        "charge_mode": ChargeMode.DC if dc else ChargeMode.AC,
        "evse_id": "DE*PNX*E12345*1",
        "session_logging": True,
        "session_logging_path": "/tmp/everest-logs",
        "ac_hlc_enabled": not dc,
        "ac_hlc_use_5percent": False,
    }
    it = assemble(all=(Silent,), evse=(EvseManager, config, connections), **beside)
    everyone: Any = it.modules["all"]
    everyone.signs = not dc
    manager: Any = it.modules["evse"]
    ours: list[dict[str, Any]] = []
    session = ""

    def take(event: Any) -> None:
        nonlocal session
        session = event.uuid or session
        plain = msgspec.to_builtins(event)
        plain.pop("timestamp")
        plain["uuid"] = "session" if plain["uuid"] else ""
        assert event.uuid in ("", session)
        ours.append(plain)

    manager.evse.session_event.subscribe(take)
    await it.start()
    loop = asyncio.get_running_loop()
    # Our start is a moment; the recording's takes a second and a half.
    offset = loop.time()
    expected, limits = [], None
    for at, kind, who, what, value in sorted([*rows(name), *(more or [])], key=lambda row: row[0]):
        await asyncio.sleep(max(0.0, offset + at - loop.time()))
        if kind == "expect":
            expected.append(value)
        elif kind == "var":
            getattr(getattr(everyone, who), what).publish(
                msgspec.convert(value, TYPES[who, what]) if (who, what) in TYPES else value
            )
        elif kind == "cmd" and what == "enforce_limits":
            limits = limits if value == "same" else msgspec.convert(value, energy.EnforcedLimits)
            assert limits is not None
            await manager.energy_grid.enforce_limits(msgspec.structs.replace(limits, uuid="evse"))
        elif kind == "cmd":
            await manager.evse.authorize_response(
                msgspec.convert(value["provided_token"], authorization.ProvidedIdToken),
                msgspec.convert(value["validation_result"], authorization.ValidationResult),
            )
        elif kind == "error" and value == "ac_rcd/DC":
            book = everyone.rcd.faults
            if what == "Active":
                book.raise_fault(value, "Simulated fault event")
            else:
                book.clear(value)
    await asyncio.sleep(1.0)
    await it.stop()
    return expected, ours, everyone


@pytest.mark.parametrize("name", ["dc", "ac_basic", "ac_rcd"])
def test_session_events_are_the_references(assemble: Assemble, run: Run, name: str) -> None:
    async def story() -> None:
        expected, ours, _ = await replay(assemble, name)
        assert [event["event"] for event in ours] == [event["event"] for event in expected]
        assert [shape(event) for event in ours] == [shape(event) for event in expected]

    run(story())
