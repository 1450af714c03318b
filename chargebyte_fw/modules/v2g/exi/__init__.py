"""Schema-informed EXI, compiled from the declared messages: `codec("iso2").decode(payload)`, `.encode(message)`.

A further schema set is a file in `messages/` with a SCHEMA and one line in `_SETS`.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args, overload

from chargebyte_fw.modules.v2g.exi.codec import AnyCodec, Codec, bit_difference
from chargebyte_fw.modules.v2g.exi.errors import EncodeError, ExiError
from chargebyte_fw.modules.v2g.exi.grammar import grammar_of

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.messages import din, iso2, iso20_types, sap

Iso20Set = Literal[
    "iso20_common",
    "iso20_ac",
    "iso20_ac_der_iec",
    "iso20_ac_der_sae",
    "iso20_dc",
    "iso20_wpt",
    "iso20_acdp",
]
"""The sets of ISO 15118-20, one for each V2GTP payload type."""
_SETS = ("sap", "din", "iso2", *get_args(Iso20Set), "xmldsig")


@overload
def codec(name: Literal["sap"]) -> Codec[sap.supportedAppProtocolReq | sap.supportedAppProtocolRes]: ...
@overload
def codec(name: Literal["din"]) -> Codec[din.V2G_Message]: ...
@overload
def codec(name: Literal["iso2"]) -> Codec[iso2.V2G_Message]: ...
@overload
def codec(name: Iso20Set) -> Codec[iso20_types.V2GMessageType]: ...
@overload
def codec(name: str) -> AnyCodec: ...
def codec(name: str) -> AnyCodec:
    """Return the codec of a schema set (`iso2`, `iso20_dc`, ...); imports it on first use.

    Each type is compiled when its first message comes. Raises KeyError for another name.
    """
    return _codec(name)


@cache
def _codec(name: str) -> AnyCodec:
    if name not in _SETS:
        raise KeyError(f"{name} is no schema set (known: {', '.join(_SETS)})")
    module = importlib.import_module(f"chargebyte_fw.modules.v2g.messages.{name}")
    return Codec(module.SCHEMA)


def forget_grammars() -> None:
    """Free what types are compiled from; it is made again for the next one."""
    grammar_of.cache_clear()


__all__ = ["AnyCodec", "Codec", "EncodeError", "ExiError", "Iso20Set", "bit_difference", "codec", "forget_grammars"]
