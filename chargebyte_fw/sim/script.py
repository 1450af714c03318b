"""The car's command language (EVerest's EvManager): `sleep 1;iso_wait_slac_matched;...;unplug` as checked commands."""

from __future__ import annotations

import msgspec

from chargebyte_fw.kernel.names import closest
from chargebyte_fw.modules.v2g.evcc import misbehaviour

ARGUMENT_COUNTS: dict[str, tuple[int, ...]] = {
    "sleep": (1,),
    "iec_wait_pwr_ready": (0,),
    "iso_wait_pwm_is_running": (0,),
    "draw_power_regulated": (2,),
    "draw_power_fixed": (2,),
    "pause": (0,),
    "unplug": (0,),
    "error_e": (0,),
    "diode_fail": (0,),
    "rcd_current": (1,),
    "iso_draw_power_regulated": (2,),
    "wait_for_real_plugin": (0,),
    "plugin": (0,),
    "set_soc": (1,),
    "wait_for_soc": (1,),
    "wait_for_soc_below": (1,),
    "discharge": (1,),
    "misbehave": (0, 1, 2, 3, 4),
    "iso_wait_slac_matched": (0,),
    "iso_wait_pwr_ready": (0,),
    "iso_dc_power_on": (0,),
    "iso_start_v2g_session": (1, 2, 3, 4),
    "iso_stop_charging": (0,),
    "iso_wait_for_stop": (1,),
    "iso_wait_v2g_session_stopped": (0,),
    "iso_pause_charging": (0,),
    "iso_wait_for_resume": (0,),
    "iso_start_bcb_toggle": (1,),
    "iso_renegotiate": (0,),
    "iso_renegotiate_services": (0,),
    "iso_standby": (1,),
}
"""Every command and how many arguments it takes; EvManager's, and our own beside them."""

NUMERIC = {
    "sleep": (0,),
    "draw_power_regulated": (0, 1),
    "draw_power_fixed": (0, 1),
    "rcd_current": (0,),
    "iso_draw_power_regulated": (0, 1),
    "set_soc": (0,),
    "wait_for_soc": (0,),
    "wait_for_soc_below": (0,),
    "discharge": (0,),
    "iso_wait_for_stop": (0,),
    "iso_start_bcb_toggle": (0,),
}
"""Which arguments are numbers."""

ARGUMENTS = {
    "sleep": "SECONDS",
    "draw_power_regulated": "CURRENT_A,PHASES",
    "draw_power_fixed": "CURRENT_A,PHASES",
    "rcd_current": "CURRENT_MA",
    "iso_draw_power_regulated": "CURRENT_A,PHASES",
    "set_soc": "PERCENT",
    "wait_for_soc": "PERCENT",
    "wait_for_soc_below": "PERCENT",
    "discharge": "POWER_W",
    "misbehave": "[RULE...]",
    "iso_start_v2g_session": "AC|DC [PAYMENT] [DEPARTURE_S ENERGY_WH]",
    "iso_wait_for_stop": "SECONDS",
    "iso_start_bcb_toggle": "NUMBER",
    "iso_standby": "on|off",
}
"""What the arguments of a command are, for people."""


def commands() -> str:
    """Return every command with its arguments."""
    return ", ".join(f"{name} {ARGUMENTS.get(name, '')}".strip() for name in sorted(ARGUMENT_COUNTS))


class ScriptError(ValueError):
    """The script cannot be run; the text names the command and the reason."""


class Command(msgspec.Struct, frozen=True):
    """One step of a script: lower-case name and its arguments as text."""

    name: str
    arguments: tuple[str, ...] = ()

    def number(self, index: int) -> float:
        """Return argument `index` as a number (checked by `parse`)."""
        return float(self.arguments[index])

    def __str__(self) -> str:
        return " ".join((self.name, ",".join(self.arguments))).strip()


def parse(text: str) -> list[Command]:
    """Split a script into commands; an empty text is an empty script. Raises ScriptError for the first bad command.

    Commands are separated by `;` or a new line, arguments by `,` or a blank; an empty argument stays an argument.
    """
    commands = []
    for part in text.lower().replace("\n", ";").split(";"):
        words = part.strip().replace(",", " ").split(" ")
        if words == [""]:
            continue
        commands.append(_checked(Command(words[0], tuple(words[1:]))))
    return commands


def _checked(command: Command) -> Command:
    counts = ARGUMENT_COUNTS.get(command.name)
    if counts is None:
        near = closest(command.name, ARGUMENT_COUNTS)
        raise ScriptError(f"Command not found: {command.name}" + (f" (did you mean {near}?)" if near else ""))
    if len(command.arguments) not in counts:
        expected = " or ".join(str(count) for count in counts)
        raise ScriptError(
            f"Invalid number of arguments for: {command.name} expected {expected} got {len(command.arguments)}"
            f" ({command.name} {ARGUMENTS.get(command.name, '')}".rstrip()
            + ")"
        )
    numbers = NUMERIC.get(command.name, ())
    if command.name == "iso_start_v2g_session" and len(command.arguments) >= 3:
        numbers = tuple(range(len(command.arguments) - 2, len(command.arguments)))
    if command.name == "misbehave":
        _check_misbehaviours(command)
    for index in numbers:
        try:
            float(command.arguments[index])
        except ValueError:
            raise ScriptError(f"{command.name}: {command.arguments[index]!r} is not a number") from None
    return command


def _check_misbehaviours(command: Command) -> None:
    for text in command.arguments:
        try:
            misbehaviour.read(text)
        except ValueError as error:
            raise ScriptError(f"misbehave: {error}") from None
