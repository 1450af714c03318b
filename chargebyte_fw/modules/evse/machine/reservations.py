"""The reservation of one EVSE."""

from __future__ import annotations


class Reservation:
    """At most one id; a negative id stands for a reservation of the whole station."""

    def __init__(self) -> None:
        self.id: int | None = None

    def reserve(self, reservation_id: int, *, possible: bool) -> tuple[bool, bool]:
        """Ask for a reservation; returns (granted, it is new)."""
        if self.id == reservation_id:
            return possible, False
        if not possible or (self.id is not None and self.id >= 0):
            return False, False
        self.id = reservation_id
        return True, True

    def cancel(self) -> bool:
        """Give it up; returns whether there was one."""
        was, self.id = self.id, None
        return was is not None

    def use(self) -> int | None:
        """Consume it for a session; returns its id, None for none or one of the whole station."""
        was, self.id = self.id, None
        return was if was is not None and was >= 0 else None
