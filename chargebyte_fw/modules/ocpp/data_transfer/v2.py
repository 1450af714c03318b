"""DataTransfer of OCPP 2.x (use cases P01, P02): `data` is any JSON value."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v2.data_transfer import (
    DataTransferRequest,
    DataTransferResponse,
    DataTransferStatusEnumType,
)
from chargebyte_fw.modules.ocpp.payment import terminal_v2
from chargebyte_fw.modules.ocpp.provisioning.v2 import Provisioning2
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Deferred, answers, serves
from chargebyte_fw.modules.ocpp.station.named import named

Status = DataTransferStatusEnumType


def to_text(data: Any) -> str | None:
    """Return a JSON value as the stack has it: as JSON, a text with its quotes (EVerest)."""
    return None if data is None else msgspec.json.encode(data).decode()


def from_text(text: str | None) -> Any:
    """Return what a text of the stack is on the wire: the JSON value that it contains, or itself."""
    if text is None:
        return None
    try:
        return decode_json(text.encode())
    except msgspec.DecodeError:
        return text


class DataTransfer2(Block):
    """Hands DataTransfer to the integrator's module, and sends that of the stack."""

    @answers(DataTransferRequest)
    def received(self, request: DataTransferRequest) -> Deferred:
        """Let the integrator's module answer; without one the vendor is unknown (P01)."""
        deferred = self.station.defer()
        wanted = ocpp.DataTransferRequest(
            vendor_id=request.vendor_id, message_id=request.message_id, data=to_text(request.data)
        )
        self.station.command(call(OcppDataTransfer.data_transfer, wanted), partial(self._answered, deferred))
        return deferred

    def _answered(self, deferred: Deferred, result: Any) -> None:
        status, data = Status.UnknownVendorId, None
        if isinstance(result, ocpp.DataTransferResponse):
            status, data = named(Status, result.status, Status.Rejected), from_text(result.data)
        self.station.answer(deferred, DataTransferResponse(status=status, data=data))

    @serves(OcppDataTransfer.data_transfer)
    def send(self, request: ocpp.DataTransferRequest) -> ocpp.DataTransferResponse | Deferred:
        """Send a message of a vendor to the CSMS and return its answer."""
        online = self.station.block(Provisioning2).online
        if terminal_v2.sends(request):
            return terminal_v2.send(self.station, request, online=online)
        if not online:
            return ocpp.DataTransferResponse(status=ocpp.DataTransferStatus.Offline)
        deferred = self.station.defer()
        message = DataTransferRequest(
            vendor_id=request.vendor_id, message_id=request.message_id, data=from_text(request.data)
        )
        self.station.send(message, partial(self._sent, deferred))
        return deferred

    def _sent(self, deferred: Deferred, result: DataTransferResponse | CallFailure) -> None:
        status, data = ocpp.DataTransferStatus.Rejected, None
        if isinstance(result, DataTransferResponse):
            status = named(ocpp.DataTransferStatus, result.status, ocpp.DataTransferStatus.Rejected)
            data = to_text(result.data)
        elif result.code == "Offline":
            status = ocpp.DataTransferStatus.Offline
        self.station.answer(deferred, ocpp.DataTransferResponse(status=status, data=data))
