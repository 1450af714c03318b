"""The machines of one EVSE, made of its configuration and of what is connected; for the module and for the replay."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.kernel.composite import Composite
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.ac.over_current import OverCurrent
from chargebyte_fw.modules.evse.machine.ac.soc_first import SocFirst
from chargebyte_fw.modules.evse.machine.authorization import HlcAuthorization, Question
from chargebyte_fw.modules.evse.machine.availability import AvailabilityMachine
from chargebyte_fw.modules.evse.machine.charging import ChargingMachine
from chargebyte_fw.modules.evse.machine.dc.cable_check import CableCheck
from chargebyte_fw.modules.evse.machine.dc.insulation import Insulation
from chargebyte_fw.modules.evse.machine.dc.over_voltage import OverVoltage
from chargebyte_fw.modules.evse.machine.dc.plausibility import Plausibility
from chargebyte_fw.modules.evse.machine.dc.power_path import PowerPath
from chargebyte_fw.modules.evse.machine.dc.present_values import PresentValues
from chargebyte_fw.modules.evse.machine.dc.supply_watch import SupplyWatch
from chargebyte_fw.modules.evse.machine.energy import EnergyMachine
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.fault_policy import FaultPolicy
from chargebyte_fw.modules.evse.machine.lock import LockMachine
from chargebyte_fw.modules.evse.machine.offer import Offer
from chargebyte_fw.modules.evse.machine.pilot import Pilot
from chargebyte_fw.modules.evse.machine.reservations import ReservationMachine
from chargebyte_fw.modules.evse.machine.session import SessionMachine
from chargebyte_fw.modules.evse.machine.snapshot import PowerPathSnapshot, Snapshot

RANDOM_DELAY = "random_delay"
"""Name in the trace of the random delays that are drawn."""
DC_MACHINES = ("cable_check", "power_path", "over_voltage", "plausibility", "insulation", "supply_watch")
SOMETIMES_ABSENT = (*DC_MACHINES, "over_current", "soc_first", "lock", "present_values")


class Fitted(msgspec.Struct, frozen=True):
    """Which providers are connected and used."""

    hlc: bool
    """SLAC and HLC."""
    lock: bool
    """The connector's lock."""
    imd: bool
    """The insulation monitor."""
    monitor: bool
    """The over-voltage monitor."""


class EvseMachines(Composite):
    """All machines of one EVSE."""

    def __init__(
        self,
        config: EvseConfig,
        fitted: Fitted,
        module_id: str,
        *,
        new_uuid: Callable[[], str],
        draw: Callable[[int], int],
    ) -> None:
        self._fault_policy = FaultPolicy(use_vendor_id=config.inoperative_error_use_vendor_id)
        self._session = SessionMachine(config, new_uuid)
        self._pilot = Pilot(config)
        self._charging = ChargingMachine(config, hlc=fitted.hlc)
        self._authorization = HlcAuthorization(config, hlc=fitted.hlc)
        self._power_path = PowerPath(config)
        self._energy = EnergyMachine(config, module_id, hlc=fitted.hlc, others=lambda: self.snapshot, draw=draw)
        self._offer = Offer(config, hlc=fitted.hlc)
        self._availability = AvailabilityMachine()
        self._reservation = ReservationMachine(lambda: self.snapshot)
        machines: dict[str, Machine] = {
            "fault_policy": self._fault_policy,
            "session": self._session,
            "pilot": self._pilot,
            "charging": self._charging,
            "authorization": self._authorization,
        }
        if fitted.lock:
            machines["lock"] = LockMachine(config)
        machines |= self._of_dc(config, fitted) if config.dc else {"over_current": OverCurrent(config)}
        if config.ac_with_soc and not config.dc and fitted.hlc:
            machines["soc_first"] = SocFirst()
        machines |= {
            "energy": self._energy,
            "offer": self._offer,
            "availability": self._availability,
            "reservation": self._reservation,
        }
        if config.dc and fitted.hlc:
            machines["present_values"] = PresentValues(config)
        super().__init__(machines, absent=SOMETIMES_ABSENT)

    def _of_dc(self, config: EvseConfig, fitted: Fitted) -> dict[str, Machine]:
        megawatt = config.connector_type == ConnectorTypeEnum.cMCS.value
        fault_Ohm = timing.INSULATION_FAULT_MCS_OHM if megawatt else timing.INSULATION_FAULT_OHM
        return {
            "cable_check": CableCheck(config, imd=fitted.imd, insulation_fault_Ohm=fault_Ohm),
            "power_path": self._power_path,
            "over_voltage": OverVoltage(config.internal_over_voltage_duration_ms / 1000, external=fitted.monitor),
            "plausibility": Plausibility(
                config.voltage_plausibility_max_spread_threshold_V,
                config.voltage_plausibility_fault_duration_ms / 1000,
            ),
            "insulation": Insulation(fault_Ohm, pause_in_precharge=config.hack_pause_imd_during_precharge),
            "supply_watch": SupplyWatch(),
        }

    @property
    def limited_by(self) -> str:
        """What leaves no power to charge with; only where there is none."""
        return self._charging.facts.energy.allowance.why_none

    @property
    def pilot(self) -> tuple[str, float | None]:
        """The state of the control pilot that the board reports, and the duty cycle that it shows, in %."""
        return self._pilot.letter, self._pilot.duty_percent

    @property
    def snapshot(self) -> Snapshot:
        """The machines as of the last event."""
        state, facts = Charging(self._charging.state), self._charging.facts
        allowance, path = facts.energy.allowance, self._power_path
        return Snapshot(
            state=state,
            started=facts.hardware.started,
            plugged=facts.plug_in.plugged,
            contactors_closed=facts.hardware.contactors_closed,
            session=facts.session.begun,
            session_id=self._session.id,
            authorized=facts.session.authorization is not None,
            transaction=facts.transaction.state,
            blocking_faults=self._fault_policy.causes,
            asks_energy=facts.asks_energy(state),
            power=facts.power,
            allowed_current_A=allowance.current_A,
            allowed_phases=allowance.budget.phases if allowance.budget is not None else None,
            service=facts.link.service,
            checks_contract=self._authorization.state is Question.Contract,
            can_switch_phases=not (state is Charging.Charging and facts.hlc_leads),
            energy=self._energy.node,
            enabled=self._availability.requests.enabled,
            reservation_id=self._reservation.id,
            offered_modes=tuple(self._offer.modes),
            power_path=PowerPathSnapshot(
                reference_V=path.ev.reference_V,
                target_V=path.ev.target.voltage_V if path.ev.target is not None else None,
                present_V=path.present_V,
                present_A=path.present_A,
                ev_maximum=path.ev.maximum,
            ),
        )
