"""What can be typed to the simulated world while it runs: words for people, JSON lines for programs."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from chargebyte_fw.sim.script import ScriptError, parse

DISCHARGED_PERCENT, DISCHARGE_W = 4.0, 15_000.0
"""How much of its battery a bidirectional car gives back, and how fast."""
WORDS = {
    "plug": "plug the car in, and charge",
    "unplug": "pull the plug, whatever the car is doing",
    "stop": "end the charge as a driver does, and leave",
    "pause": "pause the charge and stay plugged in",
    "uart cut SECONDS": "pull the plug of the safety controller's UART for a while",
    "estop on": "press the emergency stop",
    "estop off": "release it",
    "COMMAND;COMMAND...": "commands of a script, as `help script` lists them: sleep 2;unplug",
    "quit": "end, as Ctrl-D and Ctrl-C do",
}
"""What can be typed, and what it does."""
HELP = "`help` lists what can be typed"


class Drive(msgspec.Struct, frozen=True):
    """Run a script; `fresh` False: go on with it from where the car is."""

    script: str
    fresh: bool


class CutUart(msgspec.Struct, frozen=True):
    """Pull the plug of the safety controller's UART for a while."""

    duration_s: float


class EmergencyStop(msgspec.Struct, frozen=True):
    """Press or release the emergency stop."""

    pressed: bool


Wish = Drive | CutUart | EmergencyStop


class Scripts(msgspec.Struct, frozen=True):
    """What the short words mean for a car of this protocol."""

    session: str
    stop: str
    pause: str


def scripts_for(protocol: str, target_soc_percent: float) -> Scripts:
    """Return the scripts of a car of this kind (`car_models.PROTOCOLS`) that leaves at a state of charge."""
    if protocol == "basic":
        return Scripts(
            session=f"sleep 0.5;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;"
            f"wait_for_soc {target_soc_percent:g};pause;sleep 2;unplug",
            stop="pause;sleep 2;unplug",
            pause="pause",
        )
    alternating = "-ac" in protocol
    start = f"iso_start_v2g_session {'AC' if alternating else 'DC'} 86400 0;iso_wait_pwr_ready;"
    start += "iso_draw_power_regulated 16,3;" if alternating else ""
    charge = f"wait_for_soc {target_soc_percent:g};"
    if protocol.endswith(("bpt", "der")):
        # What was charged last goes back: first into the car, then out of it.
        least = max(0.0, target_soc_percent - DISCHARGED_PERCENT)
        charge += f"discharge {DISCHARGE_W:g};wait_for_soc_below {least:g};discharge 0;"
    stop = "iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug"
    again = "iso_pause_charging;iso_wait_v2g_session_stopped;iso_wait_for_resume;"
    return Scripts(
        session=f"sleep 0.5;iso_wait_slac_matched;{start}{charge}{stop}",
        stop=stop,
        pause=f"{again}{start}{charge}{stop}",
    )


BY_DATA_LINK = ("iso_wait_slac_matched", "iso_start_v2g_session")
"""Commands that a car by the pilot alone never gets done."""


def check_script(text: str, protocol: str) -> None:
    """Check a script for a car of this kind; raises ScriptError that names the command and what can be done."""
    for number, command in enumerate(parse(text), 1):
        if protocol == "basic" and command.name in BY_DATA_LINK:
            raise ScriptError(f"command {number}, {command}: a car by the pilot alone (basic) has no data link")


def read(line: str, scripts: Scripts) -> Wish:
    """Understand one line; raises ScriptError with what can be typed."""
    text = line.strip()
    if text.startswith("{"):
        return _read_json(text, scripts)
    words = text.lower().split()
    match words:
        case ["plug"]:
            return Drive(scripts.session, fresh=True)
        case ["unplug"]:
            return Drive("unplug", fresh=False)
        case ["stop"]:
            return Drive(scripts.stop, fresh=False)
        case ["pause"]:
            return Drive(scripts.pause, fresh=False)
        case ["uart", "cut", seconds]:
            return CutUart(_seconds(seconds))
        case ["estop"] | ["estop", "on"]:
            return EmergencyStop(True)
        case ["estop", "off"]:
            return EmergencyStop(False)
    return _script(text, fresh=False)


def _read_json(text: str, scripts: Scripts) -> Wish:
    """`{"run": script}`, `{"replace": script}`, `{"uart_cut_s": 2}`, `{"estop": true}`, `{"say": "plug"}`."""
    try:
        wish: Any = json.loads(text)
    except ValueError as error:
        raise ScriptError(f"not JSON: {error}") from None
    match wish:
        case {"run": str(script)}:
            return _script(script, fresh=True)
        case {"replace": str(script)}:
            return _script(script, fresh=False)
        case {"uart_cut_s": int(seconds) | float(seconds)}:
            return CutUart(_seconds(str(seconds)))
        case {"estop": bool(pressed)}:
            return EmergencyStop(pressed)
        case {"say": str(words)} if not words.lstrip().startswith("{"):
            return read(words, scripts)
    raise ScriptError("one of run, replace, uart_cut_s, estop, say is expected")


def _script(text: str, *, fresh: bool) -> Drive:
    try:
        parse(text)
    except ScriptError as error:
        raise ScriptError(f"{error}; {HELP}") from None
    return Drive(text, fresh)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 86_400:
        raise ScriptError(f"{text} is no number of seconds")
    return seconds
