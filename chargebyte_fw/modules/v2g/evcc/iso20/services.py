"""Which energy service a car takes, and with which of the charger's parameter sets (ISO 15118-20 clause 8.4)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chargebyte_fw.modules.v2g.evcc.facts import CarSettings, Paused
from chargebyte_fw.modules.v2g.messages import iso20_common as common

AC, DC, AC_BPT, DC_BPT, MCS, MCS_BPT, AC_DER_IEC = 1, 2, 5, 6, 8, 9, 10
PARKING_STATUS = 66
NAMES = {
    AC: "AC",
    DC: "DC",
    AC_BPT: "AC_BPT",
    DC_BPT: "DC_BPT",
    MCS: "MCS",
    MCS_BPT: "MCS_BPT",
    AC_DER_IEC: "AC_DER_IEC",
    PARKING_STATUS: "ParkingStatus",
}
"""Service ids (table 204, amendment 1)."""
BIDIRECTIONAL = (AC_BPT, DC_BPT, MCS_BPT, AC_DER_IEC)
SERVICES_OF_MODE = {
    **dict.fromkeys(("AC_single_phase_core", "AC_two_phase", "AC_three_phase_core"), (AC,)),
    **dict.fromkeys(("DC_core", "DC_extended", "DC_combo_core", "DC_unique", "DC"), (DC,)),
    "AC_BPT": (AC_BPT, AC),
    "DC_BPT": (DC_BPT, DC),
    "MCS": (MCS,),
    "MCS_BPT": (MCS_BPT, MCS),
    # In its name space: the messages of AC have another one.
    "AC_DER_IEC": (AC_DER_IEC,),
}
"""What a car with EVerest's energy transfer mode takes, best first: one that may discharge can also only charge."""
SCHEDULED, DYNAMIC = 1, 2
BY_EVCC, BY_SECC = 1, 2
SEPARATED = 2
"""Values of ControlMode, MobilityNeedsMode and BPTChannel (tables 205 to 214)."""


class Service(msgspec.Struct, frozen=True):
    """The energy service with one of its parameter sets."""

    service_id: int
    parameter_set_id: int = 0
    parameters: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """The service's name."""
        return NAMES.get(self.service_id, str(self.service_id))

    @property
    def bidirectional(self) -> bool:
        """Whether the car may discharge."""
        return self.service_id in BIDIRECTIONAL

    @property
    def dynamic(self) -> bool:
        """Whether the charger commands the power (Dynamic) and does not only bound it (Scheduled)."""
        return self.value("ControlMode", SCHEDULED) == DYNAMIC

    @property
    def text(self) -> str:
        """Name and control mode, for the log."""
        return f"{self.name}, {'Dynamic' if self.dynamic else 'Scheduled'}"

    def value(self, name: str, default: int = 0) -> int:
        """Return an integer parameter."""
        return dict(self.parameters).get(name, default)


def choose(offered: Iterable[int], settings: CarSettings) -> int | None:
    """Return the best service for this car among those that the charger offers, None where none fits."""
    ids = tuple(offered)
    return next((one for one in SERVICES_OF_MODE[settings.energy_transfer_mode] if one in ids), None)


def choose_set(service_id: int, sets: Iterable[common.ParameterSetType], settings: CarSettings) -> Service | None:
    """Return the service with the set that suits this car best, the charger's first among equals; None: none fits."""
    best: Service | None = None
    best_points = -1
    for one in sets:
        numbers = tuple((p.Name, p.intValue) for p in one.Parameter if p.intValue is not None)
        service = Service(service_id, one.ParameterSetID, numbers)
        points = _points(service, settings)
        if points is not None and points > best_points:
            best, best_points = service, points
    return best


def _points(service: Service, settings: CarSettings) -> int | None:
    """Return how well a parameter set suits; None: the car cannot take it."""
    mode = {"Scheduled": SCHEDULED, "Dynamic": DYNAMIC}.get(settings.control_mode)
    if mode is not None and service.value("ControlMode", SCHEDULED) != mode:
        return None
    if service.value("DERControlFunctions") & ~settings.der_functions:
        return None
    points = 0
    if service.service_id in (AC, AC_BPT, AC_DER_IEC):
        phases = service.value("Connector", 1)
        if phases > settings.phases:
            return None
        points += 8 * phases
    needs = {"EVCC": BY_EVCC, "SECC": BY_SECC}.get(settings.mobility_needs_by)
    if needs is not None and service.value("MobilityNeedsMode", BY_EVCC) == needs:
        points += 4
    # A price is worth having: absolute ones before levels.
    return points + {1: 2, 2: 1}.get(service.value("Pricing"), 0)


def resumed(paused: Paused) -> Service:
    """Return the service with which a paused session goes on."""
    return Service(paused.service_id, paused.parameter_set_id, paused.parameters)
