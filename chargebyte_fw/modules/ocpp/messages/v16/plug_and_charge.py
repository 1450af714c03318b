"""ISO 15118 Plug and Charge over OCPP 1.6 (application note of the Open Charge Alliance): DataTransfer around 2.0.1.

`messageId` is the action, `data` the payload of 2.0.1 as JSON text, in the request and in the response.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.ocpp.messages.errors import MessageError, Violation
from chargebyte_fw.modules.ocpp.messages.model import Request, Response
from chargebyte_fw.modules.ocpp.messages.schema import decode_request, decode_response, encode
from chargebyte_fw.modules.ocpp.messages.v2.remote_control import MessageTriggerEnumType
from chargebyte_fw.modules.ocpp.messages.v2.security import CertificateSigningUseEnumType
from chargebyte_fw.modules.ocpp.messages.v16.core import DataTransferRequest, DataTransferResponse, DataTransferStatus
from chargebyte_fw.modules.ocpp.version import Version

VENDOR_ID = "org.openchargealliance.iso15118pnc"
ACTIONS_FROM_STATION = frozenset({"Authorize", "Get15118EVCertificate", "GetCertificateStatus", "SignCertificate"})
ACTIONS_FROM_CSMS = frozenset(
    {"CertificateSigned", "DeleteCertificate", "GetInstalledCertificateIds", "InstallCertificate", "TriggerMessage"}
)


def wrapped(request: Request) -> DataTransferRequest:
    """Return the DataTransfer of a request of 2.0.1; raises NotEncodable."""
    data = encode(Version.V201, request).decode()
    return DataTransferRequest(vendor_id=VENDOR_ID, message_id=request.action_name, data=data)


def unwrapped(transfer: DataTransferRequest) -> Request:
    """Return the request of 2.0.1 in a DataTransfer; raises MessageError with the code that 1.6 has for it."""
    action = transfer.message_id or ""
    try:
        return decode_request(Version.V201, action, _as_of_201(action, transfer.data or ""))
    except MessageError as error:
        raise _within_data(error) from None


def _as_of_201(action: str, data: str) -> str:
    """Return the payload as 2.0.1 has it, where CSMSs for 1.6 send another one.

    The only certificate is V2G's: it has one trigger, `SignCertificate`, and needs no type. A list of no types is sent,
    too; it stays empty here (`lists_nothing`).
    """
    try:
        payload = decode_json(data, dict[str, Any])
    except ValueError:
        return data  # the decoder of the message has the error
    match action:
        case "TriggerMessage" if payload.get("requestedMessage") == "SignCertificate":
            payload["requestedMessage"] = MessageTriggerEnumType.SignV2GCertificate.value
        case "CertificateSigned":
            payload.setdefault("certificateType", CertificateSigningUseEnumType.V2GCertificate.value)
        case _:
            return data
    return json.dumps(payload)


def lists_nothing(transfer: DataTransferRequest) -> bool:
    """Return whether installed certificates of no type at all are asked for (2.0.1 has no such request)."""
    if transfer.message_id != "GetInstalledCertificateIds":
        return False
    try:
        return decode_json(transfer.data or "", dict[str, Any]).get("certificateType") == []
    except ValueError:
        return False


def wrapped_response(response: Response) -> DataTransferResponse:
    """Return the answer to a DataTransfer with a response of 2.0.1, without its statusInfo; raises NotEncodable.

    EVerest's stations send none in 1.6, and CSMSs compare.
    """
    if getattr(response, "status_info", None) is not None:
        response = msgspec.structs.replace(response, status_info=None)
    data = encode(Version.V201, response).decode()
    return DataTransferResponse(status=DataTransferStatus.Accepted, data=data)


def unwrapped_response(action: str, transfer: DataTransferResponse) -> Response:
    """Return the response of 2.0.1 in the answer to a DataTransfer; raises MessageError, also where it was refused."""
    if transfer.status != DataTransferStatus.Accepted:
        raise MessageError(Version.V16, Violation.FORMAT, f"{action}: the DataTransfer was answered {transfer.status}")
    try:
        return decode_response(Version.V201, action, transfer.data or "")
    except MessageError as error:
        raise _within_data(error) from None


def _within_data(error: MessageError) -> MessageError:
    return MessageError(Version.V16, error.violation, f"data: {error.description}", error.details)
