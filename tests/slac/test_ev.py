"""The car's side of the match (ISO 15118-3 A.9): rhythm, retries, choice among chargers, joining."""

from __future__ import annotations

import random
from typing import Any

import pytest

from chargebyte_fw.contracts.types.slac import State as Published
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.machine.ev import EvOptions, EvSlac, State
from chargebyte_fw.modules.slac.machine.events import (
    DlinkReady,
    LinkDown,
    LinkUp,
    Matched,
    MatchingFailed,
    Reset,
    Send,
    StateIs,
    TriggerMatching,
)
from chargebyte_fw.modules.slac.messages import (
    BROADCAST,
    GROUPS,
    MODEM_MAC,
    CmAttenCharInd,
    CmAttenCharRsp,
    CmMnbcSoundInd,
    CmSetKeyCnf,
    CmSetKeyReq,
    CmSlacMatchCnf,
    CmSlacMatchReq,
    CmSlacParmCnf,
    CmSlacParmReq,
    CmStartAttenCharInd,
    Frame,
)
from chargebyte_fw.modules.slac.messages_vendor import VsLinkStatusCnf, VsLinkStatusReq
from tests.slac.stand import EV, EVSE, Stand, nid, sent

FAR_EVSE = bytes.fromhex("0200000000e6")
NMK = b"N" * 16
ONE_MATCH = EvOptions(repetition_s=0.0)


class Car(Stand):
    """The car; chargers and modem are played by the test."""

    machine: EvSlac

    def __init__(self, options: EvOptions | None = None) -> None:
        super().__init__(EvSlac(options, random.Random(5), lambda: b"own network key!"))
        self.feed(LinkUp(EV))

    @property
    def run_id(self) -> bytes:
        return self.machine.run_id

    @property
    def state(self) -> State:
        state: State = self.machine.state  # type: ignore[assignment]
        return state

    def hear(self, message: Mme, evse: bytes = EVSE) -> list[Any]:
        return self.feed(Frame(EV, evse, message))

    def from_modem(self, message: Mme) -> list[Any]:
        return self.feed(Frame(EV, MODEM_MAC, message))

    def triggered(self) -> Car:
        self.feed(TriggerMatching())
        return self

    def answered(self, *evses: bytes) -> Car:
        self.triggered()
        for evse in evses or (EVSE,):
            self.hear(CmSlacParmCnf(forwarding_station=EV, run_id=self.run_id), evse)
        return self

    def profile(self, dB: int, evse: bytes = EVSE, sounds: int = 10) -> list[Any]:
        profile = CmAttenCharInd(
            source_address=EV, run_id=self.run_id, num_sounds=sounds, attenuation_dB=bytes([dB]) * GROUPS
        )
        return self.hear(profile, evse)

    def confirm(self, evse: bytes = EVSE, run_id: bytes = b"") -> list[Any]:
        answer = CmSlacMatchCnf(pev_mac=EV, evse_mac=evse, run_id=run_id or self.run_id, nid=nid(NMK), nmk=NMK)
        return self.hear(answer, evse)

    def joining(self) -> Car:
        self.answered()
        self.wait(0.3)
        self.profile(20)
        self.confirm()
        return self

    def matched(self) -> Car:
        self.joining()
        self.from_modem(CmSetKeyCnf())
        return self


def test_the_request_goes_to_everybody_every_200_ms_with_the_same_run_id() -> None:
    car = Car()
    first = car.feed(TriggerMatching())
    assert first[0] == StateIs(Published.MATCHING)
    requests = sent(first + car.wait(1.0), CmSlacParmReq)
    assert requests == [CmSlacParmReq(run_id=car.run_id)] * 6
    assert {effect.frame.destination for effect in car.take(Send)} == {BROADCAST}


def test_a_car_without_an_answer_gives_up_after_a_hundred_requests() -> None:
    car = Car(ONE_MATCH).triggered()
    car.wait(19.9)
    assert car.take(MatchingFailed) == []
    effects = car.wait(0.2)
    assert [type(effect) for effect in effects] == [MatchingFailed, StateIs]
    assert car.state is State.UNMATCHED


def test_three_announcements_and_ten_sounds_in_a_rhythm_of_20_ms() -> None:
    car = Car().answered()
    car.wait(0.3)
    frames = [effect.frame for effect in car.effects if isinstance(effect, Send)][1:]
    announcements = [frame.message for frame in frames if isinstance(frame.message, CmStartAttenCharInd)]
    sounds = [frame.message for frame in frames if isinstance(frame.message, CmMnbcSoundInd)]
    assert announcements == [CmStartAttenCharInd(0, 0, 10, 6, 1, EV, car.run_id)] * 3
    assert [sound.remaining_sounds for sound in sounds] == list(range(9, -1, -1))
    assert len({sound.random for sound in sounds}) == 10
    assert {frame.destination for frame in frames} == {BROADCAST}
    assert len(frames) == 13


def test_sounds_are_20_ms_apart() -> None:
    car = Car().answered()
    for _ in range(12):
        assert sent(car.wait(0.019), CmMnbcSoundInd) + sent(car.wait(0), CmStartAttenCharInd) == []
        effects = car.wait(0.001)
        assert len([effect for effect in effects if isinstance(effect, Send)]) == 1


def test_the_charger_says_how_many_sounds() -> None:
    car = Car().triggered()
    car.hear(CmSlacParmCnf(num_sounds=4, timeout_100ms=3, run_id=car.run_id))
    car.wait(0.3)
    assert len(sent(car.effects, CmMnbcSoundInd)) == 4
    assert sent(car.effects, CmStartAttenCharInd)[0].timeout_100ms == 3


@pytest.mark.parametrize(
    "wrong",
    [{"run_id": b"foreign."}, {"application_type": 1}, {"security_type": 1}],
    ids=["run id", "application", "security"],
)
def test_an_answer_that_is_not_for_this_match_is_passed_over(wrong: dict[str, Any]) -> None:
    car = Car().triggered()
    car.hear(CmSlacParmCnf(**{"run_id": car.run_id, **wrong}))
    assert car.state is State.ASKING


def test_a_profile_is_confirmed_and_the_match_asked_for() -> None:
    car = Car().answered()
    car.wait(0.3)
    effects = car.profile(20)
    assert sent(effects, CmAttenCharRsp) == [CmAttenCharRsp(source_address=EV, run_id=car.run_id)]
    assert sent(effects, CmSlacMatchReq) == [CmSlacMatchReq(pev_mac=EV, evse_mac=EVSE, run_id=car.run_id)]


def test_a_repeated_profile_is_confirmed_again() -> None:
    car = Car().answered()
    car.wait(0.3)
    car.profile(20)
    effects = car.profile(20)
    assert len(sent(effects, CmAttenCharRsp)) == 1 and sent(effects, CmSlacMatchReq) == []


def test_a_profile_of_another_match_is_passed_over() -> None:
    car = Car().answered()
    car.wait(0.3)
    car.hear(CmAttenCharInd(source_address=EV, run_id=b"foreign.", num_sounds=10))
    car.hear(CmAttenCharInd(source_address=FAR_EVSE, run_id=car.run_id, num_sounds=10))
    assert sent(car.effects, CmAttenCharRsp) == []


def test_among_two_chargers_the_nearer_one_is_chosen() -> None:
    car = Car().answered(FAR_EVSE, EVSE)
    car.wait(0.3)
    assert sent(car.profile(45, FAR_EVSE), CmSlacMatchReq) == [], "the other charger may be nearer"
    (request,) = sent(car.profile(12, EVSE), CmSlacMatchReq)
    assert request.evse_mac == EVSE
    (matched,) = [effect for effect in car.confirm() if isinstance(effect, Matched)]
    assert (matched.evse_mac, matched.attenuation_dB) == (EVSE, 12.0)


def test_a_charger_that_heard_nothing_is_chosen_last() -> None:
    car = Car().answered(FAR_EVSE, EVSE)
    car.wait(0.3)
    car.profile(1, FAR_EVSE, sounds=0)
    (request,) = sent(car.profile(30, EVSE), CmSlacMatchReq)
    assert request.evse_mac == EVSE


def test_a_charger_that_sends_no_profile_holds_the_choice_up_for_tt_ev_atten_results_only() -> None:
    car = Car().answered(FAR_EVSE, EVSE)
    car.wait(0.3)
    car.profile(20)
    assert sent(car.wait(0.89), CmSlacMatchReq) == []
    assert sent(car.wait(0.02), CmSlacMatchReq)[0].evse_mac == EVSE


def test_without_any_profile_the_match_fails_after_tt_ev_atten_results() -> None:
    car = Car(ONE_MATCH).answered()
    car.wait(1.19)
    assert car.state is State.WAIT_FOR_RESULTS
    assert [type(effect) for effect in car.wait(0.02)] == [MatchingFailed, StateIs]


def test_an_unanswered_match_request_is_repeated_twice() -> None:
    car = Car(ONE_MATCH).answered()
    car.wait(0.3)
    car.profile(20)
    assert len(sent(car.wait(0.45), CmSlacMatchReq)) == 2
    assert [type(effect) for effect in car.wait(0.2)] == [MatchingFailed, StateIs]


def test_a_confirmation_of_another_charger_or_match_is_passed_over() -> None:
    car = Car().answered()
    car.wait(0.3)
    car.profile(20)
    assert car.confirm(FAR_EVSE) == [] and car.confirm(run_id=b"foreign.") == []
    assert car.state is State.WAIT_FOR_MATCH


def test_the_chargers_key_goes_to_the_modem_and_its_confirmation_makes_the_match() -> None:
    car = Car().joining()
    (key,) = sent(car.effects, CmSetKeyReq)
    assert (key.new_key, key.nid, key.my_nonce) == (NMK, nid(NMK), 0xAAAAAAAA)
    assert car.from_modem(CmSetKeyCnf()) == [StateIs(Published.MATCHED), DlinkReady(True)]


def test_a_silent_modem_fails_the_match() -> None:
    car = Car(ONE_MATCH).joining()
    assert [type(effect) for effect in car.wait(0.5)] == [MatchingFailed, StateIs]


def test_a_car_may_wait_for_its_link() -> None:
    car = Car(EvOptions(wait_for_link=True)).joining()
    assert len(sent(car.from_modem(CmSetKeyCnf()), VsLinkStatusReq)) == 1
    assert car.from_modem(VsLinkStatusCnf(link_status=0)) == []
    assert len(sent(car.wait(0.25), VsLinkStatusReq)) == 2
    assert car.from_modem(VsLinkStatusCnf(link_status=1)) == [StateIs(Published.MATCHED), DlinkReady(True)]


def test_a_link_that_does_not_come_within_tt_match_join_fails_the_match() -> None:
    car = Car(EvOptions(wait_for_link=True, repetition_s=0.0)).joining()
    car.from_modem(CmSetKeyCnf())
    car.wait(11.9)
    assert car.state is State.WAIT_FOR_LINK
    assert MatchingFailed in [type(effect) for effect in car.wait(0.3)]


def test_a_failed_match_is_repeated_with_another_run_id_for_tt_matching_repetition() -> None:
    car = Car().answered()
    before = car.run_id
    car.wait(1.2)
    assert car.state is State.PAUSING
    requests = sent(car.wait(0.41), CmSlacParmReq)
    assert requests and requests[0].run_id == car.run_id != before
    for _ in range(10):
        car.hear(CmSlacParmCnf(run_id=car.run_id))
        car.wait(1.7)
    assert len(car.take(MatchingFailed)) == 1, "TT_matching_repetition is over"


def test_unplugging_leaves_the_network_with_a_key_of_its_own() -> None:
    car = Car().matched()
    car.effects.clear()
    effects = car.feed(Reset())
    assert effects[0] == DlinkReady(False) and effects[-1] == StateIs(Published.UNMATCHED)
    assert sent(effects, CmSetKeyReq)[0].new_key == b"own network key!"
    car.feed(TriggerMatching())
    assert car.state is State.ASKING


def test_a_trigger_during_a_match_is_not_taken() -> None:
    car = Car().triggered()
    run_id = car.run_id
    car.feed(TriggerMatching())
    assert car.run_id == run_id


def test_a_lost_interface_forgets_the_match() -> None:
    car = Car().matched()
    assert car.feed(LinkDown()) == [DlinkReady(False), StateIs(Published.UNMATCHED)]
    assert car.feed(Reset()) == []
    car.feed(LinkUp(EV))
    assert car.state is State.UNMATCHED
