"""Runs the demo from the first process to the summary: what is received, what is drawn, when it is over."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import re
import shutil
import signal
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from chargebyte_fw.cli.demo_keys import Keyboard
from chargebyte_fw.cli.demo_listen import Listener
from chargebyte_fw.cli.demo_stage import Stage, Wanted
from chargebyte_fw.cli.demo_state import SOC_MARGIN_PERCENT, DemoState, steps_of
from chargebyte_fw.cli.demo_view import screen, summary
from chargebyte_fw.cli.table import cut, fold, is_plain, size
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.paths import root_at
from chargebyte_fw.manager.control import ask
from chargebyte_fw.sim.car_commands import WORDS
from chargebyte_fw.sim.script import commands

REFRESH_S = 0.125
PLAIN_NUMBERS_S = 5.0
STALL_S = 90.0
"""Real seconds without any progress after which a demo has failed."""
PICTURE_AT = 0.6
EVSE = "connector"
"""The EVSE in the shipped configurations."""
USUAL_W = 11_000.0
"""What the grid gives when it wants nothing back."""
PICTURE_COLUMNS = 104
_DAY = re.compile(r"^\d{4}-\d\d-\d\dT")
_LOG_LINES = 3
"""A line of a log takes at most so many of the screen."""
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Show:
    """One demo. `finish` ends it; `failure` is why it is not a success."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.state = DemoState(arguments.protocol, arguments.target_soc_percent, steps_of(arguments.protocol))
        self.size = size()
        self.console = Console(width=self.size.columns, height=self.size.lines)
        self.plain = arguments.plain or is_plain()
        self.keyboard = Keyboard(self._entered, self._draw, self._no_input)
        self._live: Live | None = None
        self.over = asyncio.Event()
        self.interrupted = False
        self.broken = False
        self.pictured = False
        self._began_s = time.monotonic()
        self._moved_s = self._began_s
        self._numbers_s = self._began_s
        self._last_faults: list[str] = []
        self._ended = ""
        """The process that ended by itself."""
        wanted = Wanted(
            arguments.protocol,
            arguments.battery_kWh,
            arguments.soc_percent,
            arguments.target_soc_percent,
            arguments.speed,
            arguments.broker,
            arguments.script,
            arguments.power_supply,
            arguments.root,
            arguments.tls,
            arguments.pnc,
            arguments.control_mode or ("Dynamic" if arguments.protocol.endswith("bpt") else ""),
            arguments.ocpp,
        )
        self.state.ocpp = arguments.ocpp
        self.stage = Stage(wanted, self.car_reports, self.ended, self.csms_reports)
        self.listener = Listener(self.charger_publishes)

    async def run(self) -> int:
        """Run to the end; returns the exit status."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self.interrupt)
        try:
            await self._play()
            await self._keep_trace()
        except Unavailable as error:
            self.fail(str(error))
        finally:
            self.keyboard.stop()
            self.listener.stop()
            await self.stage.stop()
        return self._conclude()

    async def _play(self) -> None:
        starting = asyncio.ensure_future(self.stage.start())
        waiting = asyncio.ensure_future(self.over.wait())
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if self.over.is_set():
            self.stage.give_up()
        await starting
        if self.over.is_set():
            return
        self.listener.start()
        if self.arguments.keep_running:
            self._take_commands()
        live: AbstractContextManager[Any] = (
            nullcontext() if self.plain else Live(console=self.console, auto_refresh=False, transient=True)
        )
        with live as self._live:
            while not self.over.is_set():
                self._tick()
                self._draw()
                try:
                    async with asyncio.timeout(REFRESH_S):
                        await self.over.wait()
                except TimeoutError:
                    continue
        self._live = None
        waiting.cancel()

    def _draw(self) -> None:
        if self._live is None:
            return
        if (now := size()) != self.size:
            self.size = now
            self.console.size = ConsoleDimensions(*now)
        self.state.typed = self.keyboard.line
        # The last line of a terminal stays free: the cursor goes there.
        self._live.update(screen(self.state, now._replace(lines=now.lines - 1)), refresh=True)

    async def _keep_trace(self) -> None:
        """Ask the charger for its trace and put it where it is wanted."""
        if self.arguments.trace is None:
            return
        answer = await asyncio.to_thread(ask, root_at(self.stage.root), {"do": "save trace", "why": "demo"})
        if "error" in answer:
            raise Unavailable(f"no trace: {answer['error']}")
        try:
            shutil.copyfile(answer["file"], self.arguments.trace)
        except OSError as error:
            raise Unavailable(f"no trace: {error.filename}: {error.strerror}") from error

    def _tick(self) -> None:
        self._take_time()
        if self.plain and "plugged in" in self.state.done and time.monotonic() - self._numbers_s > PLAIN_NUMBERS_S:
            self._numbers_s = time.monotonic()
            self._show(
                f"{self.state.voltage_V:.1f} V  {self.state.current_A:.1f} A  {self.state.energy_Wh:.1f} Wh  "
                f"{self.state.soc_percent:.1f} %"
            )
        if self.arguments.screenshot and not self.pictured and self.state.progress >= PICTURE_AT:
            self._take_picture(self.arguments.screenshot)
        if not self.arguments.keep_running and time.monotonic() - self._moved_s > STALL_S:
            at = f"; the script of the car is at: {self.state.command}" if self.state.command else ""
            self.fail(f"nothing has moved for {STALL_S:g} s at '{self.state.current_step}'{at}")

    def _take_time(self) -> None:
        self.state.now_s = (time.monotonic() - self._began_s) * self.arguments.speed

    def _take_picture(self, path: Path) -> None:
        self.pictured = True
        recorder = Console(record=True, width=PICTURE_COLUMNS, file=io.StringIO(), force_terminal=True)
        recorder.print(screen(self.state))
        # Fonts are the viewer's: a picture that fetches one from somewhere shows nothing without a network.
        path.write_text(FONT_FACE.sub("", recorder.export_svg(title="script/demo")), "utf-8")

    def _show(self, text: str) -> None:
        if self.plain:
            self.console.print(f"{self.state.now_s:7.2f}  {text}", markup=False, highlight=False, soft_wrap=True)

    # -- what is received

    def car_reports(self, report: dict[str, Any]) -> None:
        """Take one report of the car's process; those that come while the demo is being ended are dropped."""
        if self.over.is_set():
            return
        self._take_time()
        if "step" in report and report["step"] == "plugged in" and self.arguments.keep_running:
            self.state.next_session()
        before = (len(self.state.done), self.state.soc_percent)
        self.state.from_car(report)
        if (len(self.state.done), self.state.soc_percent) != before:
            self._moved_s = time.monotonic()
        if report.get("step") == "plugged in" and not before[0]:
            self.state.started_s = self.state.now_s
        if len(self.state.done) > before[0]:
            self._show(f"✓ {report['step']}")
        if "failure" in report:
            self._show(f"✗ {report['failure']}")
        if "discharge_W" in report:
            self._order(float(report["discharge_W"]))
        if "error" in report:
            self._show(f"✗ {report['error']}")
            self.state.log(str(report["error"]))
        if report.get("script") == "ended":
            self._script_ended()

    def csms_reports(self, report: dict[str, Any]) -> None:
        """Take one report of the CSMS; the car leaves when its transaction has ended there."""
        if self.over.is_set():
            return
        self._take_time()
        self._moved_s = time.monotonic()
        self._show(self.state.from_csms(report))
        if "ended" in report and self.arguments.script is None and not self.arguments.keep_running:
            self.stage.command_car("stop")

    def _order(self, discharge_W: float) -> None:
        """Order energy back from the car, as an energy management does by the MQTT API; 0: no more."""
        self._show(f"grid: {discharge_W / 1000:g} kW wanted from the car" if discharge_W else "grid: nothing wanted")
        limit_W = -discharge_W if discharge_W else USUAL_W
        self.listener.publish(f"everest_api/{EVSE}/cmd/set_limit_watts", f"{limit_W:g}")

    def _script_ended(self) -> None:
        if "plugged in" in self.state.done:
            self.state.finished = "unplugged" in self.state.done or not self.arguments.keep_running
            if not self.arguments.keep_running:
                self.over.set()
        elif not self.arguments.keep_running:
            self.fail("the script is at its end, and the car was never plugged in")

    def charger_publishes(self, topic: str, payload: str) -> None:
        """Take one message of the charger's MQTT API."""
        self._take_time()
        before = self.state.charger_state
        self.state.from_charger(topic, payload)
        if self.state.charger_state != before:
            self._show(f"charger: {self.state.charger_state}")
        if self.state.faults != self._last_faults:
            self._last_faults = list(self.state.faults)
            self._show("faults: " + (", ".join(self.state.faults) or "none"))

    def ended(self, name: str, code: int) -> None:
        """A process ended by itself: the demo is over."""
        self._ended = name
        self.fail(f"the {name} ended with status {code}")

    def fail(self, reason: str) -> None:
        """End the demo as a failure."""
        self.broken = True
        self.state.failure = self.state.failure or reason
        self.over.set()

    def interrupt(self) -> None:
        """End the demo because the person in front of it wants so."""
        self.interrupted = True
        self.over.set()

    # -- keyboard

    def _take_commands(self) -> None:
        listens = self.keyboard.start(by_key=not self.plain)
        if not listens:
            self._no_input()
            return
        self.state.prompt = not self.plain
        self._give_hint()
        self._show(self.state.hint)

    def _no_input(self) -> None:
        self.state.prompt = False
        self._hint("no commands come from the standard input: Ctrl-C or SIGTERM ends")
        self._show(self.state.hint)

    def _give_hint(self) -> None:
        self._hint("type plug, unplug, stop, uart cut 2, estop on; help lists all, quit or Ctrl-D ends")

    def _hint(self, hint: str) -> None:
        self.state.hint = f"{hint}\nlook inside: {way_in()} mosquitto_sub -t 'everest_api/#' -v"

    def _entered(self, line: str) -> None:
        self._show(f"> {line}")
        words = line.lower().split()
        if words in (["quit"], ["exit"]):
            self.over.set()
        elif words == ["help"]:
            self._help("\n".join(f"{word:<20}  {what}" for word, what in WORDS.items()))
        elif words == ["help", "script"]:
            self._help("\n".join(fold(commands(), self.size.columns)))
        else:
            self._give_hint()
            if words == ["plug"]:
                self._drive()
            self.stage.command_car(line)

    def _drive(self) -> None:
        """Let a car that is full, and away, need a charge again."""
        full = self.state.soc_percent >= self.state.target_soc_percent - SOC_MARGIN_PERCENT
        if full and self.state.cp_state == "A" and self.arguments.soc_percent < self.arguments.target_soc_percent:
            self.stage.command_car(f"set_soc {self.arguments.soc_percent:g}")
            self._show(f"the car was driven, and has {self.arguments.soc_percent:g} %")

    def _help(self, text: str) -> None:
        self.state.hint = text
        self._show(text)

    # -- the end

    def _conclude(self) -> int:
        self._take_time()
        if self.interrupted and not self.state.finished:
            self.console.print("[yellow]interrupted; everything is cleaned up[/yellow]")
            self.stage.clear()
            return 130
        good = not self.broken and (self.state.succeeded or self.arguments.keep_running)
        if self.state.done:
            self.console.print(summary(self.state, self.size.columns))
        else:
            reason = self.state.failure or "the car was never plugged in"
            self.console.print(Text(f"secc demo: {reason}", style="" if good else "bold red"))
        if good:
            self.stage.clear()
            return 0
        self._show_logs()
        return 1

    def _show_logs(self) -> None:
        """Print where the logs are, and the lines of them that matter."""
        if self.stage.logs == Path():
            return
        names = dict.fromkeys((*([self._ended] if self._ended else []), "charger", "car"))
        for name in names:
            if lines := self.stage.what_went_wrong(name):
                self._print(f"{name}.log:")
                for line in lines:
                    shown = cut(_DAY.sub("", line), _LOG_LINES * self.size.columns)
                    for part in fold(f"  {shown}", self.size.columns, "    "):
                        self._print(part)
        self._print(f"logs: {self.stage.logs}")

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


def way_in() -> str:
    """Return the command prefix that runs a program beside the charger, from outside."""
    # The first user namespace maps every user to himself; one of our own has to be entered, too.
    ours = Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]
    return f"nsenter -t {os.getpid()} -n" + (" -U --preserve-credentials" if ours else "")


def show(arguments: argparse.Namespace) -> int:
    """Run the demo with these arguments; returns the exit status."""

    async def main() -> int:
        return await Show(arguments).run()

    return asyncio.run(main())
