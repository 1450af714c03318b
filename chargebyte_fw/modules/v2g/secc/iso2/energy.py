"""What an energy service is in ISO 15118-2: the session chooses one by RequestedEnergyTransferMode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.back_end import Limit, Span, differ, spans
from chargebyte_fw.modules.v2g.secc.common.energy import EnergyService
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.secc.iso2.session import Iso2Session

_KNOWN_MODES = frozenset(str(mode) for mode in iso2.EnergyTransferModeType)


class Iso2EnergyService(EnergyService):
    """An energy service of ISO 15118-2, AC or DC."""

    session: Iso2Session
    kind: ClassVar[str]
    """DC or AC: how the names of the energy transfer modes begin."""
    usual_mode: ClassVar[iso2.EnergyTransferModeType]
    """The mode to offer where the charger's modes have none of this kind."""
    parameter_type: ClassVar[type[Any]]
    """The type of EVChargeParameter."""
    after_parameters: ClassVar[State]
    """Where the session goes with the charge parameters."""
    mode: iso2.EnergyTransferModeType
    """The energy transfer mode that the car has chosen."""
    offered_limits: tuple[Limit, ...] = ()
    """The limits of the back end that the schedule of the car has."""

    def modes(self) -> list[iso2.EnergyTransferModeType]:
        """Return the offered energy transfer modes of this kind that ISO 15118-2 knows."""
        known = [
            iso2.EnergyTransferModeType(mode)
            for mode in self.facts.energy_transfer_modes
            if mode in _KNOWN_MODES and mode.startswith(self.kind)
        ]
        return known or [self.usual_mode]

    def charge_parameter(self, normal: str) -> Any:
        """Return EVSEChargeParameter; `normal` is the status code without errors and wishes to stop."""
        raise NotImplementedError

    def take_parameters(self, parameters: Any) -> None:
        """Publish EVChargeParameter."""
        raise NotImplementedError

    def charging_needs(self, parameters: Any) -> dict[str, Any]:
        """Return the fields of `iso15118.ChargingNeeds` that EVChargeParameter fills."""
        raise NotImplementedError

    def limits_do_not_fit(self, parameters: Any) -> str:
        """Return why there is nothing to charge with, or nothing."""
        return ""

    def schedule_power_W(self, mode: iso2.EnergyTransferModeType) -> float:
        """Return the power of the schedule."""
        raise NotImplementedError

    def limited_W(self, limit: Limit) -> float | None:
        """Return the power of a limit of the back end, None where it does not limit."""
        return limit.power_W

    def spans(self, begin_s: float, duration_s: int) -> tuple[Span, ...]:
        """Return the powers of a schedule that begins at `begin_s`, within the limits of the back end."""
        most_W = self.schedule_power_W(self.mode)
        return spans(self.facts.back_end.limits, begin_s, duration_s, most_W, self.limited_W)

    def schedule_is_outdated(self) -> bool:
        """Return whether the car shall get a new schedule, in the charge loop."""
        return self._limits_have_changed()

    def _limits_have_changed(self) -> bool:
        """Return whether the back end allows another power than the schedule has (K16)."""
        limits, session = self.facts.back_end.limits, self.session
        if limits is self.offered_limits:
            return False
        now_s, given = session.environment.utc_now().timestamp(), session.schedule
        rest_s = round(given.begin_s + given.duration_s - now_s)
        if rest_s > 0 and differ(given.entries, given.begin_s, self.spans(now_s, rest_s), now_s):
            return True
        self.offered_limits = limits
        return False

    def take_power_delivery(self, request: iso2.PowerDeliveryReq) -> None:
        """Publish what PowerDeliveryReq has of the battery."""

    def start_power(self, now: float) -> Answer | Deferred | None:
        """Begin the energy transfer; return a refusal, Deferred, or None when it has begun."""
        raise NotImplementedError

    def stop_power(self) -> None:
        """End the energy transfer."""
        raise NotImplementedError

    def renegotiate(self) -> None:
        """Prepare for new charge parameters."""
