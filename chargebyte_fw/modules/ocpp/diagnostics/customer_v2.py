"""CustomerInformation of OCPP 2.x: report (N09) and clear (N10) what is kept about a customer."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.authorization.cache import key_of
from chargebyte_fw.modules.ocpp.authorization.v2 import Authorization2
from chargebyte_fw.modules.ocpp.messages.v2.diagnostics import (
    CustomerInformationRequest,
    CustomerInformationResponse,
    CustomerInformationStatusEnumType,
    NotifyCustomerInformationRequest,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType
from chargebyte_fw.modules.ocpp.station import Block, answers
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.internal import MAX_CUSTOMER_INFORMATION_DATA_LENGTH

CHUNK = 512
"""Length of `data` in one notification."""
Status = CustomerInformationStatusEnumType


class CustomerInformation2(Block):
    """Reports and clears what cache, list and transactions have about a token."""

    @answers(CustomerInformationRequest)
    def customer_information(self, request: CustomerInformationRequest) -> CustomerInformationResponse:
        """Report, clear, or both; the report follows the answer.

        A customer is named by a token. Nothing is kept by certificate or by the identifier of another system.
        """
        named_by = (request.id_token, request.customer_certificate, request.customer_identifier)
        if sum(one is not None for one in named_by) != 1:
            info = StatusInfoType(reason_code="InvalidValue", additional_info="name the customer in one way")
            return CustomerInformationResponse(status=Status.Invalid, status_info=info)
        if not (request.report or request.clear):
            return CustomerInformationResponse(status=Status.Rejected)
        text = self._known(request.id_token) if request.id_token is not None else ""
        if request.clear and request.id_token is not None:
            self._clear(request.id_token)
        if not request.report:
            text = ""
        self.station.after_answer(lambda: self._report(request.request_id, text))
        return CustomerInformationResponse(status=Status.Accepted)

    def _known(self, token: IdTokenType) -> str:
        authorization = self.station.block(Authorization2)
        found: dict[str, Any] = {}
        cached = authorization.cache.find(key_of(token.id_token, token.type), self.station.utc)
        if cached is not None:
            found["authorizationCache"] = cached
        listed = authorization.local_list.find(token.id_token, token.type)
        if listed is not None:
            found["localAuthorizationList"] = listed
        wanted = token.id_token.lower()
        running = [
            {"transactionId": one.transaction_id, "evseId": one.evse_id, "startedAt": one.started_at}
            for one in self.station.block(Transactions2).running()
            if one.token is not None and one.token.id_token.value.lower() == wanted
        ]
        if running:
            found["transactions"] = running
        if not found:
            return ""
        longest = self.station.variables.get(MAX_CUSTOMER_INFORMATION_DATA_LENGTH)
        return msgspec.json.encode({"idToken": token.id_token, **found}).decode()[:longest]

    def _clear(self, token: IdTokenType) -> None:
        """Forget the cached answer; the local list is the CSMS's own (N10)."""
        self.station.block(Authorization2).cache.forget(key_of(token.id_token, token.type))

    def _report(self, request_id: int, text: str) -> None:
        """Send the report in parts; also when nothing is known (N09)."""
        chunks = [text[index : index + CHUNK] for index in range(0, len(text), CHUNK)] or [""]
        for number, chunk in enumerate(chunks):
            self.station.send(
                NotifyCustomerInformationRequest(
                    data=chunk,
                    seq_no=number,
                    generated_at=self.station.utc,
                    request_id=request_id,
                    tbc=number < len(chunks) - 1,
                )
            )
