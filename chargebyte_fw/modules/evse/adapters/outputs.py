"""The effects of the machines, each carried out by the function that one table names for its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.effects import Call, Publish, call
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.modules.evse.adapters.commands import Commands
from chargebyte_fw.modules.evse.adapters.energy import EnergyAdapter
from chargebyte_fw.modules.evse.adapters.meter import BillingMeter
from chargebyte_fw.modules.evse.adapters.own_faults import OwnFaults
from chargebyte_fw.modules.evse.adapters.session_reports import SessionReports
from chargebyte_fw.modules.evse.logs import event_lines
from chargebyte_fw.modules.evse.logs.session_logger import SessionLogger
from chargebyte_fw.modules.evse.machine import effects
from chargebyte_fw.modules.evse.machine.signals import (
    CarBack,
    CarLost,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
    ShutdownChanged,
    StateEntered,
)

PILOT = (CarPluggedIn, CarUnplugged, CarRequests, CarLost, CarBack)


class Outputs:
    """Carries effects out. `provided`: what implements the interfaces of the EVSE, by their names."""

    def __init__(
        self,
        log: ModuleLog,
        store_key: str,
        provided: Mapping[str, Contract],
        *,
        commands: Commands,
        energy: EnergyAdapter,
        faults: OwnFaults,
        meter: BillingMeter,
        reports: SessionReports,
        session_log: SessionLogger,
    ) -> None:
        self._log = log
        self._store_key = store_key
        self._provided = provided
        self._commands = commands
        self._session_log = session_log
        self.table: dict[type, Callable[[Any], None]] = {
            Call: self._call,
            Publish: self._publish,
            effects.SessionLogLine: session_log.write,
            effects.LogLine: reports.line,
            effects.PublishSessionEvent: reports.event,
            effects.SessionChanged: reports.session,
            StateEntered: reports.state,
            effects.StartMeter: meter.start,
            effects.StopMeter: meter.stop,
            effects.StoreSessionId: self._keep,
            effects.RaiseFault: faults.raise_fault,
            effects.ClearFault: faults.clear,
            ShutdownChanged: faults.shutdown,
            effects.RequestEnergy: lambda effect: energy.request(priority=effect.priority),
            effects.ShowEnforcedLimits: energy.show_enforced,
            effects.DelayCountdown: energy.show_countdown,
            Unexpected: self._unexpected,
            **dict.fromkeys(PILOT, self._pilot),
        }

    def act(self, effect: Any) -> None:
        """Carry out one effect; messages that only the recording needs are none."""
        carry_out = self.table.get(type(effect))
        if carry_out is not None:
            carry_out(effect)

    def _call(self, effect: Call) -> None:
        self._session_log.write(event_lines.command_line(effect))
        self._commands.send(effect)

    def _publish(self, effect: Publish) -> None:
        getattr(self._provided[effect.interface], effect.variable).publish(effect.value)

    def _keep(self, effect: effects.StoreSessionId) -> None:
        self._commands.send(call(Kvs.store, self._store_key, effect.session_id))

    def _pilot(self, signal: Any) -> None:
        self._session_log.write(event_lines.pilot_line(signal))

    def _unexpected(self, effect: Unexpected) -> None:
        self._log.debug("%r has no row in %s", effect.event, effect.state)
