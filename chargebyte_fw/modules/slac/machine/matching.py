"""The charger's session with one EV (ISO 15118-3 A.9): parameters, sounding, attenuation profile, match.

`EvseSlac` in `evse.py` owns one `Session` for each EV and RunID and gives it the messages of that EV.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.machine.events import EvMac, Ignored, Report, Send
from chargebyte_fw.modules.slac.messages import (
    GROUPS,
    MVF_LENGTH_REQ,
    SENT_TO_GP_STATION,
    CmAttenCharInd,
    CmAttenCharRsp,
    CmAttenProfileInd,
    CmMnbcSoundInd,
    CmSlacMatchCnf,
    CmSlacMatchReq,
    CmSlacParmCnf,
    CmSlacParmReq,
    CmStartAttenCharInd,
    Frame,
    mac_text,
)
from chargebyte_fw.modules.slac.timing import (
    C_EV_MATCH_MNBC,
    C_EV_MATCH_RETRY,
    FINALIZE_SOUNDING_S,
    TT_EVSE_MATCH_MNBC_S,
    TT_EVSE_MATCH_SESSION_S,
    TT_MATCH_RESPONSE_S,
    TT_MATCH_SEQUENCE_S,
    UNIT_100MS_S,
)

NOTHING_MEASURED_DB = 1
"""Value of every group of the profile when the modem measured no sound."""
_NO_ID = bytes(17)


class Step(Enum):
    """States of a session: what the charger waits for."""

    NEW = "new"
    WAIT_FOR_START_ATTEN_CHAR = "wait for CM_START_ATTEN_CHAR.IND"
    SOUNDING = "sounding"
    FINALIZE_SOUNDING = "finalize sounding"
    WAIT_FOR_ATTEN_CHAR_RSP = "wait for CM_ATTEN_CHAR.RSP"
    WAIT_FOR_SLAC_MATCH = "wait for CM_SLAC_MATCH.REQ"
    MATCH_COMPLETE = "match complete"
    FAILED = "failed"


class Terms(msgspec.Struct, frozen=True):
    """What the charger brings into every session."""

    mac: bytes
    nid: bytes
    nmk: bytes
    number_of_sounds: int = C_EV_MATCH_MNBC
    attenuation_adjustment_dB: int = 0
    publish_mac: bool = True
    """Publish the EV's address with CM_SLAC_MATCH.CNF."""


class Session(Machine):
    """One EV's match, from its CM_SLAC_PARM.REQ on. Timers have the standard's symbols where the standard has one."""

    initial = Step.NEW

    def __init__(self, ev_mac: bytes, run_id: bytes, terms: Terms) -> None:
        super().__init__()
        self.ev_mac = ev_mac
        self.run_id = run_id
        self.reason = ""
        """Why it failed."""
        self.sounds_received = 0
        self._terms = terms
        self._sums_dB = [0] * GROUPS
        self._captured = 0
        self._tries = 0
        self._answer: CmSlacMatchCnf | None = None

    @on(Step.NEW, event=CmSlacParmReq, to=Step.WAIT_FOR_START_ATTEN_CHAR)
    def asks_for_parameters(self, _request: CmSlacParmReq, now: float) -> list[Any]:
        """Answer with the sounding parameters."""
        answer = CmSlacParmCnf(
            num_sounds=self._terms.number_of_sounds,
            timeout_100ms=round(TT_EVSE_MATCH_MNBC_S / UNIT_100MS_S),
            forwarding_station=self.ev_mac,
            run_id=self.run_id,
        )
        self.start("TT_match_sequence", now + TT_MATCH_SEQUENCE_S)
        return self.enter(Step.WAIT_FOR_START_ATTEN_CHAR, self._send(answer))

    @on(Step.WAIT_FOR_START_ATTEN_CHAR, timer="TT_match_sequence", to=Step.FAILED)
    def does_not_begin(self, _now: float) -> list[Any]:
        """TT_match_sequence is over."""
        return self._fail("no CM_START_ATTEN_CHAR.IND within TT_match_sequence")

    @on(Step.WAIT_FOR_START_ATTEN_CHAR, event=CmStartAttenCharInd, to=Step.SOUNDING)
    def begins_to_sound(self, begin: CmStartAttenCharInd, now: float) -> list[Any]:
        """Listen for TT_EVSE_match_MNBC."""
        if wrong := wrong_types(begin) or first_of(
            (begin.num_sounds == 0, "no sounds"),
            (begin.timeout_100ms == 0, "no time to listen"),
            (begin.response_type != SENT_TO_GP_STATION, f"response type {begin.response_type}"),
        ):
            return self._ignore(begin, wrong)
        self.start("TT_EVSE_match_MNBC", now + TT_EVSE_MATCH_MNBC_S)
        return self.enter(Step.SOUNDING)

    @on(
        Step.SOUNDING,
        Step.FINALIZE_SOUNDING,
        Step.WAIT_FOR_ATTEN_CHAR_RSP,
        Step.WAIT_FOR_SLAC_MATCH,
        event=CmStartAttenCharInd,
    )
    def announces_sounding_again(self, _begin: CmStartAttenCharInd, _now: float) -> None:
        """Ignore it: an EV sends it C_EV_start_atten_char_inds times."""

    @on(Step.SOUNDING, event=CmMnbcSoundInd)
    def sounds(self, sound: CmMnbcSoundInd, _now: float) -> list[Any]:
        """Count the sound; the profile is made of what the modem measures (CM_ATTEN_PROFILE.IND)."""
        if wrong := wrong_types(sound):
            return self._ignore(sound, wrong)
        self.sounds_received += 1
        return []

    @on(Step.SOUNDING, event=CmAttenProfileInd, to=Step.FINALIZE_SOUNDING)
    def modem_measured(self, profile: CmAttenProfileInd, now: float) -> list[Any]:
        """Add up the profiles, group by group, until all sounds are there."""
        if profile.num_groups != GROUPS:
            return self._ignore(profile, f"{profile.num_groups} groups instead of {GROUPS}")
        self._sums_dB = [a + b for a, b in zip(self._sums_dB, profile.attenuation_dB)]
        self._captured += 1
        return self._finalize(now) if self._captured >= self._terms.number_of_sounds else []

    @on(Step.SOUNDING, timer="TT_EVSE_match_MNBC", to=Step.FINALIZE_SOUNDING)
    def sounds_are_over(self, now: float) -> list[Any]:
        """Go on with what was captured."""
        return self._finalize(now)

    def _finalize(self, now: float) -> list[Any]:
        self.start("finalize sounding", now + FINALIZE_SOUNDING_S)
        return self.enter(Step.FINALIZE_SOUNDING)

    @on(Step.FINALIZE_SOUNDING, timer="finalize sounding", to=Step.WAIT_FOR_ATTEN_CHAR_RSP)
    def profile_is_ready(self, now: float) -> list[Any]:
        """Send the EV its attenuation profile."""
        report = Report(logging.DEBUG, f"{mac_text(self.ev_mac)}: {self._captured} sounds measured")
        return [report, *self._send_profile(now)]

    def _send_profile(self, now: float) -> list[Any]:
        self._tries += 1
        profile = CmAttenCharInd(
            source_address=self.ev_mac,
            run_id=self.run_id,
            num_sounds=self._captured,
            attenuation_dB=self.profile_dB(),
        )
        self.start("TT_match_response", now + TT_MATCH_RESPONSE_S)
        return self.enter(Step.WAIT_FOR_ATTEN_CHAR_RSP, self._send(profile))

    def profile_dB(self) -> bytes:
        """Return the averages by group with the configured adjustment, each limited to an octet."""
        if not self._captured:
            return bytes([NOTHING_MEASURED_DB]) * GROUPS
        adjustment_dB = self._terms.attenuation_adjustment_dB
        return bytes(min(max(total // self._captured + adjustment_dB, 0), 255) for total in self._sums_dB)

    @on(Step.WAIT_FOR_ATTEN_CHAR_RSP, timer="TT_match_response", to=Step.FAILED)
    def profile_is_not_confirmed(self, now: float) -> list[Any]:
        """Send it again, C_EV_match_retry times."""
        if self._tries > C_EV_MATCH_RETRY:
            return self._fail(f"no CM_ATTEN_CHAR.RSP to {self._tries} profiles")
        return self._send_profile(now)

    @on(Step.WAIT_FOR_ATTEN_CHAR_RSP, event=CmAttenCharRsp, to=Step.WAIT_FOR_SLAC_MATCH)
    def confirms_profile(self, answer: CmAttenCharRsp, now: float) -> list[Any]:
        """Wait for its choice."""
        if wrong := wrong_types(answer) or first_of(
            (answer.source_address != self.ev_mac, f"source address {mac_text(answer.source_address)}"),
            (answer.source_id != _NO_ID, "a source id"),
            (answer.response_id != _NO_ID, "a response id"),
            (answer.result != 0, f"result {answer.result}"),
        ):
            return self._ignore(answer, wrong)
        self.start("TT_EVSE_match_session", now + TT_EVSE_MATCH_SESSION_S)
        return self.enter(Step.WAIT_FOR_SLAC_MATCH)

    @on(Step.WAIT_FOR_SLAC_MATCH, event=CmAttenCharRsp)
    def confirms_profile_again(self, _answer: CmAttenCharRsp, _now: float) -> None:
        """It got the repeated profile, too."""

    @on(Step.WAIT_FOR_SLAC_MATCH, timer="TT_EVSE_match_session", to=Step.FAILED)
    def does_not_choose_us(self, _now: float) -> list[Any]:
        """TT_EVSE_match_session is over: the EV stands at another charger."""
        return self._fail("no CM_SLAC_MATCH.REQ within TT_EVSE_match_session")

    @on(Step.WAIT_FOR_SLAC_MATCH, event=CmSlacMatchReq, to=Step.MATCH_COMPLETE)
    def chooses_us(self, request: CmSlacMatchReq, _now: float) -> list[Any]:
        """Give it the key."""
        if wrong := self._wrong_match(request):
            return self._ignore(request, wrong)
        self._answer = CmSlacMatchCnf(
            pev_id=request.pev_id,
            pev_mac=self.ev_mac,
            evse_id=request.evse_id,
            evse_mac=self._terms.mac,
            run_id=self.run_id,
            nid=self._terms.nid,
            nmk=self._terms.nmk,
        )
        effects: list[Any] = [EvMac(self.ev_mac)] if self._terms.publish_mac else []
        average_dB = sum(self.profile_dB()) / GROUPS
        text = (
            f"EV {mac_text(self.ev_mac)} chose this charger ({self._captured} sounds, {average_dB:.1f} dB on average)"
        )
        effects += [Report(logging.INFO, text), self._send(self._answer)]
        return self.enter(Step.MATCH_COMPLETE, *effects)

    @on(Step.MATCH_COMPLETE, event=CmSlacMatchReq)
    def chooses_us_again(self, request: CmSlacMatchReq, _now: float) -> list[Any]:
        """It missed the confirmation: the same one again."""
        if wrong := self._wrong_match(request):
            return self._ignore(request, wrong)
        assert self._answer is not None
        return [self._send(self._answer)]

    def _wrong_match(self, request: CmSlacMatchReq) -> str:
        return wrong_types(request) or first_of(
            (request.mvf_length != MVF_LENGTH_REQ, f"MVF length {request.mvf_length:#x}"),
            (request.pev_id != _NO_ID, "a PEV id"),
            (request.pev_mac != self.ev_mac, f"PEV MAC {mac_text(request.pev_mac)}"),
            (request.evse_id != _NO_ID, "an EVSE id"),
            (request.evse_mac != self._terms.mac, f"EVSE MAC {mac_text(request.evse_mac)}"),
        )

    def _fail(self, reason: str) -> list[Any]:
        self.reason = reason
        return self.enter(Step.FAILED, Report(logging.INFO, f"EV {mac_text(self.ev_mac)}: {reason}"))

    def _ignore(self, message: Mme, wrong: str) -> list[Any]:
        return [ignored(message, self.ev_mac, wrong)]

    def _send(self, message: Mme) -> Send:
        return Send(Frame(self.ev_mac, self._terms.mac, message))


def ignored(message: Mme, sender: bytes, wrong: str) -> Ignored:
    """Word the line about a message that the EV got wrong."""
    return Ignored(f"ignored {message.title} of {mac_text(sender)}: {wrong} [ISO 15118-3 A.9]")


def wrong_types(message: Any) -> str:
    """Return what is wrong with application and security type: only PEV-EVSE matching without security is defined."""
    return first_of(
        (message.application_type != 0, f"application type {message.application_type}"),
        (message.security_type != 0, f"security type {message.security_type}"),
    )


def first_of(*findings: tuple[bool, str]) -> str:
    """Return the text of the first finding that is true, or nothing."""
    return next((text for found, text in findings if found), "")
