"""What a car does wrong on purpose: the text that selects it, and what a charger of ISO 15118-2 makes of it."""

from __future__ import annotations

import pytest

from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.evcc import CarSettings, Misbehaviour, Send, misbehaviour
from tests.v2g.pair import Pair


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("silent:CurrentDemandReq", Misbehaviour("silent", "CurrentDemandReq")),
        ("late:PowerDeliveryReq:2.5", Misbehaviour("late", "PowerDeliveryReq", "2.5")),
        ("order:AuthorizationReq:SessionStop", Misbehaviour("order", "AuthorizationReq", "SessionStop")),
        ("SIGNATURE", Misbehaviour("signature")),
        ("signature:MeteringReceiptReq", Misbehaviour("signature", "MeteringReceiptReq")),
        ("challenge", Misbehaviour("challenge")),
        ("renegotiate::5", Misbehaviour("renegotiate", "", "5")),
    ],
)
def test_a_misbehaviour_is_read(text: str, expected: Misbehaviour) -> None:
    assert misbehaviour.read(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is none of silent,"),
        ("rude:SessionSetupReq", "rude is none of"),
        ("silent", "the name of a request is expected"),
        ("order:AuthorizationReq", "the stage to send instead is expected"),
        ("late:PowerDeliveryReq", "a number of seconds is expected"),
        ("late:PowerDeliveryReq:soon", "a number of seconds is expected"),
        ("renegotiate::-1", "a number of seconds is expected"),
        ("renegotiate::nan", "a number of seconds is expected"),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        misbehaviour.read(text)


def driven(*texts: str, protocol: str = "ISO15118D2", limit_s: float = 200.0) -> Pair:
    wrong = tuple(misbehaviour.read(text) for text in texts)
    it = Pair(car_settings=CarSettings(protocols=(protocol,), misbehaviours=wrong))
    it.start()
    it.run(limit_s)
    return it


def reason(it: Pair) -> str:
    assert it.outcome is not None, it.steps
    assert it.outcome.outcome == "failed"
    return it.outcome.reason


@pytest.mark.parametrize("protocol", ["ISO15118D2", "DIN70121"])
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("order:ServiceDiscoveryReq:CurrentDemand", "CurrentDemandRes FAILED_SequenceError"),
        ("order:servicediscoveryreq:currentdemand", "CurrentDemandRes FAILED_SequenceError"),
        ("session:ChargeParameterDiscoveryReq", "ChargeParameterDiscoveryRes FAILED_UnknownSession"),
    ],
)
def test_a_broken_rule_gets_its_code(protocol: str, wrong: str, code: str) -> None:
    assert reason(driven(wrong, protocol=protocol)) == code


def test_a_silent_car_is_left_after_sixty_seconds() -> None:
    it = driven("silent:CurrentDemandReq")
    assert reason(it) == "the charger closed the connection"
    assert 55.0 < it.now < 80.0 and "dc_open_contactor" in it.charger.names()


def test_a_late_request_is_sent_late_and_answered() -> None:
    it = driven("late:PowerDeliveryReq:4", limit_s=15.0)
    assert "charging" in it.steps and it.outcome is None
    sent = {effect.name: at for at, effect in it.car_log if isinstance(effect, Send)}
    reported = next(at for at, effect in it.car_log if isinstance(effect, evcc.Report) and "4 s late" in effect.what)
    assert sent["PowerDeliveryReq"] - reported == pytest.approx(4.0)


def test_a_request_that_is_sent_twice_is_answered_once_too_often() -> None:
    assert reason(driven("repeat:ServiceDiscoveryReq")) in (
        "a response to no request [V2G]",
        "PaymentServiceSelectionRes FAILED_SequenceError",
        "ServiceDiscoveryRes where PaymentServiceSelectionRes was due [V2G]",
    )


def test_garbage_ends_nothing_but_the_session() -> None:
    it = driven("garbage:ServiceDiscoveryReq")
    assert reason(it) == "no ServiceDiscoveryRes in time"
    assert "dc_open_contactor" not in it.charger.names()


def test_a_stage_that_the_session_does_not_have_is_explained() -> None:
    assert reason(driven("order:ServiceDiscoveryReq:VehicleCheckIn")).startswith("this session has no stage")
