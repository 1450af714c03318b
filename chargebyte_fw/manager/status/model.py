"""The status of a charger as `secc status` shows it: the one declaration of its JSON.

What is not known is None, or empty; which carrier knows what is in docs/status.md.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.kernel.faults import Severity


class State(StrEnum):
    """State of an EVSE, under the names of EVerest's API (`session_info`)."""

    Unknown = "Unknown"
    Unplugged = "Unplugged"
    Disabled = "Disabled"
    Reserved = "Reserved"
    AuthRequired = "AuthRequired"
    AuthTimeout = "AuthTimeout"
    Preparing = "Preparing"
    Charging = "Charging"
    ChargingPausedEV = "ChargingPausedEV"
    ChargingPausedEVSE = "ChargingPausedEVSE"
    SwitchingPhases = "SwitchingPhases"
    Finished = "Finished"
    FinishedEV = "FinishedEV"
    FinishedEVSE = "FinishedEVSE"


class Help(StrEnum):
    """What would help now."""

    nothing = "nothing"
    plug_in = "plug in"
    authorize = "authorize"
    unplug = "unplug"
    wait = "wait"
    resume = "resume"
    enable = "enable"
    call_service = "call service"


class LinkState(StrEnum):
    """State of a link."""

    up = "up"
    down = "down"
    idle = "idle"
    """It works, and nothing is at its other end."""
    unknown = "unknown"


class ModuleState(StrEnum):
    """State of a module, a group or a program."""

    starting = "starting"
    running = "running"
    waiting = "waiting"
    """It has failed and is being started again."""
    out_of_service = "out of service"
    stopped = "stopped"
    seen = "seen"
    """It publishes: more is not known from a broker."""


class Car(msgspec.Struct, kw_only=True):
    """What is known of the car at an EVSE."""

    evcc_id: str = ""
    """EVCCID of ISO 15118."""
    mac: str = ""
    """MAC address in SLAC."""
    manufacturer: str = ""
    soc_percent: float | None = None
    departure: str = ""
    """RFC 3339."""


class Session(msgspec.Struct, kw_only=True):
    """The session at an EVSE."""

    id: str = ""
    since: str = ""
    """Time of the transaction's start, or of the session's where there is no transaction; RFC 3339."""
    duration_s: float | None = None
    energy_Wh: float | None = None
    """Into the car."""
    discharged_Wh: float | None = None
    authorized_by: str = ""
    """Kind of the token; never the token."""


class Limit(msgspec.Struct, kw_only=True):
    """One limit of the energy tree on the way to an EVSE."""

    quantity: str
    """`current` in A per phase, `power` in W, `phases`."""
    value: float
    source: str
    """As the energy tree names it."""
    who: str
    """The source as text."""
    rules: bool = False
    """Whether it is the one that holds."""
    until: str = ""
    """When the schedule that it is from goes on with another value; RFC 3339, empty: without an end."""
    ends_in_s: float | None = None


class Evse(msgspec.Struct, kw_only=True):
    """One EVSE."""

    id: str
    """Of the module in the configuration."""
    number: int | None = None
    evse_id: str = ""
    state: State = State.Unknown
    reason: str = ""
    """Why it does not charge, where it gives a reason."""
    pilot: str = ""
    """State of the control pilot by IEC 61851-1, A to F; empty: not known."""
    pwm_percent: float | None = None
    """Duty cycle on the pilot; 100: a steady voltage, no PWM. None: not known, or state E or F."""
    car: Car | None = None
    protocol: str = ""
    voltage_V: dict[str, float] = {}
    """By `DC` or phase."""
    current_A: dict[str, float] = {}
    power_W: float | None = None
    session: Session | None = None
    limits: list[Limit] = []
    help: Help = Help.nothing
    help_text: str = ""


class ActiveFault(msgspec.Struct, kw_only=True):
    """A fault that is active."""

    type: str
    sub_type: str = ""
    severity: Severity = Severity.High
    message: str = ""
    module: str = ""
    implementation: str = ""
    evse: int | None = None
    since: str = ""
    """RFC 3339."""
    for_s: float | None = None
    blocks: bool = False
    """Whether it keeps an EVSE from charging."""
    advice: str = ""


class Module(msgspec.Struct, kw_only=True):
    """A module of the configuration, ours or a program of others."""

    id: str
    name: str = ""
    program: bool = False
    group: str = ""
    process: str = ""
    """Name in `processes`; empty where that is not known."""
    evse: int | None = None
    state: ModuleState = ModuleState.seen
    restarts: int | None = None
    reason: str = ""
    """Why it does not run."""


class Process(msgspec.Struct, kw_only=True):
    """A process of the charger: all in one, the manager, a group or a program."""

    name: str
    kind: str
    """`charger`, `manager`, `group` or `program`."""
    pid: int = 0
    state: ModuleState = ModuleState.running
    restarts: int | None = None
    memory_MB: float | None = None
    memory_limit_MB: float | None = None
    modules: int = 0


class Link(msgspec.Struct, kw_only=True):
    """A link to something outside the charger's processes."""

    name: str
    """`MCU`, `PLC`, `broker` or `CSMS`."""
    of: str = ""
    """Id of the module whose link it is."""
    state: LinkState = LinkState.unknown
    text: str = ""


class Status(msgspec.Struct, kw_only=True):
    """Everything at one moment."""

    time: str
    """By the charger's clock where that is known, otherwise by this machine's; RFC 3339."""
    source: str
    """Where it is from: the path of a control socket, or the broker's address."""
    configuration: str = ""
    version: str = ""
    ready: bool | None = None
    """Whether every module is initialised; None: not known."""
    reason: str = ""
    """Why it is not."""
    evses: list[Evse] = []
    faults: list[ActiveFault] = []
    """The worst first, then the oldest."""
    modules: list[Module] = []
    processes: list[Process] = []
    links: list[Link] = []
    notices: list[str] = []
    """What was set aside at the start."""

    @property
    def blocked(self) -> bool:
        """Whether something keeps the charger, or one of its EVSEs, from charging until a person acts."""
        states = [*(one.state for one in self.modules), *(one.state for one in self.processes)]
        return any(fault.blocks for fault in self.faults) or ModuleState.out_of_service in states
