"""TriggerMessage (§5.17) and ExtendedTriggerMessage (security whitepaper A02) of OCPP 1.6."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.modules.ocpp.availability.v16 import Connectors16
from chargebyte_fw.modules.ocpp.firmware.logs_v16 import Logs16
from chargebyte_fw.modules.ocpp.firmware.v16 import Firmware16
from chargebyte_fw.modules.ocpp.messages.v16.remote_trigger import (
    TriggerMessageRequest,
    TriggerMessageResponse,
    TriggerMessageStatus,
)
from chargebyte_fw.modules.ocpp.messages.v16.security import (
    ExtendedTriggerMessageRequest,
    ExtendedTriggerMessageResponse,
    TriggerMessageStatusEnumType,
)
from chargebyte_fw.modules.ocpp.metering.meter_values_v16 import MeterValues16
from chargebyte_fw.modules.ocpp.provisioning.v16 import Provisioning16
from chargebyte_fw.modules.ocpp.security.certificates_v16 import Certificates16
from chargebyte_fw.modules.ocpp.station import Block, answers

Run = Callable[[], Any]


class Trigger16(Block):
    """Sends what the CSMS asks for; the answer comes first."""

    @answers(TriggerMessageRequest)
    def trigger(self, request: TriggerMessageRequest) -> TriggerMessageResponse:
        """Send the message of profile Core or FirmwareManagement that is named."""
        status = self._status(request.requested_message.value, request.connector_id)
        return TriggerMessageResponse(status=TriggerMessageStatus(status))

    @answers(ExtendedTriggerMessageRequest)
    def extended_trigger(self, request: ExtendedTriggerMessageRequest) -> ExtendedTriggerMessageResponse:
        """Send the message that is named, those of the whitepaper included."""
        status = self._status(request.requested_message.value, request.connector_id, extended=True)
        return ExtendedTriggerMessageResponse(status=TriggerMessageStatusEnumType(status))

    def _status(self, message: str, connector: int | None, *, extended: bool = False) -> str:
        run = self._run(message, connector, extended)
        if run is None:
            return "Rejected"
        self.station.after_answer(run)
        return "Accepted"

    def _run(self, message: str, connector: int | None, extended: bool) -> Run | None:
        """Return what sends the message, None where it cannot be sent."""
        block = self.station.block
        if connector is not None and connector not in (0, *block(Connectors16).connectors):
            return None
        match message:
            case "BootNotification":
                return lambda: block(Provisioning16).boot(triggered=True)
            case "Heartbeat":
                return lambda: self.station.send(block(Provisioning16).heartbeat(), triggered=True)
            case "StatusNotification":
                if connector is None:
                    return lambda: block(Connectors16).report_all(triggered=True)
                return lambda: block(Connectors16).report(connector, triggered=True)
            case "MeterValues":
                wanted = connector or None
                return (lambda: block(MeterValues16).trigger(wanted)) if block(MeterValues16).measures(wanted) else None
            case "FirmwareStatusNotification":
                return lambda: block(Firmware16).report(signed=extended)
            case "DiagnosticsStatusNotification":
                return block(Logs16).report_diagnostics
            case "LogStatusNotification":
                return block(Logs16).report_log
            case "SignChargePointCertificate":
                certificates = block(Certificates16)
                return certificates.sign if certificates.can_sign else None
        return None
