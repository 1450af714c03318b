"""Questions of a person to the modem of this charger: who are you, is your link up, start again.

They go beside a running stack: a modem answers whoever of its host asks.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.modules.slac import messages_vendor as vendor
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.link import PacketSocket
from chargebyte_fw.modules.slac.messages import MODEM_MAC, Frame, decode, mac_text
from chargebyte_fw.modules.slac.messages_network import FACTORY_NID, ROLES, VsNwInfoCnf, networks_from_content

ANSWER_S = 0.3
TRIES = 3
RETURN_LIMIT_S = 10.0
"""A modem has started again after this long."""
LINK_UP = 1
LUMISSIL_NOTE = (
    "its parameters live in the chip: store_key_change must be off (mse-nmk-store-fixup), or each key wears its flash"
)
FACTORY_NOTE = "it is in the network of the factory's key, which anybody may join: EvseSlac sets a key of its own"
UNCONFIRMED_NOTE = "it answers, but it did not confirm its reset: perhaps it did not start again"
BOOT_NOTE = "it is stuck in its boot loader: secc plc reset --line"


class Modem(msgspec.Struct):
    """What a modem reported of itself."""

    interface: str
    vendor: str
    mac: str
    chip: str = ""
    firmware: str = ""
    driver: str = ""
    link_up: bool | None = None
    networks: list[str] = []
    notes: list[str] = []


class Talk:
    """An open interface. Raises Unavailable, in words, when there is none or no permission."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self.modem = b""
        """The address of the modem that answered first; what others answer from then on does not count."""
        self._answers: asyncio.Queue[Frame | Unavailable] = asyncio.Queue()
        self._port = PacketSocket(interface, self._arrive, self._answers.put_nowait)

    def _arrive(self, data: bytes) -> None:
        try:
            frame = decode(data)
        except PeerError:
            return  # noise on the line is no answer
        if frame.destination == self._port.mac and self.modem in (b"", frame.source):
            self._answers.put_nowait(frame)

    def send(self, question: Mme) -> None:
        """Send a message without waiting for an answer."""
        self._port.send(Frame(MODEM_MAC, self._port.mac, question).encode())

    async def ask(self, questions: list[Mme], answers: tuple[type[Mme], ...], tries: int = TRIES) -> Frame | None:
        """Send all questions and return the first answer of these types; None when none comes."""
        for _ in range(tries):
            for question in questions:
                self.send(question)
            try:
                async with asyncio.timeout(ANSWER_S):
                    while True:
                        answer = await self._answers.get()
                        if isinstance(answer, Unavailable):
                            raise answer
                        if isinstance(answer.message, answers) and self.modem in (b"", answer.source):
                            self.modem = answer.source
                            return answer
            except TimeoutError:
                continue
        return None

    def close(self) -> None:
        """Close the interface."""
        self._port.close()


_WHO = [vendor.VsSwVerReq(), vendor.NscmGetVersionReq()]
_IT_IS = (vendor.VsSwVerCnf, vendor.NscmGetVersionCnf)


async def find(interface: str, tries: int = TRIES) -> Modem:
    """Find out who the modem is; raises Unavailable when none answers."""
    talk = Talk(interface)
    try:
        return await _find(talk, tries)
    finally:
        talk.close()


async def _find(talk: Talk, tries: int = TRIES) -> Modem:
    answer = await talk.ask(_WHO, _IT_IS, tries)
    if answer is None:
        raise Unavailable(f"no modem answers on {talk.interface}: perhaps it is in reset, see secc plc reset --line")
    modem = Modem(talk.interface, "Qualcomm", mac_text(answer.source), driver=_driver(talk.interface))
    reported: Any = answer.message
    if isinstance(reported, vendor.VsSwVerCnf):
        modem.firmware = reported.firmware.decode("latin-1")
        if modem.firmware.startswith("BootLoader"):
            modem.notes.append(BOOT_NOTE)
    else:
        modem.vendor = "Lumissil"
        numbers = (reported.version_major, reported.version_minor, reported.version_patch, reported.version_build)
        modem.firmware = ".".join(map(str, numbers))
    return modem


async def examine(interface: str) -> Modem:
    """Ask for everything that the modem reports; raises Unavailable when none answers."""
    talk = Talk(interface)
    try:
        modem = await _find(talk)
        modem.link_up = await _link(talk)
        if modem.vendor == "Lumissil":
            modem.chip = "MSE102x"
            modem.notes.append(LUMISSIL_NOTE)
            return modem
        answer = await talk.ask([vendor.VsOpAttributesReq()], (vendor.VsOpAttributesCnf,))
        if answer is not None:
            reported: Any = answer.message
            modem.chip = reported.hardware
        answer = await talk.ask([vendor.VsNwInfoReq()], (VsNwInfoCnf,))
        if answer is not None and isinstance(answer.message, VsNwInfoCnf):
            _networks(modem, answer.message.content)
        return modem
    finally:
        talk.close()


def _networks(modem: Modem, content: bytes) -> None:
    try:
        networks = networks_from_content(content)
    except PeerError as error:
        modem.notes.append(str(error))
        return
    for network in networks:
        role = ROLES[network.role] if network.role < len(ROLES) else f"role {network.role}"
        others = ", ".join(mac_text(station.mac) for station in network.stations) or "none"
        modem.networks.append(f"{network.nid.hex().upper()} as {role}, with {others}")
        if network.nid == FACTORY_NID:
            modem.notes.append(FACTORY_NOTE)


async def link_status(interface: str) -> bool:
    """Return whether the modem shares its network with another one; raises Unavailable when none answers."""
    talk = Talk(interface)
    try:
        return await _link(talk)
    finally:
        talk.close()


async def _link(talk: Talk) -> bool:
    questions: list[Mme] = [vendor.VsLinkStatusReq(), vendor.NscmGetDLinkStatusReq()]
    answer = await talk.ask(questions, (vendor.VsLinkStatusCnf, vendor.NscmGetDLinkStatusCnf))
    if answer is None:
        raise Unavailable(f"no modem on {talk.interface} tells its link status")
    reported: Any = answer.message
    return bool(reported.link_status == LINK_UP)


async def restart(interface: str) -> Modem:
    """Restart the modem and wait for it; raises Unavailable when it refuses or does not come back."""
    talk, confirmed = Talk(interface), True
    try:
        modem = await _find(talk)
        if modem.vendor == "Lumissil":
            talk.send(vendor.NscmResetDeviceReq())
        else:
            answer = await talk.ask([vendor.VsRsDevReq()], (vendor.VsRsDevCnf,), tries=1)
            reported: Any = answer.message if answer is not None else None
            confirmed = reported is not None
            if reported is not None and reported.status != 0:
                raise Unavailable(f"the modem refuses its reset (status {reported.status})")
    finally:
        talk.close()
    modem = await wait_for(interface)
    if not confirmed:
        modem.notes.append(UNCONFIRMED_NOTE)
    return modem


async def wait_for(interface: str, limit_s: float = RETURN_LIMIT_S) -> Modem:
    """Wait until a modem answers; raises Unavailable after `limit_s`."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + limit_s
    # What it still answers while it goes down does not count.
    await asyncio.sleep(ANSWER_S)
    while True:
        try:
            return await find(interface, tries=1)
        except Unavailable:
            if loop.time() >= give_up_at:
                raise
        await asyncio.sleep(ANSWER_S)


def _driver(interface: str) -> str:
    """Return the name of the interface's driver in the kernel, as `mse102x` or `qcaspi`."""
    try:
        return Path(f"/sys/class/net/{interface}/device/driver").resolve(strict=True).name
    except OSError:
        return ""
