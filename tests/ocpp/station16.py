"""A station of OCPP 1.6 with every block, accepted by its CSMS."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.ocpp.blocks_v16 import BLOCKS
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import LAYOUT, SIGNED, E, Stack, meter, token

__all__ = ["SIGNED", "E", "Station16", "meter", "token"]


class Station16(Stack):
    """Two EVSEs of one connector each, accepted by its CSMS unless `registration` is another status."""

    def __init__(
        self,
        *,
        registration: str = "Accepted",
        interval_s: int = 0,
        saved: dict[str, dict[str, bytes]] | None = None,
        resumed: frozenset[str] = frozenset(),
        going_on: frozenset[str] = frozenset(),
        connects: bool = True,
        **keys: Any,
    ) -> None:
        variables = Variables(declared(connectors={1: 1, 2: 1}, legacy_keys=True))
        answers: dict[str, dict[str, Any]] = {
            "BootNotification": {
                "status": registration,
                "currentTime": "2023-11-15T00:00:00.000Z",
                "interval": interval_s,
            },
            "Heartbeat": {"currentTime": "2023-11-15T00:00:00.000Z"},
            "Authorize": {"idTagInfo": {"status": "Accepted"}},
            "StartTransaction": {"idTagInfo": {"status": "Accepted"}, "transactionId": 7},
            "SignCertificate": {"status": "Accepted"},
        }
        self.commands: list[do.Command] = []
        self.results: dict[str, Any] = {"is_reset_allowed": True, "force_unlock": True, "enable_disable": True}
        super().__init__(*BLOCKS, version=Version.V16, variables=variables, saved=saved, answers=answers, layout=LAYOUT)
        for name, value in keys.items():
            self.set(name, value)
        self.feed(events.Started(resumed=resumed, going_on=going_on))
        if connects:
            self.connect()

    def restart(
        self, *, resumed: frozenset[str] = frozenset(), going_on: frozenset[str] = frozenset(), **keys: Any
    ) -> Station16:
        """Return the station after it was started again: with what was saved and nothing else."""
        again = {name: dict(rows) for name, rows in self.tables.items()}
        return Station16(saved=again, resumed=resumed, going_on=going_on, **keys)
