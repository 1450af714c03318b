"""One monitor: on what it is set, and when it triggers (N07, N08)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chargebyte_fw.modules.ocpp.variables.declaration import ComponentId, DataType, VariableId
from chargebyte_fw.modules.ocpp.variables.model import Entry

UPPER, LOWER = "UpperThreshold", "LowerThreshold"
DELTA, TARGET_DELTA, TARGET_DELTA_RELATIVE = "Delta", "TargetDelta", "TargetDeltaRelative"
PERIODIC, CLOCK_ALIGNED = "Periodic", "PeriodicClockAligned"
THRESHOLDS = (UPPER, LOWER)
TARGETS = (TARGET_DELTA, TARGET_DELTA_RELATIVE)
PERIODICS = (PERIODIC, CLOCK_ALIGNED)
NUMERIC = (DataType.INTEGER, DataType.DECIMAL)
LEAST_SEVERITY = 9
DAY_S = 86400.0
GREATEST = 1e300
"""Greatest value of a monitor."""


class Origin(StrEnum):
    """Who set a monitor: EventNotificationEnumType."""

    HARD_WIRED = "HardWiredMonitor"
    PRECONFIGURED = "PreconfiguredMonitor"
    CUSTOM = "CustomMonitor"


class StreamParams(msgspec.Struct, frozen=True, omit_defaults=True):
    """PeriodicEventStreamParamsType: when the values of a stream are sent."""

    interval_s: int | None = None
    values: int | None = None


class Monitor(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A monitor, and what it remembers. Custom ones are kept over a restart as they are."""

    id: int
    component: str
    variable: str
    type: str
    value: float
    """Threshold, difference, or interval in s."""
    severity: int
    origin: Origin
    component_instance: str = ""
    evse: int | None = None
    connector: int | None = None
    variable_instance: str = ""
    transaction: bool = False
    """It is active only while a transaction is."""
    reference: str | None = None
    """Delta: the value of the last event, or of the time when it was set."""
    exceeded: bool = False
    """The value is beyond the threshold, and the CSMS has been notified."""
    stream: StreamParams | None = None

    @property
    def place(self) -> VariableId:
        """The address of the variable."""
        here = ComponentId(self.component, self.component_instance, self.evse, self.connector)
        return VariableId(here, self.variable, self.variable_instance)

    @property
    def kind(self) -> tuple[VariableId, str, int]:
        """What only one monitor may be: variable, type and severity (N04.FR.10)."""
        return self.place.folded, self.type, self.severity


class Trigger(msgspec.Struct, frozen=True):
    """A monitor has triggered."""

    name: str
    """EventTriggerEnumType."""
    cleared: bool = False
    """The value is back within the threshold."""


def set_on(entry: Entry, number: int, origin: Origin, kind: str, value: float, severity: int) -> Monitor:
    """Return a monitor on a variable."""
    here = entry.id.component
    return Monitor(
        id=number,
        component=here.name,
        component_instance=here.instance,
        evse=here.evse,
        connector=here.connector,
        variable=entry.id.name,
        variable_instance=entry.id.instance,
        type=kind,
        value=value,
        severity=severity,
        origin=origin,
    )


def number_of(entry: Entry, attribute: str = "Actual") -> float | None:
    """Return a value as a number, None where it is none."""
    try:
        return float(entry.text(attribute) or "")
    except ValueError:
        return None


def evaluate(monitor: Monitor, entry: Entry) -> Trigger | None:
    """Return what the present value triggers, and remember it. Periodic monitors trigger by time alone."""
    if monitor.type in THRESHOLDS or monitor.type in TARGETS:
        return _beyond(monitor, entry)
    if monitor.type == DELTA:
        return _changed(monitor, entry)
    return None


def _beyond(monitor: Monitor, entry: Entry) -> Trigger | None:
    number = number_of(entry)
    if number is None:
        return None
    match monitor.type:
        case "UpperThreshold":
            beyond = number > monitor.value
        case "LowerThreshold":
            beyond = number < monitor.value
        case _:
            target = number_of(entry, "Target")
            if target is None:
                return None
            allowed = monitor.value * abs(target) if monitor.type == TARGET_DELTA_RELATIVE else monitor.value
            beyond = abs(number - target) > allowed
    if beyond == monitor.exceeded:
        return None
    monitor.exceeded = beyond
    # [N07.FR.22], [N07.FR.23]: a target is left as a threshold is passed.
    return Trigger("Alerting", cleared=not beyond)


def _changed(monitor: Monitor, entry: Entry) -> Trigger | None:
    text = entry.text()
    if text == monitor.reference:
        return None
    if entry.data_type in NUMERIC and text is not None and monitor.reference is not None:
        try:
            if abs(float(text) - float(monitor.reference)) <= monitor.value:
                return None
        except ValueError:
            return None
    monitor.reference = text
    return Trigger("Delta")


def fault_of(entry: Entry, kind: str, value: float) -> tuple[str, str]:
    """Return status and reason for which a monitor cannot be set on a variable, empty where it can (N04)."""
    numeric = entry.data_type in NUMERIC
    if not entry.monitored:
        return "Rejected", "the variable cannot be monitored"
    if abs(value) > GREATEST:
        return "Rejected", "no value that can be reported"
    if kind in THRESHOLDS and not numeric:
        return "UnsupportedMonitorType", "the variable is no number"
    if kind in TARGETS and not (numeric and "Target" in entry.attributes):
        return "UnsupportedMonitorType", "the variable has no target"
    if kind in THRESHOLDS and not _within(entry, value):
        return "Rejected", "beyond the limits of the variable"
    if kind in (DELTA, *TARGETS) and value < 0:
        return "Rejected", "a negative difference"
    if kind in PERIODICS and not 1 <= value <= DAY_S * 366:
        return "Rejected", "no interval in seconds"
    return "", ""


def _within(entry: Entry, value: float) -> bool:
    low, high = entry.minimum, entry.maximum
    return (low is None or value >= low) and (high is None or value <= high)
