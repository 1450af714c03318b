"""CbChargeSOMDriver: the board of a Charge SOM, behind its safety controller."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import to_builtins

from chargebyte_fw.board import timing
from chargebyte_fw.board.can_mirror import CanMirror
from chargebyte_fw.board.driver import effects
from chargebyte_fw.board.driver.capabilities import GRID_PHASES, capabilities
from chargebyte_fw.board.driver.config import ConnectorType, DriverConfig, contradictions, owned, wiring_of
from chargebyte_fw.board.driver.events import Halt, StartSelfTest
from chargebyte_fw.board.driver.fault_table import ClearFault, Implementation, RaiseFault
from chargebyte_fw.board.driver.implementations import Board, PlugLockMotor, Rcd, Temperatures
from chargebyte_fw.board.driver.machine import DriverMachine
from chargebyte_fw.board.driver.plug_lock import PlugLock, lock_tape
from chargebyte_fw.board.driver.stop_watch import watch
from chargebyte_fw.board.driver.telemetry import chip_temperature_C, telemetry, temperatures
from chargebyte_fw.board.driver.wiring import DcWiring
from chargebyte_fw.board.gpio import open_input, open_output, read_input
from chargebyte_fw.board.link.carriers import Tap
from chargebyte_fw.board.link.events import DRIVER, PLUG_LOCK, LinkDown, LinkUp, MessageReceived
from chargebyte_fw.board.link.safety_link import SafetyLink
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.composite import receivers_of
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import Claim, ConfigIssue, End, Module, provides
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.trace import Tape


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
        """Return limits and wiring that contradict each other."""
        return contradictions(config)

    @classmethod
    def claims(cls, config: DriverConfig, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """Return the port of the safety controller, its lines, the CAN interface that gets a copy."""
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
        trace = self.runtime.trace
        trace.record("start", self.id, begins)
        lock = PlugLock(loop_speed())
        self._pumps = {
            DRIVER: Pump(self.machine, self._carry_out, self.crash, Tape(trace, self.id)),
            PLUG_LOCK: Pump(lock, self._carry_out, self.crash, Tape(trace, lock_tape(self.id))),
        }
        self._changed = asyncio.Event()
        self._self_test: asyncio.Future[bool] | None = None
        self._faults: dict[Implementation, Faults] = {
            Implementation.BOARD: self.evse_board_support.faults,
            Implementation.RCD: self.ac_rcd.faults,
            Implementation.TEMPERATURES: self.temperatures.faults,
            Implementation.LOCK: self.connector_lock.faults,
        }
        self.link = SafetyLink(
            wire=self.runtime.wires.find(f"serial:{config.serial_port}"),
            path=lambda: self.runtime.root.read(config.serial_port),
            reset=open_output(self.runtime, config.reset_gpio_line_name, config.reset_active_low, self.log),
            listener=self._report,
            guard=self.crash,
            trace=trace,
            tap=self._tap() if config.serial_trace else None,
            mirror=CanMirror(config.can_mirror_device, self.log) if config.can_mirror_device else None,
            leave=self.runtime.leave_frame,
        )

    async def ready(self) -> None:
        """Publish what the board can do and start the link; without a safety controller the driver is faulted only."""
        config = self.config
        phases = config.max_phase_count
        if name := config.grid_phase_count_gpio_line_name:
            active = read_input(self.runtime, name, config.grid_phase_count_active_low, self.log)
            phases = GRID_PHASES[bool(active)]
        self._phases = phases
        self.evse_board_support.capabilities.publish(capabilities(config, phases))
        self.evse_board_support.ac_nr_of_phases_available.publish(phases)
        if name := config.charge_stop_gpio_line_name:
            line = open_input(self.runtime, name, config.charge_stop_active_low, self.log)
            if line is not None:
                self.spawn(watch(name, line, self._stop_pressed, self.log), "charge stop")
        self.link.start()
        self.spawn(self._measure(), "temperatures")

    def _stop_pressed(self) -> None:
        self.log.info("charge stop: asking for the end of the transaction")
        request = StopTransactionRequest(reason=StopTransactionReason.Local)
        self.evse_board_support.request_stop_transaction.publish(request)

    async def stop(self) -> None:
        """Put out pilot F and open contactors; return when the safety controller has confirmed both, or cannot."""
        self.runtime.trace.record("port", self.id, "halt")
        self.order(Halt())
        try:
            async with asyncio.timeout(timing.patient(timing.STOP_CONFIRM_S, loop_speed())):
                while not self.machine.snapshot.at_rest:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.log.error("the safety controller did not confirm pilot F and open contactors")
        await self.link.close()
        for pump in self._pumps.values():
            pump.close()

    def order(self, event: Any) -> None:
        """Give an order, or a report of the link, to the machines that its class names."""
        for name in receivers_of(type(event)).machines:
            self._pumps[name].feed(event)

    async def self_test(self) -> None:
        """Begin an RCM self-test and wait until it is accepted or refused."""
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        before, self._self_test = self._self_test, asked
        if before is not None and not before.done():
            before.set_result(False)
        self.order(StartSelfTest())
        if not await asked:
            self.log.warning("the residual current monitor's self-test did not begin")

    def _report(self, report: Any) -> None:
        """Take a report of the link."""
        match report:
            case Unexpected(state, event):
                self.log.debug("link: unexpected %s while %s", event, state.name)
                return
            case MessageReceived(message):
                if self.config.serial_debug:
                    self.log.every("safety controller says %s", message)
                if type(report) is MessageReceived:
                    self.log.debug("ignored: %s", message)
            case LinkUp(firmware):
                self.about["safety controller"] = f"{report.version} ({firmware.platform.text})"
            case LinkDown():
                self.about.pop("safety controller", None)
        self.order(report)
        self._changed.set()
        if isinstance(report, LinkDown):
            self.spawn(self._log_readers(), "readers")

    async def _log_readers(self) -> None:
        if readers := await self.link.readers():
            self.log.warning("the UART is also open in %s, which takes bytes away", " and ".join(readers))

    def _carry_out(self, effect: Any) -> None:  # noqa: C901 (one case each)
        board = self.evse_board_support
        match effect:
            case effects.SetControl(control):
                if self.config.serial_debug:
                    self.log.every("host says %s", control)
                self.link.set_image(control)
            case Publish(_, variable, value):
                if variable == board.event.name:
                    self.log.debug("board event %s", value.event.value)
                getattr(board, variable).publish(value)
            case effects.PhasesAvailable(three, switchable):
                can = capabilities(self.config, self._phases, switchable=switchable)
                if can != board.capabilities.value:
                    board.capabilities.publish(can)
                available = self._phases if three else GRID_PHASES[False]
                if available != board.ac_nr_of_phases_available.value:
                    board.ac_nr_of_phases_available.publish(available)
            case RaiseFault(key, message):
                self._faults[key.implementation].raise_fault(key.type, message, sub_type=key.sub_type)
            case ClearFault(key):
                if self._faults[key.implementation].clear(key.type, key.sub_type) is not None:
                    self.log.info("over: %s", " ".join(part for part in (key.type, key.sub_type) if part))
            case effects.Log(level, text, values):
                self.log.log(level, text, *values)
            case effects.ResetController(why):
                self.link.reset(why)
            case effects.RequestAction(action):
                self.link.act(action)
            case effects.SelfTestAnswered(accepted):
                if self._self_test is not None and not self._self_test.done():
                    self._self_test.set_result(accepted)
            case Unexpected(state, event):
                self.log.debug("unexpected %s while %s", event, state)

    def _tap(self) -> Tap:
        log = self.log

        def tap(sent: bool, data: bytes) -> None:
            log.every("uart %s %s", "host>" if sent else "mcu> ", data.hex(" "))

        return tap

    async def _measure(self) -> None:
        """Publish temperatures and telemetry once a second while the safety controller reports them."""
        while True:
            await asyncio.sleep(timing.TEMPERATURES_S)
            board = self.machine.snapshot
            if board.temperatures is not None:
                self.temperatures.temperatures.publish(temperatures(board.temperatures, self._names))
            measured = telemetry(board.temperatures, board.charge_state, chip_temperature_C(self.runtime.root))
            if measured is not None:
                self.evse_board_support.telemetry.publish(measured)
