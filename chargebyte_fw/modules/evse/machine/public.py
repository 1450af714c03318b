"""Messages between the machines of an EVSE that its owner carries out or shows, too."""

from __future__ import annotations

import msgspec


class Public(msgspec.Struct, frozen=True):
    """Base of what is an effect although a machine has a row for it; without a listener every message is one."""
