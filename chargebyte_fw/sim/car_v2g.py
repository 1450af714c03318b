"""The adapter of the car's V2G machine: SDP and one connection at a time, over whatever network the car is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.sim import car_tls
from chargebyte_fw.sim.net import Line, Net


class V2gAdapter:
    """One session after the other; `received` is called with every effect that is not the network's.

    Calls `sent` with the name of each request, `answered` with that name when the charger begins to answer it.
    """

    def __init__(
        self,
        net: Net,
        received: Callable[[Any], None],
        sent: Callable[[str], None],
        answered: Callable[[str], None],
        guard: Callable[[BaseException], None],
    ) -> None:
        self._net = net
        self._received = received
        self._sent = sent
        self._answered = answered
        self._request = ""
        self._guard = guard
        self._pump: Pump | None = None
        self._line: Line | None = None
        self._settings = evcc.CarSettings()
        self.facts = evcc.CarFacts()
        self.session_id = bytes(8)
        """Of a paused session, for the next one."""
        self.paused: evcc.Paused | None = None
        """All that the paused session leaves."""

    @property
    def active(self) -> bool:
        """Whether a session is being sought or running."""
        return self._pump is not None

    def begin(self, settings: evcc.CarSettings, facts: evcc.CarFacts) -> None:
        """Look for the charger and begin a session; one that still runs is dropped."""
        self.drop()
        self.facts, self._settings = facts, settings
        settings.session_id, settings.paused = self.session_id, self.paused
        facts.wall_offset_s = utc_now().timestamp() - asyncio.get_running_loop().time()
        pump = Pump(evcc.Evcc(settings, facts), self._act, self._guard)
        self._pump = pump
        self._net.open(lambda data: pump.feed(evcc.SdpAnswer(data)))
        pump.feed(evcc.Start())

    def stop(self, *, pause: bool = False) -> None:
        """End or pause the session as the protocol has it."""
        self.facts.stop, self.facts.pause = not pause, pause
        self._changed()

    def renegotiate(self, *, services: bool = False) -> None:
        """Ask for other charge parameters in the running session, or for other services (ISO 15118-20)."""
        if services:
            self.facts.renegotiate_services = True
        else:
            self.facts.renegotiate = True
        self._changed()

    def stand_by(self, wanted: bool) -> None:
        """Ask for standby in the running session, or for power again (ISO 15118-20)."""
        self.facts.standby = wanted
        self._changed()

    def misbehave(self, wanted: tuple[evcc.Misbehaviour, ...]) -> None:
        """Break these rules in the running session."""
        self._settings.misbehaviours = wanted

    def _changed(self) -> None:
        if self._pump is not None:
            self._pump.feed(evcc.FactsChanged())

    def fail(self, reason: str) -> None:
        """End the session at once: something outside the protocol ended it."""
        if self._pump is not None:
            self._pump.feed(evcc.Disconnected(reason))
        self._close()

    def drop(self) -> None:
        """Forget the session without a word: the plug is out."""
        if self._line is not None:
            self._line.abandon()
            self._line = None
        self._close()

    def _close(self) -> None:
        if self._pump is not None:
            self._pump.close()
            self._pump = None
        if self._line is not None:
            self._line.close()
            self._line = None
        self._net.close()

    def _took(self) -> None:
        name, self._request = self._request, ""
        if name:
            self._answered(name)

    def _act(self, effect: Any) -> None:
        match effect:
            case evcc.SendSdp(data):
                self._net.send_sdp(data)
            case evcc.Connect(address, port, tls):
                feed = _Feed(self._pump, self._took)
                if tls:
                    self._line = car_tls.connect(self._net, address, port, feed, self._settings, self._guard)
                else:
                    self._line = self._net.connect(address, port, feed)
            case evcc.Send(data, name):
                if self._line is not None:
                    self._line.send(data)
                self._request = name
                self._sent(name)
            case evcc.Close():
                if self._line is not None:
                    self._line.close()
                    self._line = None
            case evcc.SessionStopped(outcome, _, session_id, paused):
                self.session_id = session_id if outcome == "paused" else bytes(8)
                self.paused = paused
                self._close()
                self._received(effect)
            case Unexpected():
                pass  # a late answer or a wish after the end: it does not matter to the machine
            case _:
                self._received(effect)


class _Feed:
    """Brings the news of one connection to the session it belongs to."""

    def __init__(self, pump: Pump | None, took: Callable[[], None]) -> None:
        self._pump = pump
        self._took = took

    def _feed(self, event: Any) -> None:
        if self._pump is not None:
            self._pump.feed(event)

    def connected(self) -> None:
        self._feed(evcc.Connected())

    def secured(self, security: Security) -> None:
        self._feed(evcc.Connected(security.tls_version))

    def received(self, data: bytes) -> None:
        self._took()
        self._feed(evcc.Received(data))

    def disconnected(self, reason: str) -> None:
        self._feed(evcc.Disconnected(reason))
