"""Which slot is tried next, and after which pause (ocpp.md 4.1)."""

from __future__ import annotations

import random

from chargebyte_fw.modules.ocpp.connection.settings import (
    LEAST_PAUSE_S,
    SLOT_PAUSE_S,
    ConnectionSettings,
    Profile,
)


class Slots:
    """The slot in use, the attempts made with it, and the pauses between them.

    `last` is the slot of the last success, which all others lead back to when they have failed.
    """

    def __init__(self, last: int | None, security_profile: int, chance: random.Random) -> None:
        self.last = last
        self.security_profile = security_profile
        """That of the last success: slots below it are not used any more."""
        self._chance = chance
        self._position = 0
        self._failures = 0
        self._pause_s = 0.0
        self._pauses = 0
        self._exhausted: set[int] = set()
        self._stays = False
        self.rounds = 0
        """How often every slot has failed; at the last slot, its attempts."""

    def configure(self, settings: ConnectionSettings) -> None:
        """Take over what the last run confirmed."""
        if settings.last_slot is not None:
            self.last = settings.last_slot
        if settings.least_security_profile is not None:
            self.security_profile = settings.least_security_profile

    def usable(self, settings: ConnectionSettings) -> list[int]:
        """Return the slots in their order, without those below the confirmed security profile."""

        def is_lower(slot: int) -> bool:
            profile = settings.profiles.get(slot)
            return profile is not None and profile.security_profile < self.security_profile

        return [slot for slot in settings.priority if not is_lower(slot)]

    def current(self, settings: ConnectionSettings) -> int | None:
        """Return the slot to be tried now, None where there is none."""
        slots = self.usable(settings)
        if self._stays and self.last in slots:
            return self.last
        return slots[self._position % len(slots)] if slots else None

    def profile(self, settings: ConnectionSettings) -> Profile | None:
        """Return the profile of the slot to be tried now."""
        slot = self.current(settings)
        return settings.profiles.get(slot) if slot is not None else None

    def restart(self) -> None:
        """Begin with the first slot again: the configuration is another one."""
        self._position = self._failures = 0
        self._exhausted.clear()
        self._stays = False

    def connected(self) -> None:
        """The slot in use is open: pauses are short again."""
        self._failures = self._pauses = 0
        self._exhausted.clear()

    def failed(self, settings: ConnectionSettings) -> float:
        """Note that an attempt failed; returns the pause before the next one, perhaps with another slot."""
        self._failures += 1
        pause_s = self.pause(settings)
        if 0 <= settings.attempts <= self._failures:
            return max(pause_s, SLOT_PAUSE_S) if self._next_slot(settings) else pause_s
        return pause_s

    def unusable(self, settings: ConnectionSettings) -> float:
        """Note that the slot cannot be tried at all; returns the pause before the next one."""
        self._next_slot(settings)
        return SLOT_PAUSE_S

    def pause(self, settings: ConnectionSettings) -> float:
        """Return the next pause: minimum and a random part, doubled with a new random part each further time."""
        jitter_s = self._chance.uniform(0.0, settings.pause_random_s)
        if self._pauses == 0:
            self._pause_s = settings.pause_minimum_s + jitter_s
        elif self._pauses <= settings.doublings:
            self._pause_s = 2.0 * self._pause_s + jitter_s
        self._pauses += 1
        return max(self._pause_s, LEAST_PAUSE_S)

    def _next_slot(self, settings: ConnectionSettings) -> bool:
        """Go to the next slot; returns whether it is another one."""
        slots = self.usable(settings)
        before = self.current(settings)
        self._failures = 0
        if not slots:
            return False
        if before is not None:
            self._exhausted.add(before)
        every = self._exhausted >= set(slots)
        self.rounds += every
        if every and self.last in slots:
            self._stays = True
            return self.current(settings) != before
        if every:
            self._exhausted.clear()
        self._position = (self._position + 1) % len(slots)
        return self.current(settings) != before
