"""YetiSimulator: a board with both ends of its pilot, a meter, a residual current device and a lock, simulated."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.ac_rcd import AcRcd
from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.interfaces.ev_board_support import EvBoardSupport
from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.interfaces.temperature_sensor import TemperatureSensor
from chargebyte_fw.contracts.types import powermeter
from chargebyte_fw.contracts.types.board_support_common import (
    BspEvent,
    BspEventEvent,
    BspMeasurement,
    ProximityPilot,
)
from chargebyte_fw.contracts.types.ev_board_support import EvCpState
from chargebyte_fw.contracts.types.evse_board_support import (
    HardwareCapabilities,
    HardwareCapabilitiesConnectorType,
    PowerOnOff,
    Telemetry,
)
from chargebyte_fw.contracts.types.temperature import Temperature
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.sim.modules import yeti_faults
from chargebyte_fw.sim.modules.yeti_board import Board
from chargebyte_fw.sim.modules.yeti_meter import Meter

PERIOD_S = 0.75
"""Period of meter values and telemetry."""
EXPORT_A = 16.0
TEMPERATURE_C = 25.0
DIODE_FAULT = "evse_board_support/DiodeFault"
RESIDUAL_CURRENT = "ac_rcd/DC"


class YetiConfig(ModuleConfig):
    """Configuration of the simulated board."""

    connector_id: Annotated[int, Meta(ge=0, description="Number in the topics of the simulation.")]
    reset_powermeter_on_session_start: Annotated[
        bool, Meta(description="Whether the meter begins at zero when a car is plugged in.")
    ] = True
    dummy_meter_value_send_on_transaction_start: Annotated[
        bool, Meta(description="Whether the meter gives a signed value at the start of a transaction, too.")
    ] = True
    dummy_meter_value_blob_start: Annotated[str, Meta(description="Signed value of the start of a transaction.")] = (
        "test start value"
    )
    dummy_meter_value_blob_stop: Annotated[str, Meta(description="Signed value of the end of a transaction.")] = (
        "test stop value"
    )
    ac_nominal_voltage: Annotated[float, Meta(ge=99, description="Voltage of a phase, in V.")] = 230.0
    ac_nominal_frequency: Annotated[float, Meta(ge=50, le=60, description="Frequency of the grid, in Hz.")] = 50.0
    max_current_A_import: Annotated[float, Meta(ge=0, description="Greatest current to a car, in A.")] = 32.0
    min_current_A_import: Annotated[float, Meta(ge=0, description="Least current to a car, in A.")] = 6.0


class _BoardSupport(EvseBoardSupport):
    """The charger's end."""

    module: YetiSimulator

    async def enable(self, value: bool) -> None:
        """Enable the connector; while it is disabled the pilot is at -12 V."""
        self.module.board.enable(value)

    async def pwm_on(self, value: Annotated[float, Meta(ge=0, le=100)]) -> None:
        """Put PWM on the pilot."""
        self.module.board.drive(True, value)

    async def cp_state_X1(self) -> None:
        """Put +12 V on the pilot."""
        self.module.board.drive(True, 100.0)

    async def cp_state_F(self) -> None:
        """Put -12 V on the pilot."""
        self.module.board.drive(True, 0.0)

    async def cp_state_E(self) -> None:
        """Put 0 V on the pilot."""
        self.module.board.drive(False, 0.0)

    async def allow_power_on(self, value: PowerOnOff) -> None:
        """Let the contactors close in state C, or open them."""
        self.module.board.permit(value.allow_power_on)

    async def ac_switch_three_phases_while_charging(self, value: bool) -> None:
        """Connect three phases or one."""
        self.module.board.use_three_phases(value)

    async def ac_set_overcurrent_limit_A(self, value: float) -> None:
        """Take the limit; the simulated car never draws more than it may."""


class _EvBoardSupport(EvBoardSupport):
    """The car's end."""

    module: YetiSimulator

    async def enable(self, value: bool) -> None:
        """Begin or end the simulation of a car: without one nothing is plugged in."""
        if not value:
            self.module.board.car_draws(False)
            self.module.board.hang("A")

    async def set_cp_state(self, cp_state: EvCpState) -> None:
        """Hang this on the pilot."""
        self.module.board.hang(cp_state.value)

    async def allow_power_on(self, value: bool) -> None:
        """Let the car draw power."""
        self.module.board.car_draws(value)

    async def diode_fail(self, value: bool) -> None:
        """Bridge the car's diode."""
        self.module.board.pilot.diode_fault = value

    async def set_ac_max_current(self, current: float) -> None:
        """Set what the car draws of each phase, in A."""
        self.module.board.car_draws(self.module.board.car_wants_power, current)

    async def set_three_phases(self, three_phases: bool) -> None:
        """Set on how many phases the car draws."""
        self.module.board.car_draws(self.module.board.car_wants_power, phases=3 if three_phases else 1)

    async def set_rcd_error(self, rcd_current_mA: float) -> None:
        """Let a direct residual current flow, in mA."""
        self.module.board.pilot.residual_current_mA = rcd_current_mA


class _Meter(Powermeter):
    """The meter, with values that look signed."""

    module: YetiSimulator

    async def start_transaction(self, value: powermeter.TransactionReq) -> powermeter.TransactionStartResponse:
        """Begin a transaction."""
        config = self.module.config
        signed = None
        if config.dummy_meter_value_send_on_transaction_start:
            signed = self._signed(config.dummy_meter_value_blob_start)
        return powermeter.TransactionStartResponse(
            status=powermeter.TransactionRequestStatus.OK, signed_meter_value=signed
        )

    async def stop_transaction(self, transaction_id: str) -> powermeter.TransactionStopResponse:
        """End a transaction."""
        config = self.module.config
        return powermeter.TransactionStopResponse(
            status=powermeter.TransactionRequestStatus.OK,
            start_signed_meter_value=self._signed(config.dummy_meter_value_blob_start),
            signed_meter_value=self._signed(config.dummy_meter_value_blob_stop),
        )

    def _signed(self, data: str) -> SignedMeterValue:
        return SignedMeterValue(
            signed_meter_data=data,
            signing_method="dummy",
            encoding_method="plain",
            public_key=self.module.public_key,
            timestamp=rfc3339(utc_now()),
        )


class _Rcd(AcRcd):
    """The residual current device."""

    module: YetiSimulator

    async def self_test(self) -> None:
        """Pass the self test."""

    async def reset(self) -> bool:
        """Reset the device; returns whether it stays reset."""
        return self.module.board.reset_rcd()


class _Lock(ConnectorLock):
    """The lock of the socket."""

    module: YetiSimulator

    async def lock(self) -> None:
        """Lock the plug."""
        self.module.log.debug("the plug is locked")

    async def unlock(self) -> None:
        """Unlock the plug."""
        self.module.log.debug("the plug is unlocked")


class _Temperatures(TemperatureSensor):
    """The temperature in the housing."""


class YetiSimulator(Module):
    """A board with both ends of its control pilot, a meter, a residual current device and a lock, simulated.

    `everest_external/nodered/<connector_id>/carsim/error` injects faults.
    """

    Config = YetiConfig
    enable_external_mqtt = True
    enable_telemetry = True

    config: YetiConfig
    powermeter = provides(_Meter, description="The meter.")
    temperature_sensor = provides(_Temperatures, description="The temperature in the housing.")
    board_support = provides(_BoardSupport, description="The charger's end of the board.")
    ev_board_support = provides(_EvBoardSupport, description="The car's end of the board.")
    rcd = provides(_Rcd, description="The residual current device.")
    connector_lock = provides(_Lock, description="The lock of the socket.")

    async def init(self) -> None:
        """Build the board and listen for injected faults."""
        config = self.config
        self.public_key = f"TESTPUBLICKEY{config.connector_id}"
        self._begun = False
        self._shown: BspEventEvent | None = None
        self._power: bool | None = None
        self._measured: BspMeasurement | None = None
        self._phases: int | None = None
        self._plugged = False
        self._meter = Meter(config.ac_nominal_voltage, config.ac_nominal_frequency)
        self._meter.advance(asyncio.get_running_loop().time())
        self._refused = RateLimitedLog(self.log)
        self.board = Board(self._changed)
        topic = f"everest_external/nodered/{config.connector_id}/carsim/error"
        self._unsubscribe = self.runtime.mqtt.subscribe(topic, self._inject)

    async def ready(self) -> None:
        """Publish what the board can do and what it sees, and begin to measure."""
        config = self.config
        self.board_support.capabilities.publish(
            HardwareCapabilities(
                max_current_A_import=config.max_current_A_import,
                min_current_A_import=config.min_current_A_import,
                max_phase_count_import=3,
                min_phase_count_import=1,
                max_current_A_export=EXPORT_A,
                min_current_A_export=0.0,
                max_phase_count_export=3,
                min_phase_count_export=3,
                supports_changing_phases_during_charging=True,
                supports_cp_state_E=False,
                connector_type=HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
            )
        )
        self.powermeter.public_key_ocmf.publish(self.public_key)
        self._begun = True
        self._changed()
        self._timer = self.after(0.0, self._measure)

    async def stop(self) -> None:
        """Open the contactors and unplug the car."""
        self._unsubscribe()
        self._refused.close()
        self.board.permit(False)
        if self._begun:
            self._timer.cancel()

    def _changed(self) -> None:
        """Publish what is different from before."""
        if not self._begun:
            return
        board = self.board
        self._meter.flow(board.current_A, board.phases, asyncio.get_running_loop().time())
        if self._plugged is not board.pilot.plugged:
            self._plugged = board.pilot.plugged
            if self._plugged and self.config.reset_powermeter_on_session_start:
                self._meter.reset()
        phases = 3 if board.three_phases else 1
        if phases != self._phases:
            self._phases = phases
            self.board_support.ac_nr_of_phases_available.publish(phases)
        self._compare_faults()
        self._measure_pilot()
        if board.state is not self._shown:
            self._shown = board.state
            self._event(self._shown)
        if board.closed is not self._power:
            self._power = board.closed
            self._event(BspEventEvent.PowerOn if board.closed else BspEventEvent.PowerOff)

    def _event(self, event: BspEventEvent) -> None:
        self.board_support.event.publish(BspEvent(event=event))
        self.ev_board_support.bsp_event.publish(BspEvent(event=event))

    def _measure_pilot(self) -> None:
        board = self.board
        cable = ProximityPilot(ampacity=board.ampacity)
        if self._measured is None or self._measured.proximity_pilot != cable:
            self.board_support.ac_pp_ampacity.publish(cable)
        leak_mA = board.pilot.residual_current_mA
        if self._measured is None or self._measured.rcd_current_mA != leak_mA:
            self.rcd.rcd_current_mA.publish(leak_mA)
        measured = BspMeasurement(
            proximity_pilot=cable, cp_pwm_duty_cycle=board.duty_percent, rcd_current_mA=board.pilot.residual_current_mA
        )
        if measured != self._measured:
            self._measured = measured
            self.ev_board_support.bsp_measurement.publish(measured)

    def _compare_faults(self) -> None:
        board = self.board
        if board.diode_fault:
            self.board_support.faults.raise_fault(DIODE_FAULT, "The pilot has no negative half wave.")
        elif not board.pilot.diode_fault:
            self.board_support.faults.clear(DIODE_FAULT)
        if board.tripped:
            self.rcd.faults.raise_fault(RESIDUAL_CURRENT, "Direct residual current above 5 mA.")
        else:
            self.rcd.faults.clear(RESIDUAL_CURRENT)

    def _measure(self) -> None:
        self._timer = self.after(PERIOD_S, self._measure)
        chance = self.runtime.random
        self._meter.advance(asyncio.get_running_loop().time())
        self.powermeter.powermeter.publish(self._meter.reading(chance))
        self.temperature_sensor.temperatures.publish([Temperature(temperature=TEMPERATURE_C, identification="housing")])
        self.board_support.telemetry.publish(
            Telemetry(
                evse_temperature_C=TEMPERATURE_C,
                fan_rpm=1500.0,
                supply_voltage_12V=12.0,
                supply_voltage_minus_12V=-12.0,
                relais_on=self.board.closed,
            )
        )

    def _inject(self, topic: str, payload: str) -> None:
        try:
            injected = yeti_faults.read(payload)
        except (ValueError, msgspec.DecodeError) as error:
            self._refused.write("%s: %s", topic, error)
            return
        faults = getattr(self, injected.implementation).faults
        if injected.raised:
            faults.raise_fault(injected.type, "Simulated fault event")
        else:
            faults.clear(injected.type)
