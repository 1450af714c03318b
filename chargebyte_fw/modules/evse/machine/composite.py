"""The machines of one EVSE, made of its configuration and of what is connected; for the module and for the replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.kernel.machine import Machine, Timeout
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.ac.over_current import OverCurrent
from chargebyte_fw.modules.evse.machine.authorization import HlcAuthorization
from chargebyte_fw.modules.evse.machine.charging import Charger
from chargebyte_fw.modules.evse.machine.context import Wiring
from chargebyte_fw.modules.evse.machine.dc.cable_check import CableCheck
from chargebyte_fw.modules.evse.machine.dc.insulation import Insulation
from chargebyte_fw.modules.evse.machine.dc.over_voltage import OverVoltage
from chargebyte_fw.modules.evse.machine.dc.plausibility import Plausibility
from chargebyte_fw.modules.evse.machine.dc.power_path import DcPath
from chargebyte_fw.modules.evse.machine.dc.supply_watch import SupplyWatch
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import TransactionState
from chargebyte_fw.modules.evse.machine.fault_policy import ErrorBook
from chargebyte_fw.modules.evse.machine.pilot import Pilot
from chargebyte_fw.modules.evse.machine.public import Public
from chargebyte_fw.modules.evse.machine.session import Session
from chargebyte_fw.modules.evse.machine.snapshot import PowerPathSnapshot, Snapshot

LOGGING_PATH = "logging_path"
RESERVATION = "reservation"
"""What the trace calls the answers that the machines get beside their events."""


class Core(Machine):
    """Several machines that behave like one. Messages without a listener here, and public ones, are the effects."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = tuple(machines)
        self._timers = {}
        self._deadline = None
        self._routes: dict[type, list[Machine]] = {}
        for machine in self.machines:
            for event in {event for _, event in machine.table if isinstance(event, type) and event is not Timeout}:
                self._routes.setdefault(event, []).append(machine)

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event and let the machines talk until none has anything more to say."""
        return self._settle(deque([event]), now)

    def wake(self, now: float) -> list[Any]:
        """Let time pass for every machine whose deadline is over."""
        told = []
        for machine in self.machines:
            if machine.deadline is not None and machine.deadline <= now:
                told += self._settle(deque(machine.wake(now)), now)
        return told

    def _settle(self, waiting: deque[Any], now: float) -> list[Any]:
        told = []
        while waiting:
            message = waiting.popleft()
            listeners = self._routes.get(type(message))
            if listeners is None or isinstance(message, Public):
                told.append(message)
            for machine in listeners or ():
                waiting.extend(machine.feed(message, now))
        self.look_at_the_clock()
        return told

    def look_at_the_clock(self) -> None:
        """Take the deadline of the machine that waits for the next one."""
        deadlines = [machine.deadline for machine in self.machines if machine.deadline is not None]
        self.deadline = min(deadlines, default=None)


class Fitted(msgspec.Struct, frozen=True):
    """Which neighbours are connected and used."""

    hlc: bool
    """SLAC and HLC."""
    lock: bool
    imd: bool
    monitor: bool
    """The over-voltage monitor."""


class Machines:
    """All of them; on AC those of the power path stand idle."""

    def __init__(
        self,
        config: EvseConfig,
        fitted: Fitted,
        *,
        new_uuid: Callable[[], str],
        logging_path: Callable[[str], str | None],
    ) -> None:
        self.pilot = Pilot(config, has_lock=fitted.lock)
        self.charger = Charger(config, Wiring(hlc=fitted.hlc))
        self.session = Session(config, new_uuid, logging_path=logging_path)
        self.authorization = HlcAuthorization(config, hlc=fitted.hlc)
        self.error_book = ErrorBook(use_vendor_id=config.inoperative_error_use_vendor_id)
        self.dc_path = DcPath(config)
        machines: list[Machine] = [self.error_book, self.session, self.pilot, self.charger, self.authorization]
        self.core = Core([*machines, *(self._of_dc(config, fitted) if config.dc else [OverCurrent(config)])])

    @property
    def snapshot(self) -> Snapshot:
        """The machines as of the last event."""
        c, path = self.charger.c, self.dc_path
        budget = c.allowance.budget
        transaction = TransactionState.Over if c.transaction_asked else TransactionState.NotAsked
        if c.transaction:
            transaction = TransactionState.Ending if c.transaction_ending else TransactionState.Running
        elif c.transaction_pending:
            transaction = TransactionState.Starting
        return Snapshot(
            state=Charging(self.charger.state),
            started=c.begun,
            plugged=c.plugged,
            contactors_closed=c.contactor_closed,
            session=c.session,
            session_id=self.session.id,
            authorized=c.authorized is not None,
            transaction=transaction,
            blocking_faults=self.error_book.causes,
            asks_energy=c.asks_energy(Charging(self.charger.state)),
            power=c.power,
            allowed_current_A=c.allowance.current_A,
            allowed_phases=budget.phases if budget is not None else None,
            service=c.service,
            checks_contract=self.authorization.waiting_for_contract,
            can_switch_phases=self.charger.can_switch_phases(),
            power_path=PowerPathSnapshot(
                reference_V=path.reference_V,
                target_V=path.target.voltage_V if path.target is not None else None,
                present_V=path.present_V,
                present_A=path.present_A,
                ev_maximum=path.ev_max,
            ),
        )

    def _of_dc(self, config: EvseConfig, fitted: Fitted) -> list[Machine]:
        megawatt = config.connector_type == ConnectorTypeEnum.cMCS.value
        fault_Ohm = timing.INSULATION_FAULT_MCS_OHM if megawatt else timing.INSULATION_FAULT_OHM
        return [
            CableCheck(config, imd=fitted.imd, insulation_fault_Ohm=fault_Ohm),
            self.dc_path,
            OverVoltage(config.internal_over_voltage_duration_ms / 1000, external=fitted.monitor),
            Plausibility(
                config.voltage_plausibility_max_spread_threshold_V,
                config.voltage_plausibility_fault_duration_ms / 1000,
            ),
            Insulation(fault_Ohm, pause_in_precharge=config.hack_pause_imd_during_precharge),
            SupplyWatch(),
        ]
