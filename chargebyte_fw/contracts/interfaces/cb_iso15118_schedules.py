"""Interface of chargebyte `cb_iso15118_schedules`, beside EVerest's `iso15118_extensions`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import cb_iso15118_schedules
from chargebyte_fw.kernel.contract import Contract, Var


class CbIso15118Schedules(Contract, interface="cb_iso15118_schedules"):
    """Schedules of a back end for cars with ISO 15118, and the schedules of the cars for the back end."""

    ev_schedule: Var[cb_iso15118_schedules.EvSchedule]
    """A car has chosen a schedule: at the start of charging and after each renegotiation."""

    @abstractmethod
    async def set_schedule(self, schedule: list[cb_iso15118_schedules.ScheduleLimit]) -> None:
        """Offer cars no more than this from now on; a car that charges by another schedule renegotiates."""

    @abstractmethod
    async def set_back_end(self, answers_needs: bool) -> None:
        """Whether each `charging_needs` is answered by `needs_answered`: a car waits for its schedule so long."""

    @abstractmethod
    async def needs_answered(self) -> None:
        """The schedule for the needs that were published last is there, or there will be none."""
