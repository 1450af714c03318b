"""A HomePlug Green PHY modem as its own host sees it: takes a key, answers what it is and whether its link is up."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from chargebyte_fw.modules.slac import messages_vendor as vendor
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.keys import nid_from_nmk
from chargebyte_fw.modules.slac.messages import MODEM_MAC, CmSetKeyCnf, CmSetKeyReq, Frame
from chargebyte_fw.modules.slac.messages_network import Network, Station, VsNwInfoCnf, networks_to_content


class Make(Enum):
    """Whose chip is imitated."""

    QUALCOMM = "QCA7000"
    LUMISSIL = "MSE1021"


@dataclass
class Modem:
    """One modem. `host` is learned from what its host sends; a `nmk` of its own keeps it out of other networks."""

    nmk: bytes
    make: Make = Make.QUALCOMM
    mac: bytes = MODEM_MAC
    """Its own address, which it answers to besides the address that every modem has."""
    firmware: str = "MAC-QCA7000-1.2.5.3207-00-20180305-CS"
    powered: bool = True
    """Without power, and while it resets, it receives and sends nothing."""
    link_up: bool = False
    """Whether it shares its network with another modem on the line; set by the line."""
    partners: list[bytes] = field(default_factory=list)
    """Addresses of the modems it shares its network with; set by the line."""
    reset_wanted: bool = False
    host: bytes = b""
    nid: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.nid = nid_from_nmk(self.nmk)

    def is_for_me(self, frame: Frame) -> bool:
        """Whether the host talks to its modem, and not to the line."""
        return frame.destination in (MODEM_MAC, self.mac)

    def answer(self, frame: Frame) -> list[Frame]:
        """Take a frame of the host to its modem and return the answer."""
        answer = self._answer_to(frame.message)
        return [] if answer is None else [self.tell(answer, frame.source)]

    def tell(self, message: Mme, host: bytes = b"") -> Frame:
        """Return a message to the host."""
        return Frame(host or self.host, self.mac, message)

    def _answer_to(self, message: object) -> Mme | None:
        if isinstance(message, CmSetKeyReq):
            self.nmk, self.nid = message.new_key, message.nid
            return CmSetKeyCnf(
                my_nonce=message.my_nonce,
                your_nonce=message.your_nonce,
                pid=message.pid,
                prn=message.prn,
                pmn=message.pmn,
                cco_capability=message.cco_capability,
            )
        return self._qualcomm(message) if self.make is Make.QUALCOMM else self._lumissil(message)

    def _qualcomm(self, message: object) -> Mme | None:
        match message:
            case vendor.VsSwVerReq():
                return vendor.VsSwVerCnf(
                    device_id=_QCA7000, version_length=len(self.firmware), firmware=self.firmware.encode()
                )
            case vendor.VsOpAttributesReq(cookie, report_type):
                return vendor.VsOpAttributesCnf(
                    cookie=cookie,
                    report_type=report_type,
                    hardware=self.make.value,
                    software="MAC",
                    version_major=1,
                    version_minor=2,
                    version_build=3207,
                    build_date="20180305",
                    release_type="CS",
                )
            case vendor.VsNwInfoReq():
                stations = tuple(Station(mac, number + 2) for number, mac in enumerate(self.partners))
                network = Network(self.nid, 1, 1, _COORDINATOR, self.mac, 1, stations)
                return VsNwInfoCnf(content=networks_to_content([network]))
            case vendor.VsLinkStatusReq():
                return vendor.VsLinkStatusCnf(link_status=int(self.link_up))
            case vendor.VsRsDevReq():
                self.reset_wanted = True
                return vendor.VsRsDevCnf()
        return None

    def _lumissil(self, message: object) -> Mme | None:
        match message:
            case vendor.NscmGetVersionReq():
                return vendor.NscmGetVersionCnf(request_id=message.request_id, version_major=1, version_minor=4)
            case vendor.NscmGetDLinkStatusReq():
                return vendor.NscmGetDLinkStatusCnf(request_id=message.request_id, link_status=int(self.link_up))
            case vendor.NscmResetDeviceReq():
                self.reset_wanted = True
        return None


_QCA7000 = 0x22
_COORDINATOR = 2
