"""DataTransfer of OCPP 1.6; vendors that this product knows are blocks of their own (`receivers`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v16.core import DataTransferRequest, DataTransferResponse, DataTransferStatus
from chargebyte_fw.modules.ocpp.provisioning.v16 import Provisioning16
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Deferred, Station, answers, serves
from chargebyte_fw.modules.ocpp.station.named import named

Receiver = Callable[[DataTransferRequest], DataTransferResponse | Deferred | None]


class DataTransfer16(Block):
    """Hands DataTransfer to whoever knows the vendor."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.receivers: dict[str, Receiver] = {}
        """By vendorId in lower case: vendors of this product's own blocks. None: the integrator's module answers."""

    @answers(DataTransferRequest)
    def received(self, request: DataTransferRequest) -> DataTransferResponse | Deferred:
        """Let the block of the vendor, or the integrator's module, answer."""
        receiver = self.receivers.get(request.vendor_id.lower())
        answer = None if receiver is None else receiver(request)
        if answer is not None:
            return answer
        deferred = self.station.defer()
        wanted = ocpp.DataTransferRequest(vendor_id=request.vendor_id, message_id=request.message_id, data=request.data)
        self.station.command(call(OcppDataTransfer.data_transfer, wanted), partial(self._answered, deferred))
        return deferred

    def _answered(self, deferred: Deferred, result: Any) -> None:
        status, data = DataTransferStatus.UnknownVendorId, None
        if isinstance(result, ocpp.DataTransferResponse):
            status, data = named(DataTransferStatus, result.status, DataTransferStatus.Rejected), result.data
        self.station.answer(deferred, DataTransferResponse(status=status, data=data))

    @serves(OcppDataTransfer.data_transfer)
    def send(self, request: ocpp.DataTransferRequest) -> ocpp.DataTransferResponse | Deferred:
        """Send a message of a vendor to the CSMS and return its answer."""
        if not self.station.block(Provisioning16).online:
            return ocpp.DataTransferResponse(status=ocpp.DataTransferStatus.Offline)
        deferred = self.station.defer()
        message = DataTransferRequest(vendor_id=request.vendor_id, message_id=request.message_id, data=request.data)
        self.station.send(message, partial(self._sent, deferred))
        return deferred

    def _sent(self, deferred: Deferred, result: DataTransferResponse | CallFailure) -> None:
        status, data = ocpp.DataTransferStatus.Rejected, None
        if isinstance(result, DataTransferResponse):
            status, data = ocpp.DataTransferStatus(result.status.value), result.data
        elif result.code == "Offline":
            status = ocpp.DataTransferStatus.Offline
        self.station.answer(deferred, ocpp.DataTransferResponse(status=status, data=data))
