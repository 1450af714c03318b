"""EVerest interface `empty`."""

from __future__ import annotations

from chargebyte_fw.kernel.contract import Contract


class Empty(Contract, interface="empty"):
    """No members: an implementation that only carries configuration."""
