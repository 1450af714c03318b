"""How a variable of the device model is declared: once, with its type, limits and meaning (OCPP 2.0.1 Part 2, 3.26)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec
import msgspec.structs

T = TypeVar("T")


class DataType(StrEnum):
    """DataEnumType."""

    STRING = "string"
    DECIMAL = "decimal"
    INTEGER = "integer"
    DATE_TIME = "dateTime"
    BOOLEAN = "boolean"
    OPTION = "OptionList"
    SEQUENCE = "SequenceList"
    MEMBERS = "MemberList"


class Mutability(StrEnum):
    """MutabilityEnumType: what the CSMS may do."""

    READ_ONLY = "ReadOnly"
    WRITE_ONLY = "WriteOnly"
    READ_WRITE = "ReadWrite"


RO = Mutability.READ_ONLY
WO = Mutability.WRITE_ONLY
RW = Mutability.READ_WRITE


class ComponentId(msgspec.Struct, frozen=True):
    """Address of a component."""

    name: str
    instance: str = ""
    evse: int | None = None
    connector: int | None = None

    def __str__(self) -> str:
        instance = f"[{self.instance}]" if self.instance else ""
        tier = ",".join(str(part) for part in (self.evse, self.connector) if part is not None)
        return f"{self.name}{instance}" + (f"({tier})" if tier else "")

    @property
    def folded(self) -> ComponentId:
        """The address as it is compared: names are identifierStrings, which ignore case."""
        return ComponentId(self.name.lower(), self.instance.lower(), self.evse, self.connector)


class VariableId(msgspec.Struct, frozen=True):
    """Address of a variable: component, name and instance."""

    component: ComponentId
    name: str
    instance: str = ""

    def __str__(self) -> str:
        return f"{self.component}.{self.name}" + (f"[{self.instance}]" if self.instance else "")

    @property
    def folded(self) -> VariableId:
        """The address as it is compared."""
        return VariableId(self.component.folded, self.name.lower(), self.instance.lower())


class Variable(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One declared variable; `T` is what the rest of the station reads and writes.

    A variable of a component that exists for each EVSE, connector or slot is declared once, and placed with `at`.
    """

    id: VariableId
    data_type: DataType
    absent: T
    """What the station uses while the variable has no value."""
    initial: T | None = None
    """The shipped value; None: the variable is there without a value, or `missing`."""
    mutability: Mutability = RW
    unit: str = ""
    minimum: float | None = None
    """Least value, or least length of a string."""
    maximum: float | None = None
    """Greatest value, or greatest length of a string."""
    values: tuple[str, ...] = ()
    """What an option is one of, and a list a subset of."""
    separator: str = ","
    attributes: tuple[str, ...] = ("Actual",)
    required: bool = False
    """The standard, or this product, needs it; some only while the component has `Available`."""
    shipped: bool = True
    """It is in the shipped configuration. Others are read where a configuration has them."""
    kept: bool = True
    """A value that is set survives a restart."""
    since: str = ""
    """The OCPP version that added it, where that is 2.1."""
    meaning: str = ""

    def at(
        self,
        evse: int | None = None,
        connector: int | None = None,
        *,
        slot: int | None = None,
        component_instance: str = "",
        instance: str = "",
    ) -> Variable[T]:
        """Return the variable of one EVSE, connector, network slot (an instance of the component) or instance."""
        here = self.id.component
        placed = ComponentId(
            here.name,
            str(slot) if slot is not None else component_instance or here.instance,
            here.evse if evse is None else evse,
            here.connector if connector is None else connector,
        )
        return msgspec.structs.replace(self, id=VariableId(placed, self.id.name, instance or self.id.instance))

    def parse(self, text: str) -> T:
        """Return a valid value of the model as what the station works with; raises ValueError for anything else."""
        return _parsed(self.data_type, text, self.separator)  # type: ignore[no-any-return]

    def format(self, value: T) -> str:
        """Return the value as the model has it."""
        return _formatted(value, self.separator)


def _parsed(data_type: DataType, text: str, separator: str) -> Any:
    match data_type:
        case DataType.BOOLEAN:
            if text not in ("true", "false"):
                raise ValueError(f"{text!r} is neither true nor false")
            return text == "true"
        case DataType.INTEGER:
            return int(text)
        case DataType.DECIMAL:
            return float(text)
        case DataType.MEMBERS | DataType.SEQUENCE:
            return split(text, separator)
        case _:
            return text


def _formatted(value: Any, separator: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case tuple() | list():
            return separator.join(str(one) for one in value)
        case _:
            return str(value)


def split(text: str, separator: str = ",") -> tuple[str, ...]:
    """Return the items of a list as the model has it, without blanks around them; an empty text has none."""
    return tuple(part.strip() for part in text.split(separator)) if text.strip() else ()


class Component:
    """A component, and the variables that are declared for it."""

    def __init__(self, name: str, *, instance: str = "", per: str = "") -> None:
        self.id = ComponentId(name, instance)
        self.per = per
        """It exists for each `evse`, `connector` or `slot`; empty: once."""
        self.declared: list[Variable[Any]] = []

    def boolean(self, name: str, initial: bool | None = None, *, absent: bool = False, **rest: Any) -> Variable[bool]:
        """Declare a flag."""
        return self._add(name, DataType.BOOLEAN, initial, absent, rest)

    def integer(self, name: str, initial: int | None = None, *, absent: int = 0, **rest: Any) -> Variable[int]:
        """Declare an integer."""
        return self._add(name, DataType.INTEGER, initial, absent, rest)

    def decimal(self, name: str, initial: float | None = None, *, absent: float = 0.0, **rest: Any) -> Variable[float]:
        """Declare a decimal number."""
        return self._add(name, DataType.DECIMAL, initial, absent, rest)

    def string(self, name: str, initial: str | None = None, *, absent: str = "", **rest: Any) -> Variable[str]:
        """Declare a text; `minimum` and `maximum` bound its length."""
        return self._add(name, DataType.STRING, initial, absent, rest)

    def date_time(self, name: str, initial: str | None = None, *, absent: str = "", **rest: Any) -> Variable[str]:
        """Declare a point in time (RFC 3339)."""
        return self._add(name, DataType.DATE_TIME, initial, absent, rest)

    def option(self, name: str, initial: str | None = None, *, absent: str = "", **rest: Any) -> Variable[str]:
        """Declare one of `values`."""
        return self._add(name, DataType.OPTION, initial, absent, rest)

    def members(
        self, name: str, initial: tuple[str, ...] | None = None, *, absent: tuple[str, ...] = (), **rest: Any
    ) -> Variable[tuple[str, ...]]:
        """Declare a set of `values`; the order means nothing."""
        return self._add(name, DataType.MEMBERS, initial, absent, rest)

    def sequence(
        self, name: str, initial: tuple[str, ...] | None = None, *, absent: tuple[str, ...] = (), **rest: Any
    ) -> Variable[tuple[str, ...]]:
        """Declare a list of `values`; the order means something."""
        return self._add(name, DataType.SEQUENCE, initial, absent, rest)

    def _add(self, name: str, data_type: DataType, initial: T | None, absent: T, rest: dict[str, Any]) -> Variable[T]:
        place = VariableId(self.id, name, rest.pop("instance", ""))
        # A value that is shipped is also used where a configuration lacks the variable.
        fallback = initial if initial is not None and not absent else absent
        variable = Variable(id=place, data_type=data_type, initial=initial, absent=fallback, **rest)
        self.declared.append(variable)
        return variable
