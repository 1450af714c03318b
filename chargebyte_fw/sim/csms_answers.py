"""What the small CSMS answers: it accepts the station and every token, and has no certificates and no tariffs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.messages.catalogue import catalogue
from chargebyte_fw.modules.ocpp.messages.errors import MessageError, Violation
from chargebyte_fw.modules.ocpp.messages.schema import decode_request
from chargebyte_fw.modules.ocpp.version import Version

HEARTBEAT_S = 300

_STATUS = {
    "DataTransfer": "UnknownVendorId",
    "SignCertificate": "Rejected",
    "GetCertificateStatus": "Failed",
    "NotifyEVChargingNeeds": "Rejected",
    "NotifyEVChargingSchedule": "Accepted",
    "OpenPeriodicEventStream": "Accepted",
    "PullDynamicScheduleUpdate": "Rejected",
}
"""Actions whose answer is a status."""


def check(version: Version, action: str, payload: dict[str, Any]) -> None:
    """Raise MessageError for a request that no station of this version sends."""
    if action not in catalogue(version).actions_from_station:
        raise MessageError(version, Violation.ACTION, f"a station of {version} does not send {action[:50]!r}")
    decode_request(version, action, payload)


def answer(version: Version, action: str, payload: dict[str, Any], now: datetime, transaction: int) -> dict[str, Any]:
    """Return the payload of the answer to a request that was checked.

    `transaction` is the id that OCPP 1.6 gives to a transaction which begins with this request.
    """
    token = {"idTokenInfo" if version.is_2 else "idTagInfo": {"status": "Accepted"}}
    match action:
        case "BootNotification":
            return {"currentTime": rfc3339(now), "interval": HEARTBEAT_S, "status": "Accepted"}
        case "Heartbeat":
            return {"currentTime": rfc3339(now)}
        case "Authorize":
            return token
        case "StartTransaction":
            return {"transactionId": transaction, **token}
        case "TransactionEvent":
            return token if "idToken" in payload else {}
        case "Get15118EVCertificate":
            return {"status": "Failed", "exiResponse": ""}
        case "GetCertificateChainStatus":
            return {"certificateStatus": [_unknown(one, now) for one in payload["certificateStatusRequests"]]}
        case "VatNumberValidation":
            return {"status": "Rejected", "vatNumber": payload["vatNumber"]}
        case _:
            return {"status": _STATUS[action]} if action in _STATUS else {}


def _unknown(request: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return the status of a certificate that no responder of this CSMS knows."""
    return {
        "certificateHashData": request["certificateHashData"],
        "source": request["source"],
        "status": "Unknown",
        "nextUpdate": rfc3339(now),
    }
