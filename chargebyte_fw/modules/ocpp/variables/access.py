"""Reading and writing variables for another party: what is checked, and the status that it gets, in any version."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.variables.declaration import DataType, Mutability, VariableId
from chargebyte_fw.modules.ocpp.variables.model import ACTUAL, Entry, Variables
from chargebyte_fw.modules.ocpp.variables.standard.station import CONFIGURATION_VALUE_SIZE, REPORTING_VALUE_SIZE
from chargebyte_fw.modules.ocpp.variables.values import fault_of

ATTRIBUTES = ("Actual", "Target", "MinSet", "MaxSet")


class Status(StrEnum):
    """GetVariableStatusEnumType and SetVariableStatusEnumType."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_COMPONENT = "UnknownComponent"
    UNKNOWN_VARIABLE = "UnknownVariable"
    NOT_SUPPORTED_ATTRIBUTE_TYPE = "NotSupportedAttributeType"
    REBOOT_REQUIRED = "RebootRequired"


class Reading(msgspec.Struct, frozen=True):
    """Result of reading one attribute."""

    status: Status
    value: str | None = None
    reason: str = ""
    """Reason code of the standard (2.0.1 Part 2 appendix 5)."""


class Writing(msgspec.Struct, frozen=True):
    """Result of writing one attribute."""

    status: Status
    reason: str = ""
    info: str = ""
    elsewhere: Any = None
    """What another part of the charger has still to keep (`elsewhere.py`); the status is that of its success."""


def find(variables: Variables, place: VariableId) -> Entry | Status:
    """Return a variable, or why there is none."""
    entry = variables.entry(place)
    if entry is not None:
        return entry
    known = variables.component(place.component) is not None
    return Status.UNKNOWN_VARIABLE if known else Status.UNKNOWN_COMPONENT


def read(variables: Variables, place: VariableId, attribute: str = ACTUAL) -> Reading:
    """Read an attribute as the CSMS may (B06): one without a value is an empty text."""
    entry = find(variables, place)
    if isinstance(entry, Status):
        return Reading(entry)
    found = entry.attributes.get(attribute)
    if found is None:
        return Reading(Status.NOT_SUPPORTED_ATTRIBUTE_TYPE)
    if found.mutability is Mutability.WRITE_ONLY:
        return Reading(Status.REJECTED, reason="WriteOnly")
    return Reading(Status.ACCEPTED, reported(variables, entry.text(attribute) or ""))


def reported(variables: Variables, text: str) -> str:
    """Return a value as it may be reported: cut at ReportingValueSize."""
    return text[: variables.get(REPORTING_VALUE_SIZE)]


def write(
    variables: Variables, place: VariableId, text: str, source: str, attribute: str = ACTUAL, *, read_only: bool = False
) -> Writing:
    """Write an attribute as the CSMS may (B05); with `read_only` also what the CSMS may not change."""
    entry = find(variables, place)
    if isinstance(entry, Status):
        return Writing(entry)
    refused = refusal(variables, entry, text, attribute, read_only=read_only)
    if refused is not None:
        return refused
    if entry.owner is not None and attribute == ACTUAL:
        what = entry.owner(text)
        return Writing(Status.REJECTED) if what is None else Writing(Status.REBOOT_REQUIRED, elsewhere=what)
    variables.write(entry, attribute, text, source)
    return Writing(Status.ACCEPTED)


def refusal(
    variables: Variables, entry: Entry, text: str, attribute: str = ACTUAL, *, read_only: bool = False
) -> Writing | None:
    """Return why a text may not be written to a variable, None where it may."""
    found = entry.attributes.get(attribute)
    if found is None:
        return Writing(Status.NOT_SUPPORTED_ATTRIBUTE_TYPE)
    if entry.computed is not None or (found.mutability is Mutability.READ_ONLY and not read_only):
        return Writing(Status.REJECTED, "ReadOnly", f"{entry.id} is read only")
    if len(text) > variables.get(CONFIGURATION_VALUE_SIZE):
        return Writing(Status.REJECTED, "TooLargeElement", f"{entry.id} takes fewer characters")
    if fault := value_fault(entry, text) or set_range_fault(entry, text, attribute):
        return Writing(Status.REJECTED, "InvalidValue", f"{entry.id}: {fault}")
    if attribute == ACTUAL and (reason := variables.refusal(entry, text)):
        return Writing(Status.REJECTED, reason)
    return None


def value_fault(entry: Entry, text: str) -> str:
    """Return why a text is no value of a variable, empty where it is one."""
    return fault_of(text, entry.data_type, entry.minimum, entry.maximum, entry.values, entry.separator)


def set_range_fault(entry: Entry, text: str, attribute: str) -> str:
    """Return why a number contradicts the attributes MinSet and MaxSet (2.0.1 Part 2, 3.1)."""
    if entry.data_type not in (DataType.INTEGER, DataType.DECIMAL):
        return ""
    low, high = (_number(entry, name) for name in ("MinSet", "MaxSet"))
    number = float(text)
    if attribute != "MinSet" and low is not None and number < low:
        return f"less than MinSet, {low:g}"
    if attribute != "MaxSet" and high is not None and number > high:
        return f"greater than MaxSet, {high:g}"
    return ""


def _number(entry: Entry, attribute: str) -> float | None:
    try:
        return float(entry.text(attribute) or "")
    except ValueError:
        return None
