"""Errors of the stack reach a station with the EVSE that they are of."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.ocpp.adapters.facts import OF_INTERFACE, Facts
from chargebyte_fw.modules.ocpp.station.events import ErrorCleared, ErrorRaised
from tests.ocpp.stack import fault


class Variable:
    """A variable or a book of faults that keeps who subscribed."""

    def subscribe(self, *callbacks: Callable[[Any], None]) -> Callable[[], None]:
        self.callbacks = callbacks
        return lambda: None


def of(module_id: str, evse_id: int | None) -> Fault:
    found = fault(evse_id)
    return msgspec.structs.replace(found, origin=msgspec.structs.replace(found.origin, module_id=module_id))


@pytest.mark.parametrize(
    ("raised", "evse_id"), [(of("connector_2", None), 2), (of("connector_2", 1), 1), (of("board", None), None)]
)
def test_an_error_of_a_connected_evse_that_no_configuration_maps_is_of_this_evse(
    raised: Fault, evse_id: int | None
) -> None:
    book = Variable()
    variables: dict[str, Any] = {name: Variable() for name in OF_INTERFACE["evse_manager"]}
    evses = [SimpleNamespace(interface="evse_manager", module_id=f"connector_{n}", n=n, **variables) for n in (1, 2)]
    module: Any = SimpleNamespace(
        requirements={"evse_manager": SimpleNamespace(attribute="evses", many=True)},
        evses=evses,
        runtime=SimpleNamespace(all_faults=[book]),
    )
    got: list[Any] = []
    facts = Facts(module, attrgetter("n"))
    facts.begin(got.append)
    for callback in book.callbacks:
        callback(raised)
    assert [type(one) for one in got] == [ErrorRaised, ErrorCleared]
    for one in got:
        mapping = one.fault.origin.mapping
        assert (None if mapping is None else mapping.evse) == evse_id
