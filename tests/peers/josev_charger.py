"""Our car at Josev's charger (PyPI `iso15118`): `python -m tests.peers.josev_charger --python VENV/bin/python`.

Prints one line for each protocol, `passed` or why not; exit status 1 then. The car has the standard's time-outs; where
Josev's slow codec does not keep one of them, it gets another session with longer ones, and the line has both.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.evcc import CarFacts, CarSettings, Evcc, Step
from chargebyte_fw.sim.net import Line
from chargebyte_fw.sim.net_sockets import SocketNet
from tests.netns import Namespace, joined
from tests.peers.josev import CAR_END, Failed, TooSlow, attempt, start

START_LIMIT_S = 60.0
SESSION_LIMIT_S = 120.0
CHARGING_S = 2.0
TIMEOUTS = (" in time", "took too long", "no session within")
"""What the car's reason has in it when one of its time-outs ended the session."""

CASES = {
    "DIN 70121 DC": CarSettings(protocols=("DIN70121",)),
    "ISO 15118-2 DC": CarSettings(protocols=("ISO15118D2",)),
    "ISO 15118-2 AC": CarSettings(
        protocols=("ISO15118D2",), energy_transfer_mode="AC_three_phase_core", max_current_A=16.0
    ),
    "ISO 15118-20 DC": CarSettings(protocols=("ISO15118D20",)),
    "ISO 15118-20 AC": CarSettings(
        protocols=("ISO15118D20",), energy_transfer_mode="AC_three_phase_core", max_current_A=16.0
    ),
}


class Driver:
    """The car's machine on real sockets: charges for a moment and stops."""

    def __init__(self, settings: CarSettings) -> None:
        # Josev's simulated charger shows 1 V whatever is asked of it, so the car measures for itself.
        self.facts = CarFacts(
            battery_voltage_V=350.0, inlet_voltage_V=350.0, target_voltage_V=355.0, target_current_A=10.0
        )
        self.facts.wall_offset_s = time.time() - asyncio.get_running_loop().time()
        self.ended: asyncio.Future[evcc.SessionStopped] = asyncio.get_running_loop().create_future()
        self.net = SocketNet(CAR_END)
        self.line: Line | None = None
        self.pump = Pump(Evcc(settings, self.facts), self._act, self._broken)

    async def drive(self) -> evcc.SessionStopped:
        """Run the session; returns how it ended."""
        self.net.open(lambda data: self.pump.feed(evcc.SdpAnswer(data)))
        self.pump.feed(evcc.Start())
        try:
            async with asyncio.timeout(SESSION_LIMIT_S):
                return await self.ended
        finally:
            self.pump.close()
            self.net.close()

    def connected(self) -> None:
        self.pump.feed(evcc.Connected())

    def received(self, data: bytes) -> None:
        self.pump.feed(evcc.Received(data))

    def disconnected(self, reason: str) -> None:
        self.pump.feed(evcc.Disconnected(reason))

    def _broken(self, error: BaseException) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)

    def _enough(self) -> None:
        self.facts.stop = True
        self.pump.feed(evcc.FactsChanged())

    def _act(self, effect: Any) -> None:
        match effect:
            case evcc.SendSdp(data):
                self.net.send_sdp(data)
            case evcc.Connect(address, port):
                self.line = self.net.connect(address, port, self)
            case evcc.Send(data) if self.line is not None:
                self.line.send(data)
            case evcc.Close() if self.line is not None:
                self.line.close()
            case evcc.Report(step=Step.CHARGING):
                asyncio.get_running_loop().call_later(CHARGING_S, self._enough)
            case evcc.SessionStopped() if not self.ended.done():
                self.ended.set_result(effect)


def session(name: str, settings: CarSettings, python: str, logs: Path, factor: float) -> None:
    """Run one session with `factor` times the car's time-outs; raises Failed."""
    settings.timeout_factor = factor
    with joined("eth1", CAR_END) as (charger, car):
        josev = start(
            charger,
            "josev",
            [python, "-m", "iso15118.secc.main"],
            NETWORK_INTERFACE="eth1",
            SECC_ENFORCE_TLS="False",
            AUTH_MODES="EIM",
            LOG_LEVEL="INFO",
        )
        try:
            josev.until(lambda line: "UDP server started" in line, START_LIMIT_S, "open link")
            stopped = _drive_in(car, settings)
        finally:
            charger.end_processes()
            (logs / f"{name.replace(' ', '-')}.josev-charger.log").write_text("\n".join(josev.lines) + "\n")
    if stopped.outcome != "terminated":
        if any(late in stopped.reason for late in TIMEOUTS):
            raise TooSlow(stopped.reason)
        raise Failed(f"the car's session {stopped.outcome}: {stopped.reason}")
    loops = ("ChargingStatusReq received", "CurrentDemandReq received", "ChargeLoopReq received")
    if sum(any(loop in line for loop in loops) for line in josev.lines) < 2:
        raise Failed("the charger heard of no charge loop")


def _drive_in(car: Namespace, settings: CarSettings) -> evcc.SessionStopped:
    async def main() -> evcc.SessionStopped:
        return await Driver(settings).drive()

    with car.entered():
        return asyncio.run(main())


def main() -> int:
    """Run the sessions one after the other and say how each went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="an interpreter with iso15118 in its environment")
    parser.add_argument("--logs", type=Path, default=None, help="where the logs go (default: thrown away)")
    parser.add_argument("--only", default="", help="run only cases whose name contains this")
    arguments = parser.parse_args()
    status = 0
    with tempfile.TemporaryDirectory() as thrown_away:
        logs: Path = arguments.logs or Path(thrown_away)
        logs.mkdir(parents=True, exist_ok=True)
        for name, settings in CASES.items():
            if arguments.only not in name:
                continue
            run = functools.partial(session, name, settings, arguments.python, logs)
            status |= not attempt(f"Josev's charger, {name}", run)
    return status


if __name__ == "__main__":
    sys.exit(main())
