"""What a car's script is told and what it asks for: the words between the script and the hands of the virtual car."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chargebyte_fw.sim.script import Command


@dataclass(frozen=True, slots=True)
class Run:
    """Event: begin this script; whatever the car did before is reset first."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """Event: go on with this script in place of what is left of the present one, without a reset."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class DutySeen:
    """Event: duty cycle on the control pilot as the car measures it: 100 without PWM, 0 at 0 V or -12 V."""

    percent: float


@dataclass(frozen=True, slots=True)
class SlacSaid:
    """Event: the car's modem is in the charger's logical network, or no more."""

    matched: bool


class Hlc(StrEnum):
    """What the V2G stack of the car reports."""

    POWER_READY = "power ready"
    """The charger asked for state C (before cable check, or with PowerDelivery in AC)."""
    DC_POWER_ON = "dc power on"
    """Precharge is over: the car's contactors close."""
    POWER_OFF = "power off"
    """The current is down and power delivery ended: S2 may open."""
    STOP_FROM_CHARGER = "stop from charger"
    PAUSE_FROM_CHARGER = "pause from charger"
    FINISHED = "finished"
    """The session is over, in order or not."""


@dataclass(frozen=True, slots=True)
class HlcSaid:
    """Event: news of the car's V2G stack."""

    news: Hlc


@dataclass(frozen=True, slots=True)
class SocSeen:
    """Event: the battery's state of charge."""

    percent: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Effect: hang this IEC 61851 state (`A` to `E`) on the control pilot; `diode_ok` False bridges the diode."""

    cp_state: str
    diode_ok: bool = True


@dataclass(frozen=True, slots=True)
class Power:
    """Effect: the on-board charger may draw (AC) up to this current on so many phases, 0 A: nothing."""

    current_A: float
    phases: int = 3


@dataclass(frozen=True, slots=True)
class Match:
    """Effect: begin SLAC."""


@dataclass(frozen=True, slots=True)
class StartV2g:
    """Effect: begin SDP and a V2G session. `energy_Wh` 0: as much as the battery takes."""

    mode: str
    payment: str = "auto"
    departure_s: float = 86_400.0
    energy_Wh: float = 0.0


@dataclass(frozen=True, slots=True)
class StopV2g:
    """Effect: end the V2G session in order (`pause`: only for a while)."""

    pause: bool = False


@dataclass(frozen=True, slots=True)
class DropV2g:
    """Effect: the plug is out: the V2G stack and SLAC are reset, nothing more is sent."""


@dataclass(frozen=True, slots=True)
class SetSoc:
    """Effect: the battery has this state of charge from now on."""

    percent: float


@dataclass(frozen=True, slots=True)
class Leak:
    """Effect: a DC fault current (0: none)."""

    current_mA: float


@dataclass(frozen=True, slots=True)
class Said:
    """Effect: one line about what the script does."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Effect: the script is at its end."""
