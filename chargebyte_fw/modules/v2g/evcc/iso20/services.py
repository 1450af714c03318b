"""The energy services of ISO 15118-20 that a car knows, those that it wishes for, and the name space of each."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.evcc.facts import CarSettings, Paused
from chargebyte_fw.modules.v2g.handshake import AppProtocol

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
    "MCS": (MCS, DC),
    "MCS_BPT": (MCS_BPT, MCS, DC_BPT, DC),
    "AC_DER_IEC": (AC_DER_IEC, AC_BPT, AC),
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


def wishes(settings: CarSettings) -> tuple[int, ...]:
    """Return the services that this car takes, best first; those that discharge only where it has a power for that."""
    named = {name: service_id for service_id, name in NAMES.items()}
    wanted = tuple(named[name] for name in settings.energy_services)
    wanted = wanted or SERVICES_OF_MODE.get(settings.energy_transfer_mode, ())
    return tuple(one for one in wanted if one not in BIDIRECTIONAL or settings.max_discharge_power_W > 0)


def name_space(service_id: int) -> AppProtocol:
    """Return the name space that a service has its messages in: a session has one."""
    if service_id == AC_DER_IEC:
        return handshake.ISO15118D20_AC_DER_IEC
    return handshake.ISO15118D20_AC if service_id in (AC, AC_BPT) else handshake.ISO15118D20_DC


def resumed(paused: Paused) -> Service:
    """Return the service with which a paused session goes on."""
    return Service(paused.service_id, paused.parameter_set_id, paused.parameters)
