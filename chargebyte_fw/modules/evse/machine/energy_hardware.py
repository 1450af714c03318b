"""What the energy machine knows of hardware, cable and service: rows that keep its `EnergyNode`."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities
from chargebyte_fw.kernel.effects import Call, call
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig, SaeMode
from chargebyte_fw.modules.evse.machine.dc.limits import derated, minimum_for_hlc
from chargebyte_fw.modules.evse.machine.effects import RequestEnergy, SessionChanged
from chargebyte_fw.modules.evse.machine.energy_node import EnergyNode
from chargebyte_fw.modules.evse.machine.events import (
    BoardReported,
    CableLimit,
    CableReported,
    Charging,
    Derated,
    SaeBidi,
    SupplyCapabilitiesChanged,
    SupplyReported,
)
from chargebyte_fw.modules.evse.machine.signals import StateEntered
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot

Effects = list[Any]


class EnergyState(Enum):
    """Whether limits can be applied, and how."""

    HardwareUnknown = "hardware unknown"
    """The board has not reported its capabilities yet: limits have no meaning."""
    Following = "following"
    """The newest limits hold."""
    Delaying = "delaying"
    """The random delay of a change runs: an old limit is held, and the countdown is published."""


class EnergyHardwareRows(Machine):
    """Rows for capabilities and services. `others` returns what the machines of the EVSE have published."""

    initial = EnergyState.HardwareUnknown

    def __init__(self, config: EvseConfig, *, hlc: bool, others: Callable[[], Snapshot]) -> None:
        super().__init__()
        self.config = config
        self.others = others
        self.node = EnergyNode(bidirectional=config.hack_allow_bpt_with_iso2)
        self._hlc = hlc
        self._supply_reported: Capabilities | None = None
        self._derating = ExternalDerating()
        self._sae_active = False
        self._one_way = False
        """No bidirectional mode is allowed in this session, whatever service the EV has."""

    @property
    def bidirectional(self) -> bool:
        """Whether the EV's session can return energy."""
        config, service = self.config, self.others().service
        if config.hack_allow_bpt_with_iso2 or (config.sae_j2847_2_bpt_enabled and self._sae_active):
            return True
        return service is not None and service.bidirectional and not self._one_way

    def to_hlc(self, command: Call) -> Effects:
        """Return a command with a value for HLC, of which the newest counts; none without HLC."""
        return [command.latest_only()] if self._hlc else []

    def supply_limits(self, *, first: bool) -> Effects:
        """Return the limits that follow from other capabilities of the power supply."""
        raise NotImplementedError

    # Hardware.

    @on(*EnergyState, event=BoardReported, to=EnergyState.Following)
    def board_reported(self, event: BoardReported, now: float) -> Effects:
        """Take the board's capabilities; a socket is without a cable until one is reported."""
        self.node = self.node.with_hardware(event.hardware)
        without_cable = self.node.socket and not self.config.dc and self.node.cable_A is None
        effects = self._cable(0.0) if without_cable else []
        return self.enter(EnergyState.Following, *effects) if self.state is EnergyState.HardwareUnknown else effects

    @on(*EnergyState, event=CableReported)
    def cable_reported(self, event: CableReported, now: float) -> Effects:
        """Take the rating of the cable in a socket; a fixed cable is part of the hardware."""
        return self._cable(self.node.rating_A(event.ampacity)) if self.node.socket else []

    def _cable(self, limit_A: float) -> Effects:
        self.node = replace(self.node, cable_A=limit_A or None)
        return [CableLimit(limit_A)]

    @on(*EnergyState, event=SupplyReported)
    def supply_reported(self, event: SupplyReported, now: float) -> Effects:
        """Take the power supply's capabilities."""
        self._supply_reported = event.supply
        return self._supply()

    @on(*EnergyState, event=Derated)
    def external_derating(self, event: Derated, now: float) -> Effects:
        """Narrow the power supply's capabilities."""
        self._derating = event.derating
        return self._supply()

    def _supply(self) -> Effects:
        if self._supply_reported is None:
            return []
        supply = derated(self._supply_reported, self._derating, self.others().power_path.present_V)
        if supply == self.node.supply:
            return []
        first = not self.node.supply_known
        self.node = replace(self.node, supply=supply, supply_known=True)
        return [
            SupplyCapabilitiesChanged(supply),
            *self.to_hlc(call(Iso15118Charger.update_dc_minimum_limits, minimum_for_hlc(supply))),
            *self.supply_limits(first=first),
            RequestEnergy(priority=False),
        ]

    # The EV's service.

    @on(*EnergyState, event=SaeBidi)
    def sae_bidirectional(self, _: SaeBidi, now: float) -> None:
        """Take what an SAE J2847/2 EV returns; where it supplies the house, draw nothing from the grid."""
        self._sae_active = True
        own_W = self.node.own_limits_W
        if self.config.sae_j2847_2_bpt_mode is SaeMode.V2H:
            own_W = (self.node.supply.max_import_power_W or 0.0, 0.0)
        self.node = replace(self.node, bidirectional=True, own_limits_W=own_W)

    @on(*EnergyState, event=SessionChanged)
    def session_changed(self, event: SessionChanged, now: float) -> None:
        """End the SAE J2847/2 mode, and what was allowed, with the session."""
        if not event.session_id:
            self._sae_active = self._one_way = False

    @on(*EnergyState, event=StateEntered)
    def state_entered(self, event: StateEntered, now: float) -> None:
        """Forget the EV's service when the EVSE is idle."""
        if event.state is Charging.Idle:
            self.node = replace(self.node, bidirectional=self.config.hack_allow_bpt_with_iso2, own_limits_W=None)
