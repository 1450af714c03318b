"""Carries out what the authorizer asks of validators, EVSEs and the store, and feeds the answers back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.types import reservation
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ValidationResult
from chargebyte_fw.kernel.command_queue import CommandQueue
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.lasting_condition import LastingCondition, LastingConditions
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.auth import reservation_store
from chargebyte_fw.modules.auth.machine import effects as do
from chargebyte_fw.modules.auth.machine import events


class Executor:
    """Commands to others, each in a task of the module. One that fails is a line in the log and a refusal."""

    def __init__(
        self,
        module: Module,
        validators: list[AuthTokenValidator],
        kvs: Kvs | None,
        feed: Callable[[Any], None],
    ) -> None:
        self.evses: dict[int, EvseManager] = {}
        """By EVSE number, once they have reported it."""
        self._module = module
        self._log = module.log
        self._validators = validators
        self._kvs = kvs
        self._key = reservation_store.key_of(module.id)
        self._feed = feed
        self._not_stored = LastingCondition(self._log)
        self._silent = LastingConditions(self._log)
        self._store_queue = None if kvs is None else CommandQueue("reservations", kvs, module, self._report_store)

    def close(self) -> None:
        """Send nothing more to the store; log what was only counted."""
        if self._store_queue is not None:
            self._store_queue.close()
        self._not_stored.close()
        self._silent.close()

    def execute(self, effect: Any) -> bool:
        """Begin to carry out an effect; returns whether it is one for the executor."""
        match effect:
            case do.ValidateToken():
                self._module.spawn(self._validate(effect), "validate")
            case do.AuthorizeEvse():
                self._module.spawn(self._authorize(effect), "authorize")
            case do.StopTransaction():
                self._module.spawn(self._stop_transaction(effect), "stop transaction")
            case do.WithdrawAuthorization(evse_id):
                command = self.evses[evse_id].withdraw_authorization()
                self._module.spawn(self._succeeds(evse_id, command), "withdraw")
            case do.ReserveEvse():
                self._module.spawn(self._reserve(effect), "reserve")
            case do.ReleaseEvse():
                self._module.spawn(self._release(effect), "release")
            case _:
                return False
        return True

    async def _validate(self, effect: do.ValidateToken) -> None:
        """Ask every validator at once; one that does not answer counts as unknown."""
        answers = await asyncio.gather(
            *(validator.validate_token(effect.token) for validator in self._validators), return_exceptions=True
        )
        results: list[ValidationResult] = []
        for validator, answer in zip(self._validators, answers, strict=True):
            name = validator.module_id
            if isinstance(answer, ValidationResult):
                self._silent.set(name, False, f"{name} validates tokens again")
                results.append(answer)
            elif isinstance(answer, CommandError):
                self._silent.set(name, True, f"{name} could not validate: {answer}")
                results.append(ValidationResult(authorization_status=AuthorizationStatus.Unknown, tariff_messages=[]))
            else:
                raise answer
        self._feed(events.Validated(effect.token_id, results))

    async def _authorize(self, effect: do.AuthorizeEvse) -> None:
        command = self.evses[effect.evse_id].authorize_response(effect.token, effect.result)
        accepted = await self._succeeds(effect.evse_id, command)
        if effect.token_id is not None:
            self._feed(events.Authorized(effect.token_id, accepted))

    async def _stop_transaction(self, effect: do.StopTransaction) -> None:
        try:
            stopping = await self.evses[effect.evse_id].stop_transaction(effect.request)
        except CommandError as error:
            self._log.warning("EVSE %d does not stop: %s", effect.evse_id, error)
            stopping = False
        if effect.token_id is not None:
            self._feed(events.TransactionStopped(effect.token_id, stopping))

    async def _reserve(self, effect: do.ReserveEvse) -> None:
        try:
            accepted = await self.evses[effect.evse_id].reserve(effect.reservation_id)
        except CommandError as error:
            self._log.warning("EVSE %d cannot be reserved: %s", effect.evse_id, error)
            accepted = False
        if effect.request_id is not None:
            self._feed(events.EvseReserved(effect.request_id, effect.reservation_id, accepted))

    async def _release(self, effect: do.ReleaseEvse) -> None:
        await self._succeeds(effect.evse_id, self.evses[effect.evse_id].cancel_reservation())
        self._feed(events.EvseReleased(effect.evse_id))

    async def _succeeds(self, evse_id: int, command: Awaitable[None]) -> bool:
        """Return whether a command of an EVSE succeeds; log it if not."""
        try:
            await command
        except CommandError as error:
            self._log.warning("EVSE %d: %s", evse_id, error)
            return False
        return True

    # The store.

    async def stored(self) -> list[reservation.Reservation]:
        """Return the reservations of the last run, none when they cannot be read."""
        if self._kvs is None:
            return []
        try:
            return reservation_store.from_store(await self._kvs.load(self._key))
        except (CommandError, ValueError) as error:
            self._log.warning("the reservations of the last run are lost: %s", error)
            return []

    def store(self, entries: list[reservation.Reservation]) -> None:
        """Write the list; while one is being written, only the newest waits."""
        if self._store_queue is not None:
            self._store_queue.send("store", (self._key, reservation_store.to_store(entries)), latest=True)

    def _report_store(self, _command: str, error: CommandError | None) -> None:
        if error is None:
            self._not_stored.end("the reservations are kept over a restart again")
        else:
            self._not_stored.begin(f"the reservations are not kept over a restart: {error}")
