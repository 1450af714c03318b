"""Provisioning of OCPP 1.6 (§4.2, §4.6)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.charger_information import ChargerInformation
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    BootNotificationRequest,
    BootNotificationResponse,
    HeartbeatRequest,
    HeartbeatResponse,
)
from chargebyte_fw.modules.ocpp.provisioning.events import Registration
from chargebyte_fw.modules.ocpp.provisioning.registration import RegistrationBlock
from chargebyte_fw.modules.ocpp.station import CallFailure, Station, Unanswered, answered, events, failed, receives
from chargebyte_fw.modules.ocpp.variables.standard import internal


class Provisioning16(RegistrationBlock):
    """BootNotification, Heartbeat and the clock of OCPP 1.6."""

    sets_clock = True

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._information: ChargerInformation | None = None

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Take what `charger_information` has: it goes before the configuration."""
        if isinstance(event.value, ChargerInformation):
            self._information = event.value

    def boot_notification(self, *, triggered: bool = False) -> BootNotificationRequest:
        """Return the BootNotification; texts are cut at the length of the message."""
        get, known = self.station.variables.get, self._information
        return BootNotificationRequest(
            charge_point_vendor=(known.vendor if known else get(internal.CHARGE_POINT_VENDOR))[:20],
            charge_point_model=(known.model if known else get(internal.CHARGE_POINT_MODEL))[:20],
            charge_point_serial_number=_cut(
                (known.chargepoint_serial if known else None) or get(internal.CHARGE_POINT_SERIAL_NUMBER), 25
            ),
            charge_box_serial_number=_cut(
                (known.chargebox_serial if known else None) or get(internal.CHARGE_BOX_SERIAL_NUMBER), 25
            ),
            firmware_version=_cut((known.firmware_version if known else None) or get(internal.FIRMWARE_VERSION), 50),
            iccid=_cut(get(internal.ICCID), 20),
            imsi=_cut(get(internal.IMSI), 20),
            meter_type=_cut(get(internal.METER_TYPE), 25),
            meter_serial_number=_cut(get(internal.METER_SERIAL_NUMBER), 25),
        )

    def permit(self, request: Any) -> None:
        """While rejected, a station does not answer (§4.2)."""
        if self.status is Registration.REJECTED:
            raise Unanswered

    def heartbeat(self) -> HeartbeatRequest:
        """Return a Heartbeat."""
        return HeartbeatRequest()

    @answered(BootNotificationRequest)
    def boot_answered(self, request: BootNotificationRequest, response: BootNotificationResponse) -> None:
        """Take the registration status."""
        self.booted(response.status.value, response.current_time, response.interval_s)

    @failed(BootNotificationRequest)
    def boot_failed(self, request: BootNotificationRequest, failure: CallFailure) -> None:
        """Try again."""
        self.not_booted(failure)

    @answered(HeartbeatRequest)
    def heartbeat_answered(self, request: HeartbeatRequest, response: HeartbeatResponse) -> None:
        """Take the time."""
        self.set_clock(response.current_time)


def _cut(text: str | None, length: int) -> str | None:
    return text[:length] if text else None
