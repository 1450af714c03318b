"""The start of an EVSE: first meter value, the transaction that a loss of power left, the external gate."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import PublishSessionEvent
from chargebyte_fw.modules.evse.machine.events import AvailabilityChanged, Charging, StartUpDone

if TYPE_CHECKING:
    from chargebyte_fw.modules.evse.evse_manager import EvseManager


class StartUp:
    """Runs once, beside everything else."""

    def __init__(self, module: EvseManager) -> None:
        self._m = module

    async def run(self) -> None:
        """Wait for what must be there, end what a loss of power has left, then let the machines begin."""
        m = self._m
        await self._first_meter_value()
        await self._clean_up_after_power_loss()
        m.energy_adapter.start_budget()
        m.evse.waiting_for_external_ready.publish(m.config.external_ready_to_start_charging)
        if m.config.external_ready_to_start_charging:
            m.log.info("waiting for the command to begin")
            await m.gate.wait()
        m.released = True
        m.hlc_adapter.offer_modes()
        m.energy_adapter.ready_s = asyncio.get_running_loop().time()
        enabled, connector_enabled = m.enabling.enabled, m.enabling.connector_enabled
        if enabled and connector_enabled:
            m.hands.call("bsp", "enable", (True,))
        m.pump.feed(AvailabilityChanged(enabled, m.enabling.winner, connector_enabled=connector_enabled))
        if m.machines.snapshot.state is Charging.Idle:
            m.panel.state(Charging.Idle)
        m.pump.feed(StartUpDone())
        m.evse.selected_protocol.publish("Unknown")
        m.evse.ready.publish(True)
        m.log.info("ready, %s", "enabled" if enabled else "disabled")

    async def _first_meter_value(self) -> None:
        m = self._m
        limit_s = m.config.initial_meter_value_timeout_ms / 1000
        if m.billing_meter is None or limit_s <= 0.0:
            return
        try:
            async with asyncio.timeout(limit_s):
                await m.billing_meter.powermeter.wait_for()
        except TimeoutError:
            m.log.warning("no meter value within %g s: beginning without", limit_s)

    async def _clean_up_after_power_loss(self) -> None:
        """A transaction that a loss of power cut off is ended now, at the meter and for everybody."""
        m = self._m
        left = await self._left_over_session()
        if left:
            m.log.info("ending the transaction that a loss of power has cut off")
            m.hands.act(PublishSessionEvent(types.SessionEventEnum.SessionResumed, left, {}))
            m.hands.call("store", "store", (f"{m.id}_session", ""))
            finished = types.TransactionFinished(
                meter_value=m.billing_value, reason=types.StopTransactionReason.PowerLoss
            )
            answer = await self._stop_at_meter(left)
            if answer is not None:
                finished.start_signed_meter_value = answer.start_signed_meter_value
                finished.signed_meter_value = answer.signed_meter_value
            event = types.SessionEventEnum.TransactionFinished
            m.hands.act(PublishSessionEvent(event, left, {"transaction_finished": finished}))
        await self._stop_at_meter("")

    async def _left_over_session(self) -> str:
        m = self._m
        if m.store is None:
            return ""
        try:
            left = await m.store.load(f"{m.id}_session")
        except CommandError as error:
            m.log.warning("the store does not answer: %s", error)
            return ""
        return left if isinstance(left, str) else ""

    async def _stop_at_meter(self, session_id: str) -> Any:
        m = self._m
        if m.billing_meter is None:
            return None
        try:
            async with asyncio.timeout(timing.METER_ANSWER_S):
                return await m.billing_meter.stop_transaction(session_id)
        except (CommandError, TimeoutError) as error:
            m.log.warning("the meter does not end old transactions: %s", error or "timeout")
            return None
