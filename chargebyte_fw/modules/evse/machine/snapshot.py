"""What the rest of the house sees of the machines: one frozen struct, as of the last event."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode
from chargebyte_fw.modules.evse.machine.energy_node import EnergyNode
from chargebyte_fw.modules.evse.machine.events import Charging, EvMaximum, FaultRaised, ServiceSelected
from chargebyte_fw.modules.evse.machine.facts import TransactionState


class PowerPathSnapshot(msgspec.Struct, frozen=True):
    """The DC power path."""

    reference_V: float = 0.0
    """The voltage that the EV asked for last in this session, 0 before."""
    target_V: float | None = None
    """The voltage that it asks for now; None: it asks for nothing."""
    present_V: float = 0.0
    present_A: float = 0.0
    """Voltage and current at the supply's output."""
    ev_maximum: EvMaximum = EvMaximum(None, None, None)
    """What the EV of this session can take."""


class Snapshot(msgspec.Struct, frozen=True):
    """The machines of one EVSE. Read `EvseManager.machines.snapshot`; it is replaced whole, never changed."""

    state: Charging = Charging.Idle
    started: bool = False
    """The start is over; before it the EVSE counts as disabled."""
    plugged: bool = False
    contactors_closed: bool = False
    session: bool = False
    """A session has begun."""
    session_id: str = ""
    """Its id; for a moment that of the last one while the meter ends the last transaction."""
    authorized: bool = False
    transaction: TransactionState = TransactionState.NotAsked
    blocking_faults: tuple[FaultRaised, ...] = ()
    """Faults that keep the EVSE from charging, oldest first."""
    asks_energy: bool = False
    """Energy is wanted."""
    power: bool = False
    """There is power to charge with."""
    allowed_current_A: float = 0.0
    """Current per phase that the EV may draw."""
    allowed_phases: int | None = None
    """Phases of the budget, None before the first one."""
    service: ServiceSelected | None = None
    """The energy service of ISO 15118-20 that the EV has chosen."""
    checks_contract: bool = False
    """The contract of Plug and Charge is being validated."""
    can_switch_phases: bool = True
    """False while HLC charges: the EV would still draw on the phases that it has been offered."""
    power_path: PowerPathSnapshot = PowerPathSnapshot()
    energy: EnergyNode = EnergyNode()
    enabled: bool = True
    """The EVSE is enabled by the outcome of all requests."""
    reservation_id: int | None = None
    """The reservation that the EVSE is kept for."""
    offered_modes: tuple[EnergyTransferMode, ...] = ()
    """The energy transfer modes that HLC offers, before those of one session are narrowed."""

    @property
    def free(self) -> bool:
        """Whether the EVSE can be reserved: it has started, and neither EV nor session nor fault is there."""
        occupied = self.blocking_faults or self.session or self.plugged
        return self.started and self.state is Charging.Idle and not occupied

    @property
    def transaction_active(self) -> bool:
        """Whether energy is billed."""
        return self.transaction in (TransactionState.Running, TransactionState.Ending)

    @property
    def transaction_begun(self) -> bool:
        """Whether the transaction is active or starting: what is ordered for it holds already."""
        return self.transaction_active or self.transaction is TransactionState.Starting
