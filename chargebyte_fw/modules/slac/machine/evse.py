"""Charger's side of the SLAC match (ISO 15118-3 A.9): several EVs may ask, one is matched, its link is kept.

The session with one EV is in `matching.py`, modem and key are in `modem.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types import slac
from chargebyte_fw.kernel.machine import Unexpected, on
from chargebyte_fw.modules.slac.keys import TEST_NMK, new_nmk, nid_from_nmk
from chargebyte_fw.modules.slac.machine.events import (
    DlinkReady,
    EnterBcd,
    EvMac,
    LeaveBcd,
    Report,
    RequestErrorRoutine,
    Send,
)
from chargebyte_fw.modules.slac.machine.matching import Session, Step, Terms, ignored, wrong_types
from chargebyte_fw.modules.slac.machine.modem import EvseOptions, State, WithModem
from chargebyte_fw.modules.slac.messages import (
    CmAttenCharRsp,
    CmAttenProfileInd,
    CmMnbcSoundInd,
    CmSlacMatchReq,
    CmSlacParmReq,
    CmStartAttenCharInd,
    CmValidateCnf,
    CmValidateReq,
    Frame,
    mac_text,
)
from chargebyte_fw.modules.slac.messages_vendor import LINK_UP, NscmGetDLinkStatusCnf, VsLinkStatusCnf
from chargebyte_fw.modules.slac.timing import LINK_POLL_S

MAXIMUM_SESSIONS = 32
"""EVs that may ask at a time; further ones are ignored."""


class EvseSlac(WithModem):
    """The charger's side of the match. Timers have the standard's symbols where the standard has one."""

    def __init__(self, options: EvseOptions | None = None, make_nmk: Callable[[], bytes] = new_nmk) -> None:
        super().__init__(options, make_nmk)
        self._sessions: dict[tuple[bytes, bytes], Session] = {}
        self._second_try = False
        self._matched: Session | None = None
        self._link_lost = False

    def _idle(self, now: float) -> list[Any]:
        effects: list[Any] = [] if self._unmatched_published else [self._publish(slac.State.UNMATCHED)]
        self._unmatched_published = False
        self.enter(State.IDLE)
        if self._match_when_idle:
            self._match_when_idle = False
            effects += self._begin_matching(now)
        return effects

    @on(State.IDLE, event=EnterBcd, to=State.MATCHING)
    def car_is_there(self, _event: EnterBcd, now: float) -> list[Any]:
        """Begin a match: a car was plugged in."""
        self._bcd = True
        return self._begin_matching(now)

    @on(State.MATCHING, State.WAIT_FOR_LINK, State.FAILED, event=EnterBcd)
    def car_is_there_already(self, _event: EnterBcd, _now: float) -> None:
        """The match goes on."""

    @on(State.MATCHING, State.WAIT_FOR_LINK, State.MATCHED, State.FAILED, event=LeaveBcd, to=State.RESET)
    def car_left(self, _event: LeaveBcd, now: float) -> list[Any]:
        """Unplugged, or E/F of the charger: a match ends here and the next car gets another key."""
        self._bcd = False
        return self._new_network(now)

    def _begin_matching(self, now: float) -> list[Any]:
        self._second_try, self._matched = False, None
        self._await_first_request(now)
        return [self._publish(slac.State.MATCHING)]

    def _await_first_request(self, now: float) -> None:
        self._sessions = {}
        self.stop("session")
        self.start("TT_EVSE_SLAC_init", now + self.options.slac_init_timeout_s)
        self.enter(State.MATCHING)

    @on(State.MATCHING, event=CmSlacParmReq)
    def ev_asks(self, request: CmSlacParmReq, now: float) -> list[Any]:
        """Begin a session with the EV; one that asks again begins again."""
        if wrong := wrong_types(request):
            return [ignored(request, self._sender, wrong)]
        key = (self._sender, request.run_id)
        if key not in self._sessions and len(self._sessions) >= MAXIMUM_SESSIONS:
            return [ignored(request, self._sender, f"{MAXIMUM_SESSIONS} EVs ask already")]
        effects: list[Any] = []
        if key not in self._sessions:
            effects.append(Report(logging.INFO, f"EV {self._sent_by()} asks to match"))
        if not self._sessions and self.options.publish_mac_on_first_parm_req:
            effects.append(EvMac(self._sender))
        self.stop("TT_EVSE_SLAC_init")
        self._sessions.pop(key, None)
        self._sessions[key] = session = Session(*key, self._terms())
        return effects + self._give(session, request, now)

    def _terms(self) -> Terms:
        nmk = TEST_NMK if self.options.simulate_failed_matching else self.nmk
        return Terms(
            mac=self.mac,
            nid=nid_from_nmk(nmk),
            nmk=nmk,
            number_of_sounds=self.options.number_of_sounds,
            attenuation_adjustment_dB=self.options.attenuation_adjustment_dB,
            publish_mac=self.options.publish_mac_on_match_cnf,
        )

    @on(State.MATCHING, event=CmStartAttenCharInd)
    @on(State.MATCHING, event=CmMnbcSoundInd)
    @on(State.MATCHING, event=CmAttenCharRsp)
    def ev_goes_on(self, message: Any, now: float) -> list[Any]:
        """Feed the message to its session."""
        session = self._sessions.get((self._sender, message.run_id))
        if session is None:
            return [self._without_session(message)]
        return self._give(session, message, now)

    @on(State.MATCHING, event=CmSlacMatchReq, to=(State.WAIT_FOR_LINK, State.MATCHED))
    def ev_chooses(self, request: CmSlacMatchReq, now: float) -> list[Any]:
        """Be matched with the EV, once the link is there if that is looked for."""
        session = self._sessions.get((self._sender, request.run_id))
        if session is None:
            return [self._without_session(request)]
        effects = self._give(session, request, now)
        return effects + self._match(session, now) if session.state is Step.MATCH_COMPLETE else effects

    def _without_session(self, message: Any) -> Report:
        return Report(logging.DEBUG, f"{message.title} of {self._sent_by()} belongs to no match")

    @on(State.MATCHING, event=CmAttenProfileInd)
    def modem_measured_a_sound(self, profile: CmAttenProfileInd, now: float) -> list[Any]:
        """Feed the profile to the latest session of its EV: the modem does not know the RunID."""
        for session in reversed(self._sessions.values()):
            if session.ev_mac == profile.pev_mac and session.state is Step.SOUNDING:
                return self._give(session, profile, now)
        return [Report(logging.DEBUG, f"a sound of {mac_text(profile.pev_mac)}, which is not sounding")]

    def _give(self, session: Session, message: Any, now: float) -> list[Any]:
        effects: list[Any] = []
        for effect in session.feed(message, now):
            if isinstance(effect, Unexpected):
                text = f"{message.title} of {mac_text(session.ev_mac)} passed over: {effect.state.value}"
                effect = Report(logging.DEBUG, text)
            effects.append(effect)
        self._wait_for_sessions()
        return effects

    @on(State.MATCHING, timer="TT_EVSE_SLAC_init", to=State.FAILED)
    def no_ev_asks(self, _now: float) -> list[Any]:
        """Ask for the error routine, which wakes the car.

        ISO 15118-3 has 20 to 50 s for TT_EVSE_SLAC_init (EVerest waits twice as long by default). Waiting once more
        is for a car that has begun to ask: it repeats a match that failed.
        """
        return self._failed("no CM_SLAC_PARM.REQ within TT_EVSE_SLAC_init")

    @on(State.MATCHING, timer="session", to=State.FAILED)
    def session_waits_no_longer(self, now: float) -> list[Any]:
        """Let the sessions run their own timers; without one that goes on the match has failed."""
        effects: list[Any] = []
        for session in tuple(self._sessions.values()):
            effects += session.wake(now)
        if any(session.state is not Step.FAILED for session in self._sessions.values()):
            self._wait_for_sessions()
            return effects
        reasons = {session.reason for session in self._sessions.values()}
        return effects + self._fail("; ".join(sorted(reasons)), now)

    def _wait_for_sessions(self) -> None:
        """Wait for the earliest of the sessions' timers."""
        deadlines = [session.deadline for session in self._sessions.values() if session.deadline is not None]
        if deadlines:
            self.start("session", min(deadlines))
        else:
            self.stop("session")

    def _fail(self, reason: str, now: float) -> list[Any]:
        if self.options.reset_instead_of_fail and not self._second_try:
            self._second_try = True
            self._await_first_request(now)
            return [Report(logging.INFO, f"no match ({reason}), waiting for another try")]
        return self._failed(reason)

    def _failed(self, reason: str) -> list[Any]:
        effects: list[Any] = [Report(logging.WARNING, f"matching failed: {reason}")]
        if self.options.ac_mode_five_percent:
            effects.append(RequestErrorRoutine())
        return self.enter(State.FAILED, *effects)

    def _match(self, session: Session, now: float) -> list[Any]:
        self._matched = session
        if not self.options.link_status_detection:
            return self._link_is_there(now)
        self.start("link limit", now + self.options.link_status_timeout_s)
        return self._look_for_link(now)

    def _look_for_link(self, now: float) -> list[Any]:
        self.start("link status", now + self.options.link_status_retry_s)
        return self.enter(State.WAIT_FOR_LINK, *self._ask_link_status())

    @on(State.WAIT_FOR_LINK, timer="link status")
    def link_takes_time(self, now: float) -> list[Any]:
        """Ask again while there is time."""
        return self._look_for_link(now)

    @on(State.WAIT_FOR_LINK, timer="link limit", to=State.FAILED)
    def link_does_not_come(self, _now: float) -> list[Any]:
        """Give this match up."""
        return self._failed(f"no link within {self.options.link_status_timeout_s:g} s")

    @on(State.WAIT_FOR_LINK, event=VsLinkStatusCnf, to=State.MATCHED)
    @on(State.WAIT_FOR_LINK, event=NscmGetDLinkStatusCnf, to=State.MATCHED)
    def link_comes(self, answer: VsLinkStatusCnf | NscmGetDLinkStatusCnf, now: float) -> list[Any]:
        """Be matched when it is up."""
        return self._link_is_there(now) if answer.link_status == LINK_UP else []

    def _link_is_there(self, now: float) -> list[Any]:
        self._link_lost = False
        if self.options.link_status_detection:
            self.start("link poll", now + LINK_POLL_S)
        return self.enter(State.MATCHED, self._publish(slac.State.MATCHED), DlinkReady(True))

    @on(State.MATCHED, timer="link poll")
    def look_at_the_link(self, now: float) -> list[Any]:
        """Ask whether it is still up."""
        self.start("link poll", now + LINK_POLL_S)
        return self._ask_link_status()

    @on(State.MATCHED, event=VsLinkStatusCnf)
    @on(State.MATCHED, event=NscmGetDLinkStatusCnf)
    def link_status(self, answer: VsLinkStatusCnf | NscmGetDLinkStatusCnf, _now: float) -> list[Any]:
        """Ask for the error routine once when the link is lost: the charging logic decides when it can be done."""
        lost, before = answer.link_status != LINK_UP, self._link_lost
        self._link_lost = lost
        if lost is before:
            return []
        if not lost:
            return [Report(logging.INFO, "powerline link is up again")]
        return [Report(logging.WARNING, "powerline link lost"), RequestErrorRoutine()]

    @on(State.MATCHED, event=EnterBcd)
    def car_is_still_there(self, _event: EnterBcd, _now: float) -> list[Any]:
        """Charging begins anew with the same car: without a link only the error routine leads to one."""
        return [RequestErrorRoutine()] if self._link_lost else []

    @on(State.WAIT_FOR_LINK, State.MATCHED, event=CmSlacMatchReq)
    def ev_missed_the_confirmation(self, request: CmSlacMatchReq, now: float) -> list[Any]:
        """Repeat the answer for the matched EV only."""
        session = self._matched
        if session is None or (self._sender, request.run_id) != (session.ev_mac, session.run_id):
            return [Report(logging.DEBUG, f"{request.title} of {self._sent_by()} comes too late")]
        return session.feed(request, now)

    @on(State.MATCHING, State.WAIT_FOR_LINK, State.MATCHED, event=CmValidateReq)
    def ev_wants_to_validate(self, _request: CmValidateReq, _now: float) -> list[Any]:
        """Decline: this charger does not count toggles of the pilot, which the standard leaves open to it."""
        return [Send(Frame(self._sender, self.mac, CmValidateCnf()))]
