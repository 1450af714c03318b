"""What authorization has done by others: validators ask, EVSEs act, the store keeps. A failure is one line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.types import reservation as booked
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ValidationResult
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.lasting_condition import LastingCondition, LastingConditions
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.modules.auth import messages as m
from chargebyte_fw.modules.auth import reservation_store


class Executor:
    """Carries out effects that take time, and feeds their outcome back."""

    def __init__(
        self, validators: Sequence[AuthTokenValidator], kvs: Kvs | None, feed: Callable[[Any], None], log: ModuleLog
    ) -> None:
        self.evses: dict[int, EvseManager] = {}
        self._validators = validators
        self._kvs = kvs
        self._feed = feed
        self._log = log
        self._to_keep: list[booked.Reservation] | None = None
        self._keeping = False
        self._not_kept = LastingCondition(log)
        self._silent = LastingConditions(log)

    def close(self) -> None:
        """Log what was only counted."""
        self._not_kept.close()
        self._silent.close()

    async def validate(self, wish: m.ValidateToken) -> None:
        """Ask every validator at once; one that cannot say anything counts as unknown."""
        answers = await asyncio.gather(
            *(validator.validate_token(wish.token) for validator in self._validators), return_exceptions=True
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
        self._feed(m.Validated(wish.token_id, results))

    async def authorize(self, wish: m.AuthorizeEvse) -> None:
        """Tell an EVSE of a token."""
        taken = await self._told(wish.evse_id, self.evses[wish.evse_id].authorize_response(wish.token, wish.result))
        if wish.token_id is not None:
            self._feed(m.Authorized(wish.token_id, taken))

    async def stop(self, wish: m.StopTransaction) -> None:
        """Have an EVSE end its transaction."""
        try:
            done = await self.evses[wish.evse_id].stop_transaction(wish.request)
        except CommandError as error:
            self._log.warning("EVSE %d does not stop: %s", wish.evse_id, error)
            done = False
        if wish.token_id is not None:
            self._feed(m.TransactionStopped(wish.token_id, done))

    async def reserve_at(self, wish: m.ReserveEvse) -> None:
        """Have an EVSE keep itself free."""
        try:
            taken = await self.evses[wish.evse_id].reserve(wish.reservation_id)
        except CommandError as error:
            self._log.warning("EVSE %d cannot be reserved: %s", wish.evse_id, error)
            taken = False
        if wish.request_id is not None:
            self._feed(m.EvseReserved(wish.request_id, wish.reservation_id, taken))

    async def release_at(self, evse_id: int) -> None:
        """Have an EVSE give its reservation up."""
        await self._told(evse_id, self.evses[evse_id].cancel_reservation())
        self._feed(m.EvseReleased(evse_id))

    async def _told(self, evse_id: int, command: Awaitable[None]) -> bool:
        """Carry out a command of an EVSE; one that fails is one line."""
        try:
            await command
        except CommandError as error:
            self._log.warning("EVSE %d: %s", evse_id, error)
            return False
        return True

    async def take_back(self, evse_id: int) -> None:
        """Tell an EVSE that its authorization holds no longer."""
        await self._told(evse_id, self.evses[evse_id].withdraw_authorization())

    async def stored(self, module_id: str) -> list[booked.Reservation]:
        """Return the reservations that were kept, none when they cannot be read."""
        if self._kvs is None:
            return []
        try:
            return reservation_store.from_store(await self._kvs.load(reservation_store.key_of(module_id)))
        except (CommandError, ValueError) as error:
            self._log.warning("the reservations of the last run are lost: %s", error)
            return []

    async def keep(self, module_id: str, entries: list[booked.Reservation]) -> None:
        """Write the newest list; while a write takes its time, older ones are skipped."""
        self._to_keep = entries
        if self._kvs is None or self._keeping:
            return
        self._keeping = True
        try:
            while self._to_keep is not None:
                newest, self._to_keep = self._to_keep, None
                await self._kvs.store(reservation_store.key_of(module_id), reservation_store.to_store(newest))
            self._not_kept.end("the reservations are kept over a restart again")
        except CommandError as error:
            self._not_kept.begin(f"the reservations are not kept over a restart: {error}")
        finally:
            self._keeping = False
