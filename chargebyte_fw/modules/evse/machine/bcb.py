"""ISO 15118-3: an EV that slept wakes the EVSE by toggling B-C-B."""

from __future__ import annotations

from chargebyte_fw.modules.evse.machine import timing


class BcbToggle:
    """Counts the EV's toggles; a sequence is complete after three, or 3.7 s after it began if one was good."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self._began_s: float | None = None
        self._c_since: float | None = None
        self._pulses = 0

    def edge(self, to_c: bool, now: float) -> None:
        """Take a change of the pilot from B to C or back."""
        if to_c:
            self._c_since = now
            if self._began_s is None:
                self._began_s = now
            return
        if self._c_since is not None and timing.BCB_C_MIN_S < now - self._c_since < timing.BCB_C_MAX_S:
            self._pulses += 1
        self._c_since = None

    def due(self) -> float | None:
        """When a begun sequence ends, in monotonic seconds."""
        return None if self._began_s is None else self._began_s + timing.BCB_SEQUENCE_S

    def complete(self, now: float) -> bool:
        """Whether the EV has woken us; a sequence without a good pulse is forgotten."""
        if self._pulses >= timing.BCB_PULSES:
            return True
        due = self.due()
        if due is None or now < due:
            return False
        if self._pulses == 0:
            self.reset()
            return False
        return True
