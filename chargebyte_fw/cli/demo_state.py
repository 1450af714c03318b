"""What the demo knows: facts from the car's side and from the charger's MQTT API, put into one picture of a session."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.sim.csms_lines import as_text

STEPS = (
    "plugged in",
    "SLAC",
    "SDP",
    "V2G session",
    "authorized",
    "cable check",
    "precharge",
    "charging",
    "stopped",
    "unplugged",
)
"""The way of a DC session, as the screen shows it."""

AC_STEPS = tuple(step for step in STEPS if step not in ("cable check", "precharge"))
"""The way of an AC session under ISO 15118."""
DISCHARGING = "discharging"
"""The step of a bidirectional session that follows the charge."""

NUMBERS = (
    *("soc_percent", "voltage_V", "current_A", "power_W", "energy_Wh", "cp_state", "duty_percent", "contactor"),
    *(
        "command",
        "discharged_Wh",
        "speaks",
        "tls_version",
        "identity",
        "service",
        "price_per_kWh",
        "price_level",
        "currency",
    ),
)
"""What the car reports of its instruments."""

BASIC_STEPS = ("plugged in", "authorized", "charging", "stopped", "unplugged")
"""The way of a session by pilot alone (IEC 61851)."""


def steps_of(protocol: str) -> tuple[str, ...]:
    """Return the way of a session of this kind."""
    steps = BASIC_STEPS if protocol == "basic" else AC_STEPS if "-ac" in protocol else STEPS
    if not protocol.endswith("bpt"):
        return steps
    place = steps.index("charging") + 1
    return (*steps[:place], DISCHARGING, *steps[place:])


MESSAGES_SHOWN = 8
FRAMES_SHOWN = 10
SOC_MARGIN_PERCENT = 0.5
"""A car leaves by its own count, which may be so much short."""
LOOP = 2
"""So many messages make a loop (a request and its answer): what comes again within it is counted, not repeated."""


@dataclass(frozen=True)
class Session:
    """A session that is over, of a demo that keeps running."""

    good: bool
    energy_Wh: float


@dataclass
class Message:
    """One line of the last messages."""

    at_s: float
    text: str
    count: int = 1

    @property
    def name(self) -> str:
        """Who sends what, without its values."""
        return " ".join(self.text.split()[:3])

    def __str__(self) -> str:
        return f"{self.at_s:7.2f}  {self.text}" + (f"  (×{self.count})" if self.count > 1 else "")


@dataclass
class DemoState:
    """The picture. `from_car` and `from_charger` take one report each; nothing else changes it."""

    protocol: str
    target_soc_percent: float
    steps: tuple[str, ...] = STEPS
    started_s: float = 0.0
    now_s: float = 0.0
    done: dict[str, float] = field(default_factory=dict)
    """Second at which each step was reached."""
    soc_percent: float = 0.0
    first_soc_percent: float | None = None
    voltage_V: float = 0.0
    current_A: float = 0.0
    power_W: float = 0.0
    energy_Wh: float = 0.0
    """Of all sessions, as is what follows."""
    discharged_Wh: float = 0.0
    """Out of the car; `energy_Wh` is what is left of both."""
    sessions: list[Session] = field(default_factory=list)
    """Those before this one."""
    before_Wh: tuple[float, float] = (0.0, 0.0)
    """`energy_Wh` and `discharged_Wh` when this session began."""
    speaks: str = ""
    """What the handshake selected."""
    tls_version: str = ""
    identity: str = ""
    """How the car is authorized: EIM, or its contract."""
    service: str = ""
    price_per_kWh: float | None = None
    price_level: int | None = None
    currency: str = ""
    cp_state: str = "A"
    duty_percent: float = 100.0
    contactor: str = "open"
    charger_state: str = "starting"
    meter_Wh: float | None = None
    meter_first_Wh: float | None = None
    meter_before_Wh: float | None = None
    """When this session began."""
    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=MESSAGES_SHOWN))
    ocpp: str = ""
    """The version of OCPP of the CSMS beside the charger; empty: there is none."""
    conversation: deque[str] = field(default_factory=lambda: deque(maxlen=FRAMES_SHOWN))
    """The last lines of the CSMS."""
    csms_stopped: bool | None = None
    """Whether the CSMS ended the transaction; None: none has ended."""
    faults: list[str] = field(default_factory=list)
    seen_faults: list[str] = field(default_factory=list)
    """Every fault that the charger had in this session."""
    command: str = ""
    """The command of its script that the car is at."""
    typed: str = ""
    """What is typed, but not entered yet; drawn where `prompt` is set."""
    prompt: bool = False
    failure: str = ""
    hint: str = ""
    """What can be typed, when the demo keeps running."""
    finished: bool = False

    @property
    def current_step(self) -> str:
        """The step that the session is working on."""
        return next((step for step in self.steps if step not in self.done), "done")

    def reach(self, step: str) -> bool:
        """Note that a step is behind the car; returns whether that was news."""
        if step not in self.steps or step in self.done:
            return False
        self.done[step] = self.now_s
        return True

    def from_car(self, report: dict[str, Any]) -> None:
        """Take one report of the car's process: numbers, a step, a message on the wire, or a failure."""
        for name in NUMBERS:
            if name in report:
                setattr(self, name, report[name])
        if self.first_soc_percent is None and "soc_percent" in report:
            self.first_soc_percent = self.soc_percent
        if "step" in report:
            self.reach(report["step"])
        if "message" in report:
            self.log(str(report["message"]), int(report.get("count", 1)))
        if "failure" in report:
            self.failure = report["failure"]
        if report.get("finished"):
            self.finished = True

    def from_csms(self, report: dict[str, Any]) -> str:
        """Take one report of the CSMS; return its line."""
        line = as_text(report)
        self.conversation.append(f"{self.now_s:7.2f}  {line}")
        if "ended" in report:
            self.csms_stopped = bool(report.get("stopped"))
        if "failure" in report:
            self.failure = self.failure or str(report["failure"])
        return line

    def log(self, text: str, count: int = 1) -> None:
        """Show a message (that came `count` times); one that was among the very last goes on counting there."""
        message = Message(self.now_s, text, count)
        for earlier in list(self.messages)[-LOOP:]:
            if earlier.name == message.name:
                earlier.at_s, earlier.text = self.now_s, text
                earlier.count += count
                return
        self.messages.append(message)

    def from_charger(self, topic: str, payload: str) -> None:
        """Take one message of `everest_api/...`; what is not JSON is not ours and is left alone."""
        try:
            value = decode_json(payload)
        except ValueError:
            return
        if topic.endswith("/var/session_info") and isinstance(value, dict):
            self.charger_state = str(value.get("state", self.charger_state))
        elif topic.endswith("/var/powermeter") and isinstance(value, dict):
            total = (value.get("energy_Wh_import") or {}).get("total")
            if total is not None:
                self.meter_Wh = float(total)
                if self.meter_first_Wh is None:
                    self.meter_first_Wh = self.meter_before_Wh = self.meter_Wh
        elif topic.endswith("/var/active_errors") and isinstance(value, list):
            self.faults = [str(fault.get("type", fault)) if isinstance(fault, dict) else str(fault) for fault in value]
            if self.done:
                # Also when the car has left meanwhile: the broker's way is the longer one.
                self.seen_faults += [fault for fault in self.faults if fault not in self.seen_faults]

    def next_session(self) -> None:
        """Begin the picture again for the next session of a demo that keeps running."""
        if not self.done:
            return
        self.sessions.append(Session(self.succeeded, self.session_Wh))
        self.done.clear()
        self.failure, self.finished, self.first_soc_percent, self.csms_stopped = "", False, None, None
        self.seen_faults = list(self.faults)
        self.started_s = self.now_s
        self.before_Wh = (self.energy_Wh, self.discharged_Wh)
        self.meter_before_Wh = self.meter_Wh

    @property
    def session_Wh(self) -> float:
        """Energy into the car in this session."""
        energy_Wh, discharged_Wh = self.before_Wh
        return self.energy_Wh + self.discharged_Wh - energy_Wh - discharged_Wh

    @property
    def session_discharged_Wh(self) -> float:
        """Energy out of the car in this session."""
        return self.discharged_Wh - self.before_Wh[1]

    @property
    def progress(self) -> float:
        """Share of the way from the first to the wanted state of charge, 0 to 1."""
        first = self.first_soc_percent if self.first_soc_percent is not None else self.soc_percent
        span = self.target_soc_percent - first
        return 1.0 if span <= 0 else min(1.0, max(0.0, (self.soc_percent - first) / span))

    @property
    def succeeded(self) -> bool:
        """Whether the car charged, stopped and left without a failure."""
        if self.ocpp and not self.csms_stopped:
            return False
        gave = DISCHARGING not in self.steps or self.session_discharged_Wh > 0
        charged = "charging" in self.done and self.session_Wh > 0 and not self.cut_short
        return self.finished and not self.failure and charged and gave

    @property
    def cut_short(self) -> bool:
        """Whether a fault of the charger ended the charge before the car was where it wanted to be."""
        short = self.soc_percent < self.target_soc_percent - SOC_MARGIN_PERCENT
        return bool(self.seen_faults) and short and DISCHARGING not in self.done

    @property
    def reason(self) -> str:
        """Why the session is no success."""
        faults = ", ".join(self.seen_faults)
        if self.failure:
            return f"{self.failure}\nthe charger has raised {faults}" if faults else self.failure
        if self.finished and self.cut_short and "charging" in self.done:
            return f"cut short at {self.soc_percent:.1f} % by {faults}"
        if self.finished and self.ocpp and not self.csms_stopped:
            how = "stopped by something else" if self.csms_stopped is False else "not ended at the CSMS"
            return f"the transaction was {how}: the car may have been full before, see --battery-kWh"
        if not self.finished:
            return f"the demo ended at '{self.current_step}', with the car still plugged in"
        left = f"the session ended at '{self.current_step}'"
        return f"{left}: the charger has raised {faults}" if faults else left

    @property
    def direction(self) -> str:
        """Where the power flows: `into the car`, `out of the car`, or empty."""
        if abs(self.power_W) < 1.0:
            return ""
        return "into the car" if self.power_W > 0 else "out of the car"

    @property
    def price(self) -> str:
        """What energy costs now, as the car was given it; empty: nothing was announced."""
        if self.price_per_kWh is not None:
            return f"{self.price_per_kWh:g} {self.currency}/kWh"
        return "" if self.price_level is None else f"price level {self.price_level}"
