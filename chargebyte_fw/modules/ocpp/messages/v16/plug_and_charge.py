"""ISO 15118 Plug and Charge over OCPP 1.6 (application note of the Open Charge Alliance): DataTransfer around 2.0.1.

`messageId` is the action, `data` the payload of 2.0.1 as JSON text, in the request and in the response.
"""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.messages.errors import MessageError, Violation
from chargebyte_fw.modules.ocpp.messages.model import Request, Response
from chargebyte_fw.modules.ocpp.messages.schema import decode_request, decode_response, encode
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
    try:
        return decode_request(Version.V201, transfer.message_id or "", transfer.data or "")
    except MessageError as error:
        raise _within_data(error) from None


def wrapped_response(response: Response) -> DataTransferResponse:
    """Return the answer to a DataTransfer with a response of 2.0.1; raises NotEncodable."""
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
