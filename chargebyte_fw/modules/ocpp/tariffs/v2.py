"""Tariffs of OCPP 2.1: set, listed, cleared and changed by the CSMS, and the costs by them (I07 to I12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargebyte_fw.modules.ocpp.display_and_cost.cost_v2 import Cost2
from chargebyte_fw.modules.ocpp.messages.v2 import tariff_and_cost as v2
from chargebyte_fw.modules.ocpp.messages.v2.authorization import AuthorizeRequest, AuthorizeResponse
from chargebyte_fw.modules.ocpp.messages.v2.monitoring import EventNotificationEnumType
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    CostDetailsType,
    TransactionEventEnumType,
    TriggerReasonEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import AuthorizationStatusEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TariffType
from chargebyte_fw.modules.ocpp.monitoring.block import Monitoring
from chargebyte_fw.modules.ocpp.monitoring.monitor import DELTA
from chargebyte_fw.modules.ocpp.provisioning.events import BackOnline, Registered, WentOffline
from chargebyte_fw.modules.ocpp.reservation.v2 import Reservations2
from chargebyte_fw.modules.ocpp.station import Block, RequestRefused, Station, answered, answers, events, receives
from chargebyte_fw.modules.ocpp.tariffs.running import TABLE, Running, RunningCosts
from chargebyte_fw.modules.ocpp.tariffs.store import DEFAULTS, DRIVERS, MOST_DRIVERS, DefaultTariffs, DriverTariffs
from chargebyte_fw.modules.ocpp.tariffs.tariff import Refusal, Tariff, TariffRefused
from chargebyte_fw.modules.ocpp.transactions.event_writer_v2 import Priced
from chargebyte_fw.modules.ocpp.transactions.events import CostKnown, TransactionBegan
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.device_model import status_info
from chargebyte_fw.modules.ocpp.variables.standard.authorization import AUTH_CACHE_ENABLED
from chargebyte_fw.modules.ocpp.variables.standard.cost import (
    COST_INTERVAL,
    HANDLE_FAILED_TARIFF,
    MAX_TARIFF_ELEMENTS,
    RUNNING_COST_ENABLED,
    TARIFF_AVAILABLE,
    TARIFF_CONDITIONS_SUPPORTED,
    TARIFF_ENABLED,
    TARIFF_INTERVAL,
    TARIFF_PROBLEM,
)
from chargebyte_fw.modules.ocpp.variables.standard.transactions import EV_CONNECTION_TIME_OUT
from chargebyte_fw.modules.ocpp.version import Version

LIMITED_LOOK_S = 1.0
"""How often a cost is counted at most: one that is limited, and any with a `TariffCostCtrlr.Interval` of 0."""
SEVERITY = 5
Kind, Set, Change = v2.TariffKindEnumType, v2.TariffSetStatusEnumType, v2.TariffChangeStatusEnumType


class Tariffs2(Block):
    """Default and driver tariffs, and the cost of each transaction that has one."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.defaults = DefaultTariffs(station.save)
        self.drivers = DriverTariffs(station.save)
        self.costs = RunningCosts(station, self._tariff_of)
        self._authorized: dict[str, str] = {}
        """Tokens with a tariff of their own that have begun nothing yet, as they were presented, by their key."""
        self._central: set[str] = set()
        """Tokens whose transactions the CSMS charges: their own tariff could not be used (`CentralCost`)."""
        station.block(Transactions2).writer.pricing = self._priced

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take tariffs and costs of the last run."""
        self.defaults.load(event.tables.get(DEFAULTS, {}))
        self.drivers.load(event.tables.get(DRIVERS, {}))
        self.costs.load(event.tables.get(TABLE, {}))

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Drop the costs of transactions that are gone, and show the tariff that is valid."""
        known = {one.transaction_id for one in self.station.block(Transactions2).running()}
        for transaction_id, _ in self.costs:
            if transaction_id not in known:
                self.costs.forget(transaction_id)
        if self.station.version is Version.V21 and self.station.variables.get(TARIFF_AVAILABLE):
            self.station.variables.set(TARIFF_PROBLEM, False)  # there before the first problem, to be monitored
        self._show_default()

    @receives(Registered)
    @receives(BackOnline)
    @receives(WentOffline)
    @receives(events.WallClockSet)
    def circumstances_changed(self, event: Any) -> None:
        """Show the tariff that is valid, in place of the text for stations without one."""
        self._show_default()

    @property
    def _in_use(self) -> bool:
        get = self.station.variables.get
        return self.station.version is Version.V21 and get(TARIFF_AVAILABLE) and get(TARIFF_ENABLED)

    def _required(self) -> None:
        """Raise RequestRefused where costs are not calculated ([I07.FR.01], [I11.FR.01])."""
        if not self._in_use:
            raise RequestRefused("NotSupported", "the station calculates no costs: TariffCostCtrlr.Enabled[Tariff]")

    def _read(self, tariff: TariffType) -> Tariff:
        get = self.station.variables.get
        return Tariff(tariff, most_elements=get(MAX_TARIFF_ELEMENTS), conditions=get(TARIFF_CONDITIONS_SUPPORTED))

    # Default tariffs.

    @answers(v2.SetDefaultTariffRequest)
    def set_default(self, request: v2.SetDefaultTariffRequest) -> v2.SetDefaultTariffResponse:
        """Install a tariff at an EVSE or at all of them (I07)."""
        self._required()
        evse_ids = self.station.layout.evse_ids if request.evse_id == 0 else (request.evse_id,)
        if not set(evse_ids) <= set(self.station.layout.evse_ids):
            info = status_info("UnknownEvse", f"there is no EVSE {request.evse_id}")
            return v2.SetDefaultTariffResponse(status=Set.Rejected, status_info=info)
        try:
            tariff = self._read(request.tariff)
        except TariffRefused as refused:
            return v2.SetDefaultTariffResponse(
                status=Set(refused.status), status_info=status_info("InvalidValue", refused.reason)
            )
        if tariff.tariff_id in self.defaults:
            return v2.SetDefaultTariffResponse(status=Set.DuplicateTariffId)
        if self.defaults.is_full():
            info = status_info("OutOfMemory", "no room for further tariffs")
            return v2.SetDefaultTariffResponse(status=Set.Rejected, status_info=info)
        self.defaults.install(tariff, evse_ids, self.station.utc)
        self._show_default()
        return v2.SetDefaultTariffResponse(status=Set.Accepted)

    def _show_default(self) -> None:
        """Publish the description of the tariff of the first EVSE that has one, now and when the next one is valid."""
        utc = self.station.utc
        if self._in_use:
            found = [self.defaults.at(evse_id, utc) for evse_id in self.station.layout.evse_ids]
            shown = next((one.source.description for one in found if one is not None and one.source.description), None)
            if shown:
                self.station.block(Cost2).show_default(shown)
        change = self.defaults.next_change(utc)
        if change is not None:
            self.station.start("tariff valid", self.station.monotonic(change), self._show_default)

    @answers(v2.GetTariffsRequest)
    def get_tariffs(self, request: v2.GetTariffsRequest) -> v2.GetTariffsResponse:
        """List the tariffs that are installed or in use, with their places (I09)."""
        self._required()
        status = v2.TariffGetStatusEnumType
        if request.evse_id not in (0, *self.station.layout.evse_ids):
            info = status_info("UnknownEvse", f"there is no EVSE {request.evse_id}")
            return v2.GetTariffsResponse(status=status.Rejected, status_info=info)
        found = self._assignments(request.evse_id)
        return v2.GetTariffsResponse(
            status=status.Accepted if found else status.NoTariff, tariff_assignments=found or None
        )

    def _assignments(self, evse_id: int) -> list[v2.TariffAssignmentType]:
        for one in self.station.layout.evse_ids:
            self.defaults.at(one, self.station.utc)  # those that were replaced are gone
        found: dict[tuple[str, v2.TariffKindEnumType], v2.TariffAssignmentType] = {}

        def add(tariff: Tariff, kind: v2.TariffKindEnumType, evse_ids: list[int], tokens: list[str]) -> None:
            known = found.setdefault(
                (tariff.tariff_id.lower(), kind),
                v2.TariffAssignmentType(
                    tariff_id=tariff.tariff_id, tariff_kind=kind, valid_from=tariff.source.valid_from
                ),
            )
            known.evse_ids = sorted({*(known.evse_ids or ()), *evse_ids}) or None
            known.id_tokens = sorted({*(known.id_tokens or ()), *tokens}) or None

        for tariff, evse_ids in self.defaults.installed(evse_id):
            add(tariff, Kind.DefaultTariff, evse_ids, [])
        charging = set()
        for _, running in self.costs:
            driver = running.kind is Kind.DriverTariff and running.kept.token
            charging.add(running.kept.token.lower())
            if evse_id in (0, running.evse_id):
                add(running.tariff, running.kind, [running.evse_id], [running.kept.token] if driver else [])
        for key, token in self._authorized.items() if evse_id == 0 else ():
            waiting = None if key in charging else self.drivers.of(token)
            if waiting is not None:
                add(waiting, Kind.DriverTariff, [], [token])  # at no EVSE yet ([I08.FR.07])
        return list(found.values())

    @answers(v2.ClearTariffsRequest)
    def clear(self, request: v2.ClearTariffsRequest) -> v2.ClearTariffsResponse:
        """Remove default tariffs; a transaction keeps the one that it has (I10)."""
        self._required()
        status = v2.TariffClearStatusEnumType
        removed = self.defaults.clear(request.tariff_ids, request.evse_id)
        names = removed if request.tariff_ids is None else request.tariff_ids
        known = {one.lower() for one in removed}
        results = [
            v2.ClearTariffsResultType(
                tariff_id=one, status=status.Accepted if one.lower() in known else status.NoTariff
            )
            for one in names
        ]
        return v2.ClearTariffsResponse(
            clear_tariffs_result=results or [v2.ClearTariffsResultType(status=status.NoTariff)]
        )

    # Tariffs of drivers.

    @answered(AuthorizeRequest)
    def authorized(self, request: AuthorizeRequest, response: AuthorizeResponse) -> None:
        """Keep the tariff that comes with a token; one that cannot be used is a problem (I08)."""
        if self.station.version is not Version.V21:
            return
        token = request.id_token.id_token
        self._no_longer_used(token)
        if response.tariff is None:
            self._central.discard(token.lower())
            self.drivers.put(token, None)
            return
        try:
            if not self._in_use:
                raise TariffRefused(Refusal.REJECTED, "TariffCostCtrlr.Enabled[Tariff] is false")
            # An immediate tariff: validFrom is disregarded ([I08.FR.10]).
            response.tariff.valid_from = None
            tariff = self._read(response.tariff)
        except TariffRefused as refused:
            self.drivers.put(token, None)
            code = "UnsupportedParam" if refused.status is Refusal.REJECTED else str(refused.status)
            self._problem(True, code, refused.reason)
            self._handle_failed(token, response)
            return
        self._central.discard(token.lower())
        self.drivers.put(token, tariff)
        if response.id_token_info.status is AuthorizationStatusEnumType.Accepted:
            self._used_until_plugged_in(token)
        self._solved()
        if tariff.source.description:
            self.station.block(Cost2).show_tariff(tariff.source.description, token)

    def _handle_failed(self, token: str, response: AuthorizeResponse) -> None:
        match self.station.variables.get(HANDLE_FAILED_TARIFF):
            case "Deauthorize":
                response.id_token_info.status = AuthorizationStatusEnumType.Invalid
            case "CentralCost":
                if len(self._central) >= MOST_DRIVERS:
                    self._central.clear()
                self._central.add(token.lower())

    def _used_until_plugged_in(self, token: str) -> None:
        """The tariff of a token is in use until its transaction ends, or no car was connected in time ([I08.FR.07])."""
        key = token.lower()
        if len(self._authorized) >= MOST_DRIVERS:
            self._no_longer_used(next(iter(self._authorized)))
        self._authorized[key] = token
        at = self.station.now + self.station.variables.get(EV_CONNECTION_TIME_OUT)
        self.station.start(("tariff of", key), at, lambda: self._left_unused(token))

    def _no_longer_used(self, token: str) -> None:
        key = token.lower()
        self._authorized.pop(key, None)
        self.station.stop(("tariff of", key))

    def _left_unused(self, token: str) -> None:
        self._no_longer_used(token)
        self._forget_driver(token)

    def _forget_driver(self, token: str) -> None:
        """Remove the tariff of a token that no transaction has, unless it is kept with the cache ([I08.FR.05])."""
        in_use = any(one.kept.token.lower() == token.lower() for _, one in self.costs)
        if token and not in_use and not self.station.variables.get(AUTH_CACHE_ENABLED):
            self.drivers.put(token, None)

    def _problem(self, present: bool, code: str | None = None, info: str | None = None) -> None:
        """Set TariffCostCtrlr.Problem, and notify the CSMS unless a monitor of it does (I08, [I12.FR.19])."""
        monitoring = self.station.block(Monitoring)
        monitored = any(one.type == DELTA for one in monitoring.monitors.on(TARIFF_PROBLEM.id))
        self.station.variables.set(TARIFF_PROBLEM, present)
        if not monitored:
            kind = EventNotificationEnumType.HardWiredNotification
            text = "true" if present else "false"
            info = None if info is None else info[:500]
            event = monitoring.sender.event(
                TARIFF_PROBLEM.id, text, "Alerting", kind, SEVERITY, tech_code=code, tech_info=info
            )
            monitoring.sender.send([event])

    def _solved(self) -> None:
        """A tariff could be used: there is no problem any more ([I08.FR.35], [I12.FR.43])."""
        if self.station.variables.get(TARIFF_PROBLEM):
            self._problem(False)

    def _tariff_of(self, transaction: Transaction) -> tuple[Tariff, v2.TariffKindEnumType] | None:
        """Return the tariff by which a transaction is charged: the driver's, otherwise the one of the EVSE."""
        if not self._in_use:
            return None
        token = transaction.token
        driver = None if token is None else self.drivers.of(token.id_token.value)
        if driver is not None:
            return driver, Kind.DriverTariff
        if token is not None and token.id_token.value.lower() in self._central:
            return None
        default = self.defaults.at(transaction.evse_id, self.station.utc)
        return None if default is None else (default, Kind.DefaultTariff)

    # Transactions.

    @answers(v2.ChangeTransactionTariffRequest)
    def change(self, request: v2.ChangeTransactionTariffRequest) -> v2.ChangeTransactionTariffResponse:
        """Charge a running transaction by another tariff from now on (I11)."""
        self._required()
        transaction = self.station.block(Transactions2).of_id(request.transaction_id)
        if transaction is None:
            return v2.ChangeTransactionTariffResponse(status=Change.TxNotFound)
        try:
            tariff = self._read(request.tariff)
        except TariffRefused as refused:
            return v2.ChangeTransactionTariffResponse(
                status=Change(refused.status), status_info=status_info("InvalidValue", refused.reason)
            )
        running = self.costs.of(transaction.transaction_id)
        if running is not None and running.tariff.currency != tariff.currency:
            return v2.ChangeTransactionTariffResponse(status=Change.NoCurrencyChange)
        if running is None:
            running = self.costs.begin_late(transaction, tariff)
        else:
            self.costs.change(running, transaction, tariff)
        self._look_again(transaction)
        block = self.station.block(Transactions2)
        self.station.after_answer(lambda: block.update(transaction, TriggerReasonEnumType.TariffChanged))
        return v2.ChangeTransactionTariffResponse(status=Change.Accepted)

    def _priced(
        self,
        transaction: Transaction,
        kind: TransactionEventEnumType,
        trigger: TriggerReasonEnumType,
        at: datetime,
    ) -> Priced:
        """Count up to an event, and return what it has about the cost."""
        running, ended = self.costs.of(transaction.transaction_id), kind is TransactionEventEnumType.Ended
        if running is None:
            running = self._begin(transaction, kind)
            if running is None:
                return Priced()
        else:
            self.costs.token_known(running, transaction)
        self.costs.step(running, transaction, at, ended=ended)
        details: CostDetailsType | None
        if ended:
            details = running.details(final=True)
            self._end(transaction, running)
        else:
            shown = kind is TransactionEventEnumType.Started or trigger is TriggerReasonEnumType.RunningCost
            wanted = shown and self.station.variables.get(RUNNING_COST_ENABLED)
            details = running.details(final=False) if wanted else None
            self.costs.save(transaction.transaction_id, running)
        if details is not None:
            self._judge(running, details, ended=ended)
        return Priced(self._news(running), details)

    def _judge(self, running: Running, details: CostDetailsType, *, ended: bool) -> None:
        """A cost that cannot be calculated is a problem, once; one that could be to the end is none any more."""
        if details.failure_to_calculate:
            if not running.troubled:
                running.troubled = True
                self._problem(True, "InternalError", details.failure_reason)
        elif ended:
            self._solved()

    def _begin(self, transaction: Transaction, kind: TransactionEventEnumType) -> Running | None:
        """Begin to count with the first event, or with the first that has the token if that brings the first tariff."""
        late, transaction.tariff_sought = not transaction.tariff_sought, transaction.token is not None
        if kind is TransactionEventEnumType.Started:
            reserved = self.station.block(Reservations2).reserved_us(transaction.reservation_id)
            return self.costs.begin(transaction, reserved)
        chosen = self._tariff_of(transaction) if late and transaction.token is not None else None
        if chosen is None or chosen[1] is not Kind.DriverTariff:
            return None
        running = self.costs.begin(transaction)
        self._look_again(transaction)
        return running

    @staticmethod
    def _news(running: Running) -> str | None:
        """Return the tariff in the first event in which it is used ([I08.FR.22], [I11.FR.07])."""
        if running.reported == running.tariff.tariff_id:
            return None
        running.reported = running.tariff.tariff_id
        return running.reported

    def _end(self, transaction: Transaction, running: Running) -> None:
        session_id = transaction.transaction_id
        self.station.block(Cost2).show_cost(session_id, running.total(final=True), running.tariff.currency, final=True)
        self.costs.forget(session_id)
        for timer in ("cost", "running cost"):
            self.station.stop((timer, session_id))
        self._left_unused(running.kept.token)

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """Look at the cost from now on."""
        transaction = self.station.block(Transactions2).of_id(event.session_id)
        if transaction is not None:
            self._look_again(transaction)

    def _look_again(self, transaction: Transaction) -> None:
        """Look at once and then again and again; send running costs in their interval."""
        session_id = transaction.transaction_id
        if self.costs.of(session_id) is None:
            return
        self.station.start(("cost", session_id), self.station.now, lambda: self._look(transaction))
        if self.station.due(("running cost", session_id)) is None:
            self._send_later(transaction)

    def _look(self, transaction: Transaction) -> None:
        session_id = transaction.transaction_id
        running = self.costs.of(session_id)
        if running is None:
            return
        self.costs.step(running, transaction, self.station.utc)
        self.costs.save_sometimes(session_id, running)
        limited = transaction.limit is not None and transaction.limit.max_cost is not None
        # 0: as often as possible ([I12.FR.32]); meters are read once a second.
        wanted_s = 0.0 if limited else float(self.station.variables.get(TARIFF_INTERVAL))
        interval_s = max(LIMITED_LOOK_S, wanted_s)
        self.station.start(("cost", session_id), self.station.now + interval_s, lambda: self._look(transaction))
        total = running.total()
        self.station.block(Cost2).show_cost(session_id, total, running.tariff.currency, final=False)
        self.station.notify(CostKnown(session_id, float(total), counted_here=True))

    def _send_later(self, transaction: Transaction) -> None:
        interval_s = self.station.variables.get(COST_INTERVAL)
        if interval_s > 0:
            timer = ("running cost", transaction.transaction_id)
            self.station.start(timer, self.station.now + interval_s, lambda: self._send(transaction))

    def _send(self, transaction: Transaction) -> None:
        self._send_later(transaction)
        if self.station.variables.get(RUNNING_COST_ENABLED):
            self.station.block(Transactions2).update(transaction, TriggerReasonEnumType.RunningCost)
