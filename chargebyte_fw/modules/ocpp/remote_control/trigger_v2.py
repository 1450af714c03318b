"""TriggerMessage of OCPP 2.x (use case F06)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chargebyte_fw.modules.ocpp.availability.v2 import Availability2
from chargebyte_fw.modules.ocpp.firmware.logs_v2 import Logs2
from chargebyte_fw.modules.ocpp.firmware.v2 import Firmware2
from chargebyte_fw.modules.ocpp.messages.v2.remote_control import (
    MessageTriggerEnumType,
    TriggerMessageRequest,
    TriggerMessageResponse,
    TriggerMessageStatusEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.security import CertificateSigningUseEnumType
from chargebyte_fw.modules.ocpp.messages.v2.transactions import TriggerReasonEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType, StatusInfoType
from chargebyte_fw.modules.ocpp.metering.meter_values_v2 import MeterValues2
from chargebyte_fw.modules.ocpp.provisioning.v2 import Provisioning2
from chargebyte_fw.modules.ocpp.security.certificates_v2 import Certificates2
from chargebyte_fw.modules.ocpp.station import Block, RequestRefused, answers
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2

Run = Callable[[], Any]
Status, M = TriggerMessageStatusEnumType, MessageTriggerEnumType
_SIGNING = {
    M.SignChargingStationCertificate: CertificateSigningUseEnumType.ChargingStationCertificate,
    M.SignV2GCertificate: CertificateSigningUseEnumType.V2GCertificate,
}
NOT_IMPLEMENTED = (
    M.SignCombinedCertificate,
    M.PublishFirmwareStatusNotification,
    M.SignV2G20Certificate,
    M.CustomTrigger,
)


def _response(status: TriggerMessageStatusEnumType, reason: str = "") -> TriggerMessageResponse:
    return TriggerMessageResponse(status=status, status_info=StatusInfoType(reason_code=reason) if reason else None)


class Trigger2(Block):
    """Sends what the CSMS asks for; the answer comes first (F06)."""

    @answers(TriggerMessageRequest)
    def trigger(self, request: TriggerMessageRequest) -> TriggerMessageResponse:
        """Send the message that is named, for an EVSE or all of them."""
        evse_ids = self._evse_ids(request.evse)
        message = request.requested_message
        if message in NOT_IMPLEMENTED:
            return _response(Status.NotImplemented)
        use = _SIGNING.get(message)
        if use is not None:
            certificates = self.station.block(Certificates2)
            why_not = certificates.why_not_sign(use)
            if why_not is not None:
                return _response(Status.Rejected, why_not)
            return self._accept(partial(certificates.sign, use))
        run = self._run(message, request.evse, evse_ids)
        return _response(Status.Rejected) if run is None else self._accept(run)

    def _accept(self, run: Run) -> TriggerMessageResponse:
        self.station.after_answer(run)
        return _response(Status.Accepted)

    def _evse_ids(self, evse: EVSEType | None) -> list[int]:
        if evse is None or evse.id == 0:
            return list(self.station.layout.evse_ids)
        if self.station.layout.find(evse.id, evse.connector_id) is None:
            raise RequestRefused("OccurrenceConstraintViolation", f"there is no EVSE {evse.id} or no such connector")
        return [evse.id]

    def _run(self, message: MessageTriggerEnumType, evse: EVSEType | None, evse_ids: list[int]) -> Run | None:
        """Return what sends the message, None where it cannot be sent."""
        block, accepted = self.station.block, self.station.block(Provisioning2).accepted
        match message:
            case M.BootNotification:
                # An accepted station does not boot again (F06).
                return None if accepted else partial(block(Provisioning2).boot, triggered=True)
            case M.Heartbeat:
                return lambda: self.station.send(block(Provisioning2).heartbeat(), triggered=True)
            case M.FirmwareStatusNotification:
                return block(Firmware2).report
            case M.LogStatusNotification:
                return block(Logs2).report
            case M.StatusNotification:
                return self._status(evse)
            case M.MeterValues:
                measuring = [evse_id for evse_id in evse_ids if block(MeterValues2).measures(evse_id)]
                return partial(self._each, block(MeterValues2).trigger, measuring) if measuring else None
            case M.TransactionEvent:
                running = [evse_id for evse_id in evse_ids if block(Transactions2).at(evse_id) is not None]
                return partial(self._each, self._transaction_event, running) if running else None
        return None

    @staticmethod
    def _each(run: Callable[[int], Any], evse_ids: list[int]) -> None:
        for evse_id in evse_ids:
            run(evse_id)

    def _status(self, evse: EVSEType | None) -> Run | None:
        """A status is that of one connector (F06)."""
        if evse is None or evse.connector_id is None:
            return None
        place = self.station.layout.find(evse.id, evse.connector_id)
        return None if place is None else partial(self.station.block(Availability2).report, place, triggered=True)

    def _transaction_event(self, evse_id: int) -> None:
        transaction = self.station.block(Transactions2).at(evse_id)
        if transaction is not None:
            values = self.station.block(MeterValues2).triggered(evse_id)
            trigger = TriggerReasonEnumType.Trigger
            self.station.block(Transactions2).update(transaction, trigger, values, triggered=True)
