"""Events and effects of the machine that runs a car's script."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.sim.script import Command


class Run(msgspec.Struct, frozen=True):
    """Event: begin this script; whatever the car did before is reset first."""

    commands: tuple[Command, ...]


class Replace(msgspec.Struct, frozen=True):
    """Event: go on with this script in place of what is left of the present one, without a reset."""

    commands: tuple[Command, ...]


class DutySeen(msgspec.Struct, frozen=True):
    """Event: duty cycle on the control pilot as the car measures it: 100 without PWM, 0 at 0 V or -12 V."""

    percent: float


class SlacReported(msgspec.Struct, frozen=True):
    """Event: the car's modem is in the charger's logical network, or no more."""

    matched: bool


class Hlc(StrEnum):
    """What the V2G stack of the car reports."""

    POWER_READY = "power ready"
    """The charger asked for state C (before cable check, or with PowerDelivery in AC)."""
    DC_POWER_ON = "dc power on"
    """Precharge is over: the car's contactors close."""
    CHARGING = "charging"
    """The charge loop runs."""
    POWER_OFF = "power off"
    """The current is down and power delivery ended: S2 may open."""
    STOP_FROM_CHARGER = "stop from charger"
    PAUSE_FROM_CHARGER = "pause from charger"
    FINISHED = "finished"
    """The session is over, in order or not."""


class HlcReported(msgspec.Struct, frozen=True):
    """Event: a report of the car's V2G stack."""

    news: Hlc


class SocSeen(msgspec.Struct, frozen=True):
    """Event: the battery's state of charge."""

    percent: float


class InletSeen(msgspec.Struct, frozen=True):
    """Event: the board reports another state of the pilot; `empty`: state A."""

    empty: bool


class Hang(msgspec.Struct, frozen=True):
    """Effect: hang this IEC 61851 state (`A` to `E`) on the control pilot; `diode_ok` False bridges the diode."""

    cp_state: str
    diode_ok: bool = True


class Power(msgspec.Struct, frozen=True):
    """Effect: the on-board charger may draw (AC) up to this current on so many phases, 0 A: nothing."""

    current_A: float
    phases: int = 3


class Match(msgspec.Struct, frozen=True):
    """Effect: begin SLAC."""


class StartV2g(msgspec.Struct, frozen=True):
    """Effect: begin SDP and a V2G session. `energy_Wh` 0: as much as the battery takes."""

    mode: str
    payment: str = "auto"
    departure_s: float = 86_400.0
    energy_Wh: float = 0.0


class StopV2g(msgspec.Struct, frozen=True):
    """Effect: end the V2G session in order (`pause`: only for a while)."""

    pause: bool = False


class Renegotiate(msgspec.Struct, frozen=True):
    """Effect: renegotiate the charge parameters, or the services (ISO 15118-20)."""

    services: bool = False


class Standby(msgspec.Struct, frozen=True):
    """Effect: keep the session without power (ISO 15118-20), or leave that."""

    wanted: bool


class Discharge(msgspec.Struct, frozen=True):
    """Effect: the battery gives this power from now on where it may; 0: it takes again."""

    power_W: float


class Misbehave(msgspec.Struct, frozen=True):
    """Effect: break these rules from now on (`evcc/misbehaviour.py`); none given: none any more."""

    texts: tuple[str, ...]


class DropV2g(msgspec.Struct, frozen=True):
    """Effect: the plug is out: the V2G stack and SLAC are reset, nothing more is sent."""


class SetSoc(msgspec.Struct, frozen=True):
    """Effect: the battery has this state of charge from now on."""

    percent: float


class Leak(msgspec.Struct, frozen=True):
    """Effect: a DC fault current (0: none)."""

    current_mA: float


class Log(msgspec.Struct, frozen=True):
    """Effect: a line for the log about what the script does."""

    text: str


class Ended(msgspec.Struct, frozen=True):
    """Effect: the script is at its end."""
