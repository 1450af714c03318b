"""Settlements and VAT numbers of a payment terminal that an integrator's module has (use cases C18 to C22).

EVerest has no interface of a terminal. Its module presents the token by a token provider, and sends its messages as
DataTransfer of `VENDOR`: the `message_id` is an action of OCPP 2.1, `data` its payload. They reach the CSMS as the
messages themselves; the payload of the answer is in the answer's `data`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.messages.schema import decode_request, encode
from chargebyte_fw.modules.ocpp.messages.v2.payment import NotifySettlementRequest
from chargebyte_fw.modules.ocpp.station import CallFailure, Deferred, Station
from chargebyte_fw.modules.ocpp.version import Version

VENDOR = "org.openchargealliance.payment"
ACTIONS = ("NotifySettlement", "VatNumberValidation")
Answer = ocpp.DataTransferResponse
Status = ocpp.DataTransferStatus


def sends(request: ocpp.DataTransferRequest) -> bool:
    """Return whether a DataTransfer of the stack is a message of a payment terminal."""
    return request.vendor_id == VENDOR


def send(station: Station, request: ocpp.DataTransferRequest, *, online: bool) -> Answer | Deferred:
    """Send the message. A settlement that cannot be sent yet is kept and counts as sent."""
    if request.message_id not in ACTIONS or station.version is not Version.V21:
        return Answer(status=Status.UnknownMessageId)
    try:
        message = decode_request(Version.V21, request.message_id, (request.data or "{}").encode())
    except (MessageError, msgspec.DecodeError) as error:
        return Answer(status=Status.Rejected, data=str(error))
    if not online and isinstance(message, NotifySettlementRequest):
        station.send(message)
        return Answer(status=Status.Accepted)
    if not online:
        return Answer(status=Status.Offline)
    deferred = station.defer()
    station.send(message, partial(_sent, station, deferred))
    return deferred


def _sent(station: Station, deferred: Deferred, result: Any) -> None:
    if isinstance(result, CallFailure):
        status = Status.Offline if result.code == "Offline" else Status.Rejected
        station.answer(deferred, Answer(status=status, data=result.description or None))
    else:
        station.answer(deferred, Answer(status=Status.Accepted, data=encode(Version.V21, result).decode()))
