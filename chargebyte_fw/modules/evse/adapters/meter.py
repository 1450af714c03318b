"""The billing meter: the commands of a transaction, and their answers as events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.types.authorization import IdTokenType
from chargebyte_fw.contracts.types.powermeter import (
    OCMFIdentificationType,
    OCMFUserIdentificationStatus,
    TransactionReq,
    TransactionRequestStatus,
    TransactionStartResponse,
    TransactionStopResponse,
)
from chargebyte_fw.contracts.types.powermeter import Powermeter as MeterValue
from chargebyte_fw.contracts.types.units import Energy
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import StartMeter, StopMeter
from chargebyte_fw.modules.evse.machine.events import MeterStarted, MeterStopped

ID_TYPES = {
    IdTokenType.Central: OCMFIdentificationType.CENTRAL,
    IdTokenType.eMAID: OCMFIdentificationType.EMAID,
    IdTokenType.ISO14443: OCMFIdentificationType.ISO14443,
    IdTokenType.ISO15693: OCMFIdentificationType.ISO15693,
    IdTokenType.KeyCode: OCMFIdentificationType.KEY_CODE,
    IdTokenType.Local: OCMFIdentificationType.LOCAL,
    IdTokenType.NoAuthorization: OCMFIdentificationType.NONE,
    IdTokenType.MacAddress: OCMFIdentificationType.UNDEFINED,
}
TARIFF_TEXT_MAX = 250
FAILED_TO_END = "the meter does not end old transactions: %s"
NO_METER = TransactionRequestStatus.NOT_SUPPORTED


class BillingMeter:
    """Starts and stops transactions of `meter`; without one they are not supported."""

    def __init__(self, meter: Powermeter | None, evse_id: str, module: Module, feed: Callable[[Any], None]) -> None:
        self._meter = meter
        self._evse_id = evse_id
        self._module = module
        self._feed = feed

    @property
    def value(self) -> MeterValue:
        """The last reading; without one 0 Wh without a time."""
        reading = self._meter.powermeter.value if self._meter is not None else None
        return reading or MeterValue(timestamp="", energy_Wh_import=Energy(total=0.0))

    def start(self, start: StartMeter) -> None:
        """Begin a transaction; MeterStarted follows."""
        if self._meter is None:
            self._feed(MeterStarted(TransactionStartResponse(status=NO_METER, error="no meter")))
            return
        text = start.tariff_text
        request = TransactionReq(
            evse_id=self._evse_id,
            transaction_id=start.session_id,
            identification_status=OCMFUserIdentificationStatus.ASSIGNED,
            identification_flags=[],
            identification_type=ID_TYPES[start.token.id_token.type],
            identification_data=start.token.id_token.value,
            tariff_text=None if text is None else text[:TARIFF_TEXT_MAX],
        )
        self._module.spawn(self._answer(self._meter.start_transaction(request), MeterStarted), "meter start")

    def stop(self, stop: StopMeter) -> None:
        """End a transaction; MeterStopped follows."""
        if self._meter is None:
            self._feed(MeterStopped(TransactionStopResponse(status=NO_METER)))
            return
        self._module.spawn(self._answer(self._meter.stop_transaction(stop.session_id), MeterStopped), "meter stop")

    async def stop_leftover(self, session_id: str) -> TransactionStopResponse | None:
        """End what an earlier process has left, empty for any transaction; None without an answer."""
        if self._meter is None:
            return None
        question = self._meter.stop_transaction(session_id)
        answer: TransactionStopResponse | None = await self._ask(question, FAILED_TO_END)
        return answer

    async def wait_for_value(self, limit_s: float) -> None:
        """Wait for the first reading, `limit_s` at most."""
        if self._meter is None or limit_s <= 0.0:
            return
        try:
            async with asyncio.timeout(limit_s):
                await self._meter.powermeter.wait_for()
        except TimeoutError:
            self._module.log.warning("no meter value within %g s: beginning without", limit_s)

    async def _answer(self, question: Awaitable[Any], event: type[MeterStarted] | type[MeterStopped]) -> None:
        self._feed(event(await self._ask(question, "the meter does not answer: %s")))

    async def _ask(self, question: Awaitable[Any], failure: str) -> Any:
        try:
            async with asyncio.timeout(timing.METER_ANSWER_S):
                return await question
        except (CommandError, TimeoutError) as error:
            self._module.log.warning(failure, error or "timeout")
            return None
