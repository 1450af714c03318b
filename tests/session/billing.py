"""Who charged in whose transaction: the session events of one EVSE beside what the cars drew."""

from __future__ import annotations

import asyncio
from typing import Any

from chargebyte_fw.contracts.types.evse_manager import SessionEvent
from tests.session.plant import Plant


class Billing:
    """Writes down every session event, and which transaction ran whenever a car drew; `next_car` names the car."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.car = 1
        self.events: list[tuple[float, SessionEvent]] = []
        self.transaction = ""
        self.drawn: set[tuple[int, str]] = set()
        """Car and transaction, "" without one."""
        evse: Any = plant.assembly.modules["connector"]
        evse.evse.session_event.subscribe(self._take, replay=False)
        plant.world.pilot.on_change.append(self.look)

    def _take(self, event: SessionEvent) -> None:
        self.events.append((asyncio.get_running_loop().time(), event))
        if event.transaction_started is not None:
            self.transaction = event.uuid
        elif event.transaction_finished is not None:
            self.transaction = ""
        self.look()

    def look(self) -> None:
        """Note who draws."""
        if self._plant.world.car.inlet.power_W > 0:
            self.drawn.add((self.car, self.transaction))

    def next_car(self) -> None:
        """Another car is brought."""
        self.car += 1

    @property
    def names(self) -> list[str]:
        return [event.event.value for _, event in self.events]

    def count(self, name: str) -> int:
        return self.names.count(name)

    def at(self, name: str) -> float:
        """When an event came last."""
        return [at for at, event in self.events if event.event.value == name][-1]

    def reasons(self) -> list[str]:
        """Why the transactions ended."""
        finished = [event.transaction_finished for _, event in self.events]
        return [str(one.reason) for one in finished if one is not None]

    def transactions_of(self, car: int) -> set[str]:
        return {transaction for one, transaction in self.drawn if one == car}

    async def watch(self, duration_s: float) -> None:
        """Let time pass and look all the while."""
        for _ in range(int(duration_s / 0.05)):
            await asyncio.sleep(0.05)
            self.look()

    def check(self) -> None:
        """No transaction pays for two cars, and no car draws without one."""
        for transaction in {transaction for _, transaction in self.drawn}:
            assert transaction, f"a car drew without a transaction: {self.drawn}"
            cars = {car for car, one in self.drawn if one == transaction}
            assert len(cars) == 1, f"{cars} drew in one transaction: {self.names}"
