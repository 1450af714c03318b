"""What smart charging is in each version of OCPP: installed profiles, the EVSEs' situation, limits for the stack."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite, composite
from chargebyte_fw.modules.ocpp.smart_charging.configuration import local_time_of, phases_of, rules_of
from chargebyte_fw.modules.ocpp.smart_charging.profile import DAY_S, Installed, Profile, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.smart_charging.rules import V16, EvseState, Situation, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.seconds import seconds_of
from chargebyte_fw.modules.ocpp.smart_charging.stack_limits import StackLimits
from chargebyte_fw.modules.ocpp.smart_charging.store import TABLE, Document, ProfileStore
from chargebyte_fw.modules.ocpp.smart_charging.verdict import Rejected
from chargebyte_fw.modules.ocpp.station import Block, RequestRefused, Station, events, receives
from chargebyte_fw.modules.ocpp.transactions.events import (
    RemoteStartAccepted,
    TransactionBegan,
    TransactionEnded,
)
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from chargebyte_fw.modules.ocpp.variables.standard import station as of_station

COMPUTE, PURGE = "smart charging", "smart charging purge"
"""Timers."""


class _Pending(msgspec.Struct, frozen=True):
    """A profile of a remote start: it waits for its transaction."""

    id_token: str
    profile: Any
    """As it came."""


class SmartCharging(Block):
    """Profiles in, limits out. The messages of a version are in its subclass.

    EVSEs have their ids; in OCPP 1.6 these are the numbers of the connectors.
    """

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.settings = Settings()
        """Set by the module before the first event."""
        self._cached_rules: SmartChargingRules | None = None
        self.store = ProfileStore(self._save, lambda: self.rules)
        self.evses: dict[int, EvseState] = {number: EvseState() for number in self.numbers()}
        self._offline_since_s: int | None = None
        self._has_connected = False
        self._pending: dict[int, _Pending] = {}
        self._started = False
        self.afrr_signal: int | None = None
        """The last signal of reserve power (OCPP 2.1)."""
        self._limits = StackLimits(self)
        variables = station.variables
        variables.provide(declared.CHARGING_PROFILE_ENTRIES, lambda: len(self.store))
        variables.on_any_change(lambda _: self._forget_rules())
        for variable in (declared.DEFAULT_LIMIT_A, declared.DEFAULT_LIMIT_W, declared.SUPPLY_VOLTAGE):
            variables.on_change(variable, lambda _: self.changed())
        variables.on_change(declared.SMART_ENABLED, lambda _: self.changed())
        variables.on_change(declared.IGNORED_PROFILE_PURPOSES_OFFLINE, lambda _: self.changed())
        variables.on_change(of_station.TIME_OFFSET, lambda _: self.changed())

    # What differs between versions.

    @abstractmethod
    def numbers(self) -> list[int]:
        """Return the ids of the EVSEs (connectors) that messages use."""

    @abstractmethod
    def decode(self, wire: bytes) -> Profile:
        """Return a profile of the last run; raises ValueError."""

    @abstractmethod
    def model_of(self, profile: Any) -> Profile:
        """Return a profile of a message as the model of all versions."""

    @abstractmethod
    def accepted(self, profile: Profile, number: int, evses: dict[int, EvseState], **request: Any) -> Profile:
        """Return a profile as it is to be installed; raises Rejected."""

    @abstractmethod
    def place_of(self, event: TransactionBegan | TransactionEnded) -> int:
        """Return the id by which messages name where a transaction is."""

    @abstractmethod
    def transaction_id_of(self, event: TransactionBegan) -> str | None:
        """Return the id of a transaction that has begun, None while the CSMS has not given it."""

    def evse_numbers(self, evse_id: int) -> list[int]:
        """Return the ids of messages that belong to an EVSE of the stack."""
        return [evse_id]

    # The situation.

    @property
    def rules(self) -> SmartChargingRules:
        """The configuration as it is now."""
        if self._cached_rules is None:
            station = self.station
            self._cached_rules = rules_of(station.variables, station.version, station.layout.evse_ids)
        return self._cached_rules

    def _forget_rules(self) -> None:
        self._cached_rules = None

    @property
    def online(self) -> bool:
        """Whether a CSMS is connected."""
        return self._has_connected and self._offline_since_s is None

    @property
    def now_s(self) -> int:
        """The wall time in whole seconds."""
        return seconds_of(self.station.utc)

    @property
    def situation(self) -> Situation:
        """What schedules depend on besides the profiles."""
        return Situation(
            now_s=self.now_s,
            evses=self.evses,
            offline_since_s=self._offline_since_s,
            local=local_time_of(self.station.variables),
        )

    def change(self, number: int, **values: Any) -> None:
        """Change what is known of an EVSE, and compute again."""
        state = self.evses.get(number)
        if state is not None:
            changed = msgspec.structs.replace(state, **values)
            if changed != state:
                self.evses[number] = changed
                self.changed()

    def composite_of(self, number: int, duration_s: int, unit: RateUnit) -> Composite:
        """Return the composite schedule as the CSMS is answered (K08): without randomized delays (K01.FR.94)."""
        self.refresh_supply()
        profiles = self.store.all() if self.rules.available else []
        punctual = msgspec.structs.replace(self.rules, randomized_delay=False)
        return composite(profiles, number, max(0, duration_s), unit, self.situation, punctual)

    def enforced_composite(self, number: int, duration_s: int, unit: RateUnit) -> Composite:
        """Return the composite schedule that the stack keeps."""
        return self._limits.composite(number, duration_s, unit)

    def refresh_supply(self) -> None:
        """Take the phases of each EVSE from the device model."""
        variables = self.station.variables
        for evse_id in self.station.layout.evse_ids:
            of_DC = variables.get(of_station.EVSE_DC_INPUT_PHASE_CONTROL.at(evse_id))
            phases = phases_of(variables, evse_id)
            for number in self.evse_numbers(evse_id):
                state = self.evses[number]
                if (state.phases, state.phases_of_DC) != (phases, of_DC):
                    self.evses[number] = msgspec.structs.replace(state, phases=phases, phases_of_DC=of_DC)

    def require(self) -> None:
        """Refuse a request where smart charging is not available (K01.FR.29)."""
        if not self.rules.available:
            raise RequestRefused("NotSupported", "smart charging is not available")

    # Profiles.

    def install(self, profile: Profile, number: int, wire: bytes, source: str = "CSO") -> Installed:
        """Install a profile that was accepted, and compute again."""
        installed = Installed(profile=profile, evse_id=number, installed_s=self.now_s, source=source, wire=wire)
        self.store.install(installed)
        self.changed()
        return installed

    def _save(self, table: str, key: str, document: Document | None) -> None:
        self.station.save(table, key, document)

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Install what the last run kept."""
        self.refresh_supply()
        self.store.load(event.tables.get(TABLE, {}), self.decode, self._valid_still)
        self.purge()

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Begin to publish. Transactions that go on have begun by now: profiles of others are over."""
        self._started = True
        for number, state in self.evses.items():
            if not state.transaction:
                self.store.end_transaction(None, number)
        self.changed()

    def _valid_still(self, installed: Installed) -> Profile:
        """Return a profile of the last run as it is to be installed; its transaction may go on."""
        number, profile = installed.evse_id, installed.profile
        evses = {
            **self.evses,
            number: EvseState(
                transaction=True,
                transaction_id=profile.transaction_id,
                phases=self.evses[number].phases if number in self.evses else 3,
            ),
        }
        evses = {one: state for one, state in evses.items() if one in self.evses}
        return self.accepted(profile, number, evses, source=installed.source)

    def purge(self) -> None:
        """Remove profiles that are over, once a day."""
        if self.store.purge(self.now_s):
            self.changed()
        self.station.start(PURGE, self.station.now + DAY_S, self.purge)

    # Transactions.

    @receives(TransactionBegan)
    def transaction_began(self, event: TransactionBegan) -> None:
        """From now on the transaction's profiles hold; one of a remote start is for it (K05)."""
        number = self.place_of(event)
        transaction_id = self.transaction_id_of(event)
        self.change(
            number,
            transaction=True,
            transaction_id=transaction_id,
            transaction_start_s=self.now_s,
            priority=False,
            soc_percent=None,
        )
        pending = self._pending.pop(number, None)
        if pending is not None and pending.id_token.casefold() == event.id_token.casefold():
            self.install_pending(number, pending.profile, transaction_id)
        self.changed()

    @abstractmethod
    def install_pending(self, number: int, profile: Any, transaction_id: str | None) -> None:
        """Install the profile of a remote start for the transaction that it began."""

    @receives(TransactionEnded)
    def transaction_ended(self, event: TransactionEnded) -> None:
        """Its profiles end with it (K02.FR.05, 1.6 §3.13.1)."""
        number = self.place_of(event)
        state = self.evses.get(number)
        if state is None:
            return
        self.store.end_transaction(state.transaction_id, number)
        self.evses[number] = EvseState(phases=state.phases, phases_of_DC=state.phases_of_DC)
        self.changed()

    @receives(RemoteStartAccepted)
    def remote_start_accepted(self, event: RemoteStartAccepted) -> None:
        """Keep the profile until the transaction begins."""
        number = event.connector if self.station.version == V16 else event.evse_id
        if number is None:
            return
        self._pending.pop(number, None)
        if event.profile is not None:
            self._pending[number] = _Pending(event.id_token, event.profile)

    def refusal_of_remote_start(self, profile: Any, number: int) -> Rejected | None:
        """Return why the profile of a remote start is not accepted, None where it is (K05.FR.02)."""
        try:
            self.accepted(self.model_of(profile), number, self.evses, in_remote_start=True)
        except Rejected as refused:
            return refused
        return None

    # Connection, clock, car.

    @receives(events.Connected)
    def connected(self, event: events.Connected) -> None:
        """Profiles that were invalid offline hold again; those that were to end are gone."""
        self._forget_rules()
        self.store.end_offline(self.situation)
        self._offline_since_s = None
        self._has_connected = True
        self.changed()

    @receives(events.Disconnected)
    def disconnected(self, event: events.Disconnected) -> None:
        """From now on the station is offline."""
        if self._offline_since_s is None:
            self._offline_since_s = self.now_s
            self.changed()

    @receives(events.WallClockSet)
    def clock_set(self, event: events.WallClockSet) -> None:
        """Absolute schedules are at another place."""
        self.changed()

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Take the state of charge (limitAtSoC); a node that has started again knows no limits."""
        if (event.interface, event.variable) == (ExternalEnergyLimits.interface, "capabilities"):
            self.changed()
        elif (event.interface, event.variable) == ("evse_manager", "ev_info") and event.evse_id is not None:
            info: EVInfo = event.value
            for number in self.evse_numbers(event.evse_id):
                if info.soc is not None and self.evses[number].transaction:
                    self.change(number, soc_percent=info.soc)

    # Limits for the stack.

    def changed(self) -> None:
        """Compute the limits again, once for all changes of this instant."""
        if self._started:
            self.station.start(COMPUTE, self.station.now, self._limits.compute)

    def is_enforced(self, installed: Installed) -> bool:
        """Return whether the stack gets the limits of a profile from here."""
        return True
