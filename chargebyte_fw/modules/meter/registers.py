"""A meter described by a file: which registers hold which value (the format of EVerest's GenericPowermeter)."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.kernel.decoding import convert, decode_yaml

MODELS = "models"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_FORMATS = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "float32": ">f",
    "uint64": ">Q",
    "int64": ">q",
}
_USUAL = {1: "uint16", 2: "float32", 4: "uint64"}
"""How so many registers are read where the file does not name it."""


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value: where it is, and what it is multiplied with."""

    start_register: Annotated[int, Meta(ge=0, le=65_536)] = 0
    """0: the meter has no such value."""
    function_code_start_reg: int = 3
    num_registers: Annotated[int, Meta(ge=0, le=4)] = 0
    multiplier: float = 1.0
    exponent_register: Annotated[int, Meta(ge=0, le=65_536)] = 0
    function_code_exp_reg: int = 3
    type: str = ""

    @property
    def exists(self) -> bool:
        """Whether the meter has it."""
        return self.start_register > 0 and self.num_registers > 0

    @property
    def format(self) -> str:
        """How the registers are read."""
        return self.type or _USUAL.get(self.num_registers, "")

    def number(self, words: list[int], exponent: int) -> float:
        """Return the value of its registers; raises ValueError for one that is no number."""
        raw = struct.pack(f">{len(words)}H", *words)
        (found,) = struct.unpack(_FORMATS[self.format], raw)
        value = float(found) * self.multiplier * 10.0**exponent
        if not math.isfinite(value):
            raise ValueError(f"register {self.start_register} holds {found}")
        return value


class Quantity(Value, frozen=True, forbid_unknown_fields=True):
    """One quantity: its sum (of DC its only value) and the phases."""

    L1: Value = Value()
    L2: Value = Value()
    L3: Value = Value()

    def values(self) -> Iterator[tuple[str, Value]]:
        """Return what the meter has of it: `total`, `L1`, `L2`, `L3`."""
        for name, value in (("total", self), ("L1", self.L1), ("L2", self.L2), ("L3", self.L3)):
            if value.exists:
                yield name, value


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a meter measures."""

    energy_Wh_import: Quantity
    energy_Wh_export: Quantity = Quantity()
    power_W: Quantity = Quantity()
    voltage_V: Quantity = Quantity()
    reactive_power_VAR: Quantity = Quantity()
    current_A: Quantity = Quantity()
    frequency_Hz: Quantity = Quantity()

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Return the quantities by name."""
        for name in self.__struct_fields__:
            yield name, getattr(self, name)


def names() -> list[str]:
    """Return the models that come with the product."""
    folder = resources.files(__package__).joinpath(MODELS)
    return sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))


def read_model(name: str, folder: Path) -> Model:
    """Return a model of `folder`, else of the product; raises ValueError with what is wrong."""
    if not _NAME.match(name):
        raise ValueError(f"{name[:64]!r} is no name of a model")
    own = folder / f"{name}.yaml"
    try:
        if own.is_file():
            text = own.read_bytes()
        elif name in names():
            text = resources.files(__package__).joinpath(MODELS, f"{name}.yaml").read_bytes()
        else:
            raise ValueError(f"there is no model {name} (known: {', '.join(names())}; others in {folder})")
    except OSError as error:
        raise ValueError(f"{own}: {error.strerror or error}") from error
    return parse_model(name, decode_yaml(text))


def parse_model(name: str, document: Any) -> Model:
    """Return the model of a file's content; raises ValueError with what is wrong."""
    try:
        model: Model = convert(document, Model, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"model {name}: {error}") from None
    for quantity, one in model.quantities():
        for place, value in one.values():
            where = f"model {name}: {quantity}.{place}"
            wanted = _FORMATS.get(value.format)
            if wanted is None or struct.calcsize(wanted) != 2 * value.num_registers:
                raise ValueError(f"{where}: {value.num_registers} registers are no {value.format or 'value'}")
            if value.function_code_start_reg not in (3, 4) or value.function_code_exp_reg not in (3, 4):
                raise ValueError(f"{where}: a register is read with function 3 or 4")
    if not model.energy_Wh_import.exists:
        raise ValueError(f"model {name}: energy_Wh_import has no register; a meter counts energy")
    return model
