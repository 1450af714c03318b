"""EVerest interface `power`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.kernel.contract import Contract, Var


class Power(Contract, interface="power"):
    """Limit of current."""

    max_current: Var[Annotated[float, Meta(ge=1, le=60)]]
    """A."""
