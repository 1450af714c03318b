"""EnergyNode: a fuse in the energy tree. Requests go up through it, limits go down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.energy import Energy
from chargebyte_fw.contracts.interfaces.energy_price_information import EnergyPriceInformation
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.types import energy
from chargebyte_fw.contracts.types.energy_price_information import EnergyPriceSchedule
from chargebyte_fw.contracts.types.powermeter import Powermeter as MeterValue
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.module import (
    ConfigIssue,
    End,
    Module,
    ModuleConfig,
    provides,
    requires_many,
    requires_optional,
)
from chargebyte_fw.modules.energy.node import Fuse, NodeBook


class Grid(Energy):
    """The side towards the root."""

    module: EnergyNode

    async def enforce_limits(self, value: energy.EnforcedLimits) -> None:
        """Pass limits on to every child; each leaf looks for its own."""
        if value.uuid != self.module.id:
            await self.module.pass_on(value)


class Sink(ExternalEnergyLimits):
    """Where others narrow this node."""

    module: EnergyNode

    async def set_external_limits(self, value: energy.ExternalLimits) -> None:
        """Hold these schedules from now on, and report them to the root at once."""
        self.module.book.set_external(value)
        self.module.publish_request()


SMALLEST_FUSE_A, LARGEST_FUSE_A = 1.0, 1000.0
"""A fuse beyond is a slip of the unit: nothing charges below 6 A (IEC 61851-1, table A.7), no site has one of 1 kA."""


class EnergyNode(Module):
    """A node of the energy tree: its fuse, its meter, its prices and the limits that others set on it."""

    class Config(ModuleConfig):
        """Configuration of the node."""

        fuse_limit_A: Annotated[float, Meta(ge=0, description="Greatest current per phase, in A.")]
        phase_count: Annotated[int, Meta(ge=0, le=3, description="Number of phases; 0 for a direct-current node.")] = 3
        nominal_voltage_V: Annotated[
            float, Meta(ge=1, le=1000, description="Nominal voltage between phase and neutral, in V.")
        ] = 230.0
        enhance_external_schedule: Annotated[
            bool, Meta(description="Derive the current from the power where an external schedule tells only the power.")
        ] = False

    @classmethod
    def config_issues(cls, config: Config, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """A fuse whose unit was probably another one."""
        fuse_A = config.fuse_limit_A
        if fuse_A > LARGEST_FUSE_A:
            hint = f"amperes, not milliamperes: {fuse_A / 1000:g}?"
            yield ConfigIssue("fuse_limit_A", f"a fuse of {fuse_A:g} A", hint, "warning", "C100")
        elif 0 < fuse_A < SMALLEST_FUSE_A:
            hint = f"amperes, not kiloamperes: {fuse_A * 1000:g}? Nothing charges below 6 A"
            yield ConfigIssue("fuse_limit_A", f"a fuse of {fuse_A:g} A", hint, "warning", "C100")

    config: Config
    energy_grid = provides(Grid, description="The node in the tree.")
    external_limits = provides(Sink, description="Limits that others set on the node.")
    energy_consumer = requires_many(Energy, 1)
    powermeter = requires_optional(Powermeter)
    price_information = requires_optional(EnergyPriceInformation)

    book: NodeBook

    async def init(self) -> None:
        """Listen to the children, the meter and the prices."""
        config = self.config
        self._refused = LastingConditions(self.log)
        fuse = Fuse(config.fuse_limit_A, config.phase_count, config.nominal_voltage_V)
        self.book = NodeBook(self.id, fuse, enhance=config.enhance_external_schedule)
        for consumer in self.energy_consumer:
            consumer.energy_flow_request.subscribe(self._on_child)
        if self.powermeter is not None:
            self.powermeter.powermeter.subscribe(self._on_meter)
        if self.price_information is not None:
            self.price_information.energy_pricing.subscribe(self._on_prices)

    async def ready(self) -> None:
        """State what the node can carry and ask for it."""
        self.external_limits.capabilities.publish(self.book.capabilities())
        self.publish_request()
        # Other entries of the schedules hold then, and those that were over may hold again.
        self.on_wall_set(self.publish_request)

    async def stop(self) -> None:
        """Log what was only counted."""
        self._refused.close()

    def publish_request(self) -> None:
        """Report to the node above what this one and its children want."""
        self.energy_grid.energy_flow_request.publish(self.book.request(utc_now()))

    def _on_child(self, request: energy.EnergyFlowRequest) -> None:
        self.book.take_child(request)
        self.publish_request()

    def _on_meter(self, value: MeterValue) -> None:
        self.book.meter = value
        self.publish_request()

    def _on_prices(self, value: EnergyPriceSchedule) -> None:
        self.book.prices = value
        self.publish_request()

    async def pass_on(self, limits: energy.EnforcedLimits) -> None:
        """Send limits to all children at once; one that does not answer does not keep the others from theirs."""
        answers = await asyncio.gather(
            *(consumer.enforce_limits(limits) for consumer in self.energy_consumer), return_exceptions=True
        )
        for consumer, answer in zip(self.energy_consumer, answers, strict=True):
            name = consumer.module_id
            if isinstance(answer, CommandError):
                # Who is stopping needs none any more: that is no news.
                if answer.kind != "Shutdown":
                    self._refused.set(name, True, f"{name} did not take its limits: {answer}")
            elif isinstance(answer, BaseException):
                raise answer
            else:
                self._refused.set(name, False, f"{name} takes its limits again")
