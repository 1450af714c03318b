"""What a bench can do, brand by brand unknown: scenarios and strategies speak to these, drivers do them."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """What is under test; "" where the rig cannot know."""

    firmware: str = ""
    commit: str = ""
    configuration: str = ""
    safety_firmware: str = ""
    process: str = ""
    """What the charger's process has used, where the rig can see it."""


class Power(Protocol):
    """The board's own supply."""

    async def switch(self, on: bool) -> None:
        """Give the board its supply, or take it."""


class Mains(Protocol):
    """The grid in front of the power stage."""

    async def switch(self, on: bool) -> None:
        """Let the grid come, or fail."""

    async def fault(self, error: str, present: bool) -> None:
        """Let the power stage report a fault of its own, by EVerest's name (`OverTemperature`), or take it back."""


class Pilot(Protocol):
    """The control pilot at the car's end; its readings go to the recorder."""

    async def short(self, present: bool) -> None:
        """Short the line to protective earth."""

    async def bridge_diode(self, present: bool) -> None:
        """Bridge the car's diode."""

    async def show(self, state: str) -> None:
        """Hang the resistor of a state (`A` to `D`) on the line."""


class Proximity(Protocol):
    """The proximity pilot."""

    async def code(self, word: str) -> None:
        """Show a cable: `none`, `13`, `20`, `32`, `63` (A) or `invalid`."""


class PlcLink(Protocol):
    """The power line between the modems."""

    async def lose(self, share: float) -> None:
        """Lose this share of all frames, 0 to 1."""

    async def silence_car(self) -> None:
        """Let the car's V2G stack die without a word."""


class Load(Protocol):
    """The car behind the inlet: EvManager's command language at the wheel; its steps go to the recorder."""

    async def run(self, script: str) -> None:
        """Begin a script; raises ScriptError."""

    async def go_on(self, script: str) -> None:
        """Go on with another script from where the car is; raises ScriptError."""

    async def session(self) -> None:
        """Begin the whole session of the scenario's car."""

    async def leak(self, current_mA: float) -> None:
        """Let a smooth direct residual current flow to earth while the contactors are closed."""


class Meter(Protocol):
    """Voltage and current at the inlet, to the recorder."""

    def read(self) -> tuple[float, float]:
        """Return V and A now."""


class Console(Protocol):
    """The lines of the charger's console, to the recorder."""

    @property
    def lines(self) -> int:
        """Number of lines received."""


class Charger(Protocol):
    """The charger's own facts (faults, session events), to the recorder, and an operator's commands."""

    async def command(self, name: str, payload: str) -> None:
        """Give an operator's command (`pause_charging`) as an integrator would."""


class Image(Protocol):
    """What runs on the board."""

    async def identity(self) -> Identity:
        """Return what is under test."""


class Safety(Protocol):
    """What is wired to the safety controller."""

    async def emergency_stop(self, pressed: bool) -> None:
        """Press or release the emergency stop."""

    async def temperature(self, channel: int, value_C: float) -> None:
        """Let a sensor (1 to 4) show a temperature."""

    async def break_sensor(self, channel: int, broken: bool) -> None:
        """Break a sensor's wire, or join it."""

    async def weld_contactor(self, present: bool) -> None:
        """Let the first contactor stay closed once it is."""

    async def hold_contactor_open(self, present: bool) -> None:
        """Let the first contactor refuse to close."""


class Uart(Protocol):
    """The line between safety controller and host."""

    async def cut(self, duration_s: float) -> None:
        """Let nothing pass for a while."""

    async def noise(self, share: float) -> None:
        """Disturb this share of all frames in both directions, 0 to 1."""

    async def late(self, delay_s: float) -> None:
        """Delay the safety controller's frames; 0 ends it."""


class Host(Protocol):
    """The computer that the charger's program runs on."""

    async def freeze(self, duration_s: float) -> None:
        """Let the program stand still for a while: no frame, no reset, no answer to anybody."""

    async def crash(self) -> None:
        """Let the program die in the middle of what it does; its service manager starts it again."""


PROTOCOLS: dict[str, type] = {
    protocol.__name__: protocol
    for protocol in (
        Power, Pilot, Proximity, PlcLink, Mains, Load, Meter, Console, Image, Charger, Safety, Uart, Host,
    )
}  # fmt: skip
"""By the name that a rig file uses."""

NEEDED = ("Power", "Pilot", "Load", "Meter", "Charger")
"""Without these no scenario can be run at all."""
