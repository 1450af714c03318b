"""Reset of one EVSE of OCPP 2.x (use cases B11, B12): out of use for a moment, while the others charge on.

EVerest's EvseManager has no command for it. An EVSE that is disabled opens its contactors, shows the car state F and
forgets the session; a car that is still plugged in begins another one once the EVSE is enabled again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from functools import partial

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.modules.ocpp.availability.stored import enable_disable
from chargebyte_fw.modules.ocpp.availability.v2 import Availability2
from chargebyte_fw.modules.ocpp.firmware.installation import Installation
from chargebyte_fw.modules.ocpp.messages.v2.provisioning import ResetEnumType, ResetResponse, ResetStatusEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.station import EVSE_ALLOW_RESET

STOP_LIMIT_S = 30.0
"""How long the stack may take to end a transaction before a reset goes on without its end."""
OUT_OF_USE_S = 5.0
"""How long the EVSE is out of use: longer than T_step_EF of ISO 15118-3 (4 s), so that every car notices state F."""
Status = ResetStatusEnumType


class _Step(Enum):
    WAITS = auto()
    """For the end of the transaction or reservation."""
    STOPS = auto()
    """The transaction is being ended."""
    OUT_OF_USE = auto()


class EvseReset2(Block):
    """Resets single EVSEs."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.station_resets: Callable[[], bool] = lambda: False
        """Whether a reset of the whole station is wanted: it enables the EVSEs again, not this block."""
        self._steps: dict[int, _Step] = {}

    def reset(self, evse_id: int, kind: ResetEnumType, delay_s: float) -> ResetResponse:
        """Answer a request for one EVSE; `delay_s` is the pause between the answer and the stop."""
        why_not = self._why_not(evse_id, kind)
        if why_not is not None:
            return ResetResponse(status=Status.Rejected, status_info=why_not)
        if kind is ResetEnumType.OnIdle and not self._idle(evse_id):
            self._steps.setdefault(evse_id, _Step.WAITS)
            return ResetResponse(status=Status.Scheduled)
        self.station.after_answer(partial(self._begin, evse_id, delay_s))
        return ResetResponse(status=Status.Accepted)

    def _why_not(self, evse_id: int, kind: ResetEnumType) -> StatusInfoType | None:
        if evse_id not in self.station.layout.evse_ids:
            return StatusInfoType(reason_code="UnknownEvse", additional_info=f"there is no EVSE {evse_id}")
        if not self.station.variables.get(EVSE_ALLOW_RESET.at(evse_id)):
            return StatusInfoType(reason_code="NotEnabled", additional_info=f"AllowReset of EVSE {evse_id} is false")
        if kind is ResetEnumType.ImmediateAndResume:
            return StatusInfoType(
                reason_code="UnsupportedRequest", additional_info="the reset of an EVSE ends its transaction"
            )
        if kind is ResetEnumType.Immediate and self.station.block(Availability2).reserved(evse_id):
            # The stack cancels the reservation of an EVSE that goes out of use; a reset has to keep it ([B11.FR.05]).
            return StatusInfoType(reason_code="Unspecified", additional_info=f"EVSE {evse_id} is reserved")
        installation = self.station.block(Installation)
        if any(installation.holds(place) for place in self.station.layout.of(evse_id)):
            return StatusInfoType(reason_code="FwUpdateInProgress")
        return None

    def _idle(self, evse_id: int) -> bool:
        reserved = self.station.block(Availability2).reserved(evse_id)
        return self.station.block(Transactions2).at(evse_id) is None and not reserved

    def _begin(self, evse_id: int, delay_s: float) -> None:
        if self._steps.get(evse_id) in (None, _Step.WAITS):
            self._steps[evse_id] = _Step.STOPS
            self.station.start(("reset", evse_id), self.station.now + delay_s, partial(self._stop, evse_id))

    def _stop(self, evse_id: int) -> None:
        transactions = self.station.block(Transactions2)
        transaction = transactions.at(evse_id)
        if transaction is None:
            self._out_of_use(evse_id)
            return
        transactions.endings.resetting.add(evse_id)
        self.station.start(("reset", evse_id), self.station.now + STOP_LIMIT_S, partial(self._out_of_use, evse_id))
        transactions.stop(transaction, evse.StopTransactionReason.Reboot)

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """Carry on with the reset of an EVSE that waits for the end of its transaction."""
        if self._steps.get(event.evse_id) is _Step.STOPS:
            self._out_of_use(event.evse_id)
        else:
            self._maybe(event.evse_id)

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Carry on when a reservation has ended."""
        self._maybe(event.evse_id)

    def _maybe(self, evse_id: int) -> None:
        if self._steps.get(evse_id) is _Step.WAITS and self._idle(evse_id):
            self._out_of_use(evse_id)

    def _out_of_use(self, evse_id: int) -> None:
        self._steps[evse_id] = _Step.OUT_OF_USE
        for place in self.station.layout.of(evse_id):
            self.station.command(enable_disable(place.connector_id, False), evse_id=evse_id)
        self.station.start(("reset", evse_id), self.station.now + OUT_OF_USE_S, partial(self._back, evse_id))

    def _back(self, evse_id: int) -> None:
        """Return to what the CSMS wants of each connector ([B12.FR.06])."""
        del self._steps[evse_id]
        self.station.block(Transactions2).endings.resetting.discard(evse_id)
        if self.station_resets():
            return
        availability, installation = self.station.block(Availability2), self.station.block(Installation)
        for place in self.station.layout.of(evse_id):
            if availability.operative(place) and not installation.holds(place):
                self.station.command(enable_disable(place.connector_id, True), evse_id=evse_id)
