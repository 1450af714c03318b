"""EV side of the SLAC match (ISO 15118-3 A.9): ask, sound, choose the nearest charger, match, join its network.

The owner keeps one `EvSlac`, best in a `Pump`:

    events    LinkUp(mac)        once, with the address of the car's interface
              TriggerMatching()  when plugged in with 5 % duty; again after MatchingFailed
              Reset()            on unplugging, and on state E or F of the pilot
              Frame              each received frame (`messages.decode`)
    effects   Send(frame)        `frame.encode()` goes to the car's modem
              StateIs(state)     UNMATCHED, MATCHING, MATCHED
              Matched(...)       the charger chosen (before the link is up)
              DlinkReady(up)     the network is joined (with `wait_for_link`: the modem reports the link)
              MatchingFailed     given up; StateIs(UNMATCHED) comes with it
              Report(level, text) for the log
              Unexpected(...)    what has no row in the present state: harmless
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types import slac
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.keys import new_nmk, nid_from_nmk
from chargebyte_fw.modules.slac.machine.events import (
    DlinkReady,
    LinkDown,
    LinkUp,
    Matched,
    MatchingFailed,
    Report,
    Reset,
    Send,
    StateIs,
    TriggerMatching,
)
from chargebyte_fw.modules.slac.messages import (
    BROADCAST,
    GROUP_BIT,
    MODEM_MAC,
    MVF_LENGTH_CNF,
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
    mac_text,
)
from chargebyte_fw.modules.slac.messages_vendor import LINK_UP, VsLinkStatusCnf, VsLinkStatusReq
from chargebyte_fw.modules.slac.timing import (
    C_EV_MATCH_MNBC,
    C_EV_MATCH_RETRY,
    C_EV_START_ATTEN_CHAR_INDS,
    EV_PARM_TRIES,
    TP_EV_BATCH_MSG_INTERVAL_S,
    TT_EV_ATTEN_RESULTS_S,
    TT_MATCH_JOIN_S,
    TT_MATCH_RESPONSE_S,
    TT_MATCHING_RATE_S,
    TT_MATCHING_REPETITION_S,
)

NONCE = 0xAAAAAAAA


class State(Enum):
    """States of the car in the match."""

    OFF = "off"
    UNMATCHED = "unmatched"
    ASKING = "asking"
    SOUNDING = "sounding"
    WAIT_FOR_RESULTS = "wait for attenuation results"
    WAIT_FOR_MATCH = "wait for match"
    JOINING = "joining"
    WAIT_FOR_LINK = "wait for link"
    MATCHED = "matched"
    PAUSING = "pausing before another try"


_ONLINE = tuple(state for state in State if state is not State.OFF)
_GIVEN_UP = (State.PAUSING, State.UNMATCHED)
"""Where a match that failed leads: to another try, or to none."""


class EvOptions(msgspec.Struct, frozen=True):
    """Options that differ between cars."""

    set_key_timeout_s: float = 0.5
    wait_for_link: bool = False
    """Report the link only when the modem reports it (TT_match_join at most)."""
    link_status_retry_s: float = 0.1
    parm_tries: int = EV_PARM_TRIES
    repetition_s: float = TT_MATCHING_REPETITION_S
    """How long failed matches are repeated; 0: never."""


class EvSlac(Machine):
    """The car's side of the match. Timers have the standard's symbols where the standard has one."""

    initial = State.OFF

    def __init__(
        self,
        options: EvOptions | None = None,
        chance: random.Random | None = None,
        make_nmk: Callable[[], bytes] = new_nmk,
    ) -> None:
        super().__init__()
        self.options = options or EvOptions()
        self.mac = bytes(6)
        self.run_id = bytes(8)
        self._chance = chance or random.SystemRandom()
        self._make_nmk = make_nmk
        self._sender = bytes(6)
        self._repeat_until_s = 0.0
        self._results_until_s = 0.0
        self._join_until_s = 0.0
        self._tries = 0
        self._parameters = CmSlacParmCnf()
        self._unsent: list[Mme] = []
        self._chargers: dict[bytes, CmAttenCharInd | None] = {}
        self._chosen = bytes(6)
        self._network: CmSlacMatchCnf | None = None

    @on(event=Frame)
    def frame_arrives(self, frame: Frame, now: float) -> list[Any]:
        """Feed the message as the event and keep its sender; frames of our own, or for other stations, are dropped."""
        if frame.source == self.mac or not (frame.destination == self.mac or frame.destination[0] & GROUP_BIT):
            return []
        self._sender = frame.source
        return self.feed(frame.message, now)

    @on(event=LinkUp, to=State.UNMATCHED)
    def link_up(self, event: LinkUp, _now: float) -> list[Any]:
        """Begin, unmatched."""
        self.mac = event.mac
        return self.enter(State.UNMATCHED, *self._leave(), StateIs(slac.State.UNMATCHED))

    @on(event=LinkDown, to=State.OFF)
    def link_down(self, _event: LinkDown, _now: float) -> list[Any]:
        """Drop the match."""
        return self.enter(State.OFF, *self._leave(), StateIs(slac.State.UNMATCHED))

    @on(State.OFF, event=Reset)
    def nothing_to_reset(self, _event: Reset, _now: float) -> None:
        """Ignore it: without an interface there is no modem."""

    @on(*_ONLINE, event=Reset, to=State.UNMATCHED)
    def reset(self, _event: Reset, _now: float) -> list[Any]:
        """Leave the network: the modem gets a new key."""
        effects = self._leave()
        if self._network is not None:
            self._network = None
            effects.append(self._set_key(nmk := self._make_nmk(), nid_from_nmk(nmk)))
        return self.enter(State.UNMATCHED, *effects, StateIs(slac.State.UNMATCHED))

    def _leave(self) -> list[Any]:
        return [DlinkReady(False)] if self.state is State.MATCHED else []

    @on(State.UNMATCHED, event=TriggerMatching, to=State.ASKING)
    def trigger(self, _event: TriggerMatching, now: float) -> list[Any]:
        """Begin the match."""
        self._repeat_until_s = now + self.options.repetition_s
        return [StateIs(slac.State.MATCHING), *self._begin(now)]

    def _begin(self, now: float) -> list[Any]:
        self.run_id = self._chance.randbytes(8)
        self._chargers, self._tries = {}, 0
        return self._ask(now)

    def _ask(self, now: float) -> list[Any]:
        self._tries += 1
        self.start("TT_match_response", now + TT_MATCH_RESPONSE_S)
        return self.enter(State.ASKING, self._broadcast(CmSlacParmReq(run_id=self.run_id)))

    @on(State.ASKING, timer="TT_match_response", to=_GIVEN_UP)
    def parm_is_not_answered(self, now: float) -> list[Any]:
        """Ask again, a hundred times at most."""
        if self._tries >= self.options.parm_tries:
            return self._fail(f"no CM_SLAC_PARM.CNF to {self._tries} requests", now)
        return self._ask(now)

    @on(State.ASKING, event=CmSlacParmCnf, to=State.SOUNDING)
    def charger_answers(self, answer: CmSlacParmCnf, now: float) -> list[Any]:
        """Take the parameters of the first charger that answers, and begin to sound."""
        if not self._notes_charger(answer):
            return []
        self._parameters = answer
        self._unsent = [*self._announcements(), *self._sounds()]
        self._results_until_s = now + TT_EV_ATTEN_RESULTS_S
        return self._send_next(now)

    @on(State.SOUNDING, event=CmSlacParmCnf)
    def another_charger_answers(self, answer: CmSlacParmCnf, _now: float) -> None:
        """Note the charger, whose result is waited for as well."""
        self._notes_charger(answer)

    def _notes_charger(self, answer: CmSlacParmCnf) -> bool:
        if answer.run_id != self.run_id or answer.application_type or answer.security_type:
            return False
        self._chargers.setdefault(self._sender, None)
        return True

    def _announcements(self) -> list[Mme]:
        answer = self._parameters
        announcement = CmStartAttenCharInd(
            num_sounds=answer.num_sounds or C_EV_MATCH_MNBC,
            timeout_100ms=answer.timeout_100ms,
            response_type=answer.response_type,
            forwarding_station=self.mac,
            run_id=self.run_id,
        )
        return [announcement] * C_EV_START_ATTEN_CHAR_INDS

    def _sounds(self) -> list[Mme]:
        count = self._parameters.num_sounds or C_EV_MATCH_MNBC
        return [
            CmMnbcSoundInd(remaining_sounds=left, run_id=self.run_id, random=self._chance.randbytes(16))
            for left in reversed(range(count))
        ]

    @on(State.SOUNDING, timer="TP_EV_batch_msg_interval", to=(State.WAIT_FOR_RESULTS, State.WAIT_FOR_MATCH))
    def next_sound(self, now: float) -> list[Any]:
        """Send the next announcement or sound (TP_EV_batch_msg_interval)."""
        return self._send_next(now)

    def _send_next(self, now: float) -> list[Any]:
        sound = self._broadcast(self._unsent.pop(0))
        if self._unsent:
            self.start("TP_EV_batch_msg_interval", now + TP_EV_BATCH_MSG_INTERVAL_S)
            return self.enter(State.SOUNDING, sound)
        return [sound, *self._look_at_results(now)]

    @on(State.ASKING, State.SOUNDING, State.WAIT_FOR_MATCH, event=CmAttenCharInd)
    def result_arrives(self, result: CmAttenCharInd, _now: float) -> list[Any]:
        """Confirm a profile of ours (also one that is repeated) and keep it."""
        return self._keep(result)

    @on(State.WAIT_FOR_RESULTS, event=CmAttenCharInd, to=State.WAIT_FOR_MATCH)
    def awaited_result_arrives(self, result: CmAttenCharInd, now: float) -> list[Any]:
        """Confirm and keep it; with the last of them choose."""
        effects = self._keep(result)
        return effects + self._look_at_results(now) if effects else []

    def _keep(self, result: CmAttenCharInd) -> list[Any]:
        if result.run_id != self.run_id or result.source_address != self.mac or not result.attenuation_dB:
            return []
        confirmation = CmAttenCharRsp(source_address=self.mac, run_id=self.run_id)
        self._chargers[self._sender] = result
        return [self._to(self._sender, confirmation)]

    @on(State.WAIT_FOR_RESULTS, timer="TT_EV_atten_results", to=(State.WAIT_FOR_MATCH, *_GIVEN_UP))
    def results_are_over(self, now: float) -> list[Any]:
        """Choose among those who answered."""
        return self._choose(now)

    def _look_at_results(self, now: float) -> list[Any]:
        if self._chargers and all(result is not None for result in self._chargers.values()):
            return self._choose(now)
        self.start("TT_EV_atten_results", self._results_until_s)
        return self.enter(State.WAIT_FOR_RESULTS)

    def _choose(self, now: float) -> list[Any]:
        """Take the charger with the lowest attenuation (ISO 15118-3 A.9.2); one that measured no sound comes last."""
        results = {mac: result for mac, result in self._chargers.items() if result is not None}
        if not results:
            return self._fail("no CM_ATTEN_CHAR.IND within TT_EV_atten_results", now)
        self._chosen = min(results, key=lambda mac: (results[mac].num_sounds == 0, average_dB(results[mac])))
        self._tries = 0
        profiles = ", ".join(f"{mac_text(mac)} {average_dB(result):.1f} dB" for mac, result in results.items())
        return [Report(logging.DEBUG, f"chargers heard: {profiles}"), *self._ask_to_match(now)]

    def _ask_to_match(self, now: float) -> list[Any]:
        self._tries += 1
        request = CmSlacMatchReq(pev_mac=self.mac, evse_mac=self._chosen, run_id=self.run_id)
        self.start("TT_match_response", now + TT_MATCH_RESPONSE_S)
        return self.enter(State.WAIT_FOR_MATCH, self._to(self._chosen, request))

    @on(State.WAIT_FOR_MATCH, timer="TT_match_response", to=_GIVEN_UP)
    def match_is_not_answered(self, now: float) -> list[Any]:
        """Ask again, C_EV_match_retry times."""
        if self._tries > C_EV_MATCH_RETRY:
            return self._fail(f"no CM_SLAC_MATCH.CNF to {self._tries} requests", now)
        return self._ask_to_match(now)

    @on(State.WAIT_FOR_MATCH, event=CmSlacMatchCnf, to=State.JOINING)
    def match_is_confirmed(self, answer: CmSlacMatchCnf, now: float) -> list[Any]:
        """Take the charger's key."""
        if self._sender != self._chosen or answer.run_id != self.run_id:
            return []
        if answer.pev_mac != self.mac or answer.evse_mac != self._chosen or answer.mvf_length != MVF_LENGTH_CNF:
            return [Report(logging.WARNING, f"{answer.title} of {mac_text(self._sender)} is for another match")]
        self._network = answer
        self._join_until_s = now + TT_MATCH_JOIN_S
        result = self._chargers[self._chosen]
        distance_dB = average_dB(result) if result is not None else 0.0
        self.start("set key", now + self.options.set_key_timeout_s)
        key = self._set_key(answer.nmk, answer.nid)
        return self.enter(State.JOINING, Matched(self._chosen, answer.nid, distance_dB), key)

    @on(State.JOINING, timer="set key", to=_GIVEN_UP)
    def modem_is_silent(self, now: float) -> list[Any]:
        """Without the key there is no network."""
        return self._fail("the modem does not confirm the key", now)

    @on(State.JOINING, event=CmSetKeyCnf, to=(State.MATCHED, State.WAIT_FOR_LINK, *_GIVEN_UP))
    def key_is_set(self, answer: CmSetKeyCnf, now: float) -> list[Any]:
        """Be matched, or wait for the link. Chips confirm with 1 or with 0, by the HomePlug version they follow."""
        if answer.result > 1:
            return self._fail(f"the modem refuses the key (result {answer.result})", now)
        if self.options.wait_for_link:
            self.start("TT_match_join", self._join_until_s)
            return self._ask_for_link(now)
        return self.enter(State.MATCHED, StateIs(slac.State.MATCHED), DlinkReady(True))

    def _ask_for_link(self, now: float) -> list[Any]:
        self.start("link status", now + self.options.link_status_retry_s)
        return self.enter(State.WAIT_FOR_LINK, self._to(MODEM_MAC, VsLinkStatusReq()))

    @on(State.WAIT_FOR_LINK, timer="link status")
    def link_takes_time(self, now: float) -> list[Any]:
        """Ask again until TT_match_join is over."""
        return self._ask_for_link(now)

    @on(State.WAIT_FOR_LINK, timer="TT_match_join", to=_GIVEN_UP)
    def link_does_not_come(self, now: float) -> list[Any]:
        """Give this match up."""
        return self._fail("no link within TT_match_join", now)

    @on(State.WAIT_FOR_LINK, event=VsLinkStatusCnf, to=State.MATCHED)
    def link_status(self, answer: VsLinkStatusCnf, _now: float) -> list[Any]:
        """Be matched when it is up."""
        if answer.link_status != LINK_UP:
            return []
        return self.enter(State.MATCHED, StateIs(slac.State.MATCHED), DlinkReady(True))

    def _fail(self, reason: str, now: float) -> list[Any]:
        """Pause and try anew while TT_matching_repetition lasts, else give up."""
        if now + TT_MATCHING_RATE_S < self._repeat_until_s:
            self.start("TT_matching_rate", now + TT_MATCHING_RATE_S)
            return self.enter(State.PAUSING, Report(logging.INFO, f"no match ({reason}), trying again"))
        return self.enter(State.UNMATCHED, MatchingFailed(reason), StateIs(slac.State.UNMATCHED))

    @on(State.PAUSING, timer="TT_matching_rate", to=State.ASKING)
    def try_again(self, now: float) -> list[Any]:
        """Begin anew with another RunID."""
        return self._begin(now)

    def _set_key(self, nmk: bytes, nid: bytes) -> Send:
        return self._to(MODEM_MAC, CmSetKeyReq(my_nonce=NONCE, nid=nid, new_key=nmk))

    def _broadcast(self, message: Mme) -> Send:
        return self._to(BROADCAST, message)

    def _to(self, destination: bytes, message: Mme) -> Send:
        return Send(Frame(destination, self.mac, message))


def average_dB(result: CmAttenCharInd) -> float:
    """Return the attenuation of a profile averaged over its groups, in dB."""
    return sum(result.attenuation_dB) / max(1, len(result.attenuation_dB))
