"""Types that may have more fields than their declaration names."""

from __future__ import annotations

import msgspec


class OpenType(msgspec.Struct):
    """Base of a type to which EVerest's schema lets further fields be added; every other one is closed."""
