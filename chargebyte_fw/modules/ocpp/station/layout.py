"""EVSEs and connectors of the station, and the numbers by which OCPP 1.6 knows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum, Evse


class Place(msgspec.Struct, frozen=True):
    """One connector."""

    evse_id: int
    connector_id: int
    """Counted from 1 within the EVSE."""
    connector: int
    """The number in OCPP 1.6: counted from 1 over all EVSEs."""
    kind: ConnectorTypeEnum | None = None


class Layout:
    """What the station consists of."""

    def __init__(self, evses: Iterable[Evse]) -> None:
        """Take the EVSEs in the order of their numbers, which are 1 to n.

        An EVSE without connectors counts as one connector. Raises ValueError for other numbers.
        """
        self._places: list[Place] = []
        self.evse_ids: tuple[int, ...] = ()
        """1 to n."""
        for expected, evse in enumerate(sorted(evses, key=lambda one: one.id), 1):
            if evse.id != expected:
                raise ValueError(f"EVSE {evse.id} where EVSE {expected} is expected: EVSEs are numbered 1, 2, ...")
            self.evse_ids += (evse.id,)
            kinds = {one.id: one.type for one in evse.connectors} or {1: None}
            if sorted(kinds) != list(range(1, len(kinds) + 1)):
                raise ValueError(f"EVSE {evse.id} has connectors {sorted(kinds)}: they are numbered 1, 2, ...")
            for connector_id in sorted(kinds):
                number = len(self._places) + 1
                self._places.append(Place(evse.id, connector_id, number, kinds[connector_id]))

    def __iter__(self) -> Iterator[Place]:
        """Every connector, in the order of OCPP 1.6."""
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def connector(self, number: int) -> Place | None:
        """Return the connector of a number of OCPP 1.6; None for 0 and numbers that do not exist."""
        return self._places[number - 1] if 1 <= number <= len(self._places) else None

    def find(self, evse_id: int, connector_id: int | None = None) -> Place | None:
        """Return a connector of an EVSE (None: its first)."""
        wanted = 1 if connector_id is None else connector_id
        return next((one for one in self._places if (one.evse_id, one.connector_id) == (evse_id, wanted)), None)

    def number(self, evse_id: int, connector_id: int) -> int:
        """Return the number of a connector in OCPP 1.6, 0 for one that does not exist."""
        place = self.find(evse_id, connector_id)
        return 0 if place is None else place.connector

    def of(self, evse_id: int) -> list[Place]:
        """Return the connectors of an EVSE."""
        return [one for one in self._places if one.evse_id == evse_id]
