"""ISO 15118-3: an EV that slept wakes the EVSE by toggling B-C-B."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.evse.machine import timing


class BcbToggle(msgspec.Struct):
    """Counts the EV's toggles; a sequence is complete after three, or 3.7 s after it began if one was good."""

    begun_s: float | None = None
    c_since_s: float | None = None
    pulses: int = 0

    def edge(self, to_c: bool, now: float) -> None:
        """Take a change of the pilot from B to C or back."""
        if to_c:
            self.c_since_s = now
            if self.begun_s is None:
                self.begun_s = now
            return
        if self.c_since_s is not None and timing.BCB_C_MIN_S < now - self.c_since_s < timing.BCB_C_MAX_S:
            self.pulses += 1
        self.c_since_s = None

    def due(self) -> float | None:
        """When a begun sequence ends, in monotonic seconds."""
        return None if self.begun_s is None else self.begun_s + timing.BCB_SEQUENCE_S

    def complete(self, now: float) -> bool:
        """Whether the EV has woken us; a sequence without a good pulse is forgotten."""
        if self.pulses >= timing.BCB_PULSES:
            return True
        due_s = self.due()
        if due_s is None or now < due_s:
            return False
        if self.pulses == 0:
            self.begun_s = self.c_since_s = None
            return False
        return True
