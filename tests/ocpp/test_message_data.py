"""Messages inside of messages: prices and costs of California Pricing, Plug and Charge over 1.6."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from chargebyte_fw.modules.ocpp.messages import pricing
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.messages.schema import decode_data, encode_data
from chargebyte_fw.modules.ocpp.messages.v2.authorization import AuthorizeRequest, AuthorizeResponse
from chargebyte_fw.modules.ocpp.messages.v2.certificates import InstallCertificateRequest, InstallCertificateUseEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import (
    AuthorizationStatusEnumType,
    IdTokenInfoType,
    IdTokenType,
)
from chargebyte_fw.modules.ocpp.messages.v16 import plug_and_charge
from chargebyte_fw.modules.ocpp.messages.v16.core import DataTransferRequest, DataTransferResponse, DataTransferStatus
from chargebyte_fw.modules.ocpp.version import Version

RUNNING = {
    "transactionId": 12345,
    "timestamp": "2021-03-19T12:00:00Z",
    "meterValue": 1234000,
    "cost": 1.5,
    "state": "Charging",
    "chargingPrice": {"kWhPrice": 0.123, "flatFee": 0},
    "idlePrice": {"graceMinutes": 30, "hourPrice": 1.00},
    "nextPeriod": {"atTime": "2021-03-19T19:00:00Z", "chargingPrice": {"kWhPrice": 0.1}},
    "triggerMeterValue": {"atEnergykWh": 50.0, "atPowerkW": 0.1, "atCPStatus": ["SuspendedEV", "Nonsense"]},
}


def test_a_running_cost_is_read_with_prices_and_triggers() -> None:
    cost = decode_data(Version.V16, pricing.RunningCost, json.dumps(RUNNING | {"later": 1}))
    assert (cost.transaction_id, cost.cost, cost.meter_value_Wh) == (12345, 1.5, 1234000)
    assert cost.state is pricing.CostState.Charging and cost.timestamp == datetime(2021, 3, 19, 12, tzinfo=UTC)
    assert cost.charging_price == pricing.ChargingPrice(per_kWh=0.123, flat_fee=0.0)
    assert cost.idle_price == pricing.IdlePrice(grace_min=30, per_hour=1.0)
    assert cost.next_period is not None and cost.next_period.charging_price.per_kWh == 0.1
    assert cost.trigger_meter_value is not None and cost.trigger_meter_value.statuses == ["SuspendedEV", "Nonsense"]


def test_custom_data_of_2_x_has_the_same_members() -> None:
    custom_data = {name: value for name, value in RUNNING.items() if name not in ("transactionId", "cost")}
    prices = decode_data(Version.V201, pricing.CurrentPrices, {"vendorId": pricing.COST_VENDOR_ID} | custom_data)
    assert prices.trigger_meter_value is not None and prices.trigger_meter_value.power_kW == 0.1
    extra = {"vendorId": pricing.LANGUAGE_VENDOR_ID, "personalMessageExtra": [{"content": "Hallo", "language": "de"}]}
    assert decode_data(Version.V201, pricing.PersonalMessageExtra, extra).texts[0].content == "Hallo"


def test_what_breaks_a_cost_is_named() -> None:
    with pytest.raises(MessageError, match=r"FormationViolation: cost: is a string, a number is required"):
        decode_data(Version.V16, pricing.RunningCost, RUNNING | {"cost": "1"})
    with pytest.raises(MessageError, match=r"FormationViolation: payload: "):
        decode_data(Version.V16, pricing.FinalCost, "no JSON")


def test_the_end_of_idling_is_written() -> None:
    text = encode_data(
        Version.V16, pricing.ConnectorUnplugged(transaction_id=7, timestamp=datetime(2024, 1, 1, tzinfo=UTC))
    )
    assert json.loads(text) == {"transactionId": 7, "timestamp": "2024-01-01T00:00:00.000Z"}


def test_a_request_of_2_0_1_travels_in_a_data_transfer() -> None:
    request = AuthorizeRequest(id_token=IdTokenType(id_token="DE8AA1A2B3C4D5", type="eMAID"))
    transfer = plug_and_charge.wrapped(request)
    assert (transfer.vendor_id, transfer.message_id) == (plug_and_charge.VENDOR_ID, "Authorize")
    assert json.loads(transfer.data or "") == {"idToken": {"idToken": "DE8AA1A2B3C4D5", "type": "eMAID"}}
    assert plug_and_charge.unwrapped(transfer) == request
    response = AuthorizeResponse(id_token_info=IdTokenInfoType(status=AuthorizationStatusEnumType.Accepted))
    answer = plug_and_charge.wrapped_response(response)
    assert plug_and_charge.unwrapped_response("Authorize", answer) == response


def test_a_request_of_the_csms_is_unwrapped_or_refused() -> None:
    transfer = DataTransferRequest(
        vendor_id=plug_and_charge.VENDOR_ID,
        message_id="InstallCertificate",
        data='{"certificateType":"V2GRootCertificate","certificate":"PEM"}',
    )
    assert plug_and_charge.unwrapped(transfer) == InstallCertificateRequest(
        certificate_type=InstallCertificateUseEnumType.V2GRootCertificate, certificate="PEM"
    )
    transfer.data = '{"certificateType":"","certificate":"PEM"}'
    with pytest.raises(MessageError, match="FormationViolation: data: certificateType"):
        plug_and_charge.unwrapped(transfer)
    transfer.message_id = None
    with pytest.raises(MessageError, match="NotImplemented: data: no action ''"):
        plug_and_charge.unwrapped(transfer)


def test_a_refused_data_transfer_has_no_response() -> None:
    for answer in (
        DataTransferResponse(status=DataTransferStatus.UnknownVendorId),
        DataTransferResponse(status=DataTransferStatus.Accepted),
        DataTransferResponse(status=DataTransferStatus.Accepted, data="{}"),
    ):
        with pytest.raises(MessageError):
            plug_and_charge.unwrapped_response("Authorize", answer)
