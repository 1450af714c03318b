"""Whether every reservation finds an EVSE, in every order of arrival and wherever each EV parks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum

Place: TypeAlias = frozenset[ConnectorTypeEnum]
"""The kinds of connector at one EVSE."""

ANY = ConnectorTypeEnum.Unknown


def fits(car: ConnectorTypeEnum, place: Iterable[ConnectorTypeEnum]) -> bool:
    """Whether an EV with this kind of connector can be plugged in; an unknown kind, of either, fits everything."""
    kinds = set(place)
    return bool(kinds) and (car is ANY or car in kinds or ANY in kinds)


def always_served(cars: Sequence[ConnectorTypeEnum], places: Sequence[Place]) -> bool:
    """Whether each car finds a place in every order of arrival and with every choice of the earlier ones.

    A car is left over exactly when the others can take every place that it fits; so for each kind of car it is asked
    whether the other cars can fill those places (a maximum matching, polynomial where the orders are factorially many).
    """
    for kind in set(cars):
        wanted = [place for place in places if fits(kind, place)]
        others = list(cars)
        others.remove(kind)
        if len(others) >= len(wanted) and _fill(others, wanted):
            return False
    return True


def _fill(cars: Sequence[ConnectorTypeEnum], places: Sequence[Place]) -> bool:
    """Whether the cars can take all of the places (Kuhn's augmenting paths)."""
    car_at: dict[int, int] = {}
    place_of: dict[int, int] = {}

    def find(place: int, seen: set[int]) -> bool:
        for car, kind in enumerate(cars):
            if car in seen or not fits(kind, places[place]):
                continue
            seen.add(car)
            if car not in place_of or find(place_of[car], seen):
                place_of[car], car_at[place] = place, car
                return True
        return False

    return all(find(place, set()) for place in range(len(places)))
