"""The standing orders that RpcApi's clients give to one EVSE: charging allowed or not, limits, phases, enabling.

An order belongs to the EVSE, not to a session: it survives the unplug and holds until another one replaces it. An order
that cannot be put in force as a whole is taken back as a whole; giving an order again puts it in force again.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.types.energy import EnforcedLimits, ExternalLimits
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
)
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.modules.api import limits
from chargebyte_fw.modules.api.evse_view import EvseView
from chargebyte_fw.modules.api.session_info import SessionState

SOURCE = "RpcApi_module"
UNLIMITED_A = 999.9
"""Limit while charging is allowed and no client has set another one (EVerest, module RpcApi)."""
APPLIED_WITHIN_S = 5.0
_TOLERANCE_A = 1e-3
_BEFORE_OR_IN_CHARGE = frozenset((SessionState.Preparing, SessionState.Charging))
_States = EnableDisableSourceEnableState


class Orders(msgspec.Struct, frozen=True):
    """What holds for one EVSE; a limit of None was never set."""

    charging_allowed: bool = True
    current_A: float | None = None
    power_W: float | None = None
    phases: int | None = None

    def limits(self) -> ExternalLimits:
        """Return the limits for the energy node: 0 A while charging is not allowed."""
        now = utc_now()
        if not self.charging_allowed:
            return limits.current_limit(0.0, SOURCE, now)
        if self.power_W is not None:
            allowed = limits.power_limit(self.power_W, SOURCE, now)
        else:
            allowed = limits.current_limit(UNLIMITED_A if self.current_A is None else self.current_A, SOURCE, now)
        return allowed if self.phases is None else limits.with_phases(allowed, self.phases, SOURCE)


class EvseControl:
    """One EVSE and the orders that hold for it; one that fails, with CommandError or false, leaves nothing behind."""

    def __init__(self, view: EvseView, sink: ExternalEnergyLimits | None) -> None:
        self.view = view
        self.sink = sink
        self._givers: dict[str, object] = {}
        """Who set each field last: a failing order takes back only what no later one has replaced."""

    @property
    def orders(self) -> Orders:
        """What is in force; it outlives a restart of the module, as what it put in force does."""
        orders: Orders = self.view.kept.get("orders") or Orders()
        return orders

    @orders.setter
    def orders(self, orders: Orders) -> None:
        self.view.kept["orders"] = orders

    async def give(self, **changes: Any) -> None:
        """Change the limits in force."""
        before, giver = self.orders, object()
        self._enter(changes, giver)
        try:
            await self._enforce_limits()
        except CommandError:
            await self._take_back(before, changes, giver)
            raise

    async def give_current(self, current_A: float) -> bool:
        """Limit the current per phase and wait until energy management enforces it; returns whether it does."""
        before, giver = self.orders, object()
        changes = {"current_A": current_A, "power_W": None}
        self._enter(changes, giver)
        try:
            await self._enforce_limits()
            if not self.orders.charging_allowed:
                return True
            async with asyncio.timeout(APPLIED_WITHIN_S):
                await self.view.manager.enforced_limits.wait_for(lambda enforced: _within(enforced, abs(current_A)))
        except (CommandError, TimeoutError):
            await self._take_back(before, changes, giver)
            return False
        return True

    async def allow_charging(self, allowed: bool) -> None:
        """Allow or deny charging. Without a transaction there is nothing to pause or resume: the limit holds alone."""
        before, giver = self.orders, object()
        changes = {"charging_allowed": allowed}
        self._enter(changes, giver)
        try:
            await self._enforce_limits()
            await self._pause_or_resume()
        except CommandError:
            if await self._take_back(before, changes, giver) and before.charging_allowed is not allowed:
                await self._try(self._pause_or_resume())
            raise

    async def hold(self) -> None:
        """Pause again a session that begins, or was resumed by another way, while charging is not allowed."""
        if not self.orders.charging_allowed and self.view.session.state in _BEFORE_OR_IN_CHARGE:
            await self._pause_or_resume()
            await self._enforce_limits()

    async def restore(self) -> None:
        """Put the limits in force again: the energy node has started again and knows none."""
        if self.orders != Orders():
            await self._try(self._enforce_limits())

    async def enable(self, connector_id: int, enable: bool, priority: int) -> bool:
        """Enable or disable the connector; returns false if another source decides otherwise."""
        kept = self.view.kept
        before: EnableDisableSource | None = kept.get("enabling")
        order = _enabling(_States.Enable if enable else _States.Disable, priority)
        kept["enabling"] = order
        try:
            applied = await self.view.manager.enable_disable(connector_id, order) == enable
        except CommandError:
            applied = False
        if not applied and kept["enabling"] is order:
            kept["enabling"] = before
            restored = before or _enabling(_States.Unassigned, priority)
            await self._try(self.view.manager.enable_disable(connector_id, restored))
        return applied

    def _enter(self, changes: dict[str, Any], giver: object) -> None:
        self.orders = replace(self.orders, **changes)
        self._givers.update(dict.fromkeys(changes, giver))

    async def _take_back(self, before: Orders, changes: dict[str, Any], giver: object) -> bool:
        mine = {name: getattr(before, name) for name in changes if self._givers.get(name) is giver}
        if not mine:
            return False
        self.orders = replace(self.orders, **mine)
        await self._try(self._enforce_limits())
        return True

    async def _enforce_limits(self) -> None:
        if self.sink is not None:
            await self.sink.set_external_limits(self.orders.limits())

    async def _pause_or_resume(self) -> None:
        manager = self.view.manager
        await (manager.resume_charging() if self.orders.charging_allowed else manager.pause_charging())

    @staticmethod
    async def _try(command: Any) -> None:
        try:
            await command
        except CommandError:
            # Whoever does not take the order back did not take the order either.
            return


def _enabling(state: EnableDisableSourceEnableState, priority: int) -> EnableDisableSource:
    source = EnableDisableSourceEnableSource.LocalAPI
    return EnableDisableSource(enable_source=source, enable_state=state, enable_priority=priority)


def _within(enforced: EnforcedLimits, current_A: float) -> bool:
    limit = enforced.limits_root_side.ac_max_current_A
    return limit is not None and limit.value <= current_A + _TOLERANCE_A
