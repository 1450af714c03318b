"""A station of OCPP 2.x with every block, accepted by its CSMS."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.modules.ocpp.blocks_v2 import BLOCKS
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import LAYOUT, Stack


class Station2(Stack):
    """Two EVSEs of one connector each, accepted by its CSMS unless `registration` is another status."""

    def __init__(
        self,
        *,
        version: Version = Version.V201,
        registration: str = "Accepted",
        interval_s: int = 0,
        saved: dict[str, dict[str, bytes]] | None = None,
        resumed: frozenset[str] = frozenset(),
        going_on: frozenset[str] = frozenset(),
        boot_reason: BootReason = BootReason.Unknown,
        connects: bool = True,
        layout: Layout = LAYOUT,
        **values: Any,
    ) -> None:
        variables = Variables(declared(connectors={1: 1, 2: 1}))
        now = "2023-11-15T00:00:00.000Z"
        answers: dict[str, dict[str, Any]] = {
            "BootNotification": {"status": registration, "currentTime": now, "interval": interval_s},
            "Heartbeat": {"currentTime": now},
            "Authorize": {"idTokenInfo": {"status": "Accepted"}},
            "SignCertificate": {"status": "Accepted"},
        }
        self.commands: list[do.Command] = []
        self.results: dict[str, Any] = {"is_reset_allowed": True, "force_unlock": True, "enable_disable": True}
        super().__init__(*BLOCKS, version=version, variables=variables, saved=saved, answers=answers, layout=layout)
        for name, value in values.items():
            self.set(name, value)
        self.feed(events.Started(boot_reason, resumed, going_on))
        if connects:
            self.connect()

    def events(self) -> list[dict[str, Any]]:
        """Return the payloads of the TransactionEvents since the last call."""
        found = list(self.payloads_of("TransactionEvent"))
        self.requests()
        return found

    def restart(
        self, *, resumed: frozenset[str] = frozenset(), going_on: frozenset[str] = frozenset(), **values: Any
    ) -> Station2:
        """Return the station after it was started again: with what was saved and nothing else."""
        again = {name: dict(rows) for name, rows in self.tables.items()}
        return Station2(version=self.version, saved=again, resumed=resumed, going_on=going_on, **values)
