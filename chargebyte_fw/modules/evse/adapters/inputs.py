"""What the connected modules report, as events for the machines; values that others read are passed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.dc_external_derate import DcExternalDerate
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import board_support_common as board
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities, Telemetry
from chargebyte_fw.contracts.types.evse_manager import StopTransactionRequest
from chargebyte_fw.contracts.types.power_supply_DC import VoltageCurrent
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.evse.adapters.commands import Commands
from chargebyte_fw.modules.evse.adapters.connected import Connected
from chargebyte_fw.modules.evse.adapters.ev_info import EvInfoAdapter
from chargebyte_fw.modules.evse.adapters.requests import Requests
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.logs.session_logger import SessionLogger
from chargebyte_fw.modules.evse.machine.events import (
    BoardReported,
    CableReported,
    Contactor,
    Cp,
    CpReported,
    FaultCleared,
    FaultRaised,
    InsulationMeasured,
    MeterRead,
    MonitorMeasured,
    SelfTested,
    SupplyMeasured,
    SupplyMode,
    SupplyReported,
)
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot


class Inputs:
    """Subscribes to board, meters, power supply, monitors and faults. Kept values come at once, past events do not."""

    def __init__(
        self,
        config: EvseConfig,
        connected: Connected,
        feed: Callable[[Any], None],
        snapshot: Callable[[], Snapshot],
        *,
        commands: Commands,
        requests: Requests,
        evse: EvseManager,
        derate: DcExternalDerate,
        ev_info: EvInfoAdapter,
        session_log: SessionLogger,
    ) -> None:
        self._config = config
        self._connected = connected
        self._feed = feed
        self._snapshot = snapshot
        self._commands = commands
        self._requests = requests
        self._evse = evse
        self._derate = derate
        self._info = ev_info
        self._session_log = session_log

    def subscribe(self) -> None:
        """Begin to listen."""
        self._subscribe_board()
        self._subscribe_meters()
        self._subscribe_supply()
        self._subscribe_faults()

    # The board.

    def _subscribe_board(self) -> None:
        bsp = self._connected.bsp
        bsp.event.subscribe(self._board_event)
        bsp.capabilities.subscribe(self._capabilities)
        bsp.ac_pp_ampacity.subscribe(lambda value: self._feed(CableReported(value.ampacity)))
        bsp.telemetry.subscribe(self._telemetry)
        bsp.request_stop_transaction.subscribe(self._stop_button, replay=False)

    def _board_event(self, value: board.BspEvent) -> None:
        event = value.event.value
        if event in ("PowerOn", "PowerOff"):
            self._session_log.line("EVSE", f"Event {event}")
            self._feed(Contactor(event == "PowerOn"))
        elif event != "Disconnected":
            self._feed(CpReported(Cp(event)))

    def _stop_button(self, request: StopTransactionRequest) -> None:
        self._requests.stop_transaction(request)

    def _capabilities(self, hardware: HardwareCapabilities) -> None:
        self._evse.hw_capabilities.publish(hardware)
        self._feed(BoardReported(hardware))

    def _telemetry(self, value: Telemetry) -> None:
        self._evse.telemetry.publish(value)
        if value.plug_temperature_C is not None:
            self._derate.plug_temperature_C.publish(value.plug_temperature_C)

    # Meters.

    def _subscribe_meters(self) -> None:
        meter = self._connected.billing_meter
        if meter is not None:
            meter.powermeter.subscribe(self._meter_read)
            meter.public_key_ocmf.subscribe(self._evse.powermeter_public_key_ocmf.publish)

    def _meter_read(self, value: Powermeter) -> None:
        self._feed(MeterRead(value))
        self._evse.powermeter.publish(value)
        self._commands.send(call(Iso15118Charger.update_meter_info, value).latest_only())
        if self._snapshot().service is not None and value.power_W is not None:
            self._commands.send(call(Iso15118Charger.update_ac_present_power, value.power_W).latest_only())

    # The DC power path.

    def _subscribe_supply(self) -> None:
        supply, imd, monitor = self._connected.supply, self._connected.imd, self._connected.over_voltage_monitor
        if supply is not None and self._config.dc:
            supply.capabilities.subscribe(lambda value: self._feed(SupplyReported(value)))
            supply.mode.subscribe(lambda mode: self._feed(SupplyMode(mode)))
            supply.voltage_current.subscribe(self._supply_measured)
        if imd is not None:
            imd.isolation_measurement.subscribe(lambda sample: self._feed(InsulationMeasured(sample)), replay=False)
            imd.self_test_result.subscribe(self._self_tested, replay=False)
        if monitor is not None:
            monitor.voltage_measurement_V.subscribe(lambda voltage_V: self._feed(MonitorMeasured(voltage_V)))

    def _supply_measured(self, value: VoltageCurrent) -> None:
        self._feed(SupplyMeasured(value.voltage_V, value.current_A))
        self._info.measured(value.voltage_V, value.current_A)

    def _self_tested(self, passed: bool) -> None:
        self._session_log.line("EVSE", f"Isolation monitor self test result: {str(passed).lower()}")
        self._feed(SelfTested(passed))

    # Faults.

    def _subscribe_faults(self) -> None:
        connected = self._connected
        watched: list[Contract | None] = [connected.bsp, connected.ac_rcd, connected.connector_lock]
        if self._config.fail_on_powermeter_errors:
            watched.append(connected.billing_meter)
        if self._config.dc:
            watched += [connected.imd, connected.over_voltage_monitor, connected.supply]
        for one in (*watched, connected.slac, connected.hlc):
            if one is not None:
                one.faults.subscribe(self._fault_raised, self._fault_cleared)

    def _fault_raised(self, fault: Fault) -> None:
        self._session_log.line("SYS", f"Error {fault.type} {fault.sub_type}".rstrip())
        origin = f"{fault.origin.module_id}.{fault.origin.implementation_id}"
        namespace = fault.type.partition("/")[0]
        self._feed(FaultRaised(namespace, fault.type, fault.sub_type, fault.severity, fault.vendor_id, origin))

    def _fault_cleared(self, fault: Fault) -> None:
        origin = f"{fault.origin.module_id}.{fault.origin.implementation_id}"
        self._feed(FaultCleared(fault.type, fault.sub_type, origin))
