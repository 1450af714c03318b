"""How long the car waits (ISO 15118-2 clause 8.7.2, DIN SPEC 70121 clause 9.6), and what it does with nonsense."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.v2g import evcc, sdp
from chargebyte_fw.modules.v2g.evcc import CarFacts, CarSettings, Evcc
from chargebyte_fw.modules.v2g.evcc.registry import protocols
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.v2g.pair import Pair, dc_facts

MUTE = sdp.Response(ipaddress.IPv6Address("fe80::1"), 61341).to_bytes()


def alone() -> Evcc:
    return Evcc(CarSettings(), CarFacts())


def run(car: Evcc, start: float, duration_s: float) -> list[tuple[float, Any]]:
    """Let the car alone for a while."""
    log = []
    while car.deadline is not None and car.deadline <= start + duration_s:
        now = car.deadline
        log += [(now, effect) for effect in car.wake(now)]
    return log


def test_the_car_asks_every_quarter_second_fifty_times() -> None:
    car = alone()
    first = car.feed(evcc.Start(), 0.0)
    log = run(car, 0.0, 60.0)
    asked = [0.0, *(at for at, effect in log if isinstance(effect, evcc.SendSdp))]
    assert any(isinstance(effect, evcc.SendSdp) for effect in first)
    assert asked == [pytest.approx(0.25 * n) for n in range(50)]
    assert log[-1][1].reason == "no charger answered 50 requests"


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\x01\xfe\x90\x01", MUTE[:-1], MUTE + b"\0", sdp.Request().to_bytes(), bytes(28)],
)
def test_an_answer_that_is_none_is_overlooked(datagram: bytes) -> None:
    car = alone()
    car.feed(evcc.Start(), 0.0)
    assert not any(isinstance(e, evcc.Connect) for e in car.feed(evcc.SdpAnswer(datagram), 0.1))
    assert any(isinstance(e, evcc.Connect) for e in car.feed(evcc.SdpAnswer(MUTE), 0.2))


def test_a_charger_that_wants_tls_is_overlooked() -> None:
    car = alone()
    car.feed(evcc.Start(), 0.0)
    tls = sdp.Response(ipaddress.IPv6Address("fe80::1"), 64109, sdp.SECURITY_TLS).to_bytes()
    assert not any(isinstance(e, evcc.Connect) for e in car.feed(evcc.SdpAnswer(tls), 0.1))


def test_a_refused_connection_is_a_failure() -> None:
    car = alone()
    car.feed(evcc.Start(), 0.0)
    car.feed(evcc.SdpAnswer(MUTE), 0.1)
    effects = car.feed(evcc.Disconnected("refused"), 0.2)
    assert isinstance(effects[-1], evcc.SessionStopped) and effects[-1].reason == "refused"


def test_the_set_up_takes_twenty_seconds_at_most() -> None:
    car = alone()
    car.feed(evcc.Start(), 0.0)
    car.feed(evcc.SdpAnswer(MUTE), 0.1)
    log = run(car, 0.1, 60.0)
    assert log[-1][0] == 20.0 and log[-1][1].reason == "no session within 20 s"


def silent_from(request: str, protocol: str = "ISO15118D2") -> Pair:
    """A pair whose charger falls silent at `request`."""
    it = Pair(dc_facts(), CarSettings(protocols=(protocol,)))
    send = it.to_charger

    def deaf(event: Any) -> None:
        if it.requests and it.requests[-1] == request:
            return
        send(event)

    it.to_charger = deaf  # type: ignore[method-assign]
    it.start()
    if request == "PowerDeliveryReq":
        it.run(60)
        return it
    it.run(60, until=lambda: request in it.requests)
    return it


@pytest.mark.parametrize(
    ("protocol", "request_name", "limit_s"),
    [
        ("ISO15118D2", "SupportedAppProtocolReq", 2.0),
        ("ISO15118D2", "SessionSetupReq", 2.0),
        ("ISO15118D2", "AuthorizationReq", 2.0),
        ("ISO15118D2", "ChargeParameterDiscoveryReq", 2.0),
        ("ISO15118D2", "CableCheckReq", 2.0),
        ("ISO15118D2", "PreChargeReq", 2.0),
        ("ISO15118D2", "PowerDeliveryReq", 5.0),
        ("ISO15118D2", "CurrentDemandReq", 0.25),
        ("DIN70121", "ContractAuthenticationReq", 2.0),
        ("DIN70121", "PowerDeliveryReq", 2.0),
        ("DIN70121", "CurrentDemandReq", 0.25),
    ],
)
def test_each_response_has_its_time(protocol: str, request_name: str, limit_s: float) -> None:
    it = silent_from(request_name, protocol)
    it.run(60)
    asked = next(at for at, e in it.car_log if isinstance(e, evcc.Send) and e.name == request_name)
    ended = next(at for at, e in it.car_log if isinstance(e, evcc.SessionStopped))
    assert ended - asked == pytest.approx(limit_s)
    assert it.outcome is not None and it.outcome.reason.endswith("in time")
    assert evcc.Close() in [effect for _, effect in it.car_log]


def test_time_outs_stretch_for_a_slow_world() -> None:
    assert protocols()["ISO15118D2"].message_timeout_s("CurrentDemandReq") == 0.25
    it = Pair(dc_facts(), CarSettings(timeout_factor=4.0))
    it.charge()
    it.to_charger = lambda event: None  # type: ignore[method-assign]
    it.run(30)
    sent = [at for at, e in it.car_log if isinstance(e, evcc.Send)][-1]
    ended = next(at for at, e in it.car_log if isinstance(e, evcc.SessionStopped))
    assert ended - sent == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("protocol", "options", "reason", "limit_s"),
    [
        ("DIN70121", {"authorize_s": None}, "authorization took too long", 60.0),
        ("ISO15118D2", {"cable_check_s": None}, "cable check took too long", 40.0),
        ("DIN70121", {"cable_check_s": None}, "cable check took too long", 40.0),
    ],
)
def test_the_charger_may_not_be_busy_for_ever(protocol: str, options: Any, reason: str, limit_s: float) -> None:
    it = Pair(dc_facts(), CarSettings(protocols=(protocol,)), **options)
    it.start()
    it.run(200)
    assert it.outcome is not None and it.outcome.reason == reason
    step = "authorizing" if "authorization" in reason else "cable check"
    began = next(at for at, e in it.car_log if isinstance(e, evcc.Report) and e.step == step)
    ended = next(at for at, e in it.car_log if isinstance(e, evcc.SessionStopped))
    assert ended - began == pytest.approx(limit_s, abs=0.5)


def test_a_voltage_that_is_not_reached_ends_pre_charge_after_seven_seconds() -> None:
    it = Pair(dc_facts(), CarSettings())
    it.charger.reactions["dc_ev_target_voltage_current"] = lambda _: None
    it.start()
    it.run(100)
    assert it.outcome is not None and it.outcome.reason == "pre-charge took too long"
    assert evcc.Power(True) not in [effect for _, effect in it.car_log]


def test_a_person_in_front_of_an_iso15118_2_charger_may_take_his_time() -> None:
    it = Pair(dc_facts(), CarSettings(), authorize_s=200.0)
    it.start()
    it.run(400, until=lambda: "charging" in it.steps)
    assert "charging" in it.steps


# -- nonsense


def test_a_response_of_another_kind_ends_the_session() -> None:
    it = Pair(dc_facts(), CarSettings())
    it.charge()
    it.run(1, until=lambda: it.requests[-1] == "CurrentDemandReq")
    sent = [e for e in it.charger.log if hasattr(e, "data") and getattr(e, "message", "") == "PreChargeRes"][-1]
    it.to_car(evcc.Received(sent.data))
    assert it.outcome is not None and it.outcome.outcome == "failed"


@given(st.binary(max_size=80), st.sampled_from(["connected", "session", "cable check", "charging"]))
@settings(max_examples=40, deadline=None)
def test_whatever_a_charger_sends_the_car_ends_safely(data: bytes, step: str) -> None:
    it = Pair(dc_facts(), CarSettings())
    it.start()
    it.run(60, until=lambda: step in it.steps)
    it.to_car(evcc.Received(data))
    it.to_car(evcc.Received(Frame(0x8001, b"\x80\x98" + data).to_bytes()))
    it.run(0.3)
    it.wish(stop=True)
    it.run(100)
    assert it.outcome is not None
    powered = [effect.on for _, effect in it.car_log if isinstance(effect, evcc.Power)]
    assert not powered or powered[-1] is False
