"""Auth: matches tokens with EVSEs and keeps reservations (EVerest module Auth); the rules are in `machine/`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.auth import Auth as AuthContract
from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.interfaces.reservation import Reservation as ReservationContract
from chargebyte_fw.contracts.types import authorization
from chargebyte_fw.contracts.types import reservation as booked
from chargebyte_fw.contracts.types.authorization import SelectionAlgorithm
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum, SessionEvent
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Finding
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import (
    ConfigIssue,
    End,
    Module,
    ModuleConfig,
    provides,
    requires_many,
    requires_optional,
)
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.auth import reservation_store, timing
from chargebyte_fw.modules.auth.executor import Executor
from chargebyte_fw.modules.auth.machine import Authorizer, Rules, events
from chargebyte_fw.modules.auth.machine import effects as do

INOPERATIVE = "evse_manager/Inoperative"
OWN_NUMBER = "give each EvseManager its own connector_id"


def _same_number(number: int, ids: Sequence[str]) -> str:
    return f"{' and '.join(ids)} {'are both' if len(ids) == 2 else 'are all'} EVSE {number}"


def _has_expired(entry: booked.Reservation) -> bool:
    until_at = reservation_store.until_at(entry)
    return until_at is not None and until_at <= utc_now()


class AuthImpl(AuthContract):
    """Interface `auth`: settings that a back end may change at run time, and withdrawals."""

    module: Auth

    async def set_connection_timeout(self, connection_timeout: int) -> None:
        """Set the time from a grant to the start of a transaction, in s; raises ValueError outside 10 to 300."""
        if not timing.CONNECTION_TIMEOUT_MIN_S <= connection_timeout <= timing.CONNECTION_TIMEOUT_MAX_S:
            raise ValueError(f"connection_timeout {connection_timeout} s is not within 10 s to 300 s")
        self.module.pump.feed(events.SetConnectionTimeout(float(connection_timeout)))

    async def set_master_pass_group_id(self, master_pass_group_id: str) -> None:
        """Set the group whose tokens end every transaction and begin none; empty: no group."""
        if len(master_pass_group_id) > timing.MASTER_PASS_LENGTH:
            raise ValueError(f"a group identifier has at most {timing.MASTER_PASS_LENGTH} characters")
        self.module.pump.feed(events.SetMasterPassGroup(master_pass_group_id))

    async def withdraw_authorization(
        self, request: authorization.WithdrawAuthorizationRequest
    ) -> authorization.WithdrawAuthorizationResult:
        """Withdraw every authorization that matches the request."""
        result: authorization.WithdrawAuthorizationResult = await self.module.ask(
            partial(events.WithdrawRequested, request=request)
        )
        return result


class ReservationImpl(ReservationContract):
    """Interface `reservation`."""

    module: Auth

    async def reserve_now(self, request: booked.Reservation) -> booked.ReservationResult:
        """Reserve an EVSE, or any EVSE, for a token until the expiry time."""
        result: booked.ReservationResult = await self.module.ask(
            partial(
                events.ReservationRequested,
                reservation=request,
                until_at=reservation_store.until_at(request),
                wall_at=utc_now(),
            )
        )
        return result

    async def cancel_reservation(self, reservation_id: int) -> bool:
        """Cancel a reservation; returns False when there is none of this number."""
        return bool(await self.module.ask(partial(events.CancelRequested, reservation_id=reservation_id)))

    async def exists_reservation(self, request: booked.ReservationCheck) -> booked.ReservationCheckStatus:
        """Return whether an EVSE (None: any) is reserved, and whether for this token."""
        result: booked.ReservationCheckStatus = await self.module.ask(
            partial(
                events.CheckRequested, id_token=request.id_token, evse_id=request.evse_id, group=request.group_id_token
            )
        )
        return result


def unverified_contracts(provider: End) -> Iterable[ConfigIssue]:
    """Yield that an EVSE presents contracts whose issuer neither the charger nor the CSMS looks at (EVerest's default).

    A validator that knows eMAIDs alone then takes a contract that any car has signed for itself.
    """
    if not getattr(provider.config, "payment_enable_contract", False):
        return
    if getattr(provider.config, "central_contract_validation_allowed", False):
        return
    direct = provider.ends.get("hlc", ())
    for hlc in (*direct, *(back_end for mux in direct for back_end in mux.ends.get("iso2", ()))):
        unverified = getattr(hlc.config, "verify_contract_cert_chain", True) is False
        if unverified and getattr(hlc.config, "tls_security", "") != "prohibit":
            what = f"{provider.module_id} presents contracts that no one verifies: a car could charge on another's bill"
            hint = f"set verify_contract_cert_chain of {hlc.module_id} to true"
            yield ConfigIssue("token_provider", what, hint, "warning", "C101")


class Auth(Module):
    """Matches tokens with EVSEs and manages reservations."""

    class Config(ModuleConfig):
        """Configuration of Auth."""

        connection_timeout: Annotated[
            int,
            Meta(ge=1, description="Time for plugging in after a grant, or for a token after plugging in, in s."),
        ]
        selection_algorithm: Annotated[
            SelectionAlgorithm,
            Meta(
                description="Which EVSE a token is for: FindFirst (one with a car, else the first free one), "
                "PlugEvents (the car that waits longest), PlugEventsLIFO (the car that came last), "
                "UserInput (the token names it)."
            ),
        ] = SelectionAlgorithm.FindFirst
        master_pass_group_id: Annotated[
            str, Meta(max_length=36, description="Group whose tokens end every transaction and begin none.")
        ] = ""
        prioritize_authorization_over_stopping_transaction: Annotated[
            bool,
            Meta(description="While an EVSE is free, a token of a group begins there instead of ending another's."),
        ] = True
        ignore_connector_faults: Annotated[bool, Meta(description="Use EVSEs that report to be inoperative.")] = False
        plug_in_timeout_enabled: Annotated[
            bool,
            Meta(description="With several EVSEs: a car that got no token in time must be unplugged first."),
        ] = False
        stop_transaction_on_reswipe: Annotated[
            bool, Meta(description="The token that began a transaction ends it when presented again.")
        ] = True

    config: Config
    main = provides(AuthImpl, description="Authorization.")
    reservation = provides(ReservationImpl, description="Reservations.")
    token_provider = requires_many(AuthTokenProvider, 1)
    token_validator = requires_many(AuthTokenValidator, 1)
    evse_manager = requires_many(EvseManager, 1)
    kvs = requires_optional(Kvs)

    pump: Pump

    @classmethod
    def config_issues(cls, config: Config, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """Yield an issue for EVSEs of the same number (`connector_id` of EVerest's EvseManager)."""
        numbered: dict[int, list[str]] = {}
        for end in ends.get("evse_manager", []):
            number = getattr(end.config, "connector_id", None)
            if number is not None:
                numbered.setdefault(number, []).append(end.module_id)
        for number, ids in numbered.items():
            if len(ids) > 1:
                yield ConfigIssue("evse_manager", _same_number(number, ids), OWN_NUMBER, number="C102")
        for provider in ends.get("token_provider", []):
            yield from unverified_contracts(provider)

    async def init(self) -> None:
        """Subscribe to the EVSEs, the token providers and the validators."""
        config = self.config
        self._request_ids = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        rules = Rules(
            connection_timeout_s=float(config.connection_timeout),
            selection=config.selection_algorithm,
            prioritize_authorization=config.prioritize_authorization_over_stopping_transaction,
            stop_on_reswipe=config.stop_transaction_on_reswipe,
            ignore_faults=config.ignore_connector_faults,
            plug_in_timeout=config.plug_in_timeout_enabled,
            master_pass=config.master_pass_group_id,
        )
        self.pump = Pump(Authorizer(rules), self._act, self.crash)
        self._executor = Executor(self, self.token_validator, self.kvs, self.pump.feed)
        self._maybe_expired: list[booked.Reservation] = []
        self.on_wall_set(self._on_wall_set)
        self._begun = False
        self._early: list[Callable[[], None]] = []
        for evse in self.evse_manager:
            evse.session_event.subscribe(partial(self._on_session_event, evse))
        for provider in self.token_provider:
            # A token is an event: the last one from before the start is not presented again.
            provider.provided_token.subscribe(self._on_token, replay=False)
        for validator in self.token_validator:
            validator.validate_result_update.subscribe(self._on_update, replay=False)

    async def ready(self) -> None:
        """Ask the EVSEs for their numbers and connectors, then begin."""
        self.spawn(self._begin(), "begin")

    async def stop(self) -> None:
        """Fail the commands that still wait; transactions go on."""
        self.pump.close()
        self._executor.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(CommandError("Shutdown", f"{self.id} is shutting down"))

    async def ask(self, event: Any) -> Any:
        """Feed `event(request_id)` and return the machine's reply to that request."""
        request_id = next(self._request_ids)
        answer = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        try:
            self.pump.feed(event(request_id))
            return await answer
        finally:
            del self._waiting[request_id]

    async def _begin(self) -> None:
        evses: dict[int, dict[int, ConnectorTypeEnum]] = {}
        for consumer in self.evse_manager:
            answer = await self._number_of(consumer)
            if answer.id in evses:
                # A module of another process: its configuration is not known before the start.
                both = [self._executor.evses[answer.id].module_id, consumer.module_id]
                raise ConfigError(
                    [Finding(f"{self.id}.evse_manager", _same_number(answer.id, both), OWN_NUMBER, number="C102")]
                )
            self._executor.evses[answer.id] = consumer
            evses[answer.id] = {each.id: each.type or ConnectorTypeEnum.Unknown for each in answer.connectors}
        stored = await self._executor.stored()
        self._begun = True
        self.pump.feed(events.EvsesKnown(evses))
        for evse_id, consumer in self._executor.evses.items():
            consumer.faults.subscribe(
                partial(self._on_fault, evse_id, active=True), partial(self._on_fault, evse_id, active=False)
            )
        self._maybe_expired = [entry for entry in stored if _has_expired(entry)]
        for entry in stored:
            if entry not in self._maybe_expired:
                self._restore(entry)
        if self._maybe_expired:
            self.after(timing.STORED_PATIENCE_S, self._end_expired)
        # An EV may have been plugged in, and a token presented, during the start: in the order in which they came.
        early, self._early = self._early, []
        for again in early:
            again()
        self.log.debug("EVSEs %s, %d reservations", ", ".join(map(str, self._executor.evses)), len(stored))

    def _restore(self, entry: booked.Reservation) -> None:
        self.pump.feed(events.ReservationRequested(0, entry, reservation_store.until_at(entry), utc_now()))

    def _on_wall_set(self) -> None:
        self.pump.feed(events.WallClockSet(utc_now()))
        valid = [entry for entry in self._maybe_expired if not _has_expired(entry)]
        self._maybe_expired = [entry for entry in self._maybe_expired if entry not in valid]
        for entry in valid:
            self._restore(entry)

    def _end_expired(self) -> None:
        """End the stored reservations that had expired at the start and still have."""
        over, self._maybe_expired = self._maybe_expired, []
        for entry in over:
            self._restore(entry)

    async def _number_of(self, evse: EvseManager) -> Any:
        silent = LastingCondition(self.log)
        try:
            while True:
                try:
                    answer = await evse.get_evse()
                except CommandError as error:
                    silent.begin(f"{evse.module_id} does not say its number yet: {error}")
                    await asyncio.sleep(timing.EVSE_RETRY_S)
                else:
                    silent.end(f"{evse.module_id} is EVSE {answer.id}")
                    return answer
        finally:
            silent.close()

    def _on_token(self, token: authorization.ProvidedIdToken) -> None:
        if self._begun:
            self.pump.feed(events.TokenPresented(token))
        else:
            self._early.append(partial(self._on_token, token))

    def _on_update(self, update: authorization.ValidationResultUpdate) -> None:
        self.pump.feed(events.ValidationUpdated(update))

    def _on_session_event(self, evse: EvseManager, event: SessionEvent) -> None:
        if not self._begun:
            self._early.append(partial(self._on_session_event, evse, event))
            return
        evse_id = next(number for number, known in self._executor.evses.items() if known is evse)
        self.pump.feed(events.SessionEventReceived(evse_id, event))

    def _on_fault(self, evse_id: int, fault: Fault, *, active: bool) -> None:
        if fault.type == INOPERATIVE:
            self.pump.feed(events.InoperativeChanged(evse_id, active))

    def _act(self, effect: Any) -> None:
        match effect:
            case Publish(interface, variable, value):
                getattr(self.main if interface == AuthContract.interface else self.reservation, variable).publish(value)
            case do.Reply(request_id, result):
                answer = self._waiting.get(request_id)
                if answer is not None and not answer.done():
                    answer.set_result(result)
            case do.StoreReservations(entries):
                self._executor.store([*entries, *self._maybe_expired])
            case do.Log(text, level):
                getattr(self.log, level)("%s", text)
            case Unexpected(state, event):
                # Without its content: tokens are personal data.
                self.log.debug("%s does not expect %s", state, type(event).__name__)
            case _:
                self._executor.execute(effect)
