"""Clock-aligned intervals: counted from midnight UTC, with averages (OCPP 1.6 §9.1.3; use case J01)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from chargebyte_fw.modules.ocpp.metering.samples import Sample

AVERAGED = ("Current.Import", "Voltage", "Power.Active.Import", "Frequency")
"""What is averaged over an interval; energy and the like are values at its end."""


def next_boundary(utc: datetime, interval_s: int) -> datetime:
    """Return the first boundary of the raster after a time. Midnight is always one, whatever the interval."""
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = int((utc - midnight).total_seconds() // interval_s) + 1
    return min(midnight + timedelta(seconds=passed * interval_s), midnight + timedelta(days=1))


def rounded(at: datetime, interval_s: int) -> datetime:
    """Return the boundary of the raster that is nearest to a time."""
    after = next_boundary(at, interval_s)
    before = after - timedelta(seconds=interval_s)
    return before if at - before <= after - at else after


class Averages:
    """Sums of the measurands that are averaged, over one interval at one EVSE."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str | None], tuple[float, int]] = {}

    def add(self, samples: Iterable[Sample]) -> None:
        """Count the samples of one reading."""
        for sample in samples:
            if sample.measurand in AVERAGED:
                total, number = self._sums.get((sample.measurand, sample.phase), (0.0, 0))
                self._sums[sample.measurand, sample.phase] = (total + sample.value, number + 1)

    def averaged(self, samples: Iterable[Sample]) -> list[Sample]:
        """Return the samples of the interval's end with the averages in the place of what is averaged."""
        return [msgspec.structs.replace(sample, value=self._average(sample)) for sample in samples]

    def _average(self, sample: Sample) -> float:
        if sample.measurand not in AVERAGED:
            return sample.value
        total, number = self._sums.get((sample.measurand, sample.phase), (sample.value, 1))
        return total / number

    def clear(self) -> None:
        """Begin a new interval."""
        self._sums.clear()
