"""Whether a car in Dynamic control wants something else than before (OCPP 2.1 K20); pure."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.modules.v2g.rational import number_or_none

DEPARTURE_S = 60.0
"""A departure that is moved by less is the same: cars round."""
ENERGY_WH = 2_000.0
"""What flows between two requests is less, also in megawatt charging: a step of this size is a wish."""
_ENERGIES = (
    *("EVTargetEnergyRequest", "EVMaximumEnergyRequest", "EVMinimumEnergyRequest"),
    *("EVMaximumV2XEnergyRequest", "EVMinimumV2XEnergyRequest"),
)


class Needs(msgspec.Struct, frozen=True):
    """What a request states of the car's needs."""

    departure_s: int | None
    """As sent, from the time of the request on."""
    leaves_s: float | None
    """The same since 1970."""
    energies_Wh: tuple[float | None, ...]

    @classmethod
    def of(cls, mode: Any, now_s: float) -> Needs:
        """Return the needs of a control mode of ScheduleExchangeReq or of a charge loop."""
        departure_s = mode.DepartureTime
        energies = tuple(number_or_none(getattr(mode, name, None)) for name in _ENERGIES)
        return cls(departure_s, None if departure_s is None else now_s + departure_s, energies)


class KnownNeeds:
    """The needs that were published last."""

    def __init__(self) -> None:
        self._published: Needs | None = None
        self._last: Needs | None = None

    def publish(self, needs: Needs) -> None:
        """Note needs that are published."""
        self._published = self._last = needs

    def change(self, needs: Needs) -> bool:
        """Note the needs of the next request; return whether they are others than those that were published.

        A car that counts its departure down, and one that always sends the same number, has not changed its mind.
        """
        before, published, self._last = self._last, self._published, needs
        if before is None or published is None:
            return False
        moved = False
        if needs.departure_s != before.departure_s:
            known = (needs.leaves_s, published.leaves_s)
            moved = None in known or abs((known[0] or 0.0) - (known[1] or 0.0)) >= DEPARTURE_S
        pairs = zip(needs.energies_Wh, before.energies_Wh, strict=True)
        return moved or any(
            one is not None and other is not None and abs(one - other) >= ENERGY_WH for one, other in pairs
        )
