"""Which energy service a car takes, and with which of the charger's parameter sets (ISO 15118-20 clause 8.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from chargebyte_fw.modules.v2g.evcc.facts import CarSettings
from chargebyte_fw.modules.v2g.evcc.iso20 import services
from chargebyte_fw.modules.v2g.evcc.iso20.services import Service
from chargebyte_fw.modules.v2g.messages import iso20_common as common


class Undescribed(msgspec.Struct, frozen=True):
    """The best service that may still suit: its parameter sets are to be asked for (ServiceDetail)."""

    service_id: int


class Selected(msgspec.Struct, frozen=True):
    """The service with the set to select."""

    service: Service
    passed_over: str = ""
    """Why it is not the one that the car likes best; empty: it is."""


class NoService(msgspec.Struct, frozen=True):
    """The charger has nothing for this car, and why."""

    reason: str


def select(
    offered: Collection[int],
    described: Mapping[int, Iterable[common.ParameterSetType]],
    wishes: Iterable[int],
    settings: CarSettings,
) -> Undescribed | Selected | NoService:
    """Return the first of the car's wishes that the charger offers with a parameter set that suits.

    `offered`: of ServiceDiscoveryRes; `described`: the sets of each service of which ServiceDetailRes came;
    `wishes`: best first, of one name space. A service without a set that suits is passed over like one that is not
    offered; the next one has to be described before it can be selected.
    """
    wanted, unsuitable, passed_over = list(wishes), [], []
    for service_id in wanted:
        name = services.NAMES[service_id]
        if service_id not in offered:
            passed_over.append(f"{name} is not offered")
        elif service_id not in described:
            return Undescribed(service_id)
        elif (service := choose_set(service_id, described[service_id], settings)) is not None:
            return Selected(service, ", ".join(passed_over))
        else:
            unsuitable.append(name)
            passed_over.append(f"no set of {name} suits")
    if unsuitable:
        control = f" with {settings.control_mode} control" if settings.control_mode else ""
        return NoService(f"the charger has no set of {' or '.join(unsuitable)}{control} that suits")
    has = ", ".join(services.NAMES.get(one, str(one)) for one in offered)
    takes = ", ".join(services.NAMES[one] for one in wanted)
    return NoService(f"the charger offers {has or 'nothing'}, the car takes {takes or 'nothing'}")


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
    mode = {"Scheduled": services.SCHEDULED, "Dynamic": services.DYNAMIC}.get(settings.control_mode)
    if mode is not None and service.value("ControlMode", services.SCHEDULED) != mode:
        return None
    if service.value("DERControlFunctions") & ~settings.der_functions:
        return None
    points = 0
    if service.service_id in (services.AC, services.AC_BPT, services.AC_DER_IEC):
        phases = service.value("Connector", 1)
        if phases > settings.phases:
            return None
        points += 8 * phases
    needs = {"EVCC": services.BY_EVCC, "SECC": services.BY_SECC}.get(settings.mobility_needs_by)
    if needs is not None and service.value("MobilityNeedsMode", services.BY_EVCC) == needs:
        points += 4
    # A price is worth having: absolute ones before levels.
    return points + {1: 2, 2: 1}.get(service.value("Pricing"), 0)
