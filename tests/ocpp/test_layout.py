"""Numbers of EVSEs and connectors, in both generations."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.types.evse_manager import Connector, ConnectorTypeEnum, Evse
from chargebyte_fw.modules.ocpp.station.layout import Layout


def evse(number: int, *connectors: int) -> Evse:
    return Evse(id=number, connectors=[Connector(id=one, type=ConnectorTypeEnum.cCCS2) for one in connectors])


def test_connectors_of_1_6_are_counted_over_all_evses() -> None:
    layout = Layout([evse(2, 1), evse(1, 1, 2)])
    assert [(one.connector, one.evse_id, one.connector_id) for one in layout] == [(1, 1, 1), (2, 1, 2), (3, 2, 1)]
    third, fallback = layout.connector(3), layout.find(2)
    assert third is not None and third is fallback and third.kind is ConnectorTypeEnum.cCCS2
    assert [layout.connector(number) for number in (0, 4, -1)] == [None, None, None]
    assert layout.evse_ids == (1, 2) and len(layout) == 3 and layout.find(1, 3) is None


def test_an_evse_without_connectors_counts_as_one() -> None:
    assert len(Layout([evse(1)])) == 1


@pytest.mark.parametrize(
    ("evses", "message"),
    [([evse(2, 1)], "EVSE 2 where EVSE 1"), ([evse(1, 1, 3)], "EVSE 1 has connectors \\[1, 3\\]")],
)
def test_numbers_with_holes_are_an_error(evses: list[Evse], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Layout(evses)
