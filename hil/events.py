"""What a scenario can do to a charger: `estop on`, `uart cut 2`, `car pause`; each word knows who does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.sim.script import ARGUMENT_COUNTS, ScriptError
from chargebyte_fw.sim.script import parse as parse_script

Do = Callable[[Any], Awaitable[None]]


class BadEvent(ValueError):
    """The text is no event; `hint` names the nearest one."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class Event(msgspec.Struct, frozen=True):
    """Something to do; `do` takes the driver of the protocol `needs`."""

    text: str
    needs: str
    do: Do


HELP = {
    "plug in": "the car begins its whole session",
    "car SCRIPT": "the car goes on with a script of its command language",
    "car anew SCRIPT": "the car is reset and begins a script",
    "car silent": "the car's V2G stack dies without a word",
    "cp short on|off": "the pilot is shorted to protective earth",
    "diode bridged|whole": "the car's diode conducts both ways",
    "cp shows A|B|C|D": "a resistor on the pilot, whatever the car's script says",
    "pp none|13|20|32|63|invalid": "what the proximity pilot shows",
    "estop on|off": "the emergency stop is pressed or released",
    "leak MILLIAMPERE": "a smooth direct residual current (0 ends it)",
    "temperature CHANNEL CELSIUS": "a sensor shows a temperature",
    "sensor CHANNEL broken|whole": "a sensor's wire breaks",
    "contactor welded|stuck|whole": "the first contactor stays closed, or never closes",
    "uart cut SECONDS": "nothing passes between safety controller and host",
    "uart noise SHARE": "this share of its frames is disturbed (0 ends it)",
    "uart late SECONDS": "what the safety controller says comes late (0 ends it)",
    "host frozen SECONDS": "the charger's program stands still for a while",
    "host crash": "the charger's program dies, and is started again",
    "plc loss SHARE": "this share of the frames on the power line is lost",
    "mains off|on": "the grid fails",
    "power off|on": "the board's own supply fails",
    "supply ERROR on|off": "the power stage reports an error of its own",
    "operator COMMAND [PAYLOAD]": "a command of EVerest's API",
}
"""Every word, for `secc hil list --events` and the manual."""


def parse(text: str) -> Event:
    """Understand an event; raises BadEvent."""
    text = " ".join(text.split())
    words = text.split(" ")
    found = _of_the_car(words) or _of_the_board(words) or _of_the_links(words) or _of_the_power(words)
    if found is None:
        forms = [form for form in HELP if form.split()[0] == words[0]]
        hint = "; ".join(forms) or nearest(words[0], [form.split()[0] for form in HELP])
        raise BadEvent(f"{text!r} is no event", hint or f"known: {', '.join(HELP)}")
    return Event(text, *found)


def _of_the_car(words: list[str]) -> tuple[str, Do] | None:
    match words:
        case ["plug", "in"]:
            return "Load", lambda load: load.session()
        case ["car", "silent"]:
            return "PlcLink", lambda link: link.silence_car()
        case ["car", "anew", *rest] if rest:
            script = _script(" ".join(rest))
            return "Load", lambda load: load.run(script)
        case ["car", *rest] if rest:
            script = _script(" ".join(rest))
            return "Load", lambda load: load.go_on(script)
        case ["leak", value]:
            current_mA = _number(value, 0, 1000)
            return "Load", lambda load: load.leak(current_mA)
    return None


def _of_the_board(words: list[str]) -> tuple[str, Do] | None:
    match words:
        case ["cp", "short", ("on" | "off") as word]:
            return "Pilot", lambda pilot: pilot.short(word == "on")
        case ["cp", "shows", ("A" | "B" | "C" | "D") as word]:
            return "Pilot", lambda pilot: pilot.show(word)
        case ["diode", ("bridged" | "whole") as word]:
            return "Pilot", lambda pilot: pilot.bridge_diode(word == "bridged")
        case ["pp", ("none" | "13" | "20" | "32" | "63" | "invalid") as word]:
            return "Proximity", lambda proximity: proximity.code(word)
        case ["estop", ("on" | "off") as word]:
            return "Safety", lambda safety: safety.emergency_stop(word == "on")
        case ["temperature", ("1" | "2" | "3" | "4") as channel, value]:
            value_C = _number(value, -40, 250)
            return "Safety", lambda safety: safety.temperature(int(channel), value_C)
        case ["sensor", ("1" | "2" | "3" | "4") as channel, ("broken" | "whole") as word]:
            return "Safety", lambda safety: safety.break_sensor(int(channel), word == "broken")
        case ["contactor", ("welded" | "stuck" | "whole") as word]:
            return "Safety", lambda safety: _contactor(safety, word)
    return None


async def _contactor(safety: Any, word: str) -> None:
    await safety.weld_contactor(word == "welded")
    await safety.hold_contactor_open(word == "stuck")


def _of_the_links(words: list[str]) -> tuple[str, Do] | None:
    match words:
        case ["uart", "cut", value]:
            duration_s = _number(value, 0, 3600)
            return "Uart", lambda uart: uart.cut(duration_s)
        case ["uart", "noise", value]:
            share = _number(value, 0, 1)
            return "Uart", lambda uart: uart.noise(share)
        case ["uart", "late", value]:
            delay_s = _number(value, 0, 60)
            return "Uart", lambda uart: uart.late(delay_s)
        case ["host", "frozen", value]:
            frozen_s = _number(value, 0, 3600)
            return "Host", lambda host: host.freeze(frozen_s)
        case ["host", "crash"]:
            return "Host", lambda host: host.crash()
        case ["plc", "loss", value]:
            lost = _number(value, 0, 1)
            return "PlcLink", lambda link: link.lose(lost)
    return None


def _of_the_power(words: list[str]) -> tuple[str, Do] | None:
    match words:
        case ["mains", ("on" | "off") as word]:
            return "Mains", lambda mains: mains.switch(word == "on")
        case ["power", ("on" | "off") as word]:
            return "Power", lambda power: power.switch(word == "on")
        case ["supply", error, ("on" | "off") as word]:
            return "Mains", lambda mains: mains.fault(error, word == "on")
        case ["operator", name, *rest]:
            payload = " ".join(rest)
            return "Charger", lambda charger: charger.command(name, payload)
    return None


def _script(text: str) -> str:
    try:
        parse_script(text)
    except ScriptError as error:
        what, _, _known = str(error).partition(" (known: ")
        wrong = what.rpartition(" ")[2] if "not found" in what else ""
        raise BadEvent(what, nearest(wrong, ARGUMENT_COUNTS) if wrong else "") from None
    return text


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadEvent(f"{text!r} is no number") from None
    if not least <= value <= most:
        raise BadEvent(f"{text} is not between {least:g} and {most:g}")
    return value
