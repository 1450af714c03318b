"""Values that another part of the charger keeps, such as the configuration of other modules. Pure.

What is set is answered once it is kept, or has failed to be: a CSMS that goes on with a reset, as RebootRequired has
it, finds the new value after that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from chargebyte_fw.modules.ocpp.station import CallFailure, Deferred, Station
from chargebyte_fw.modules.ocpp.variables.access import Status, Writing

T = TypeVar("T")


def when_kept(station: Station, written: Sequence[Writing], answer: Callable[[Sequence[Writing]], T]) -> T | Deferred:
    """Return the answer to a request that has written these values, later where some are kept elsewhere."""
    results = list(written)
    waiting = {at for at, one in enumerate(written) if one.elsewhere is not None}
    if not waiting:
        return answer(results)
    deferred = station.defer()

    def take(at: int, result: Any) -> None:
        waiting.discard(at)
        if isinstance(result, CallFailure):
            results[at] = Writing(Status.REJECTED, "InternalError", "the value could not be kept for the next start")
        if not waiting:
            station.answer(deferred, answer([replace(one, elsewhere=None) for one in results]))

    for at in sorted(waiting):
        station.keep_elsewhere(written[at].elsewhere, partial(take, at))
    return deferred
