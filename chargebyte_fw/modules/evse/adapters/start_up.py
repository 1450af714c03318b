"""The start of an EVSE: first meter value, the transaction that a loss of power left, the external release."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.types.evse_manager import (
    SessionEventEnum,
    StopTransactionReason,
    TransactionFinished,
)
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.modules.evse.adapters.commands import Commands
from chargebyte_fw.modules.evse.adapters.meter import BillingMeter
from chargebyte_fw.modules.evse.adapters.requests import Requests
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.effects import PublishSessionEvent
from chargebyte_fw.modules.evse.machine.events import FirstBudget, ReportAvailability, StartUpDone


class StartUp:
    """Runs once, beside everything else."""

    def __init__(
        self,
        config: EvseConfig,
        store: Kvs | None,
        store_key: str,
        *,
        commands: Commands,
        meter: BillingMeter,
        requests: Requests,
        report: Callable[[PublishSessionEvent], None],
        evse: EvseManager,
        log: ModuleLog,
    ) -> None:
        self._config = config
        self._store = store
        self._store_key = store_key
        self._commands = commands
        self._meter = meter
        self._requests = requests
        self._report = report
        self._evse = evse
        self._log = log
        self._released = asyncio.Event()

    async def run(self, show_idle: Callable[[], None]) -> None:
        """Wait for what must be there, end what a loss of power has left, then let the machines begin."""
        await self._meter.wait_for_value(self._config.initial_meter_value_timeout_ms / 1000)
        await self._end_leftover_transaction()
        self._requests.feed(FirstBudget())
        self._evse.waiting_for_external_ready.publish(self._config.external_ready_to_start_charging)
        if self._config.external_ready_to_start_charging:
            self._log.info("waiting for the command to begin")
            await self._released.wait()
        self._released.set()
        self._begin(show_idle)

    def _begin(self, show_idle: Callable[[], None]) -> None:
        self._requests.feed(ReportAvailability())
        show_idle()
        self._requests.feed(StartUpDone())
        self._evse.selected_protocol.publish("Unknown")
        self._evse.ready.publish(True)
        self._log.info("ready, %s", "enabled" if self._requests.enabled else "disabled")

    def release(self) -> bool:
        """Begin now; return False if that is so already."""
        if self._released.is_set():
            self._log.warning("command to begin, but the EVSE has begun already")
            return False
        self._released.set()
        self._evse.waiting_for_external_ready.publish(False)
        return True

    async def _end_leftover_transaction(self) -> None:
        """End a transaction that a loss of power cut off, at the meter and in session events."""
        left = await self._leftover_session()
        if left:
            self._log.info("ending the transaction that a loss of power has cut off")
            self._report(PublishSessionEvent(SessionEventEnum.SessionResumed, left, {}))
            self._commands.send(call(Kvs.store, self._store_key, ""))
            finished = TransactionFinished(meter_value=self._meter.value, reason=StopTransactionReason.PowerLoss)
            answer = await self._meter.stop_leftover(left)
            if answer is not None:
                finished.start_signed_meter_value = answer.start_signed_meter_value
                finished.signed_meter_value = answer.signed_meter_value
            self._report(
                PublishSessionEvent(SessionEventEnum.TransactionFinished, left, {"transaction_finished": finished})
            )
        await self._meter.stop_leftover("")

    async def _leftover_session(self) -> str:
        if self._store is None:
            return ""
        try:
            left: Any = await self._store.load(self._store_key)
        except CommandError as error:
            self._log.warning("the store does not answer: %s", error)
            return ""
        return left if isinstance(left, str) else ""
