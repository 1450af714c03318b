"""The charger around a match: modem, key, pilot, failed matches, link; and an interface that comes and goes."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chargebyte_fw.contracts.types.slac import State as Published
from chargebyte_fw.modules.slac import messages_vendor as vendor
from chargebyte_fw.modules.slac.machine.events import (
    DlinkReady,
    EnterBcd,
    Ignored,
    KeyRefused,
    LeaveBcd,
    LinkDown,
    LinkUp,
    ModemAnswers,
    Report,
    RequestErrorRoutine,
    Reset,
    Send,
    StateIs,
)
from chargebyte_fw.modules.slac.machine.modem import EvseOptions, State, Vendor
from chargebyte_fw.modules.slac.messages import (
    MODEM_MAC,
    CmAttenCharInd,
    CmAttenProfileInd,
    CmSetKeyCnf,
    CmSetKeyReq,
    CmSlacMatchCnf,
    mac_text,
)
from tests.slac.stand import EV, EVSE, KEYS, Charger, lines, nid, sent

LINKED = EvseOptions(link_status_detection=True)
UNMATCHED, MATCHING, MATCHED = Published.UNMATCHED, Published.MATCHING, Published.MATCHED


def qualcomm(options: EvseOptions | None = None) -> Charger:
    """A charger whose modem told its vendor, up to the first key."""
    charger = Charger(options)
    charger.feed(LinkUp(EVSE))
    charger.from_modem(vendor.VsOpAttributesCnf(hardware="QCA7000"))
    return charger


def state_of(charger: Charger) -> State:
    return charger.state


def test_the_start_asks_both_vendors_and_then_sets_a_key() -> None:
    """As captured: OP_ATTR, 100 ms, Lumissil version, 100 ms, CM_SET_KEY; UNMATCHED once it is confirmed."""
    charger = Charger()
    assert sent(charger.feed(LinkUp(EVSE)), vendor.VsOpAttributesReq) == [vendor.VsOpAttributesReq(0x12345, 0)]
    assert charger.wait(0.09) == []
    assert len(sent(charger.wait(0.01), vendor.NscmGetVersionReq)) == 1
    effects = charger.wait(0.1)
    assert sent(effects, CmSetKeyReq) == [CmSetKeyReq(nid=nid(KEYS[0]), new_key=KEYS[0])]
    assert {effect.frame.destination for effect in charger.take(Send)} == {MODEM_MAC}
    assert charger.from_modem(CmSetKeyCnf(result=1)) == [StateIs(UNMATCHED)]
    assert charger.machine.vendor is Vendor.UNKNOWN


def test_a_modem_that_tells_its_vendor_is_asked_no_more() -> None:
    charger = Charger()
    charger.feed(LinkUp(EVSE))
    effects = charger.from_modem(vendor.VsOpAttributesCnf(hardware="QCA7000", version_major=1))
    assert charger.machine.vendor is Vendor.QUALCOMM and len(sent(effects, CmSetKeyReq)) == 1
    charger = Charger()
    charger.feed(LinkUp(EVSE))
    charger.wait(0.1)
    effects = charger.from_modem(vendor.NscmGetVersionCnf(version_major=2))
    assert charger.machine.vendor is Vendor.LUMISSIL and len(sent(effects, CmSetKeyReq)) == 1
    assert len(lines(effects, logging.INFO)) == 1


def test_a_modem_that_does_not_confirm_its_key_is_asked_until_it_does() -> None:
    """EVerest waits for a reset here; a modem that boots after the charger would never be used."""
    charger = qualcomm()
    charger.effects.clear()
    effects = charger.wait(5.0)
    keys = sent(effects, CmSetKeyReq)
    assert len(keys) == 5 and {key.new_key for key in keys} == {KEYS[0]}
    assert charger.take(ModemAnswers) == [ModemAnswers(False)], "said once"
    assert charger.from_modem(CmSetKeyCnf()) == [ModemAnswers(True), StateIs(UNMATCHED)]


def test_each_silence_of_the_modem_is_told() -> None:
    charger = qualcomm()
    for _ in range(2):
        charger.effects.clear()
        charger.wait(3.0)
        charger.from_modem(CmSetKeyCnf())
        assert charger.take(ModemAnswers) == [ModemAnswers(False), ModemAnswers(True)]
        charger.feed(Reset())


def test_a_modem_that_boots_late_tells_its_vendor_late() -> None:
    charger = Charger()
    charger.feed(LinkUp(EVSE))
    effects = charger.wait(3.0)
    assert len(sent(effects, vendor.VsOpAttributesReq)) == 2 and len(sent(effects, vendor.NscmGetVersionReq)) == 3
    charger.from_modem(CmSetKeyCnf())
    effects = charger.from_modem(vendor.NscmGetVersionCnf())
    assert charger.machine.vendor is Vendor.LUMISSIL and len(lines(effects, logging.INFO)) == 1
    assert charger.from_modem(vendor.VsOpAttributesCnf()) == [], "the first answer counts"
    assert state_of(charger) is State.IDLE


# -- confirmations are read


@pytest.mark.parametrize(("result", "taken"), [(1, True), (0, False), (2, False), (255, False)])
def test_a_qualcomm_chip_confirms_with_one_and_refuses_with_zero(result: int, taken: bool) -> None:
    """HomePlug AV 1.0, which QCA700x follow; a QCA7005 refuses a key that comes right after a match."""
    charger = qualcomm()
    charger.effects.clear()
    effects = charger.from_modem(CmSetKeyCnf(result=result))
    if taken:
        assert effects == [StateIs(UNMATCHED)]
        return
    assert effects == [KeyRefused(result)] and state_of(charger) is State.RESET
    (again,) = sent(charger.wait(1.0), CmSetKeyReq)
    assert again.new_key == KEYS[0], "the same key: a car may have it"
    assert charger.from_modem(CmSetKeyCnf(result=1)) == [KeyRefused(None), StateIs(UNMATCHED)]


@pytest.mark.parametrize("result", [0, 1])
def test_a_chip_of_another_vendor_may_confirm_with_either(result: int) -> None:
    """HomePlug AV 1.1 and Green PHY have 0 for success."""
    charger = Charger()
    charger.feed(LinkUp(EVSE))
    charger.wait(0.2)
    assert charger.from_modem(CmSetKeyCnf(result=result)) == [StateIs(UNMATCHED)]


def test_a_qualcomm_chip_that_answers_zero_to_every_key_is_used_all_the_same() -> None:
    charger = qualcomm()
    charger.effects.clear()
    for _ in range(2):
        charger.from_modem(CmSetKeyCnf(result=0))
        assert state_of(charger) is State.RESET
        charger.wait(1.0)
    effects = charger.from_modem(CmSetKeyCnf(result=0))
    assert state_of(charger) is State.IDLE and len(lines(effects, logging.WARNING)) == 1
    assert charger.take(KeyRefused) == [KeyRefused(0), KeyRefused(None)], "reported once"
    charger.feed(Reset())
    charger.from_modem(CmSetKeyCnf(result=0))
    assert state_of(charger) is State.IDLE, "from now on at once"
    charger.feed(Reset())
    charger.from_modem(CmSetKeyCnf(result=2))
    assert state_of(charger) is State.RESET


def test_a_reserved_result_is_no_confirmation_however_often_it_comes() -> None:
    charger = Charger()
    charger.feed(LinkUp(EVSE))
    charger.wait(0.2)
    for _ in range(10):
        charger.from_modem(CmSetKeyCnf(result=7))
        assert state_of(charger) is State.RESET
        charger.wait(1.0)
    assert charger.take(KeyRefused) == [KeyRefused(7)]
    charger.feed(EnterBcd())
    charger.from_modem(CmSetKeyCnf(result=0))
    assert state_of(charger) is State.MATCHING, "the car that waited is matched"


def test_a_refused_reset_is_tried_again_and_then_done_without() -> None:
    charger = qualcomm(EvseOptions(do_chip_reset=True))
    charger.effects.clear()
    for number in range(3):
        charger.from_modem(CmSetKeyCnf())
        charger.wait(0.1)
        assert state_of(charger) is State.RESET_CHIP
        charger.from_modem(vendor.VsRsDevCnf(status=1))
        assert state_of(charger) is (State.IDLE if number == 2 else State.RESET)
    errors = lines(charger.effects, logging.ERROR)
    assert errors == ["the modem refuses its reset (status 1), setting the key again"]
    assert len(lines(charger.effects, logging.WARNING)) == 1
    charger.effects.clear()
    charger.feed(Reset())
    charger.from_modem(CmSetKeyCnf())
    charger.wait(0.1)
    charger.from_modem(vendor.VsRsDevCnf(status=1))
    assert state_of(charger) is State.IDLE and lines(charger.effects, logging.ERROR) == []
    charger.feed(Reset())
    charger.from_modem(CmSetKeyCnf())
    charger.wait(0.1)
    assert lines(charger.from_modem(vendor.VsRsDevCnf()), logging.INFO) == ["the modem resets again"]


def test_a_chip_that_never_confirms_its_reset_does_not_keep_the_charger_from_matching() -> None:
    charger = qualcomm(EvseOptions(do_chip_reset=True))
    for _ in range(3):
        charger.from_modem(CmSetKeyCnf())
        charger.wait(0.7)
    assert state_of(charger) is State.IDLE
    assert len(lines(charger.effects, logging.ERROR)) == 1


def test_attributes_that_are_refused_name_no_chip() -> None:
    charger = Charger()
    charger.feed(LinkUp(EVSE))
    effects = charger.from_modem(vendor.VsOpAttributesCnf(status=1, hardware="garbage"))
    assert charger.machine.vendor is Vendor.QUALCOMM
    (line,) = lines(effects, logging.INFO)
    assert "status 1" in line and "garbage" not in line


# -- who is our modem

CHIP = bytes.fromhex("000187050502")
STRANGER = bytes.fromhex("0000c0ffee01")


def with_chip(options: EvseOptions | None = None) -> Charger:
    """A charger whose modem answers from its own address, as real ones do."""
    charger = Charger(options)
    charger.feed(LinkUp(EVSE))
    charger.from_ev(vendor.VsOpAttributesCnf(hardware="QCA7000"), CHIP)
    assert charger.machine.modem.mac == CHIP
    return charger


ANSWERS = [
    CmSetKeyCnf(),
    vendor.VsRsDevCnf(),
    vendor.VsOpAttributesCnf(hardware="QCA7000"),
    vendor.VsLinkStatusCnf(link_status=0),
    vendor.NscmGetVersionCnf(),
    vendor.NscmGetDLinkStatusCnf(link_status=0),
    CmAttenProfileInd(EV, attenuation_dB=bytes(58)),
]


@pytest.mark.parametrize("message", ANSWERS, ids=lambda message: message.title)
@pytest.mark.parametrize("source", [STRANGER, EV], ids=["stranger", "car"])
@pytest.mark.parametrize("state", ["RESET", "RESET_CHIP", "MATCHING", "WAIT_FOR_LINK", "MATCHED"])
def test_what_claims_to_be_the_modems_is_believed_only_from_it(state: str, source: bytes, message: Any) -> None:
    linked = state in ("WAIT_FOR_LINK", "MATCHED")
    options = EvseOptions(do_chip_reset=state == "RESET_CHIP", link_status_detection=linked)
    charger = with_chip(options)
    if state != "RESET":
        charger.from_ev(CmSetKeyCnf(), CHIP)
    if state == "RESET_CHIP":
        charger.wait(0.1)
    elif state != "RESET":
        charger.feed(EnterBcd())
    if state in ("WAIT_FOR_LINK", "MATCHED"):
        charger.ask()
        charger.begin_sounding()
        charger.wait(0.7)
        charger.confirm_profile()
        charger.choose()
    elif state == "MATCHING":
        charger.ask()
        charger.begin_sounding()
    if state == "MATCHED":
        charger.from_ev(vendor.VsLinkStatusCnf(link_status=1), CHIP)
        charger.wait(1.0)
    assert state_of(charger) is State[state]
    before = (charger.machine.state, charger.machine.deadline, charger.machine.vendor, charger.machine.modem.mac)
    (effect,) = charger.from_ev(message, source)
    assert isinstance(effect, Ignored) and mac_text(source) in effect.text and mac_text(CHIP) in effect.text
    after = (charger.machine.state, charger.machine.deadline, charger.machine.vendor, charger.machine.modem.mac)
    assert after == before


def test_profiles_of_others_do_not_count() -> None:
    charger = with_chip()
    charger.from_ev(CmSetKeyCnf(), CHIP)
    charger.feed(EnterBcd())
    charger.ask()
    charger.begin_sounding()
    for _ in range(10):
        charger.from_ev(CmAttenProfileInd(EV, attenuation_dB=bytes([1]) * 58), STRANGER)
        charger.from_ev(CmAttenProfileInd(EV, attenuation_dB=bytes([30]) * 58), CHIP)
    effects = charger.wait(0.05)
    (profile,) = sent(effects, CmAttenCharInd)
    assert (profile.num_sounds, set(profile.attenuation_dB)) == (10, {30})


def test_an_answer_to_no_question_changes_nothing_even_from_the_modems_address() -> None:
    charger = with_chip(LINKED)
    charger.from_ev(CmSetKeyCnf(), CHIP)
    charger.feed(EnterBcd())
    charger.ask()
    charger.begin_sounding()
    charger.wait(0.7)
    charger.confirm_profile()
    charger.choose()
    charger.from_ev(vendor.VsLinkStatusCnf(link_status=1), CHIP)
    assert state_of(charger) is State.MATCHED
    for message in ANSWERS[:-1]:
        (effect,) = charger.from_ev(message, CHIP)
        assert isinstance(effect, Report) and effect.level == logging.DEBUG
    charger.wait(1.0)
    assert RequestErrorRoutine() in charger.from_ev(vendor.VsLinkStatusCnf(link_status=0), CHIP)


def test_another_modem_is_learnt_when_the_first_one_is_silent_or_the_interface_returns() -> None:
    charger = with_chip()
    charger.from_ev(CmSetKeyCnf(), CHIP)
    charger.feed(Reset())
    (ignored,) = charger.from_ev(CmSetKeyCnf(), STRANGER)
    assert isinstance(ignored, Ignored)
    charger.wait(1.0)
    charger.from_ev(CmSetKeyCnf(), STRANGER)
    assert charger.machine.modem.mac == STRANGER and state_of(charger) is State.IDLE
    charger.feed(LinkDown())
    charger.feed(LinkUp(EVSE))
    assert charger.machine.modem.mac is None


def test_every_reset_makes_a_new_key() -> None:
    charger = Charger().start()
    for key in KEYS[1:4]:
        assert [req.new_key for req in sent(charger.feed(Reset()), CmSetKeyReq)] == [key]
        assert charger.from_modem(CmSetKeyCnf()) == [StateIs(UNMATCHED)]


def test_the_key_stays_when_the_configuration_says_so() -> None:
    charger = Charger(EvseOptions(regenerate_key_on_reset=False)).start()
    assert [req.new_key for req in sent(charger.feed(Reset()), CmSetKeyReq)] == [KEYS[0]]


def test_a_reset_of_a_match_takes_the_link_down_and_says_unmatched_once() -> None:
    charger = Charger().matched()
    charger.effects.clear()
    effects = charger.feed(Reset())
    assert effects[:2] == [DlinkReady(False), StateIs(UNMATCHED)]
    assert sent(effects, CmSetKeyReq)[0].new_key == KEYS[1]
    assert charger.from_modem(CmSetKeyCnf()) == []
    assert state_of(charger) is State.IDLE


def test_a_chip_reset_follows_the_key_when_configured() -> None:
    charger = qualcomm(EvseOptions(do_chip_reset=True))
    charger.from_modem(CmSetKeyCnf())
    assert state_of(charger) is State.RESET_CHIP
    assert sent(charger.wait(0.09), vendor.VsRsDevReq) == []
    assert len(sent(charger.wait(0.01), vendor.VsRsDevReq)) == 1
    assert charger.from_modem(vendor.VsRsDevCnf()) == [StateIs(UNMATCHED)]


def test_a_qualcomm_chip_that_does_not_confirm_its_reset_gets_its_key_again() -> None:
    charger = qualcomm(EvseOptions(do_chip_reset=True))
    charger.from_modem(CmSetKeyCnf())
    charger.wait(0.1)
    effects = charger.wait(0.5)
    assert len(lines(effects, logging.ERROR)) == 1 and len(sent(effects, CmSetKeyReq)) == 1


def test_a_lumissil_chip_resets_without_an_answer() -> None:
    charger = Charger(EvseOptions(do_chip_reset=True))
    charger.feed(LinkUp(EVSE))
    charger.wait(0.1)
    charger.from_modem(vendor.NscmGetVersionCnf())
    charger.from_modem(CmSetKeyCnf())
    effects = charger.wait(0.1)
    assert len(sent(effects, vendor.NscmResetDeviceReq)) == 1 and effects[-1] == StateIs(UNMATCHED)


def test_an_unknown_chip_is_not_reset() -> None:
    charger = Charger(EvseOptions(do_chip_reset=True))
    charger.feed(LinkUp(EVSE))
    charger.wait(0.2)
    charger.from_modem(CmSetKeyCnf())
    effects = charger.wait(0.1)
    assert len(lines(effects, logging.WARNING)) == 1 and state_of(charger) is State.IDLE


@pytest.mark.parametrize("second_chance", [True, False])
def test_a_car_that_does_not_ask_gets_the_error_routine_after_tt_evse_slac_init(second_chance: bool) -> None:
    """ISO 15118-3: after 20 to 50 s, not twice that: the second chance is for a match that has begun and failed."""
    charger = Charger(EvseOptions(reset_instead_of_fail=second_chance)).plugged()
    assert RequestErrorRoutine() not in charger.wait(39.9)
    assert state_of(charger) is State.MATCHING
    assert RequestErrorRoutine() in charger.wait(0.2)
    assert state_of(charger) is State.FAILED


def test_a_car_that_failed_and_is_silent_then_gets_the_error_routine_after_another_tt_evse_slac_init() -> None:
    charger = Charger().plugged()
    charger.ask()
    charger.wait(0.5)
    assert RequestErrorRoutine() not in charger.wait(39.0)
    assert RequestErrorRoutine() in charger.wait(1.0)


def test_the_first_request_ends_tt_evse_slac_init() -> None:
    charger = Charger(EvseOptions(reset_instead_of_fail=False)).plugged()
    charger.wait(39.9)
    charger.until_choice()
    charger.wait(5.0)
    charger.choose()
    assert state_of(charger) is State.MATCHED


def test_an_ev_may_fail_once_and_try_again() -> None:
    charger = Charger().plugged()
    charger.ask()
    charger.wait(0.5)
    assert state_of(charger) is State.MATCHING
    charger.wait(30.0)
    charger.until_choice()
    charger.choose()
    assert state_of(charger) is State.MATCHED


def test_the_second_failed_match_fails_for_good() -> None:
    charger = Charger().plugged()
    for _ in range(2):
        charger.ask()
        charger.wait(0.5)
    assert state_of(charger) is State.FAILED
    assert charger.take(RequestErrorRoutine) == [RequestErrorRoutine()]
    charger.ask()
    assert charger.take(Send) == [], "nothing but a reset or the car's leaving ends this"


def test_without_five_percent_no_error_routine_is_asked_for() -> None:
    charger = Charger(EvseOptions(ac_mode_five_percent=False, reset_instead_of_fail=False)).plugged()
    charger.wait(41.0)
    assert state_of(charger) is State.FAILED and charger.take(RequestErrorRoutine) == []


@pytest.mark.parametrize("leave", [Reset(), LeaveBcd()], ids=["reset", "leave_bcd"])
def test_a_failed_match_ends_with_a_reset_or_with_the_car(leave: object) -> None:
    charger = Charger(EvseOptions(reset_instead_of_fail=False)).plugged()
    charger.wait(41.0)
    charger.effects.clear()
    charger.feed(leave)
    charger.from_modem(CmSetKeyCnf())
    assert charger.published() == [UNMATCHED]
    charger.feed(EnterBcd())
    assert charger.published() == [MATCHING]


def test_unplugging_ends_a_match_and_the_next_car_gets_another_key() -> None:
    charger = Charger().matched()
    charger.effects.clear()
    charger.feed(LeaveBcd())
    charger.from_modem(CmSetKeyCnf())
    assert [e for e in charger.effects if not isinstance(e, Send)] == [DlinkReady(False), StateIs(UNMATCHED)]
    charger.feed(EnterBcd())
    charger.until_choice(EV, b"again...")
    (answer,) = sent(charger.choose(EV, b"again..."), CmSlacMatchCnf)
    assert answer.nmk == KEYS[1]


def test_a_car_that_comes_before_the_key_is_set_is_matched_as_soon_as_it_is() -> None:
    charger = qualcomm()
    charger.feed(EnterBcd())
    assert charger.from_modem(CmSetKeyCnf()) == [StateIs(UNMATCHED), StateIs(MATCHING)]


def test_after_an_early_car_a_reset_waits_for_the_next_one() -> None:
    charger = qualcomm()
    charger.feed(EnterBcd())
    charger.from_modem(CmSetKeyCnf())
    charger.feed(Reset())
    charger.from_modem(CmSetKeyCnf())
    assert state_of(charger) is State.IDLE


def test_a_car_that_leaves_before_the_key_is_set_is_not_matched() -> None:
    charger = qualcomm()
    charger.feed(EnterBcd())
    charger.feed(LeaveBcd())
    assert charger.from_modem(CmSetKeyCnf()) == [StateIs(UNMATCHED)]


def test_the_same_pilot_event_twice_changes_nothing() -> None:
    charger = Charger().matched()
    assert charger.feed(EnterBcd()) == []
    charger.feed(LeaveBcd())
    charger.from_modem(CmSetKeyCnf())
    charger.effects.clear()
    assert charger.feed(LeaveBcd()) == []
    assert state_of(charger) is State.IDLE


def test_with_link_detection_the_link_decides() -> None:
    charger = Charger(LINKED).plugged()
    charger.until_choice()
    charger.effects.clear()
    asked = sent(charger.choose(), vendor.VsLinkStatusReq)
    assert len(asked) == 1 and state_of(charger) is State.WAIT_FOR_LINK
    assert charger.from_modem(vendor.VsLinkStatusCnf(link_status=0)) == []
    assert len(sent(charger.wait(0.3), vendor.VsLinkStatusReq)) == 3
    effects = charger.from_modem(vendor.VsLinkStatusCnf(link_status=1))
    assert effects == [StateIs(MATCHED), DlinkReady(True)]


def test_a_link_that_does_not_come_in_time_fails_the_match() -> None:
    charger = Charger(LINKED).plugged()
    charger.until_choice()
    charger.choose()
    charger.wait(9.95)
    assert state_of(charger) is State.WAIT_FOR_LINK
    assert RequestErrorRoutine() in charger.wait(0.1)
    assert state_of(charger) is State.FAILED


def test_an_ev_that_missed_the_confirmation_gets_it_while_the_link_is_awaited() -> None:
    charger = Charger(LINKED).plugged()
    charger.until_choice()
    charger.choose()
    assert len(sent(charger.choose(), CmSlacMatchCnf)) == 1


def test_a_lost_link_asks_for_the_error_routine() -> None:
    charger = Charger(LINKED).matched()
    charger.from_modem(vendor.VsLinkStatusCnf(link_status=1))
    charger.effects.clear()
    assert len(sent(charger.wait(3.0), vendor.VsLinkStatusReq)) == 3, "one question a second"
    effects = charger.from_modem(vendor.VsLinkStatusCnf(link_status=0))
    assert RequestErrorRoutine() in effects and len(lines(effects, logging.WARNING)) == 1
    charger.effects.clear()
    for _ in range(60):
        charger.wait(1.0)
        charger.from_modem(vendor.VsLinkStatusCnf(link_status=0))
    assert charger.take(RequestErrorRoutine) == [] and lines(charger.effects, logging.WARNING) == []
    assert charger.feed(EnterBcd()) == [RequestErrorRoutine()], "charging begins anew: now it can be done"
    charger.wait(1.0)
    assert lines(charger.from_modem(vendor.VsLinkStatusCnf(link_status=1)), logging.INFO) != []
    assert charger.feed(EnterBcd()) == []
    charger.wait(1.0)
    assert RequestErrorRoutine() in charger.from_modem(vendor.VsLinkStatusCnf(link_status=0)), "lost again"


def test_the_link_is_asked_for_in_the_vendors_words() -> None:
    charger = Charger(LINKED)
    charger.feed(LinkUp(EVSE))
    charger.wait(0.1)
    charger.from_modem(vendor.NscmGetVersionCnf())
    charger.from_modem(CmSetKeyCnf())
    charger.feed(EnterBcd())
    charger.until_choice()
    effects = charger.choose()
    assert len(sent(effects, vendor.NscmGetDLinkStatusReq)) == 1 and sent(effects, vendor.VsLinkStatusReq) == []
    charger.from_modem(vendor.NscmGetDLinkStatusCnf(link_status=1))
    assert state_of(charger) is State.MATCHED


def test_without_link_detection_nobody_asks() -> None:
    charger = Charger().matched()
    charger.effects.clear()
    assert charger.wait(60.0) == []


@pytest.mark.parametrize("state", ["plugged", "matched"])
def test_a_vanished_interface_ends_the_match_and_its_return_begins_another(state: str) -> None:
    charger = getattr(Charger(), state)()
    charger.effects.clear()
    effects = charger.feed(LinkDown())
    assert effects == ([DlinkReady(False)] if state == "matched" else []) + [StateIs(UNMATCHED)]
    assert charger.wait(100.0) == []
    charger.feed(LinkUp(EVSE))
    charger.wait(0.2)
    assert charger.from_modem(CmSetKeyCnf())[-1] == StateIs(MATCHING), "the car is still there"


def test_without_an_interface_commands_do_no_harm() -> None:
    charger = Charger()
    for event in (Reset(), EnterBcd(), LeaveBcd(), Reset(), LinkDown()):
        assert charger.feed(event) == []
    charger.start()
    assert state_of(charger) is State.IDLE


def test_resets_while_the_key_is_being_set_end_in_the_last_key() -> None:
    charger = qualcomm()
    charger.feed(Reset())
    charger.feed(Reset())
    assert charger.machine.nmk == KEYS[2]
    for _ in range(3):
        charger.from_modem(CmSetKeyCnf())
    assert charger.published() == [UNMATCHED]
