"""The charger and its own modem, before and between matches: find out the vendor, set a new key, reset the chip."""

from __future__ import annotations

import logging
from abc import abstractmethod
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
    EnterBcd,
    KeyRefused,
    LeaveBcd,
    LinkDown,
    LinkUp,
    ModemAnswers,
    Report,
    Reset,
    Send,
    StateIs,
)
from chargebyte_fw.modules.slac.machine.own_modem import OwnModem
from chargebyte_fw.modules.slac.messages import (
    GROUP_BIT,
    MODEM_MAC,
    CmSetKeyCnf,
    CmSetKeyReq,
    Frame,
    mac_text,
)
from chargebyte_fw.modules.slac.messages_vendor import (
    NscmGetDLinkStatusReq,
    NscmGetVersionCnf,
    NscmGetVersionReq,
    NscmResetDeviceReq,
    VsLinkStatusReq,
    VsOpAttributesCnf,
    VsOpAttributesReq,
    VsRsDevCnf,
    VsRsDevReq,
)
from chargebyte_fw.modules.slac.timing import C_EV_MATCH_MNBC, MODEM_PROBE_S, TT_EVSE_SLAC_INIT_S

KEY_RESULT_1 = 1
KEY_TRIES = 3
"""So often a key is set to a chip whose result may be a refusal or a confirmation."""
RESET_TRIES = 3
"""So often the chip is reset before the charger goes on without."""


class State(Enum):
    """States of the charger."""

    OFF = "no interface"
    INIT = "init"
    RESET = "reset"
    RESET_CHIP = "reset chip"
    IDLE = "idle"
    MATCHING = "matching"
    WAIT_FOR_LINK = "wait for link"
    MATCHED = "matched"
    FAILED = "failed"


_ONLINE = tuple(state for state in State if state is not State.OFF)
_BEFORE_IDLE = (State.OFF, State.INIT, State.RESET, State.RESET_CHIP)
_AFTER_RESET = (State.IDLE, State.MATCHING)
"""Where `_idle` leads: to a match at once when a car has come meanwhile."""


class Vendor(Enum):
    """Whose modem it is."""

    UNKNOWN = "unknown"
    QUALCOMM = "Qualcomm"
    LUMISSIL = "Lumissil"


class EvseOptions(msgspec.Struct, frozen=True):
    """Configuration with EVerest's defaults; times in seconds."""

    number_of_sounds: int = C_EV_MATCH_MNBC
    ac_mode_five_percent: bool = True
    set_key_timeout_s: float = 1.0
    attenuation_adjustment_dB: int = 0
    publish_mac_on_match_cnf: bool = True
    publish_mac_on_first_parm_req: bool = False
    do_chip_reset: bool = False
    chip_reset_delay_s: float = 0.1
    chip_reset_timeout_s: float = 0.5
    link_status_detection: bool = False
    link_status_retry_s: float = 0.1
    link_status_timeout_s: float = 10.0
    simulate_failed_matching: bool = False
    reset_instead_of_fail: bool = True
    slac_init_timeout_s: float = TT_EVSE_SLAC_INIT_S
    regenerate_key_on_reset: bool = True


class WithModem(Machine):
    """Interface, modem and key; what comes after `_idle` is in `evse.py`."""

    initial = State.OFF

    def __init__(self, options: EvseOptions | None = None, make_nmk: Callable[[], bytes] = new_nmk) -> None:
        super().__init__()
        self.options = options or EvseOptions()
        self.vendor = Vendor.UNKNOWN
        self.mac = bytes(6)
        self.nmk = b""
        self.nid = bytes(7)
        self._make_nmk = make_nmk
        self._sender = bytes(6)
        self._published: slac.State | None = None
        self._bcd = False
        """Whether the pilot is in B, C or D."""
        self._match_when_idle = False
        self._unmatched_published = False
        self._silent_modem = False
        self._key_refusals = 0
        """How often the modem refused the present key."""
        self._refuses_keys = False
        """Reported: the modem refuses its keys."""
        self._confirms_with_0 = False
        """This Qualcomm chip answers 0 to every key."""
        self._failed_resets = 0
        """How often the chip's reset failed since the last that did not."""
        self.modem = OwnModem()

    @abstractmethod
    def _idle(self, now: float) -> list[Any]:
        """Have a key and wait for a car."""

    @on(event=Frame)
    def frame_arrives(self, frame: Frame, now: float) -> list[Any]:
        """Feed the message as the event and keep its sender; frames of our own, or for other stations, are dropped."""
        if frame.source == self.mac or not (frame.destination == self.mac or frame.destination[0] & GROUP_BIT):
            return []
        # Of Lumissil's chips no capture is known that shows where their profiles come from.
        if doubt := self.modem.doubt(frame, profiles_from_anybody=self.vendor is Vendor.LUMISSIL):
            return [doubt]
        self._sender = frame.source
        return self.feed(frame.message, now)

    @on(event=LinkUp, to=State.INIT)
    def link_up(self, event: LinkUp, now: float) -> list[Any]:
        """Ask the modem who it is."""
        self.mac, self.vendor, self._silent_modem = event.mac, Vendor.UNKNOWN, False
        self.modem, self._failed_resets, self._confirms_with_0 = OwnModem(), 0, False
        self.start("Qualcomm probe", now + MODEM_PROBE_S)
        return self.enter(State.INIT, *self._leave(), self._to_modem(VsOpAttributesReq()))

    @on(event=LinkDown, to=State.OFF)
    def link_down(self, _event: LinkDown, _now: float) -> list[Any]:
        """Drop the match; it begins anew when the interface is back, if the car is still there."""
        effects = self._leave()
        if self._published not in (None, slac.State.UNMATCHED):
            effects.append(self._publish(slac.State.UNMATCHED))
        self._match_when_idle = self._bcd
        return self.enter(State.OFF, *effects)

    @on(*_ONLINE, event=VsOpAttributesCnf, to=State.RESET)
    def is_qualcomm(self, answer: VsOpAttributesCnf, now: float) -> list[Any]:
        """A Qualcomm chip."""
        firmware = f"{answer.hardware}, firmware {answer.version_major}.{answer.version_minor}"
        if answer.status != 0:
            firmware = f"chip that keeps its attributes to itself (status {answer.status})"
        return self._know(Vendor.QUALCOMM, firmware, now)

    @on(*_ONLINE, event=NscmGetVersionCnf, to=State.RESET)
    def is_lumissil(self, answer: NscmGetVersionCnf, now: float) -> list[Any]:
        """A Lumissil chip."""
        firmware = f"firmware {answer.version_major}.{answer.version_minor}.{answer.version_patch}"
        return self._know(Vendor.LUMISSIL, firmware, now)

    def _know(self, vendor: Vendor, firmware: str, now: float) -> list[Any]:
        """Take the vendor from the first answer; a modem that was still booting may answer after INIT."""
        if self.vendor is not Vendor.UNKNOWN:
            return []
        self.vendor = vendor
        effects: list[Any] = [Report(logging.INFO, f"modem: {vendor.value} {firmware}")]
        return effects + self._new_network(now) if self.state is State.INIT else effects

    @on(State.INIT, timer="Qualcomm probe")
    def is_not_qualcomm(self, now: float) -> list[Any]:
        """Try the other vendor."""
        self.start("Lumissil probe", now + MODEM_PROBE_S)
        return [self._to_modem(NscmGetVersionReq())]

    @on(State.INIT, timer="Lumissil probe", to=State.RESET)
    def vendor_is_not_known(self, now: float) -> list[Any]:
        """Go on regardless: every chip takes a key."""
        return [Report(logging.DEBUG, "the modem does not tell its vendor"), *self._new_network(now)]

    @on(State.OFF, event=Reset)
    def nothing_to_reset(self, _event: Reset, _now: float) -> None:
        """The interface's return begins with a new key anyway."""

    @on(State.INIT, event=Reset)
    def resets_anyway(self, _event: Reset, _now: float) -> None:
        """The first key is about to be set."""

    @on(
        State.RESET,
        State.RESET_CHIP,
        State.IDLE,
        State.MATCHING,
        State.WAIT_FOR_LINK,
        State.MATCHED,
        State.FAILED,
        event=Reset,
        to=State.RESET,
    )
    def reset(self, _event: Reset, now: float) -> list[Any]:
        """Leave the network and begin anew."""
        return self._new_network(now)

    def _new_network(self, now: float) -> list[Any]:
        """Leave the network for one with a new key."""
        effects = self._leave()
        if self._published not in (None, slac.State.UNMATCHED):
            self._unmatched_published = True
            effects.append(self._publish(slac.State.UNMATCHED))
        if self.options.regenerate_key_on_reset or not self.nmk:
            self.nmk = self._make_nmk()
            self.nid = nid_from_nmk(self.nmk)
        self._key_refusals = 0
        return [*effects, *self._set_key(now)]

    def _set_key(self, now: float) -> list[Any]:
        self.stop("key again")
        self.start("set key", now + self.options.set_key_timeout_s)
        return self.enter(State.RESET, self._to_modem(CmSetKeyReq(nid=self.nid, new_key=self.nmk)))

    @on(State.RESET, timer="key again")
    def key_is_set_again(self, now: float) -> list[Any]:
        """Set the key that was refused once more."""
        return self._set_key(now)

    @on(State.RESET, timer="set key")
    def key_is_not_confirmed(self, now: float) -> list[Any]:
        """Log it once and keep trying: a modem that is still booting answers later."""
        effects: list[Any] = []
        if not self._silent_modem:
            self._silent_modem = True
            effects.append(ModemAnswers(False))
        self.modem.forget()
        if self.vendor is Vendor.UNKNOWN:
            effects += [self._to_modem(VsOpAttributesReq()), self._to_modem(NscmGetVersionReq())]
        return effects + self._set_key(now)

    @on(State.RESET, event=CmSetKeyCnf, to=(State.RESET_CHIP, *_AFTER_RESET))
    def key_is_set(self, answer: CmSetKeyCnf, now: float) -> list[Any]:
        """Take the result as the chip means it; a key that was refused is set again."""
        effects: list[Any] = []
        if self._silent_modem:
            self._silent_modem = False
            effects.append(ModemAnswers(True))
        if self._refused(answer.result):
            self._key_refusals += 1
            if not self._refuses_keys:
                self._refuses_keys = True
                effects.append(KeyRefused(answer.result))
            if answer.result > KEY_RESULT_1 or self._key_refusals < KEY_TRIES:
                # A QCA7005 refuses a key that comes right after a match, and takes it a moment later.
                self.stop("set key")
                self.start("key again", now + self.options.set_key_timeout_s)
                return effects
            text = f"the modem answers result {answer.result} to every key: taken as its way of confirming"
            effects.append(Report(logging.WARNING, text))
            self._confirms_with_0 = True
        if self._refuses_keys:
            self._refuses_keys = False
            effects.append(KeyRefused(None))
        if self.options.do_chip_reset:
            self.start("chip reset delay", now + self.options.chip_reset_delay_s)
            return effects + self.enter(State.RESET_CHIP)
        return effects + self._idle(now)

    def _refused(self, result: int) -> bool:
        """Whether a result of CM_SET_KEY.CNF is a refusal.

        HomePlug AV 1.0, which Qualcomm's chips follow, has 1 for success and 0 for failure; HomePlug AV 1.1 and Green
        PHY have it the other way round. Of a chip of another vendor both may be its success.
        """
        with_1 = self.vendor is Vendor.QUALCOMM and not self._confirms_with_0
        return result > KEY_RESULT_1 or (with_1 and result != KEY_RESULT_1)

    @on(State.RESET_CHIP, timer="chip reset delay", to=_AFTER_RESET)
    def chip_reset_is_due(self, now: float) -> list[Any]:
        """Reset the chip with its vendor's MME; only Qualcomm's answers."""
        if self.vendor is Vendor.LUMISSIL:
            return [self._to_modem(NscmResetDeviceReq()), *self._idle(now)]
        if self.vendor is Vendor.UNKNOWN:
            return [Report(logging.WARNING, "no chip reset: the modem's vendor is not known"), *self._idle(now)]
        self.start("chip reset", now + self.options.chip_reset_timeout_s)
        return [self._to_modem(VsRsDevReq())]

    @on(State.RESET_CHIP, timer="chip reset", to=(State.RESET, *_AFTER_RESET))
    def chip_reset_is_not_confirmed(self, now: float) -> list[Any]:
        """Try again from the key on."""
        return self._reset_failed("the modem does not confirm its reset", now)

    @on(State.RESET_CHIP, event=VsRsDevCnf, to=(State.RESET, *_AFTER_RESET))
    def chip_resets(self, answer: VsRsDevCnf, now: float) -> list[Any]:
        """Go on where the chip resets; where it refuses, as where it is silent."""
        if answer.status != 0:
            return self._reset_failed(f"the modem refuses its reset (status {answer.status})", now)
        effects: list[Any] = []
        if self._failed_resets:
            effects.append(Report(logging.INFO, "the modem resets again"))
        self._failed_resets = 0
        return effects + self._idle(now)

    def _reset_failed(self, why: str, now: float) -> list[Any]:
        """Set the key and reset again; after some tries go on without: logged when it begins, and when it ends."""
        self._failed_resets += 1
        effects: list[Any] = []
        if self._failed_resets == 1:
            effects.append(Report(logging.ERROR, f"{why}, setting the key again"))
        if self._failed_resets < RESET_TRIES:
            return effects + self._new_network(now)
        if self._failed_resets == RESET_TRIES:
            effects.append(Report(logging.WARNING, f"{why} in {RESET_TRIES} tries: on without it"))
        return effects + self._idle(now)

    @on(*_BEFORE_IDLE, event=EnterBcd)
    def car_came_early(self, _event: EnterBcd, _now: float) -> None:
        """Without a key there is no match yet; it begins when the charger is idle."""
        self._bcd = self._match_when_idle = True

    @on(*_BEFORE_IDLE, State.IDLE, event=LeaveBcd)
    def car_left_early(self, _event: LeaveBcd, _now: float) -> None:
        """No match, then."""
        self._bcd = self._match_when_idle = False

    def _leave(self) -> list[Any]:
        """Return the effects of leaving the present state for good."""
        return [DlinkReady(False)] if self.state is State.MATCHED else []

    def _publish(self, state: slac.State) -> StateIs:
        self._published = state
        return StateIs(state)

    def _to_modem(self, message: Mme) -> Send:
        self.modem.asked(message)
        return Send(Frame(MODEM_MAC, self.mac, message))

    def _ask_link_status(self) -> list[Any]:
        """Ask with the vendor's MME, with both while the vendor is unknown."""
        asks: list[Any] = []
        if self.vendor is not Vendor.LUMISSIL:
            asks.append(self._to_modem(VsLinkStatusReq()))
        if self.vendor is not Vendor.QUALCOMM:
            asks.append(self._to_modem(NscmGetDLinkStatusReq()))
        return asks

    def _sent_by(self) -> str:
        return mac_text(self._sender)
