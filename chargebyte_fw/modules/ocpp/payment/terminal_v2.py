"""Settlements, VAT numbers and limits of a payment terminal that an integrator's module has (use cases C18 to C23).

EVerest has no interface of a terminal. Its module presents the token by a token provider, and sends its messages as
DataTransfer of `VENDOR`: the `message_id` is an action of OCPP 2.1, `data` its payload. They reach the CSMS as the
messages themselves; the payload of the answer is in the answer's `data`. `TransactionLimit` is none of OCPP: it limits
a running transaction to what was reserved, or raises the limit.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import field

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.messages.model import Text
from chargebyte_fw.modules.ocpp.messages.schema import decode_data, decode_request, encode
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type
from chargebyte_fw.modules.ocpp.messages.v2.payment import NotifySettlementRequest
from chargebyte_fw.modules.ocpp.messages.v2.transactions import TransactionLimitType
from chargebyte_fw.modules.ocpp.station import CallFailure, Deferred, Station
from chargebyte_fw.modules.ocpp.transactions.limits_v2 import TransactionLimits2
from chargebyte_fw.modules.ocpp.version import Version

VENDOR = "org.openchargealliance.payment"
LIMIT = "TransactionLimit"
ACTIONS = ("NotifySettlement", "VatNumberValidation")
Answer = ocpp.DataTransferResponse
Status = ocpp.DataTransferStatus


class TerminalLimit(V2Type, kw_only=True):
    """What a transaction may cost, by what was reserved for it."""

    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")
    transaction_limit: TransactionLimitType = field(name="transactionLimit")


def sends(request: ocpp.DataTransferRequest) -> bool:
    """Return whether a DataTransfer of the stack is a message of a payment terminal."""
    return request.vendor_id == VENDOR


def send(station: Station, request: ocpp.DataTransferRequest, *, online: bool) -> Answer | Deferred:
    """Send the message. A settlement that cannot be sent yet is kept and counts as sent."""
    if request.message_id not in (*ACTIONS, LIMIT) or station.version is not Version.V21:
        return Answer(status=Status.UnknownMessageId)
    data = (request.data or "{}").encode()
    try:
        if request.message_id == LIMIT:
            return _limited(station, decode_data(Version.V21, TerminalLimit, data))
        message = decode_request(Version.V21, request.message_id, data)
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


def _limited(station: Station, wanted: TerminalLimit) -> Answer:
    if station.block(TransactionLimits2).limit(wanted.transaction_id, wanted.transaction_limit):
        return Answer(status=Status.Accepted)
    return Answer(status=Status.Rejected, data=f"there is no transaction {wanted.transaction_id}")


def _sent(station: Station, deferred: Deferred, result: Any) -> None:
    if isinstance(result, CallFailure):
        status = Status.Offline if result.code == "Offline" else Status.Rejected
        station.answer(deferred, Answer(status=status, data=result.description or None))
    else:
        station.answer(deferred, Answer(status=Status.Accepted, data=encode(Version.V21, result).decode()))
