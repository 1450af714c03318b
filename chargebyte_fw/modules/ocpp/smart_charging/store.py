"""Installed profiles: what a new one replaces, what ends them, and how they survive a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.profile import Installed, Profile, Purpose, same_transaction
from chargebyte_fw.modules.ocpp.smart_charging.rules import V16, Situation, SmartChargingRules

TABLE = "CHARGING_PROFILES"


class Document(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is kept of a profile over a restart."""

    evse_id: int
    installed_s: int
    profile: msgspec.Raw
    """As it came."""
    source: str = "CSO"
    selected: int = 0


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which profiles are meant; None: any."""

    ids: frozenset[int] | None = None
    evse_id: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None
    sources: frozenset[str] | None = None

    def matches(self, installed: Installed) -> bool:
        """Return whether a profile is meant."""
        profile = installed.profile
        return (
            (self.ids is None or profile.id in self.ids)
            and (self.evse_id is None or installed.evse_id == self.evse_id)
            and (self.purpose is None or profile.purpose is self.purpose)
            and (self.stack_level is None or profile.stack_level == self.stack_level)
            and (self.sources is None or installed.source in self.sources)
        )


class ProfileStore:
    """The installed profiles by their id. `save(table, key, document)` keeps one, or deletes it (None)."""

    def __init__(self, save: Callable[[str, str, Document | None], None], rules: Callable[[], SmartChargingRules]):
        self._save = save
        self._rules = rules
        self._by_id: dict[int, Installed] = {}
        self._updated_s: dict[Purpose, int] = {}

    def __iter__(self) -> Iterator[Installed]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, profile_id: int) -> Installed | None:
        """Return the profile of an id."""
        return self._by_id.get(profile_id)

    def all(self) -> list[Installed]:
        """Return every profile."""
        return list(self._by_id.values())

    def last_update_s(self, purpose: Purpose) -> int | None:
        """Return when a profile of this purpose was installed last (UpdateRateLimit)."""
        return self._updated_s.get(purpose)

    def beside(self, profile: Profile, evse_id: int) -> list[Installed]:
        """Return the profiles that stay when this one is installed."""
        return [one for one in self._by_id.values() if not self._replaces(profile, evse_id, one)]

    def _replaces(self, profile: Profile, evse_id: int, other: Installed) -> bool:
        if other.profile.id == profile.id:
            # K01.FR.05: an external constraint is not replaced by a profile of the CSMS.
            return (other.profile.purpose is Purpose.EXTERNAL) == (profile.purpose is Purpose.EXTERNAL)
        # OCPP 1.6 §3.13.2: one profile for each purpose, level and connector. OCPP 2.x rejects the second one.
        return (
            self._rules().version == V16
            and other.profile.purpose is profile.purpose
            and other.profile.stack_level == profile.stack_level
            and other.evse_id == evse_id
        )

    def install(self, installed: Installed) -> None:
        """Install a profile in place of those that it replaces."""
        for other in self.all():
            if other.profile.id != installed.profile.id and self._replaces(installed.profile, installed.evse_id, other):
                self._remove(other)
        self._updated_s[installed.profile.purpose] = installed.installed_s
        self.update(installed)

    def update(self, installed: Installed) -> None:
        """Keep a changed profile in place of what had its id."""
        self._by_id[installed.profile.id] = installed
        if installed.profile.purpose in self._rules().persisted and installed.wire:
            document = Document(
                evse_id=installed.evse_id,
                installed_s=installed.installed_s,
                profile=msgspec.Raw(installed.wire),
                source=installed.source,
                selected=installed.selected,
            )
            self._save(TABLE, str(installed.profile.id), document)

    def remove(self, which: Iterable[Installed]) -> int:
        """Remove profiles; return how many."""
        removed = 0
        for installed in list(which):
            self._remove(installed)
            removed += 1
        return removed

    def _remove(self, installed: Installed) -> None:
        self._by_id.pop(installed.profile.id, None)
        self._save(TABLE, str(installed.profile.id), None)

    def select(self, wanted: Filter) -> list[Installed]:
        """Return the profiles that a filter means."""
        return [one for one in self._by_id.values() if wanted.matches(one)]

    def end_transaction(self, transaction_id: str | None, evse_id: int) -> int:
        """Remove the TxProfiles of a transaction that has ended (K02.FR.05); return how many.

        Without an id, those of every transaction of the EVSE.
        """
        return self.remove(
            one
            for one in self.all()
            if one.profile.purpose is Purpose.TX
            and one.evse_id == evse_id
            and (
                transaction_id is None
                or one.profile.transaction_id is None
                or same_transaction(one.profile.transaction_id, transaction_id)
            )
        )

    def purge(self, now_s: int) -> int:
        """Remove what is over: called at the start and once a day."""
        return self.remove(
            one for one in self.all() if one.profile.valid_to_s is not None and one.profile.valid_to_s <= now_s
        )

    def end_offline(self, situation: Situation) -> int:
        """Remove what does not outlast this time without a connection (`invalidAfterOfflineDuration`, Q12)."""
        since_s = situation.offline_since_s
        if since_s is None:
            return 0
        return self.remove(
            one
            for one in self.all()
            if one.profile.ends_offline
            and one.profile.max_offline_s is not None
            and situation.now_s > since_s + one.profile.max_offline_s
        )

    def load(
        self,
        documents: dict[str, bytes],
        decode: Callable[[bytes], Profile],
        check: Callable[[Installed], Profile],
    ) -> list[tuple[str, str]]:
        """Install what the last run kept; return key and reason of what is not valid any more, which is deleted.

        `decode` reads a profile as it came; `check` returns it as it is to be installed. Both raise ValueError.
        """
        dropped: list[tuple[str, str]] = []
        for key, text in documents.items():
            try:
                document = msgspec.json.decode(text, type=Document)
                wire = bytes(document.profile)
                installed = Installed(
                    profile=decode(wire),
                    evse_id=document.evse_id,
                    installed_s=document.installed_s,
                    source=document.source,
                    wire=wire,
                )
                profile = check(installed)
                selected = min(max(document.selected, 0), len(profile.schedules) - 1)
                self._by_id[profile.id] = msgspec.structs.replace(installed, profile=profile, selected=selected)
            except (ValueError, msgspec.MsgspecError) as error:
                dropped.append((key, str(error)))
                self._save(TABLE, key, None)
        return dropped


def wire_of(profile: Any) -> bytes:
    """Return a profile of a message as the JSON that is kept."""
    return msgspec.json.encode(profile)
