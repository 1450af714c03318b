"""The file with the keys of contract issuers (`secc/price_keys.py`), read once at the start."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.v2g.secc.price_keys import read_price_keys

LARGEST_BYTES = 64 * 1024


def price_keys_of(module: Module, file: str) -> tuple[Any, ...]:
    """Return the keys of a file; without a readable one it is logged, and prices are not signed."""
    if not file:
        return ()
    try:
        with open(module.runtime.root.read(file), "rb") as stream:
            return read_price_keys(stream.read(LARGEST_BYTES))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        module.log.error("price_key_file %s: %s; prices are not signed", file, reason)
        return ()
