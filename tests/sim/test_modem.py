"""The virtual modem and its line: what a host may ask, what crosses the cable, and when two modems share a link."""

from __future__ import annotations

import random
from typing import Any

import pytest

from chargebyte_fw.modules.slac import messages_vendor as vendor
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.keys import nid_from_nmk
from chargebyte_fw.modules.slac.messages import (
    BROADCAST,
    GROUPS,
    MODEM_MAC,
    CmAttenCharRsp,
    CmAttenProfileInd,
    CmMnbcSoundInd,
    CmSetKeyCnf,
    CmSetKeyReq,
    CmSlacParmReq,
    Frame,
    Unknown,
    decode,
)
from chargebyte_fw.sim.modem import Make, Modem
from chargebyte_fw.sim.modem_line import FromHost, LineOptions, LinkIs, Power, Powerline, ToHost

HOSTS = {"charger": b"\2\0\0\0\0\1", "car": b"\2\0\0\0\0\2", "other": b"\2\0\0\0\0\3"}
NMK = b"shared key......"


class Line:
    """Three modems on a line, and time."""

    def __init__(self, options: LineOptions | None = None, make: Make = Make.QUALCOMM) -> None:
        modems = {name: Modem(name.encode().ljust(16), make, host=mac) for name, mac in HOSTS.items()}
        self.machine = Powerline(modems, options, random.Random(2))
        self.now = 10.0

    def say(self, name: str, message: Mme, to: bytes = MODEM_MAC) -> list[Any]:
        frame = Frame(to, HOSTS[name], message)
        return self.machine.feed(FromHost(name, frame.encode()), self.now)

    def wait(self, seconds: float) -> list[Any]:
        effects = []
        until = self.now + seconds
        while self.machine.deadline is not None and self.machine.deadline <= until:
            self.now = self.machine.deadline
            effects += self.machine.wake(self.now)
        self.now = until
        return effects

    def set_key(self, name: str, nmk: bytes = NMK) -> list[Any]:
        return self.say(name, CmSetKeyReq(nid=nid_from_nmk(nmk), new_key=nmk, my_nonce=7, prn=2))


def heard(effects: list[Any], name: str) -> list[Frame]:
    return [decode(effect.data) for effect in effects if isinstance(effect, ToHost) and effect.name == name]


def test_a_key_is_confirmed_with_the_nonces_and_result_1_as_chips_do() -> None:
    line = Line()
    (answer,) = heard(line.set_key("charger"), "charger")
    assert answer == Frame(HOSTS["charger"], MODEM_MAC, CmSetKeyCnf(1, 7, 0, 4, 2, 0, 0))
    assert line.machine.modems["charger"].nmk == NMK


@pytest.mark.parametrize(
    ("make", "question", "answer"),
    [
        (Make.QUALCOMM, vendor.VsSwVerReq(), vendor.VsSwVerCnf),
        (Make.QUALCOMM, vendor.VsOpAttributesReq(), vendor.VsOpAttributesCnf),
        (Make.QUALCOMM, vendor.VsLinkStatusReq(), vendor.VsLinkStatusCnf),
        (Make.QUALCOMM, vendor.VsRsDevReq(), vendor.VsRsDevCnf),
        (Make.QUALCOMM, vendor.NscmGetVersionReq(), None),
        (Make.LUMISSIL, vendor.NscmGetVersionReq(), vendor.NscmGetVersionCnf),
        (Make.LUMISSIL, vendor.NscmGetDLinkStatusReq(), vendor.NscmGetDLinkStatusCnf),
        (Make.LUMISSIL, vendor.NscmResetDeviceReq(), None),
        (Make.LUMISSIL, vendor.VsOpAttributesReq(), None),
    ],
)
def test_a_modem_answers_in_its_makers_words_only(make: Make, question: Mme, answer: type[Mme] | None) -> None:
    effects = Line(make=make).say("charger", question)
    assert [type(frame.message) for frame in heard(effects, "charger")] == ([answer] if answer else [])
    assert len(effects) == (1 if answer else 0), "nothing of it crosses the line"


def test_a_broadcast_reaches_everybody_else_a_unicast_its_addressee() -> None:
    line = Line()
    effects = line.say("car", CmSlacParmReq(), BROADCAST)
    assert {name: len(heard(effects, name)) for name in HOSTS} == {"charger": 1, "car": 0, "other": 1}
    effects = line.say("car", CmAttenCharRsp(), HOSTS["charger"])
    assert {name: len(heard(effects, name)) for name in HOSTS} == {"charger": 1, "car": 0, "other": 0}


def test_each_sound_that_crosses_the_line_is_measured_by_the_modem_that_hears_it() -> None:
    line = Line(LineOptions(attenuation_dB=30, jitter_dB=2))
    line.machine.attenuations_dB[frozenset(("car", "other"))] = 60
    effects = line.say("car", CmMnbcSoundInd(), BROADCAST)
    for name, middle_dB in (("charger", 30), ("other", 60)):
        sound, profile = heard(effects, name)
        assert isinstance(sound.message, CmMnbcSoundInd)
        assert isinstance(profile.message, CmAttenProfileInd)
        assert (profile.source, profile.destination) == (MODEM_MAC, HOSTS[name])
        assert profile.message.pev_mac == HOSTS["car"] and len(profile.message.attenuation_dB) == GROUPS
        assert all(abs(dB - middle_dB) <= 2 for dB in profile.message.attenuation_dB)


def test_modems_too_far_apart_do_not_hear_each_other() -> None:
    line = Line()
    line.machine.attenuations_dB[frozenset(("charger", "car"))] = 81
    assert heard(line.say("car", CmSlacParmReq(), BROADCAST), "charger") == []
    line.set_key("charger")
    line.set_key("car")
    assert line.wait(10.0) == []


def test_a_link_comes_up_only_when_both_ends_hold_the_same_key() -> None:
    line = Line(LineOptions(join_s=2.0))
    line.set_key("charger")
    line.set_key("car", b"another key.....")
    assert line.wait(10.0) == []
    line.set_key("car")
    assert line.wait(1.9) == []
    assert line.wait(0.2) == [LinkIs("charger", True), LinkIs("car", True)]
    (status,) = heard(line.say("car", vendor.VsLinkStatusReq()), "car")
    assert status.message == vendor.VsLinkStatusCnf(link_status=1)
    assert not line.machine.modems["other"].link_up


def test_the_same_key_under_another_nid_is_another_network() -> None:
    line = Line()
    line.set_key("charger")
    line.say("car", CmSetKeyReq(nid=bytes(7), new_key=NMK))
    assert line.wait(10.0) == []


def test_a_new_key_on_one_end_takes_the_link_down_at_both() -> None:
    line = Line()
    line.set_key("charger")
    line.set_key("car")
    line.wait(1.0)
    effects = line.set_key("charger", b"the next key....")
    assert LinkIs("charger", False) in effects and LinkIs("car", False) in effects


def test_a_key_that_changes_while_the_link_is_coming_up_brings_no_link() -> None:
    line = Line()
    line.set_key("charger")
    line.set_key("car")
    line.wait(0.3)
    line.set_key("car", b"the next key....")
    assert line.wait(5.0) == []


def test_a_modem_that_resets_is_deaf_for_a_while_and_keeps_its_key() -> None:
    line = Line(LineOptions(reset_s=1.0, join_s=0.5))
    line.set_key("charger")
    line.set_key("car")
    line.wait(1.0)
    effects = line.say("charger", vendor.VsRsDevReq())
    assert LinkIs("car", False) in effects
    assert line.say("charger", vendor.VsLinkStatusReq()) == []
    assert heard(line.say("car", CmSlacParmReq(), BROADCAST), "charger") == []
    assert [effect for effect in line.wait(1.6) if isinstance(effect, LinkIs)] == [
        LinkIs("charger", True),
        LinkIs("car", True),
    ]


def test_a_lumissil_modem_resets_without_a_word() -> None:
    line = Line(LineOptions(reset_s=1.0), make=Make.LUMISSIL)
    assert line.say("charger", vendor.NscmResetDeviceReq()) == []
    assert line.say("charger", vendor.NscmGetVersionReq()) == []
    line.wait(1.1)
    assert len(line.say("charger", vendor.NscmGetVersionReq())) == 1


def test_a_modem_without_power_is_silent() -> None:
    line = Line()
    line.machine.feed(Power("charger", False), line.now)
    assert line.set_key("charger") == []
    assert heard(line.say("car", CmSlacParmReq(), BROADCAST), "charger") == []
    line.machine.feed(Power("charger", True), line.now)
    assert len(line.set_key("charger")) == 1


@pytest.mark.parametrize("loss", [0.0, 0.3, 1.0])
def test_a_line_loses_the_share_of_frames_that_it_was_told(loss: float) -> None:
    line = Line(LineOptions(loss=loss))
    arrived = sum(len(heard(line.say("car", CmSlacParmReq(), BROADCAST), "charger")) for _ in range(1000))
    assert arrived / 1000 == pytest.approx(1.0 - loss, abs=0.05)
    assert len(line.set_key("car")) == 1, "what a host says to its own modem is not on the line"


def test_noise_of_a_host_stays_where_it_is() -> None:
    line = Line()
    for data in (b"", bytes(60), b"\xff" * 12 + b"\x88\xe1\x01", b"\xff" * 2000):
        assert line.machine.feed(FromHost("car", data), line.now) == []


def test_what_a_modem_does_not_know_crosses_the_line_as_it_is() -> None:
    line = Line()
    data = Frame(BROADCAST, HOSTS["car"], Unknown(0x6FFC, b"hello")).encode()
    effects = line.machine.feed(FromHost("car", data), line.now)
    assert effects == [ToHost("charger", data), ToHost("other", data)]


def test_the_same_chance_measures_the_same() -> None:
    """A simulated session repeats from its seed."""
    a, b = (Line().say("car", CmMnbcSoundInd(), BROADCAST) for _ in range(2))
    assert a == b
