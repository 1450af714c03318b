"""The adapter of the car's SLAC machine: one Ethernet port towards its modem."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.slac import messages
from chargebyte_fw.modules.slac.machine import events
from chargebyte_fw.modules.slac.machine.ev import EvSlac
from chargebyte_fw.sim.net import Port


class SlacAdapter:
    """Finds the charger at the other end of this cable; calls `matched` when the car joins or leaves its network."""

    def __init__(
        self,
        port: Port,
        matched: Callable[[bool], None],
        log: Callable[[str], None],
        guard: Callable[[BaseException], None],
        chance: random.Random,
    ) -> None:
        self._port = port
        self._matched = matched
        self._log = log
        self._last_sent = ""
        self._pump = Pump(EvSlac(chance=chance, make_nmk=lambda: chance.randbytes(16)), self._act, guard)
        port.receive = self._received
        self._pump.feed(events.LinkUp(port.mac))

    def become(self, mac: bytes) -> None:
        """Be another car's modem: unmatched, with another address."""
        self._pump.feed(events.LinkUp(mac))

    def begin(self) -> None:
        """Plugged in and 5 % seen: begin the match."""
        self._pump.feed(events.TriggerMatching())

    def drop(self) -> None:
        """Unplugged, or the pilot went to E or F: leave the network."""
        self._pump.feed(events.Reset())

    def close(self) -> None:
        """Stop, and leave the port to its owner."""
        self._port.receive = None
        self._pump.close()

    def _received(self, data: bytes) -> None:
        try:
            frame = messages.decode(data)
        except PeerError:
            return  # noise on the line: a modem would not have passed it on
        self._pump.feed(frame)

    def _act(self, effect: Any) -> None:
        match effect:
            case events.Send(frame):
                self._port.send(frame.encode())
                name = type(frame.message).__name__
                if name != self._last_sent:
                    self._log(f"car → {name}")
                self._last_sent = name
            case events.Matched(evse_mac, _, attenuation_dB):
                self._log(f"car: matched with {messages.mac_text(evse_mac)} at {attenuation_dB:.1f} dB")
            case events.DlinkReady(up):
                self._matched(up)
            case events.MatchingFailed(reason):
                self._log(f"car: no match: {reason}")
