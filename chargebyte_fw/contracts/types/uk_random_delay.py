"""EVerest type file `uk_random_delay`."""

from __future__ import annotations

import msgspec


class CountDown(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `uk_random_delay.CountDown`."""

    countdown_s: int
    """0 = inactive."""
    current_limit_after_delay_A: float
    """A."""
    current_limit_during_delay_A: float
    """A."""
    start_time: str | None = None
