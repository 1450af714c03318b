"""Schema-informed EXI, compiled from the declared messages: `codec("iso2").decode(payload)`, `.encode(message)`.

A further schema set (ISO 15118-20) is a file in `messages/` with a SCHEMA and one line in `_SETS`.
"""

from __future__ import annotations

import importlib
from functools import cache

from chargebyte_fw.modules.v2g.exi.codec import AnyCodec, Codec, bit_difference
from chargebyte_fw.modules.v2g.exi.errors import EncodeError, ExiError

_SETS = ("sap", "din", "iso2", "xmldsig")


@cache
def codec(name: str) -> AnyCodec:
    """Return the codec of a schema set (`sap`, `din`, `iso2`, `xmldsig`); imports and compiles it on first use."""
    if name not in _SETS:
        raise KeyError(f"{name} is not spoken (known: {', '.join(_SETS)})")
    module = importlib.import_module(f"chargebyte_fw.modules.v2g.messages.{name}")
    return Codec(module.SCHEMA)


__all__ = ["AnyCodec", "Codec", "EncodeError", "ExiError", "bit_difference", "codec"]
