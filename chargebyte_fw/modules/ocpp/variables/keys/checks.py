"""What the values of single configuration keys must be, beyond type and limits (OCPP 1.6 section 9, EVerest's keys)."""

from __future__ import annotations

import re
from collections.abc import Callable

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.ocpp.messages.dates import parse
from chargebyte_fw.modules.ocpp.variables.declaration import Variable, split
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard import legacy

PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")

_ROTATION = re.compile(r"([0-9]{1,4})\.(NotApplicable|Unknown|RST|RTS|SRT|STR|TRS|TSR)")
_OFFSET = re.compile(r"[+-]?(?:0[0-9]|1[0-4]):[0-5][0-9]")

Check = Callable[[Variables, str], str]


def measurands(variable: Variable[tuple[str, ...]]) -> Check:
    """Return the check of a list of measurands, each of which may have a phase: `Voltage.L1` or `Voltage-L1`."""

    def check(variables: Variables, text: str) -> str:
        items = split(text)
        supported = variables.values(variable)
        unknown = [item for item in items if measurand_of(item, supported)[0] not in supported]
        if unknown:
            return f"{unknown[0] or 'an empty item'} is no supported measurand"
        limit = variables.maximum(variable)
        return f"more than {limit:g} items" if limit is not None and len(items) > limit else ""

    return check


def measurand_of(item: str, supported: tuple[str, ...]) -> tuple[str, str]:
    """Return measurand and phase of an item of a list of 1.6; the phase is empty where there is none."""
    if item not in supported:
        for phase in PHASES:
            for sign in ".-":
                if item.endswith(sign + phase):
                    return item.removesuffix(sign + phase), phase
    return item, ""


def phase_rotation(variables: Variables, text: str) -> str:
    """Check ConnectorPhaseRotation: `0.RST,1.RTS` (1.6 section 9.1.8)."""
    items = split(text)
    connectors = variables.get(legacy.NUMBER_OF_CONNECTORS)
    for item in items:
        found = _ROTATION.fullmatch(item)
        if found is None or int(found[1]) > connectors:
            return f"{item!r} is no connector with its rotation"
    limit = variables.find(legacy.CONNECTOR_PHASE_ROTATION_MAX_LENGTH)
    return f"more than {limit} items" if limit is not None and len(items) > limit else ""


def evse_ids(variables: Variables, text: str) -> str:
    """Check ConnectorEvseIds: one of 7 to 37 characters for each connector.

    More are taken, as by EVerest: a CSMS may give the ids of a whole site.
    """
    items = split(text)
    connectors = variables.get(legacy.NUMBER_OF_CONNECTORS)
    if len(items) < connectors:
        return f"{len(items)} ids for {connectors} connectors"
    wrong = [item for item in items if not 7 <= len(item) <= 37]
    return f"{wrong[0]!r} has not 7 to 37 characters" if wrong else ""


def text_length(least: int, most: int) -> Check:
    """Return the check of a text with this many characters."""

    def check(variables: Variables, text: str) -> str:
        return "" if least <= len(text) <= most else f"not {least} to {most} characters"

    return check


def language(variables: Variables, text: str) -> str:
    """Check Language: one that is supported."""
    supported = variables.get(legacy.SUPPORTED_LANGUAGES)
    return "" if text in supported else f"not one of {','.join(supported)}"


def time_offset(variables: Variables, text: str) -> str:
    """Check TimeOffset: `+hh:mm`."""
    return "" if _OFFSET.fullmatch(text) else "no offset like +01:00"


def date(variables: Variables, text: str) -> str:
    """Check a point in time."""
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""


def default_price(variables: Variables, text: str) -> str:
    """Check DefaultPrice: an object with texts, and prices that are numbers (California Pricing white paper)."""
    try:
        price = decode_json(text, dict[str, object])
        charging = price.get("chargingPrice", {})
        texts = [price.get(name, "") for name in ("priceText", "priceTextOffline")]
    except ValueError as error:
        return str(error)
    if not all(isinstance(one, str) for one in texts) or not isinstance(charging, dict):
        return "no price text"
    return "" if all(isinstance(one, int | float) for one in charging.values()) else "a price that is no number"


def not_lowered(variable: Variable[int]) -> Check:
    """Return the check of SecurityProfile, which is never lowered (security white paper, 2.1)."""

    def check(variables: Variables, text: str) -> str:
        if text not in ("0", "1", "2", "3"):
            return "no security profile"
        present = variables.get(variable)
        return f"lower than {present}, which is in use" if int(text) < present else ""

    return check
