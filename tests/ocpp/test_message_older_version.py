"""A message that was made under 2.1 and is sent under 2.0.1: a queue outlives the connection that chose the version."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from chargebyte_fw.modules.ocpp.messages.model import Values
from chargebyte_fw.modules.ocpp.messages.schema import NotEncodable, encode, to_object
from chargebyte_fw.modules.ocpp.messages.v2.provisioning import ResetEnumType, ResetRequest
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    TransactionEventEnumType,
    TransactionEventRequest,
    TransactionLimitType,
    TransactionType,
    TriggerReasonEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import OperationModeEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import (
    MeasurandEnumType,
    MeterValueType,
    SampledValueType,
)
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.instances import instance
from tests.ocpp.schemas import complaint

AT = datetime(2024, 8, 27, 9, 0, tzinfo=UTC)


def event(*measurands: MeasurandEnumType) -> TransactionEventRequest:
    values = [SampledValueType(value=1.0, measurand=measurand) for measurand in measurands]
    return TransactionEventRequest(
        event_type=TransactionEventEnumType.Updated,
        timestamp=AT,
        trigger_reason=TriggerReasonEnumType.TxResumed,
        seq_no=1,
        transaction_info=TransactionType(
            transaction_id="t1",
            operation_mode=OperationModeEnumType.ChargingOnly,
            transaction_limit=TransactionLimitType(max_cost=5.0),
        ),
        meter_value=[MeterValueType(timestamp=AT, sampled_value=values)],
    )


def test_an_event_of_2_1_is_one_of_2_0_1_with_what_that_has() -> None:
    request = event(MeasurandEnumType.Voltage, MeasurandEnumType.Display_PresentSOC)
    plain = to_object(Version.V201, request)
    assert plain["triggerReason"] == "ChargingStateChanged" and plain["transactionInfo"] == {"transactionId": "t1"}
    assert [value["measurand"] for value in plain["meterValue"][0]["sampledValue"]] == ["Voltage"]
    assert complaint(type(request), Version.V201, encode(Version.V201, request)) == ""
    assert request == event(MeasurandEnumType.Voltage, MeasurandEnumType.Display_PresentSOC), (
        "the message is left alone"
    )


def test_a_list_without_any_item_that_is_known_is_left_out() -> None:
    plain = to_object(Version.V201, event(MeasurandEnumType.Display_PresentSOC))
    assert "meterValue" not in plain


def test_what_has_no_value_in_2_0_1_is_not_sent() -> None:
    with pytest.raises(NotEncodable, match="ImmediateAndResume"):
        encode(Version.V201, ResetRequest(type=ResetEnumType.ImmediateAndResume))
    request = event(MeasurandEnumType.Voltage)
    request.id_token = IdTokenType(id_token="x", type="Brand")
    with pytest.raises(NotEncodable, match="Invalid enum value"):
        encode(Version.V201, request)
    request.id_token = IdTokenType(id_token="x" * 37, type="EVCCID")
    with pytest.raises(NotEncodable, match="length <= 36"):
        encode(Version.V201, request)
    request.id_token.id_token = "x"
    assert to_object(Version.V201, request)["idToken"] == {"idToken": "x", "type": "MacAddress"}


def test_events_of_2_1_are_valid_in_2_0_1() -> None:
    sent = 0
    for seed in range(60):
        request = instance(TransactionEventRequest, Version.V21, Random(seed))
        if request.id_token is not None:
            request.id_token = IdTokenType(id_token="x", type="Central")
        try:
            text = encode(Version.V201, request)
        except NotEncodable:
            continue
        assert complaint(TransactionEventRequest, Version.V201, text) == ""
        sent += 1
    assert sent > 10


def test_the_value_that_stands_for_another_is_one_of_2_0_1() -> None:
    for kind in Values.__subclasses__():
        for value in kind:
            if value.instead is not None:
                assert value.since is not None and kind(value.instead).since is None
