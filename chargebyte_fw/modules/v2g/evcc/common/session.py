"""What the sessions of DIN SPEC 70121 and ISO 15118-2 have in common on the side of the car.

A stage is named like the request it sends, but PowerDelivery, which is three: `PowerOn`, `PowerOff`, `Renegotiate`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from chargebyte_fw.modules.v2g.evcc.common.energy import CarEnergyService
from chargebyte_fw.modules.v2g.evcc.effects import Step
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.protocol import Timers
from chargebyte_fw.modules.v2g.evcc.session import StagedSession
from chargebyte_fw.modules.v2g.messages import common
from chargebyte_fw.modules.v2g.physical import number, physical

GRAVE = ("EVSE_EmergencyShutdown", "EVSE_Malfunction", "EVSE_UtilityInterruptEvent")
"""Status codes at which a car takes the power off at once."""
_POWER_DELIVERY = ("PowerOn", "PowerOff", "Renegotiate")


class V2gCarSession(StagedSession):
    """One session. Subclasses set `messages`, choose the energy service and have the stages."""

    messages: ModuleType

    def __init__(self, settings: CarSettings, facts: CarFacts, timers: Timers) -> None:
        super().__init__(settings, facts, timers)
        self.schedule_id = 1
        self.schedule_W: float | None = None
        self.signature: Any = None
        """Signature of the next message's header (ISO 15118-2)."""

    @property
    def energy(self) -> CarEnergyService:
        """The energy service of the session."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Any, ...]:
        """The energy service: it has stages, too."""
        return (self.energy,)

    def stop_wanted(self, now: float) -> None:
        """Leave the present stage where car or charger want the session to end."""
        self.energy.stop_wanted(now)

    def renegotiation_wanted(self, now: float) -> None:
        """Leave the charge loop where car or charger want other parameters."""
        self.energy.renegotiation_wanted(now)

    @property
    def request(self) -> str:
        """The name of the request of the present stage."""
        return f"{'PowerDelivery' if self.stage in _POWER_DELIVERY else self.stage}Req"

    def message(self, body: Any) -> Any:
        """Return the whole message with the session's header."""
        m = self.messages
        signature, self.signature = self.signature, None
        return m.V2G_Message(Header=m.MessageHeaderType(SessionID=self.session_id, Signature=signature), Body=body)

    @property
    def charger_wants_to_stop(self) -> bool:
        """Whether the charger wants the session to end."""
        charger = self.facts.charger
        return charger.notification == "StopCharging" or charger.status_code in ("EVSE_Shutdown", *GRAVE)

    def quantity(self, value: float, unit: str) -> Any:
        """Return a physical value with one decimal."""
        return physical(self.messages.PhysicalValueType, round(value, 1), self.messages.unitSymbolType(unit))

    def optional(self, value: float | None, unit: str) -> Any:
        """Return a physical value, or None."""
        return None if value is None else self.quantity(value, unit)

    def take_status(self, status: common.DC_EVSEStatusType | common.AC_EVSEStatusType) -> None:
        """Note the charger's status, DC or AC."""
        charger = self.facts.charger
        charger.notification = str(status.EVSENotification)
        if isinstance(status, common.DC_EVSEStatusType):
            charger.status_code = str(status.EVSEStatusCode)
            charger.isolation = str(status.EVSEIsolationStatus or "")

    def take_schedule(self, schedules: common.SAScheduleListType | None) -> None:
        """Take the first schedule and its power."""
        if schedules is None:
            return
        first = schedules.SAScheduleTuple[0]
        self.schedule_id = first.SAScheduleTupleID
        limit = first.PMaxSchedule.PMaxScheduleEntry[0].PMax
        self.schedule_W = float(limit) if isinstance(limit, int) else number(limit)

    # -- stages that both protocols have

    def take_Authorization(self, body: Any, now: float) -> float:
        """Wait for the authorization."""
        if self.ongoing(body, "authorization", now):
            return self.settings.ongoing_pause_s
        self.report(Step.AUTHORIZED)
        self.stage = "ChargeParameterDiscovery"
        return 0.0

    def take_SessionStop(self, body: Any, now: float) -> float:
        """End: the session is over."""
        self.over = True
        return 0.0
