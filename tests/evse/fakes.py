"""The modules around an EVSE manager, as small fakes: each records its commands and plays its part."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types import power_supply_DC, units
from chargebyte_fw.contracts.types.board_support_common import BspEvent, BspEventEvent
from chargebyte_fw.contracts.types.evse_board_support import (
    HardwareCapabilities,
    HardwareCapabilitiesConnectorType,
    PowerOnOff,
)
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode, VoltageCurrent
from chargebyte_fw.contracts.types.powermeter import Powermeter as MeterValue
from chargebyte_fw.contracts.types.powermeter import (
    TransactionReq,
    TransactionRequestStatus,
    TransactionStartResponse,
    TransactionStopResponse,
)
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.module import Module, provides

CONTACTOR_S = 0.1

Commands = list[tuple[float, str, str, tuple[Any, ...]]]


def recording(contract: type[Contract], **answers: Any) -> type[Any]:
    """Make an implementation whose commands are written into `module.commands` and answered from `answers`."""

    def command(name: str) -> Any:
        async def carry_out(self: Any, *args: Any) -> Any:
            self.module.record(name, args)
            answer = answers.get(name)
            return await answer(self, *args) if callable(answer) else answer

        carry_out.__name__ = name
        return carry_out

    return type(f"Recording{contract.__name__}", (contract,), {name: command(name) for name in contract.commands})


class FakeModule(Module):
    """Records its commands, in a list that all fakes of a test share."""

    commands: Commands

    def __init__(self) -> None:
        super().__init__()
        self.commands = []

    def record(self, command: str, args: tuple[Any, ...]) -> None:
        self.commands.append((asyncio.get_running_loop().time(), self.id, command, args))

    def calls(self, command: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of `command` of this module."""
        return [args for _, who, name, args in self.commands if who == self.id and name == command]


async def _allow(self: Any, value: PowerOnOff) -> None:
    self.module.allow(value.allow_power_on)


class FakeBoard(FakeModule):
    """A board whose contactors follow their permission in state C, and open without it or outside C."""

    main = provides(recording(EvseBoardSupport, allow_power_on=_allow))

    def __init__(self) -> None:
        super().__init__()
        self.welded = False
        self.stuck_open = False
        self.socket = False
        self.closed = False
        self.switches = True
        self.first = "A"
        self._allowed = False
        self._cp = "A"
        self._moves: deque[bool] = deque()

    def hardware(self) -> HardwareCapabilities:
        kinds = HardwareCapabilitiesConnectorType
        return HardwareCapabilities(
            max_current_A_import=32.0,
            min_current_A_import=6.0,
            max_phase_count_import=3,
            min_phase_count_import=1,
            max_current_A_export=16.0,
            min_current_A_export=0.0,
            max_phase_count_export=3,
            min_phase_count_export=1,
            supports_changing_phases_during_charging=self.switches,
            supports_cp_state_E=False,
            connector_type=kinds.IEC62196Type2Socket if self.socket else kinds.IEC62196Type2Cable,
        )

    async def ready(self) -> None:
        self.main.capabilities.publish(self.hardware())
        self.cp(self.first)

    def cp(self, state: str) -> None:
        """The EV shows a pilot state."""
        self._cp = state
        self.main.event.publish(BspEvent(event=BspEventEvent(state)))
        self._move()

    def allow(self, allowed: bool) -> None:
        self._allowed = allowed
        self._move()

    def _move(self) -> None:
        wanted = self._allowed and self._cp in "CD" and not self.stuck_open
        if wanted is not self.closed and not (self.welded and self.closed):
            self.closed = wanted
            self._moves.append(wanted)
            # Timers of one instant expire in any order; the reports of one contactor keep theirs.
            self.after(CONTACTOR_S, lambda: self.report(self._moves.popleft()))

    def report(self, closed: bool) -> None:
        event = BspEventEvent.PowerOn if closed else BspEventEvent.PowerOff
        self.main.event.publish(BspEvent(event=event))


class FakeLock(FakeModule):
    main = provides(recording(ConnectorLock))


class FakeStore(FakeModule):
    """Keeps values as long as the test."""

    kept: dict[str, Any] = {}

    async def _load(self: Any, key: str) -> Any:
        return self.module.values.get(key)

    async def _store(self: Any, key: str, value: Any) -> None:
        self.module.values[key] = value

    main = provides(recording(Kvs, load=_load, store=_store))

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = dict(self.kept)


class FakeMeter(FakeModule):
    """Counts nothing, signs everything after `answers_after_s`; `answers` False: it never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = True
        self.answers_after_s = 0.0
        self.status = TransactionRequestStatus.OK

    async def _start(self: Any, value: TransactionReq) -> TransactionStartResponse:
        await self.module.think()
        return TransactionStartResponse(status=self.module.status, signed_meter_value=signed("start"))

    async def _stop(self: Any, transaction_id: str) -> TransactionStopResponse:
        await self.module.think()
        return TransactionStopResponse(status=self.module.status, signed_meter_value=signed("stop"))

    main = provides(recording(Powermeter, start_transaction=_start, stop_transaction=_stop))

    async def think(self) -> None:
        """Take the time that an answer takes."""
        wait_s = self.answers_after_s if self.answers else 1000.0
        if wait_s:
            await asyncio.sleep(wait_s)

    async def ready(self) -> None:
        self.read(0.0)

    def read(self, energy_Wh: float, **values: Any) -> None:
        """Publish a value."""
        self.main.powermeter.publish(
            MeterValue(
                timestamp=rfc3339(utc_now()), meter_id="M1", energy_Wh_import=units.Energy(total=energy_Wh), **values
            )
        )


def signed(text: str) -> SignedMeterValue:
    return SignedMeterValue(signed_meter_data=text, signing_method="none", encoding_method="plain")


class FakeSlac(FakeModule):
    """Matching begins when the EV is there; the test lets it succeed."""

    async def _enter(self: Any) -> None:
        self.state.publish(SlacState.MATCHING)

    async def _unmatched(self: Any, *_: Any) -> None:
        self.module.unmatch()

    main = provides(
        recording(
            Slac,
            enter_bcd=_enter,
            leave_bcd=_unmatched,
            dlink_terminate=_unmatched,
            dlink_error=_unmatched,
            reset=_unmatched,
        )
    )

    async def ready(self) -> None:
        self.main.state.publish(SlacState.UNMATCHED)

    def match(self) -> None:
        self.main.state.publish(SlacState.MATCHED)
        self.main.dlink_ready.publish(True)

    def unmatch(self) -> None:
        if self.main.state.value is not SlacState.UNMATCHED:
            self.main.state.publish(SlacState.UNMATCHED)
            self.main.dlink_ready.publish(False)


class FakeHlc(FakeModule):
    """Publishes what the test orders."""

    main = provides(recording(Iso15118Charger, update_supported_app_protocols=True))

    def publish(self, variable: str, value: Any = None) -> None:
        getattr(self.main, variable).publish(value)


class FakeImd(FakeModule):
    """Measures once a second while started; the self test takes 3 s."""

    def __init__(self) -> None:
        super().__init__()
        self.resistance_Ohm = 900_000.0
        self.passes = True
        self.silent = False
        self.runs = False

    async def _start(self: Any) -> None:
        if not self.module.runs and not self.module.silent:
            self.module.runs = True
            self.module.spawn(self.module.measure())

    async def _stop(self: Any) -> None:
        self.module.runs = False

    async def _test(self: Any, test_voltage_V: float) -> None:
        if not self.module.silent:
            self.module.after(3.0, lambda: self.self_test_result.publish(self.module.passes))

    main = provides(recording(IsolationMonitor, start=_start, stop=_stop, start_self_test=_test))

    async def measure(self) -> None:
        while self.runs:
            self.main.isolation_measurement.publish(IsolationMeasurement(resistance_F_Ohm=self.resistance_Ohm))
            await asyncio.sleep(1.0)


class FakeMonitor(FakeModule):
    main = provides(recording(OverVoltageMonitor))


SUPPLY = power_supply_DC.Capabilities(
    bidirectional=False,
    current_regulation_tolerance_A=2.0,
    peak_current_ripple_A=2.0,
    min_export_voltage_V=150.0,
    max_export_voltage_V=920.0,
    min_export_current_A=1.0,
    max_export_current_A=200.0,
    max_export_power_W=60_000.0,
)


class FakeSupply(FakeModule):
    """Follows its set points at once, four times a second."""

    def __init__(self) -> None:
        super().__init__()
        self.mode = Mode.Off
        self.set_V = self.set_A = 0.0
        self.shorted = False
        self.residual_V = 0.0
        self.silent = False
        self.tells_after_s = 0.0
        """How long after the start it reports its capabilities."""

    async def _mode(self: Any, mode: Mode, phase: ChargingPhase) -> None:
        self.module.mode = mode

    async def _export(self: Any, voltage: float, current: float) -> None:
        self.module.set_V, self.module.set_A = voltage, current

    main = provides(recording(PowerSupplyDC, setMode=_mode, setExportVoltageCurrent=_export))

    async def ready(self) -> None:
        if self.tells_after_s:
            self.after(self.tells_after_s, lambda: self.main.capabilities.publish(SUPPLY))
        else:
            self.main.capabilities.publish(SUPPLY)
        self.spawn(self._measure())

    async def _measure(self) -> None:
        while True:
            if not self.silent:
                on = self.mode is not Mode.Off
                voltage_V = (5.0 if self.shorted else self.set_V) if on else self.residual_V
                self.main.voltage_current.publish(
                    VoltageCurrent(voltage_V=voltage_V, current_A=self.set_A if on else 0.0)
                )
            await asyncio.sleep(0.25)
