"""CbChargeSOMDriver: the board of a Charge SOM, behind its safety controller."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from chargebyte_fw.board import timing
from chargebyte_fw.board.can_mirror import CanMirror
from chargebyte_fw.board.driver import events as words
from chargebyte_fw.board.driver.config import ConnectorType, DriverConfig, contradictions, owned, wiring_of
from chargebyte_fw.board.driver.contactors import DcWiring
from chargebyte_fw.board.driver.events import (
    AllowPowerOn,
    Enable,
    Halt,
    Implementation,
    PilotOutput,
    SetPilot,
    StartSelfTest,
)
from chargebyte_fw.board.driver.machine import DriverMachine
from chargebyte_fw.board.driver.plug_lock import LOCK_INPUTS, PlugLock, lock_tape
from chargebyte_fw.board.driver.stop_input import StopInput, watch
from chargebyte_fw.board.driver.telemetry import chip_temperature_C, telemetry, temperatures
from chargebyte_fw.board.gpio import open_input, open_output, read_input
from chargebyte_fw.board.link import machine as lm
from chargebyte_fw.board.link.carriers import Tap
from chargebyte_fw.board.link.safety_link import SafetyLink
from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.cb_temperatures import CbTemperatures
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.types import evse_board_support as types
from chargebyte_fw.contracts.types.board_support_common import BspEvent, ProximityPilot
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import Claim, ConfigIssue, End, Module, provides
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.trace import Tape

GRID_PHASES = {True: 3, False: 1}
"""What the grid's phase input says: active, inactive."""


_KINDS = {
    ConnectorType.IEC62196Type2Cable: types.HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
    ConnectorType.IEC62196Type2Socket: types.HardwareCapabilitiesConnectorType.IEC62196Type2Socket,
    ConnectorType.cCCS2: types.HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
}
"""EVerest's board capabilities know cables and sockets; the plug of a DC charger hangs on a cable."""


class Board(EvseBoardSupport):
    """Control pilot and contactors."""

    module: CbChargeSOMDriver

    async def enable(self, value: bool) -> None:
        """Switch the port on (what was last ordered goes onto the pilot) or off (state F, contactors open)."""
        self.module.order(Enable(value))

    async def pwm_on(self, value: float) -> None:
        """Put PWM of `value` percent on the pilot; 0 is state F, 100 is X1. Raises ValueError outside 0 to 100."""
        if not 0.0 <= value <= 100.0:
            raise ValueError(f"a duty cycle of {value} % does not exist")
        self.module.order(SetPilot(PilotOutput(True, value)))

    async def cp_state_X1(self) -> None:
        """Put +12 V on the pilot; leads a safety controller out of its safe state."""
        self.module.order(SetPilot(words.STATE_X1))

    async def cp_state_F(self) -> None:
        """Put -12 V on the pilot."""
        self.module.order(SetPilot(words.STATE_F))

    async def cp_state_E(self) -> None:
        """Put 0 V on the pilot: the generator is off, the link goes on."""
        self.module.order(SetPilot(words.STATE_E))

    async def allow_power_on(self, value: types.PowerOnOff) -> None:
        """Let the safety controller close the contactors in state C, or open them now."""
        self.module.order(AllowPowerOn(value.allow_power_on, value.reason.value))

    async def ac_switch_three_phases_while_charging(self, value: bool) -> None:
        """Connect three phases (or one); a car that charges is taken off the grid for it by a sequence on the pilot.

        Without wiring for it, or with firmware that is too old, phases stay as they are (capabilities say so).
        """
        self.module.order(words.SwitchPhases(value))

    async def ac_set_overcurrent_limit_A(self, value: float) -> None:
        """Take note: this board has no over-current trip of its own."""
        self.module.log.debug("over-current limit %g A: no hardware for it", value)


class Rcd(AcRcd):
    """Residual current monitor of the safety controller."""

    module: CbChargeSOMDriver

    async def self_test(self) -> None:
        """Begin a self-test; returns when the safety controller has accepted or refused it."""
        await self.module.self_test()

    async def reset(self) -> bool:
        """Forget a trip without the car being unplugged; the safe state itself is left with `cp_state_X1`."""
        self.module.order(words.ResetTrip())
        return True


class Temperatures(CbTemperatures):
    """PT1000 channels of the safety controller."""

    module: CbChargeSOMDriver


class PlugLockMotor(ConnectorLock):
    """The plug lock of a socket, moved by the safety controller."""

    module: CbChargeSOMDriver

    async def lock(self) -> None:
        """Lock the plug; a lock that does not get there, or does not exist, is a fault."""
        self.module.move_plug_lock(True)

    async def unlock(self) -> None:
        """Unlock the plug once no contactor is closed; what was wrong with the lock is forgotten."""
        self.module.move_plug_lock(False)


class CbChargeSOMDriver(Module):
    """Drives a Charge SOM: pilot, contactors, residual current monitor and temperatures of its safety controller."""

    Config = DriverConfig

    config: DriverConfig
    evse_board_support = provides(Board, description="Control pilot and contactors.")
    ac_rcd = provides(Rcd, description="Residual current monitor.")
    temperatures = provides(Temperatures, description="PT1000 channels.")
    connector_lock = provides(PlugLockMotor, description="Plug lock.")

    machine: DriverMachine
    link: SafetyLink

    @classmethod
    def config_issues(cls, config: DriverConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """Limits and wiring that contradict each other."""
        return contradictions(config)

    @classmethod
    def claims(cls, config: DriverConfig, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The port of the safety controller, its lines, the CAN interface that gets a copy."""
        return owned(config)

    async def init(self) -> None:
        """Build the driver; nothing is opened yet."""
        self.about: dict[str, str] = {}
        config = self.config
        if config.connector_type != ConnectorType.cCCS2 and config.dc_contactor_wiring != DcWiring.dual:
            self.log.warning("dc_contactor_wiring counts with connector_type cCCS2 only")
        self._names = (
            config.pt1000_1_identification,
            config.pt1000_2_identification,
            config.pt1000_3_identification,
            config.pt1000_4_identification,
        )
        socket = config.connector_type == ConnectorType.IEC62196Type2Socket
        wiring = wiring_of(config)
        self._phases = config.max_phase_count
        self.machine = DriverMachine(socket, self._names, loop_speed(), wiring)
        begins = {"socket": socket, "names": self._names, "speed": loop_speed(), "wiring": to_builtins(wiring)}
        self.runtime.trace.record("start", self.id, begins)
        self._pump = Pump(self.machine, self._act, self.crash, Tape(self.runtime.trace, self.id))
        lock_tracks = Tape(self.runtime.trace, lock_tape(self.id))
        self._lock_pump = Pump(PlugLock(loop_speed()), self._act, self.crash, lock_tracks)
        self._changed = asyncio.Event()
        self._self_test: asyncio.Future[bool] | None = None
        self._books: dict[Implementation, Faults] = {
            Implementation.BOARD: self.evse_board_support.faults,
            Implementation.RCD: self.ac_rcd.faults,
            Implementation.TEMPERATURES: self.temperatures.faults,
            Implementation.LOCK: self.connector_lock.faults,
        }
        self.link = SafetyLink(
            wire=self.runtime.wires.find(f"serial:{config.serial_port}"),
            path=lambda: self.runtime.root.read(config.serial_port),
            reset=open_output(self.runtime, config.reset_gpio_line_name, config.reset_active_low, self.log),
            listener=self._hear,
            guard=self.crash,
            trace=self.runtime.trace,
            tap=self._tap() if config.serial_trace else None,
            mirror=CanMirror(config.can_mirror_device, self.log) if config.can_mirror_device else None,
        )

    async def ready(self) -> None:
        """State what the board can do and get the safety controller; without one the driver is faulted, not dead."""
        config = self.config
        phases = config.max_phase_count
        if self.config.grid_phase_count_gpio_line_name:
            active = read_input(
                self.runtime,
                self.config.grid_phase_count_gpio_line_name,
                self.config.grid_phase_count_active_low,
                self.log,
            )
            phases = GRID_PHASES[bool(active)]
        self._phases = phases
        self.evse_board_support.capabilities.publish(self._capabilities(phases))
        self.evse_board_support.ac_nr_of_phases_available.publish(phases)
        if config.charge_stop_gpio_line_name:
            name, active_low = config.charge_stop_gpio_line_name, config.charge_stop_active_low
            line = open_input(self.runtime, name, active_low, self.log)
            if line is not None:
                self.spawn(watch(line, StopInput(name), self._stop_pressed, self.log), "charge stop")
        self.link.start()
        self.spawn(self._measure(), "temperatures")

    def _stop_pressed(self) -> None:
        self.log.info("charge stop: asking for the end of the transaction")
        request = StopTransactionRequest(reason=StopTransactionReason.Local)
        self.evse_board_support.request_stop_transaction.publish(request)

    def _capabilities(self, phases: int, switchable: bool = False) -> types.HardwareCapabilities:
        """Without phase switching the least number of phases is the greatest."""
        config = self.config
        switchable = switchable and config.min_phase_count == 1 and phases == GRID_PHASES[True]
        least = config.min_phase_count if switchable else phases
        return types.HardwareCapabilities(
            max_current_A_import=config.max_current_A,
            min_current_A_import=config.min_current_A,
            max_phase_count_import=phases,
            min_phase_count_import=least,
            max_current_A_export=config.max_current_A,
            min_current_A_export=config.min_current_A,
            max_phase_count_export=phases,
            min_phase_count_export=least,
            supports_changing_phases_during_charging=switchable,
            supports_cp_state_E=True,
            connector_type=_KINDS[config.connector_type],
        )

    async def stop(self) -> None:
        """Pilot F, contactors open; returns when the safety controller has confirmed both, or cannot."""
        self.runtime.trace.record("port", self.id, "halt")
        self.order(Halt())
        try:
            async with asyncio.timeout(timing.patient(timing.STOP_CONFIRM_S, loop_speed())):
                while not self.machine.at_rest:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.log.error("the safety controller did not confirm pilot F and open contactors")
        await self.link.close()
        self._pump.close()
        self._lock_pump.close()

    def move_plug_lock(self, close: bool) -> None:
        """Give the plug lock an order."""
        self._lock_pump.feed(words.MovePlugLock(close))

    def order(self, event: Any) -> None:
        """Give the machine an order."""
        self._pump.feed(event)

    async def self_test(self) -> None:
        """Begin an RCM self-test and wait until it is accepted or refused."""
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        before, self._self_test = self._self_test, asked
        if before is not None and not before.done():
            before.set_result(False)
        self.order(StartSelfTest())
        if not await asked:
            self.log.warning("the residual current monitor's self-test did not begin")

    def _hear(self, effect: Any) -> None:
        if self.config.serial_debug and isinstance(effect, lm.MessageReceived):
            self.log.every("safety controller says %s", effect.message)
        if isinstance(effect, lm.LinkUp):
            version = ".".join(str(number) for number in effect.firmware.version)
            self.about["safety controller"] = f"{version} ({effect.firmware.platform.text})"
        elif isinstance(effect, lm.LinkDown):
            self.about.pop("safety controller", None)
        if isinstance(effect, Unexpected):
            self.log.debug("link: unexpected %s while %s", effect.event, effect.state.name)
            return
        self._pump.feed(effect)
        if isinstance(effect, LOCK_INPUTS):
            self._lock_pump.feed(effect)
        self._changed.set()
        if isinstance(effect, lm.LinkDown):
            self.spawn(self._name_readers(), "readers")

    async def _name_readers(self) -> None:
        if readers := await self.link.readers():
            self.log.warning("the UART is also open in %s, which takes bytes away", " and ".join(readers))

    def _act(self, effect: Any) -> None:
        match effect:
            case words.SetControl(control):
                if self.config.serial_debug:
                    self.log.every("host says %s", control)
                self.link.set_image(control)
            case words.BoardEvent(event):
                self.log.debug("board event %s", event.value)
                self.evse_board_support.event.publish(BspEvent(event=event))
            case words.Ampacity(ampacity):
                self.evse_board_support.ac_pp_ampacity.publish(ProximityPilot(ampacity=ampacity))
            case words.PhasesAvailable(three, switchable):
                told = self._capabilities(self._phases, switchable)
                if told != self.evse_board_support.capabilities.value:
                    self.evse_board_support.capabilities.publish(told)
                available = self._phases if three else GRID_PHASES[False]
                if available != self.evse_board_support.ac_nr_of_phases_available.value:
                    self.evse_board_support.ac_nr_of_phases_available.publish(available)
            case words.RaiseFault(key, message):
                self._books[key.book].raise_fault(key.type, message, sub_type=key.sub_type)
            case words.ClearFault(key):
                if self._books[key.book].clear(key.type, key.sub_type) is not None:
                    self.log.info("over: %s", " ".join(part for part in (key.type, key.sub_type) if part))
            case words.Log(level, text, values):
                self.log.log(level, text, *values)
            case words.ResetController(why):
                self.link.reset(why)
            case words.RequestAction(action):
                self.link.act(action)
            case words.SelfTestAnswered(accepted):
                if self._self_test is not None and not self._self_test.done():
                    self._self_test.set_result(accepted)
            case Unexpected(state, event):
                self.log.debug("unexpected %s while %s", event, state.name)

    def _tap(self) -> Tap:
        log = self.log

        def tap(sent: bool, data: bytes) -> None:
            log.every("uart %s %s", "host>" if sent else "mcu> ", data.hex(" "))

        return tap

    async def _measure(self) -> None:
        """Publish temperatures and telemetry once a second while the safety controller tells them."""
        while True:
            await asyncio.sleep(timing.TEMPERATURES_S)
            state = self.machine.temperatures
            if state is not None:
                self.temperatures.temperatures.publish(temperatures(state, self._names))
            told = telemetry(state, self.machine.charge_state, chip_temperature_C(self.runtime.root))
            if told is not None:
                self.evse_board_support.telemetry.publish(told)
