"""What the authorization blocks of both generations share: cache and list over a restart, and whether to ask."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.modules.ocpp.authorization.cache import CLEAN_INTERVAL_S, TABLE, AuthorizationCache
from chargebyte_fw.modules.ocpp.authorization.local_list import TABLE as LIST_TABLE
from chargebyte_fw.modules.ocpp.authorization.local_list import VERSION_TABLE, LocalList
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives


class AuthorizationBlock(Block):
    """Keeps what the CSMS answered about tokens."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.cache = AuthorizationCache(station.save)
        self.local_list = LocalList(station.save)
        self.online = False

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take cache and list of the last run."""
        self.cache.load(event.tables.get(TABLE, {}))
        self.local_list.load(event.tables.get(LIST_TABLE, {}), event.tables.get(VERSION_TABLE, {}))
        self._clean()

    def _clean(self) -> None:
        self.cache.clean(self.station.utc)
        self.station.start("clean cache", self.station.now + CLEAN_INTERVAL_S, self._clean)

    @receives(Registered)
    @receives(BackOnline)
    def went_online(self, event: Any) -> None:
        """Ask the CSMS from now on."""
        self.online = True

    @receives(WentOffline)
    def went_offline(self, event: WentOffline) -> None:
        """Decide locally from now on."""
        self.online = False
