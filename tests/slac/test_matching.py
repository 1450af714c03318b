"""The charger's talk with one EV (ISO 15118-3 A.9): each step, its time limit, and what is no valid step."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types.slac import State as Published
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.machine.events import DlinkReady, EvMac, Ignored, RequestErrorRoutine, Send, StateIs
from chargebyte_fw.modules.slac.machine.modem import EvseOptions, State
from chargebyte_fw.modules.slac.messages import (
    BROADCAST,
    GROUPS,
    CmAttenCharInd,
    CmAttenCharRsp,
    CmAttenProfileInd,
    CmMnbcSoundInd,
    CmSlacMatchCnf,
    CmSlacMatchReq,
    CmSlacParmCnf,
    CmSlacParmReq,
    CmStartAttenCharInd,
    CmValidateCnf,
    CmValidateReq,
    Frame,
)
from tests.slac.stand import EV, EVSE, KEYS, RUN_ID, Charger, nid, sent

OTHER_EV = bytes.fromhex("0200000000c2")
ONE_TRY = EvseOptions(reset_instead_of_fail=False)


def failed(charger: Charger) -> bool:
    return charger.state is State.FAILED


def matched(charger: Charger) -> bool:
    return charger.state is State.MATCHED


def test_the_answer_to_a_parameter_request_asks_for_ten_sounds_within_600_ms() -> None:
    charger = Charger().plugged()
    effects = charger.ask()
    (answer,) = sent(effects, CmSlacParmCnf)
    assert answer == CmSlacParmCnf(
        msound_target=BROADCAST,
        num_sounds=10,
        timeout_100ms=6,
        response_type=1,
        forwarding_station=EV,
        run_id=RUN_ID,
    )
    (send,) = [effect for effect in effects if isinstance(effect, Send)]
    assert (send.frame.destination, send.frame.source) == (EV, EVSE)


def test_a_whole_match_gives_the_ev_the_key_that_the_modem_has() -> None:
    charger = Charger().plugged()
    charger.ask()
    charger.begin_sounding()
    charger.sound(dB=20)
    profile = sent(charger.wait(0.05), CmAttenCharInd)
    assert profile == [
        CmAttenCharInd(source_address=EV, run_id=RUN_ID, num_sounds=10, attenuation_dB=bytes([20]) * GROUPS)
    ]
    assert charger.confirm_profile() == []
    effects = charger.choose()
    assert sent(effects, CmSlacMatchCnf) == [
        CmSlacMatchCnf(pev_mac=EV, evse_mac=EVSE, run_id=RUN_ID, nid=nid(KEYS[0]), nmk=KEYS[0])
    ]
    order = [type(e) for e in effects if isinstance(e, EvMac | Send | StateIs | DlinkReady)]
    assert order == [EvMac, Send, StateIs, DlinkReady]
    assert StateIs(Published.MATCHED) in effects and DlinkReady(True) in effects and EvMac(EV) in effects


def test_an_ev_that_does_not_begin_within_tt_match_sequence_fails() -> None:
    charger = Charger(ONE_TRY).plugged()
    charger.ask()
    charger.wait(0.39)
    assert not failed(charger)
    assert RequestErrorRoutine() in charger.wait(0.02)
    assert failed(charger)


def test_the_profile_is_sent_45_ms_after_the_tenth_sound() -> None:
    charger = Charger().plugged()
    charger.ask()
    charger.begin_sounding()
    charger.sound()
    assert sent(charger.wait(0.040), CmAttenCharInd) == []
    assert len(sent(charger.wait(0.006), CmAttenCharInd)) == 1


def test_after_tt_evse_match_mnbc_the_sounds_that_came_count() -> None:
    """Three of ten sounds were measured: their average counts, and the EV hears that there were three."""
    charger = Charger().plugged()
    charger.ask()
    charger.begin_sounding()
    for dB in (10, 20, 33):
        charger.sound(1, dB)
    assert sent(charger.wait(0.60), CmAttenCharInd) == []
    (profile,) = sent(charger.wait(0.05), CmAttenCharInd)
    assert (profile.num_sounds, profile.attenuation_dB) == (3, bytes([21]) * GROUPS)


def test_without_any_measurement_the_profile_is_all_ones_of_no_sound() -> None:
    charger = Charger().plugged()
    charger.ask()
    charger.begin_sounding()
    (profile,) = sent(charger.wait(0.65), CmAttenCharInd)
    assert (profile.num_sounds, profile.attenuation_dB) == (0, bytes([1]) * GROUPS)


@pytest.mark.parametrize(
    ("adjustment_dB", "measured_dB", "expected_dB"),
    [(0, 20, 20), (5, 20, 25), (-7, 20, 13), (-30, 20, 0), (10, 250, 255)],
)
def test_the_configured_adjustment_is_added_within_an_octet(
    adjustment_dB: int, measured_dB: int, expected_dB: int
) -> None:
    charger = Charger(EvseOptions(attenuation_adjustment_dB=adjustment_dB)).plugged()
    charger.ask()
    charger.begin_sounding()
    charger.sound(dB=measured_dB)
    (profile,) = sent(charger.wait(0.05), CmAttenCharInd)
    assert profile.attenuation_dB == bytes([expected_dB]) * GROUPS


def test_groups_are_averaged_one_by_one() -> None:
    charger = Charger(EvseOptions(number_of_sounds=2)).plugged()
    charger.ask()
    charger.begin_sounding()
    charger.from_modem(CmAttenProfileInd(EV, attenuation_dB=bytes(range(GROUPS))))
    charger.from_modem(CmAttenProfileInd(EV, attenuation_dB=bytes(range(2, GROUPS + 2))))
    (profile,) = sent(charger.wait(0.05), CmAttenCharInd)
    assert profile.attenuation_dB == bytes(range(1, GROUPS + 1))


def test_an_unconfirmed_profile_is_sent_twice_more_and_then_the_talk_fails() -> None:
    """TT_match_response, C_EV_match_retry."""
    charger = Charger(ONE_TRY).plugged()
    charger.ask()
    charger.begin_sounding()
    charger.sound()
    charger.wait(0.05)
    for _ in range(2):
        assert sent(charger.wait(0.19), CmAttenCharInd) == []
        assert len(sent(charger.wait(0.01), CmAttenCharInd)) == 1
    assert not failed(charger)
    charger.wait(0.2)
    assert failed(charger)


def test_an_ev_that_does_not_choose_within_tt_evse_match_session_stands_elsewhere() -> None:
    charger = Charger(ONE_TRY).plugged()
    charger.until_choice()
    charger.wait(9.9)
    assert not failed(charger)
    charger.wait(0.2)
    assert failed(charger)


def test_an_ev_that_asks_again_begins_again() -> None:
    charger = Charger().plugged()
    charger.ask()
    charger.begin_sounding()
    charger.sound(7, dB=200)
    assert len(sent(charger.ask(), CmSlacParmCnf)) == 1
    charger.begin_sounding()
    charger.sound(dB=30)
    (profile,) = sent(charger.wait(0.05), CmAttenCharInd)
    assert (profile.num_sounds, profile.attenuation_dB) == (10, bytes([30]) * GROUPS)


def test_an_ev_that_missed_the_confirmation_gets_the_same_again() -> None:
    charger = Charger().matched()
    charger.effects.clear()
    (again,) = sent(charger.choose(), CmSlacMatchCnf)
    assert (again.nmk, again.run_id) == (KEYS[0], RUN_ID)
    assert sent(charger.choose(ev=OTHER_EV), CmSlacMatchCnf) == [], "nobody else gets the key now"
    assert sent(charger.choose(run_id=bytes(8)), CmSlacMatchCnf) == []
    assert charger.state is State.MATCHED


INVALID: list[tuple[str, Any, Mme]] = [
    ("parm application", "plugged", CmSlacParmReq(application_type=1, run_id=RUN_ID)),
    ("parm security", "plugged", CmSlacParmReq(security_type=1, run_id=RUN_ID)),
    ("start application", "asked", CmStartAttenCharInd(application_type=1, run_id=RUN_ID)),
    ("start no sounds", "asked", CmStartAttenCharInd(num_sounds=0, run_id=RUN_ID)),
    ("start no time", "asked", CmStartAttenCharInd(timeout_100ms=0, run_id=RUN_ID)),
    ("start response type", "asked", CmStartAttenCharInd(response_type=0, run_id=RUN_ID)),
    ("sound security", "sounding", CmMnbcSoundInd(security_type=1, run_id=RUN_ID)),
    ("profile groups", "sounding", CmAttenProfileInd(EV, num_groups=3, attenuation_dB=bytes(3))),
    ("rsp security", "told", CmAttenCharRsp(security_type=1, source_address=EV, run_id=RUN_ID)),
    ("rsp source", "told", CmAttenCharRsp(source_address=OTHER_EV, run_id=RUN_ID)),
    ("rsp source id", "told", CmAttenCharRsp(source_address=EV, run_id=RUN_ID, source_id=b"x" * 17)),
    ("rsp response id", "told", CmAttenCharRsp(source_address=EV, run_id=RUN_ID, response_id=b"x" * 17)),
    ("rsp result", "told", CmAttenCharRsp(source_address=EV, run_id=RUN_ID, result=1)),
    ("match length", "confirmed", CmSlacMatchReq(mvf_length=0x3F, pev_mac=EV, evse_mac=EVSE, run_id=RUN_ID)),
    ("match pev", "confirmed", CmSlacMatchReq(pev_mac=OTHER_EV, evse_mac=EVSE, run_id=RUN_ID)),
    ("match pev id", "confirmed", CmSlacMatchReq(pev_id=b"x" * 17, pev_mac=EV, evse_mac=EVSE, run_id=RUN_ID)),
    ("match evse", "confirmed", CmSlacMatchReq(pev_mac=EV, evse_mac=OTHER_EV, run_id=RUN_ID)),
    ("match evse id", "confirmed", CmSlacMatchReq(evse_id=b"x" * 17, pev_mac=EV, evse_mac=EVSE, run_id=RUN_ID)),
]


@pytest.mark.parametrize(("name", "when", "message"), INVALID, ids=[case[0] for case in INVALID])
def test_an_invalid_message_is_ignored_with_one_line(name: str, when: str, message: Mme) -> None:
    charger = Charger().plugged()
    steps = ["plugged", "asked", "sounding", "told", "confirmed"]
    for step in steps[: steps.index(when) + 1]:
        match step:
            case "asked":
                charger.ask()
            case "sounding":
                charger.begin_sounding()
            case "told":
                charger.sound()
                charger.wait(0.05)
            case "confirmed":
                charger.confirm_profile()
    effects = charger.from_ev(message)
    assert [type(effect) for effect in effects] == [Ignored]
    assert effects[0].text.startswith(f"ignored {message.title} of 02:00:00:00:00:C1: ")


def test_after_an_invalid_message_the_match_still_succeeds() -> None:
    charger = Charger().plugged()
    charger.until_choice()
    charger.from_ev(CmSlacMatchReq(pev_mac=OTHER_EV, evse_mac=EVSE, run_id=RUN_ID))
    charger.choose()
    assert charger.state is State.MATCHED


def test_messages_out_of_order_or_of_no_match_change_nothing() -> None:
    charger = Charger().plugged()
    charger.confirm_profile()
    charger.choose()
    charger.sound(3)
    assert charger.take(Send) == [] and charger.state is State.MATCHING
    charger.ask()
    charger.choose()
    charger.confirm_profile()
    assert charger.state is State.MATCHING
    charger.begin_sounding()
    charger.choose()
    charger.sound()
    charger.wait(0.05)
    charger.choose()
    assert charger.state is State.MATCHING, "no match before the profile is confirmed"
    charger.confirm_profile()
    charger.choose()
    assert matched(charger)


def test_a_message_for_somebody_else_is_not_ours() -> None:
    charger = Charger().plugged()
    assert charger.feed(Frame(OTHER_EV, EV, CmSlacParmReq(run_id=RUN_ID))) == []
    assert charger.feed(Frame(BROADCAST, EVSE, CmSlacParmReq(run_id=RUN_ID))) == []


def test_two_evs_at_once_are_told_apart() -> None:
    """Both sound at the same time; only the one that chooses us is matched, with its own profile."""
    charger = Charger().plugged()
    charger.ask(EV)
    charger.ask(OTHER_EV, b"other-ev")
    charger.begin_sounding(EV)
    charger.begin_sounding(OTHER_EV, b"other-ev")
    for _ in range(10):
        charger.sound(1, dB=20)
        charger.sound(1, dB=60, ev=OTHER_EV, run_id=b"other-ev")
    profiles = {p.source_address: p.attenuation_dB[0] for p in sent(charger.wait(0.05), CmAttenCharInd)}
    assert profiles == {EV: 20, OTHER_EV: 60}
    charger.confirm_profile(EV)
    charger.confirm_profile(OTHER_EV, b"other-ev")
    effects = charger.choose(OTHER_EV, b"other-ev")
    assert EvMac(OTHER_EV) in effects and charger.state is State.MATCHED
    assert sent(charger.choose(EV), CmSlacMatchCnf) == []


def test_one_ev_failing_does_not_fail_the_other() -> None:
    charger = Charger(ONE_TRY).plugged()
    charger.ask(OTHER_EV, b"other-ev")
    charger.until_choice()
    charger.wait(5.0)
    charger.choose()
    assert charger.state is State.MATCHED


def test_one_ev_with_another_run_id_is_another_match() -> None:
    """A profile names the EV only: it counts for its latest match."""
    charger = Charger().plugged()
    charger.ask(run_id=b"before..")
    charger.begin_sounding(run_id=b"before..")
    charger.ask(run_id=b"after...")
    charger.begin_sounding(run_id=b"after...")
    charger.sound(run_id=b"after...")
    (profile,) = sent(charger.wait(0.05), CmAttenCharInd)
    assert (profile.run_id, profile.num_sounds) == (b"after...", 10)


def test_a_flood_of_requests_is_bounded() -> None:
    charger = Charger().plugged()
    answers = [sent(charger.ask(EV, n.to_bytes(8, "big")), CmSlacParmCnf) for n in range(100)]
    assert len([answer for answer in answers if answer]) == 32
    charger.wait(1.0)
    assert charger.state is State.MATCHING
    charger.until_choice()
    charger.choose()
    assert matched(charger), "after the flood the charger works"


def test_validation_by_the_pilot_is_declined() -> None:
    charger = Charger().plugged()
    assert sent(charger.from_ev(CmValidateReq()), CmValidateCnf) == [CmValidateCnf(0, 0, 3)]


def test_the_number_of_sounds_is_what_the_configuration_says() -> None:
    charger = Charger(EvseOptions(number_of_sounds=4)).plugged()
    (answer,) = sent(charger.ask(), CmSlacParmCnf)
    assert answer.num_sounds == 4
    charger.begin_sounding()
    charger.sound(4)
    (profile,) = sent(charger.wait(0.05), CmAttenCharInd)
    assert profile.num_sounds == 4


@pytest.mark.parametrize(("on_parm", "on_match"), [(True, True), (True, False), (False, True), (False, False)])
def test_the_evs_address_is_published_when_the_configuration_says(on_parm: bool, on_match: bool) -> None:
    options = EvseOptions(publish_mac_on_first_parm_req=on_parm, publish_mac_on_match_cnf=on_match)
    charger = Charger(options).plugged()
    charger.ask()
    assert charger.take(EvMac) == ([EvMac(EV)] if on_parm else [])
    charger.until_choice()
    charger.choose()
    assert charger.take(EvMac) == ([EvMac(EV)] if on_match else [])


def test_a_simulated_failure_gives_the_ev_a_wrong_key() -> None:
    charger = Charger(replace(EvseOptions(), simulate_failed_matching=True)).plugged()
    charger.until_choice()
    (answer,) = sent(charger.choose(), CmSlacMatchCnf)
    assert answer.nmk == bytes(range(1, 17)) and answer.nid == nid(answer.nmk)
