"""Provisioning of OCPP 2.x: use cases B01 to B04 (cold boot, pending, rejected, offline) and G02 (heartbeat)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.charger_information import ChargerInformation
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.messages.v2.availability import HeartbeatRequest, HeartbeatResponse
from chargebyte_fw.modules.ocpp.messages.v2.provisioning import (
    BootNotificationRequest,
    BootNotificationResponse,
    BootReasonEnumType,
    ChargingStationType,
    ModemType,
)
from chargebyte_fw.modules.ocpp.messages.v2.remote_control import MessageTriggerEnumType, TriggerMessageRequest
from chargebyte_fw.modules.ocpp.provisioning.events import Registration
from chargebyte_fw.modules.ocpp.provisioning.registration import RegistrationBlock
from chargebyte_fw.modules.ocpp.station import (
    CallFailure,
    RequestRefused,
    Station,
    answered,
    events,
    failed,
    receives,
)
from chargebyte_fw.modules.ocpp.station.named import named
from chargebyte_fw.modules.ocpp.variables.standard import internal
from chargebyte_fw.modules.ocpp.variables.standard.station import CLOCK_DATE_TIME, TIME_SOURCE

PENDING = frozenset(
    {
        "GetVariables",
        "SetVariables",
        "GetBaseReport",
        "GetReport",
        "TriggerMessage",
        # Answered with Rejected by their own rows (B02).
        "RequestStartTransaction",
        "RequestStopTransaction",
    }
)
"""What the CSMS may ask while the registration is pending (B02)."""


class Provisioning2(RegistrationBlock):
    """BootNotification, Heartbeat and the clock of OCPP 2.x."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._information: ChargerInformation | None = None
        self._reason = BootReason.Unknown
        station.variables.provide(CLOCK_DATE_TIME, lambda: rfc3339(station.utc))

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Take the reason of the start."""
        self._reason = event.boot_reason

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Take what `charger_information` has: it goes before the configuration."""
        if isinstance(event.value, ChargerInformation):
            self._information = event.value

    @property
    def sets_clock(self) -> bool:
        """The CSMS is the source of the time where TimeSource names the heartbeat (B01)."""
        return "Heartbeat" in self.station.variables.get(TIME_SOURCE)

    def permit(self, request: Any) -> None:
        """Refuse what the CSMS may not ask before it has accepted the station (B02, B03)."""
        if self.status is Registration.PENDING and request.action_name in PENDING:
            return
        boots = isinstance(request, TriggerMessageRequest)
        boots = boots and request.requested_message is MessageTriggerEnumType.BootNotification
        if not self.accepted and not boots:
            raise RequestRefused("SecurityError", f"the station is not accepted yet: {self.status or 'no answer'}")

    def boot_notification(self, *, triggered: bool = False) -> BootNotificationRequest:
        """Return the BootNotification; texts are cut at the length of the message."""
        reason = named(BootReasonEnumType, self._reason, BootReasonEnumType.Unknown)
        get, known = self.station.variables.get, self._information
        iccid, imsi = get(internal.ICCID)[:20], get(internal.IMSI)[:20]
        modem = ModemType(iccid=iccid or None, imsi=imsi or None) if iccid or imsi else None
        serial = (known.chargepoint_serial if known else None) or get(internal.CHARGE_POINT_SERIAL_NUMBER)
        firmware = (known.firmware_version if known else None) or get(internal.FIRMWARE_VERSION)
        return BootNotificationRequest(
            charging_station=ChargingStationType(
                model=(known.model if known else get(internal.CHARGE_POINT_MODEL))[:20],
                vendor_name=(known.vendor if known else get(internal.CHARGE_POINT_VENDOR))[:50],
                serial_number=serial[:25] or None,
                modem=modem,
                firmware_version=firmware[:50] or None,
            ),
            reason=BootReasonEnumType.Triggered if triggered else reason,
        )

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
