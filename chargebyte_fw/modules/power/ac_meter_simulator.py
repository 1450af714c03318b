"""ACMeterSimulator: a meter on an AC outlet for trials without one; the car draws a constant current (own module)."""

from __future__ import annotations

import asyncio
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types import powermeter, units
from chargebyte_fw.contracts.types.evse_manager import Limits, SessionEvent
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum as E
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires
from chargebyte_fw.modules.power.simulated_meter import Meter

METER_ID = "AC_METER_SIMULATOR"
PERIOD_S = 1.0
FREQUENCY_HZ = 50.0
BEGIN = (E.ChargingStarted,)
END = (
    E.ChargingPausedEV,
    E.ChargingPausedEVSE,
    E.StoppingCharging,
    E.ChargingFinished,
    E.TransactionFinished,
    E.SessionFinished,
)


class ACMeterSimulatorConfig(ModuleConfig):
    """What the car draws."""

    current_A: Annotated[float, Meta(ge=0, le=125, description="Current per phase of a car that charges, in A.")] = 16.0
    phases: Annotated[int, Meta(ge=1, le=3, description="Phases that it uses.")] = 3
    voltage_V: Annotated[float, Meta(ge=1, le=1000, description="Voltage between phase and neutral, in V.")] = 230.0


class ACMeterSimulator(Module):
    """A meter, simulated: while the EVSE charges it counts a constant current, within the limit of the EVSE."""

    Config = ACMeterSimulatorConfig
    config: ACMeterSimulatorConfig
    powermeter = provides(Meter, description="The meter.")
    evse = requires(EvseManager)

    async def init(self) -> None:
        """Follow the session and the limit of the current."""
        self._charges = False
        self._limit_A = 0.0
        self._energy_Wh = 0.0
        self._read_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.evse.session_event.subscribe(self._event)
        self.evse.limits.subscribe(self._limits)

    async def ready(self) -> None:
        """Begin to measure."""
        self._read_s = asyncio.get_running_loop().time()
        self._measure()

    async def stop(self) -> None:
        """Measure no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _event(self, event: SessionEvent) -> None:
        if event.event in BEGIN:
            self._charges = True
        elif event.event in END:
            self._charges = False

    def _limits(self, limits: Limits) -> None:
        self._limit_A = max(0.0, limits.max_current)

    def _measure(self) -> None:
        self._timer = self.after(PERIOD_S, self._measure)
        now, config = asyncio.get_running_loop().time(), self.config
        current_A = min(config.current_A, self._limit_A) if self._charges else 0.0
        power_W = current_A * config.voltage_V * config.phases
        self._energy_Wh += power_W * (now - self._read_s) / 3600.0
        self._read_s = now
        names = ("L1", "L2", "L3")[: config.phases]
        self.powermeter.powermeter.publish(
            powermeter.Powermeter(
                timestamp=rfc3339(utc_now()),
                meter_id=METER_ID,
                energy_Wh_import=units.Energy(total=self._energy_Wh),
                power_W=units.Power(total=power_W),
                voltage_V=units.Voltage(**dict.fromkeys(names, config.voltage_V)),
                current_A=units.Current(**dict.fromkeys(names, current_A)),
                frequency_Hz=units.Frequency(L1=FREQUENCY_HZ),
            )
        )
