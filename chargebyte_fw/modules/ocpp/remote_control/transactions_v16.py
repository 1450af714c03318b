"""RemoteStartTransaction and RemoteStopTransaction of OCPP 1.6 (§5.11, §5.12)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.authorization import AuthorizationType, IdToken, IdTokenType, ProvidedIdToken
from chargebyte_fw.contracts.types.reservation import ReservationCheck, ReservationCheckStatus
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.ocpp.authorization.v16 import Authorization16
from chargebyte_fw.modules.ocpp.availability.connector_states import Status
from chargebyte_fw.modules.ocpp.availability.v16 import Connectors16
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    RemoteStartStopStatus,
    RemoteStartTransactionRequest,
    RemoteStartTransactionResponse,
    RemoteStopTransactionRequest,
    RemoteStopTransactionResponse,
)
from chargebyte_fw.modules.ocpp.provisioning.v16 import Provisioning16
from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16
from chargebyte_fw.modules.ocpp.station import Block, Deferred, answers
from chargebyte_fw.modules.ocpp.station.layout import Place
from chargebyte_fw.modules.ocpp.transactions.events import RemoteStartAccepted
from chargebyte_fw.modules.ocpp.transactions.v16 import Transactions16
from chargebyte_fw.modules.ocpp.variables.standard.authorization import AUTHORIZE_REMOTE_START
from chargebyte_fw.modules.ocpp.variables.standard.legacy import (
    REJECT_REMOTE_START_WITHOUT_CONNECTOR_ID,
    REMOTE_START_FIND_FIRST,
)

STARTS_IN = (Status.AVAILABLE, Status.PREPARING, Status.RESERVED)
"""States in which a transaction can begin. In Finishing, the last car is still plugged in."""
RESERVED_FOR_OTHERS = (
    ReservationCheckStatus.ReservedForOtherToken,
    ReservationCheckStatus.ReservedForOtherTokenAndHasParentToken,
)
_REJECTED = RemoteStartTransactionResponse(status=RemoteStartStopStatus.Rejected)
_ACCEPTED = RemoteStartTransactionResponse(status=RemoteStartStopStatus.Accepted)


class RemoteTransactions16(Block):
    """Begins and ends transactions for the CSMS."""

    @answers(RemoteStartTransactionRequest)
    def remote_start(self, request: RemoteStartTransactionRequest) -> RemoteStartTransactionResponse | Deferred:
        """Present the token as if it was presented at the station, where a transaction can begin."""
        places = self._candidates(request)
        if not places or not self.station.block(Provisioning16).accepted or not self._profile_fits(request):
            return _REJECTED
        if all(self._states[place.connector].status is not Status.RESERVED for place in places):
            return self._accept(request, places)
        # Whose reservation it is, the owner of the reservations knows.
        deferred = self.station.defer()
        first = places[0]
        check = ReservationCheck(id_token=request.id_tag, evse_id=first.evse_id, group_id_token=self._parent(request))
        then = partial(self._checked, deferred, request, places)
        self.station.command(call(Reservation.exists_reservation, check), then)
        return deferred

    @property
    def _states(self) -> dict[int, Any]:
        return self.station.block(Connectors16).connectors

    def _parent(self, request: RemoteStartTransactionRequest) -> str | None:
        known = self.station.block(Authorization16).known_locally(request.id_tag)
        return known.parent if known is not None else None

    def _candidates(self, request: RemoteStartTransactionRequest) -> list[Place]:
        """Return the connectors at which the transaction may begin."""
        get, number = self.station.variables.get, request.connector_id
        if number is None and get(REJECT_REMOTE_START_WITHOUT_CONNECTOR_ID):
            return []
        if number is None:
            free = [place for place in self.station.layout if self._can_start(place)]
            return free[:1] if get(REMOTE_START_FIND_FIRST) else free
        place = self.station.layout.connector(number)
        return [place] if place is not None and self._can_start(place) else []

    def _can_start(self, place: Place) -> bool:
        state = self._states[place.connector]
        idle = self.station.block(Transactions16).at(place.connector) is None
        return idle and not state.faulted and state.status in STARTS_IN

    def _profile_fits(self, request: RemoteStartTransactionRequest) -> bool:
        """Return whether the profile of the request is one for the transaction that it begins (§5.16.4)."""
        profile = request.charging_profile
        if profile is None:
            return True
        if request.connector_id is None or profile.transaction_id is not None:
            return False
        smart_charging = self.station.block(SmartCharging16)
        return smart_charging.refusal_of_remote_start(profile, request.connector_id) is None

    def _checked(
        self, deferred: Deferred, request: RemoteStartTransactionRequest, places: Sequence[Place], status: Any
    ) -> None:
        rejected = status in RESERVED_FOR_OTHERS
        if status is ReservationCheckStatus.ReservedForOtherTokenAndHasParentToken and self._parent(request) is None:
            # The token's own parent is known once it is authorized; then the reservation is looked at again.
            rejected = not self.station.variables.get(AUTHORIZE_REMOTE_START)
        self.station.answer(deferred, _REJECTED if rejected else self._accept(request, places))

    def _accept(
        self, request: RemoteStartTransactionRequest, places: Sequence[Place]
    ) -> RemoteStartTransactionResponse:
        token = ProvidedIdToken(
            id_token=IdToken(value=request.id_tag, type=IdTokenType.Central),
            authorization_type=AuthorizationType.OCPP,
            connectors=sorted({place.evse_id for place in places}),
            prevalidated=not self.station.variables.get(AUTHORIZE_REMOTE_START),
        )
        evse_id = places[0].evse_id if len(places) == 1 else None
        self.station.notify(
            RemoteStartAccepted(evse_id, request.connector_id, request.id_tag, request.charging_profile)
        )
        self.station.publish(publish(AuthTokenProvider.provided_token, token))
        return _ACCEPTED

    @answers(RemoteStopTransactionRequest)
    def remote_stop(self, request: RemoteStopTransactionRequest) -> RemoteStopTransactionResponse:
        """End the transaction of this number; one that has ended, or never was, is refused."""
        transaction = self.station.block(Transactions16).of_id(request.transaction_id)
        if transaction is None or not self.station.block(Provisioning16).accepted:
            return RemoteStopTransactionResponse(status=RemoteStartStopStatus.Rejected)
        stop = evse.StopTransactionRequest(reason=evse.StopTransactionReason.Remote)
        evse_id = transaction.evse_id
        self.station.after_answer(
            lambda: self.station.command(call(EvseManager.stop_transaction, stop), evse_id=evse_id)
        )
        return RemoteStopTransactionResponse(status=RemoteStartStopStatus.Accepted)
