"""Who our own modem is: what it alone may send to this host, and when it is believed."""

from __future__ import annotations

import logging

from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.machine.events import Ignored, Report
from chargebyte_fw.modules.slac.messages import MODEM_MAC, CmAttenProfileInd, CmSetKeyCnf, CmSetKeyReq, Frame, mac_text
from chargebyte_fw.modules.slac.messages_vendor import (
    NscmGetDLinkStatusCnf,
    NscmGetDLinkStatusReq,
    NscmGetVersionCnf,
    NscmGetVersionReq,
    VsLinkStatusCnf,
    VsLinkStatusReq,
    VsOpAttributesCnf,
    VsOpAttributesReq,
    VsRsDevCnf,
    VsRsDevReq,
)

ANSWERS: dict[type[Mme], type[Mme]] = {
    CmSetKeyReq: CmSetKeyCnf,
    VsOpAttributesReq: VsOpAttributesCnf,
    VsRsDevReq: VsRsDevCnf,
    VsLinkStatusReq: VsLinkStatusCnf,
    NscmGetVersionReq: NscmGetVersionCnf,
    NscmGetDLinkStatusReq: NscmGetDLinkStatusCnf,
}
"""What the modem answers to what it is asked."""
FROM_MODEM = (*ANSWERS.values(), CmAttenProfileInd)
"""Messages that only our own modem has reason to send to this host."""


class OwnModem:
    """The address of our modem, and the answers that it owes us.

    Whoever is on the power line can send frames to this host: a confirmed key, a lost link, or a profile of sounds
    that were not measured. Our modem's address is that of the first answer to a question of ours, and only what answers
    a question is taken. Questions go to the address that every modem has for its own host; they do not reach the line.
    """

    def __init__(self, mac: bytes | None = None) -> None:
        self.mac = mac
        """None: not known yet."""
        self._owed: set[type[Mme]] = set()

    def asked(self, question: Mme) -> None:
        """Note a question; one without an answer is none."""
        if answer := ANSWERS.get(type(question)):
            self._owed.add(answer)

    def forget(self) -> None:
        """Learn the address anew: another modem may have been put in its place."""
        self.mac = None

    def doubt(self, frame: Frame, *, profiles_from_anybody: bool = False) -> Ignored | Report | None:
        """Return the line about a message that is our modem's and does not come from it; None: take it."""
        message = frame.message
        if not isinstance(message, FROM_MODEM):
            return None
        profile = isinstance(message, CmAttenProfileInd)
        # Qualcomm's chips send profiles from their own address or from that of every local modem.
        may_measure = profile and (profiles_from_anybody or frame.source == MODEM_MAC)
        if self.mac is not None and frame.source != self.mac and not may_measure:
            return Ignored(f"ignored {message.title} of {mac_text(frame.source)}: our modem is {mac_text(self.mac)}")
        if profile:
            return None
        if type(message) not in self._owed:
            return Report(logging.DEBUG, f"{message.title} of {mac_text(frame.source)} answers no question")
        self._owed.discard(type(message))
        self.mac = frame.source
        return None
