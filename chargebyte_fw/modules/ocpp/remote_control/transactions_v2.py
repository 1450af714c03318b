"""RequestStartTransaction and RequestStopTransaction of OCPP 2.x (use cases F01 to F04)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.reservation import Reservation
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.authorization import AuthorizationType, ProvidedIdToken
from chargebyte_fw.contracts.types.reservation import ReservationCheck, ReservationCheckStatus
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.ocpp.authorization.conversion_v2 import from_wire
from chargebyte_fw.modules.ocpp.availability.v2 import Availability2
from chargebyte_fw.modules.ocpp.messages.v2.availability import ConnectorStatusEnumType
from chargebyte_fw.modules.ocpp.messages.v2.remote_control import (
    RequestStartStopStatusEnumType,
    RequestStartTransactionRequest,
    RequestStartTransactionResponse,
    RequestStopTransactionRequest,
    RequestStopTransactionResponse,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.provisioning.v2 import Provisioning2
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, Deferred, RequestRefused, answers
from chargebyte_fw.modules.ocpp.transactions.events import RemoteStartAccepted
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.authorization import AUTHORIZE_REMOTE_START

Status = RequestStartStopStatusEnumType
Request: TypeAlias = RequestStartTransactionRequest
STARTS_IN = (
    ConnectorStatusEnumType.Available,
    ConnectorStatusEnumType.Occupied,
    ConnectorStatusEnumType.Reserved,
)
RESERVED_FOR_OTHERS = (
    ReservationCheckStatus.ReservedForOtherToken,
    ReservationCheckStatus.ReservedForOtherTokenAndHasParentToken,
)


def _rejected(reason: str, info: str = "") -> RequestStartTransactionResponse:
    status_info = StatusInfoType(reason_code=reason, additional_info=info or None)
    return RequestStartTransactionResponse(status=Status.Rejected, status_info=status_info)


class RemoteTransactions2(Block):
    """Begins and ends transactions for the CSMS."""

    @answers(RequestStartTransactionRequest)
    def request_start(self, request: Request) -> RequestStartTransactionResponse | Deferred:
        """Present the token as if it was presented at the station, where a transaction can begin."""
        if not self.station.block(Provisioning2).accepted:
            return _rejected("NotAccepted")
        layout = self.station.layout
        if request.evse_id is not None and request.evse_id not in layout.evse_ids:
            raise RequestRefused("OccurrenceConstraintViolation", f"there is no EVSE {request.evse_id}")
        if refused := self._profile_refused(request):
            return refused
        wanted = layout.evse_ids if request.evse_id is None else (request.evse_id,)
        usable = [evse_id for evse_id in wanted if self._can_start(evse_id)]
        if not usable:
            running = self.station.block(Transactions2).at(wanted[0]) if len(wanted) == 1 else None
            return _rejected("TxInProgress" if running is not None else "NoEvseAvailable")
        deferred = self.station.defer()
        self._check(deferred, request, usable, 0, [])
        return deferred

    def _profile_refused(self, request: Request) -> RequestStartTransactionResponse | None:
        """A profile needs an EVSE, and is one for the transaction that begins (K05, F01)."""
        profile = request.charging_profile
        if profile is None:
            return None
        if request.evse_id is None:
            return _rejected("NoProfileAllowed", "a charging profile needs an evseId")
        refused = self.station.block(SmartCharging2).refusal_of_remote_start(profile, request.evse_id)
        return None if refused is None else _rejected(refused.reason, refused.info)

    def _can_start(self, evse_id: int) -> bool:
        availability = self.station.block(Availability2)
        free = any(availability.status(place) in STARTS_IN for place in self.station.layout.of(evse_id))
        transactions = self.station.block(Transactions2)
        running = transactions.at(evse_id)
        # A transaction without a token waits for one ([F01.FR.13], [F01.FR.24]).
        return free and (running is None or running.token is None) and transactions.token_at(evse_id) is None

    def _check(
        self, deferred: Deferred, request: Request, evse_ids: Sequence[int], index: int, free: list[int]
    ) -> None:
        """Ask the owner of the reservations about one EVSE after the other."""
        if index == len(evse_ids):
            if free:
                self._accept(deferred, request, free)
            else:
                self.station.answer(deferred, _rejected("NoEvseAvailable"))
            return
        evse_id = evse_ids[index]
        group = request.group_id_token
        check = ReservationCheck(
            id_token=request.id_token.id_token,
            evse_id=evse_id,
            group_id_token=None if group is None else group.id_token,
        )

        def then(status: Any) -> None:
            reserved = status in RESERVED_FOR_OTHERS
            if status is ReservationCheckStatus.ReservedForOtherTokenAndHasParentToken and group is None:
                # The token's own group is known once it is authorized; then the reservation is looked at again.
                reserved = not self.station.variables.get(AUTHORIZE_REMOTE_START)
            left = free if reserved else [*free, evse_id]
            self._check(deferred, request, evse_ids, index + 1, left)

        self.station.command(call(Reservation.exists_reservation, check), then)

    def _accept(self, deferred: Deferred, request: Request, evse_ids: Sequence[int]) -> None:
        group = request.group_id_token
        token = ProvidedIdToken(
            id_token=from_wire(request.id_token),
            authorization_type=AuthorizationType.OCPP,
            request_id=request.remote_start_id,
            parent_id_token=None if group is None else from_wire(group),
            connectors=list(evse_ids),
            prevalidated=not self.station.variables.get(AUTHORIZE_REMOTE_START),
        )
        self.station.notify(
            RemoteStartAccepted(request.evse_id, None, request.id_token.id_token, request.charging_profile)
        )
        self.station.block(Transactions2).writer.ordered(request.remote_start_id, request.id_token)
        running = self.station.block(Transactions2).at(evse_ids[0]) if len(evse_ids) == 1 else None
        transaction_id = None if running is None else running.transaction_id
        self.station.answer(
            deferred, RequestStartTransactionResponse(status=Status.Accepted, transaction_id=transaction_id)
        )
        self.station.publish(publish(AuthTokenProvider.provided_token, token))

    @answers(RequestStopTransactionRequest)
    def request_stop(self, request: RequestStopTransactionRequest) -> RequestStopTransactionResponse:
        """End the transaction of this id; one that has ended, or never was, is refused (F03)."""
        transactions = self.station.block(Transactions2)
        transaction = transactions.of_id(request.transaction_id)
        if transaction is None or not self.station.block(Provisioning2).accepted:
            return RequestStopTransactionResponse(status=Status.Rejected)
        transactions.endings.stopping.add(transaction.transaction_id)
        self.station.after_answer(partial(transactions.stop, transaction, evse.StopTransactionReason.Remote))
        return RequestStopTransactionResponse(status=Status.Accepted)
