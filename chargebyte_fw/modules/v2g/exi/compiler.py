"""From a type's grammar to two specialised Python functions, one that reads it and one that writes it.

The functions are made when a type is first met and kept; they work on the stream as one integer. A reading function
takes (data, left) and returns (value, left); a writing one takes (value, stream, bits) and returns (stream, bits).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from chargebyte_fw.modules.v2g.exi import values
from chargebyte_fw.modules.v2g.exi.errors import EncodeError, ExiError
from chargebyte_fw.modules.v2g.exi.grammar import Item, code_bits, enum_bits, items_of, offered
from chargebyte_fw.modules.v2g.exi.irregular import read_irregular, write_irregular
from chargebyte_fw.modules.v2g.messages.model import Coding, Irregular, Type

Reader = Callable[[int, int], tuple[Any, int]]
Writer = Callable[[Any, int, int], tuple[int, int]]

_readers: dict[type, Reader] = {}
_writers: dict[type, Writer] = {}
sources: dict[str, str] = {}
"""The generated source by function name, for tests and for curious people."""


def reader(cls: type[Type]) -> Reader:
    """Return the reading function of a complex type."""
    found = _readers.get(cls)
    if found is None:
        # A placeholder that looks itself up keeps recursive types finite.
        _readers[cls] = lambda data, left: _readers[cls](data, left)
        found = _readers[cls] = _irregular_reader(cls) if issubclass(cls, Irregular) else _Read(cls).compile()
    return found


def writer(cls: type[Type]) -> Writer:
    """Return the writing function of a complex type."""
    found = _writers.get(cls)
    if found is None:
        _writers[cls] = lambda value, stream, bits: _writers[cls](value, stream, bits)
        found = _writers[cls] = _irregular_writer(cls) if issubclass(cls, Irregular) else _Write(cls).compile()
    return found


def _irregular_reader(cls: type[Irregular]) -> Reader:
    return lambda data, left: read_irregular(cls, data, left, read_value)


def _irregular_writer(cls: type[Irregular]) -> Writer:
    return lambda value, stream, bits: write_irregular(cls, value, stream, bits, write_value)


def read_value(kind: Any, data: int, left: int) -> tuple[Any, int]:
    """Read the content of one element or attribute of the type `kind` (no event codes of a simple type)."""
    return _value_reader(kind)(data, left)


def write_value(kind: Any, value: Any, stream: int, bits: int) -> tuple[int, int]:
    """Write the content of one element or attribute of the type `kind`."""
    return _value_writer(kind)(value, stream, bits)


_simple_readers: dict[Any, Reader] = {}
_simple_writers: dict[Any, Writer] = {}


def is_simple(kind: Any) -> bool:
    """Tell a simple type (coding or enumeration) from a complex one."""
    return isinstance(kind, Coding) or (isinstance(kind, type) and issubclass(kind, StrEnum))


def _value_reader(kind: Any) -> Reader:
    if not is_simple(kind):
        return reader(kind)
    if kind not in _simple_readers:
        body = _Body()
        body.line("def read(data, left):")
        body.read_simple("value", kind, "value")
        body.line("    return value, left")
        _simple_readers[kind] = body.compile("read", "simple value")
    return _simple_readers[kind]


def _value_writer(kind: Any) -> Writer:
    if not is_simple(kind):
        return writer(kind)
    if kind not in _simple_writers:
        body = _Body()
        body.line("def write(value, stream, bits):")
        body.write_simple("value", kind, "value", "    ")
        body.line("    return stream, bits")
        _simple_writers[kind] = body.compile("write", "simple value")
    return _simple_writers[kind]


class _Body:
    """The text of one function and the names it uses."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "read_uint": values.read_uint,
            "read_bytes": values.read_bytes,
            "read_string": values.read_string,
            "write_uint": values.write_uint,
            "write_bytes": values.write_bytes,
            "write_string": values.write_string,
            "check": values.check,
            "ExiError": ExiError,
            "EncodeError": EncodeError,
        }
        self._serial = 0

    def line(self, text: str) -> None:
        self.lines.append(text)

    def name(self, value: Any, hint: str) -> str:
        """Make `value` reachable from the generated code; returns its name there."""
        self._serial += 1
        name = f"{hint}_{self._serial}"
        self.names[name] = value
        return name

    def compile(self, function: str, title: str) -> Any:
        source = "\n".join(self.lines) + "\n"
        sources[title] = source
        exec(compile(source, f"<EXI {title}>", "exec"), self.names)  # noqa: S102 (our own declarations only)
        return self.names[function]

    def read_bits(self, target: str, bits: int, indent: str) -> None:
        self.line(f"{indent}left -= {bits}")
        self.line(f"{indent}{target} = data >> left & {(1 << bits) - 1}")

    def read_zero(self, bits: int, where: str, indent: str) -> None:
        """Read event codes that leave no choice: anything but zeros is a deviation."""
        if bits:
            self.line(f"{indent}left -= {bits}")
            self.line(
                f"{indent}if data >> left & {(1 << bits) - 1}: raise ExiError({where!r} ': not in the schema here')"
            )

    def read_simple(self, target: str, kind: Any, where: str, indent: str = "    ") -> None:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            members = self.name(tuple(kind), kind.__name__)
            self.read_bits("code", enum_bits(kind), indent)
            if len(kind) != 1 << enum_bits(kind):
                self.line(f"{indent}if code >= {len(kind)}: raise ExiError({where!r} f': no value {{code}}')")
            self.line(f"{indent}{target} = {members}[code]")
            return
        coding: Coding = kind
        if coding.kind == "nbit":
            low = coding.low or 0
            self.read_bits(target, coding.bits, indent)
            if low:
                self.line(f"{indent}{target} += {low}")
            if coding.high is not None and coding.high - low != (1 << coding.bits) - 1:
                self.line(
                    f"{indent}if {target} > {coding.high}: raise ExiError({where!r} f': {{{target}}} is too big')"
                )
        elif coding.kind == "bool":
            self.line(f"{indent}left -= 1")
            self.line(f"{indent}{target} = (data >> left & 1) == 1")
        elif coding.kind in ("uint", "int"):
            octets = values.MAX_UINT_OCTETS if coding.high is not None else values.MAX_INTEGER_OCTETS
            if coding.kind == "int":
                self.read_bits("sign", 1, indent)
            # One octet is the common case and is read without a call.
            self.line(f"{indent}left -= 8")
            self.line(f"{indent}{target} = data >> left & 255")
            self.line(f"{indent}if {target} > 127: {target}, left = read_uint(data, left + 8, {octets})")
            if coding.kind == "int":
                self.line(f"{indent}if sign: {target} = -1 - {target}")
            if coding.high is not None:
                self.line(
                    f"{indent}if not {coding.low} <= {target} <= {coding.high}: "
                    f"raise ExiError({where!r} f': {{{target}}} is out of range')"
                )
        elif coding.kind == "string":
            self.line(f"{indent}{target}, left = read_string(data, left, {coding.longest})")
            self._shortest(target, coding, where, indent)
        else:
            self.line(f"{indent}{target}, left = read_bytes(data, left, {coding.longest})")
            self._shortest(target, coding, where, indent)

    def _shortest(self, target: str, coding: Coding, where: str, indent: str) -> None:
        if coding.shortest:
            self.line(
                f"{indent}if len({target}) < {coding.shortest}: "
                f"raise ExiError({where!r} ': shorter than {coding.shortest}')"
            )

    def write_bits(self, text: str, bits: int, indent: str) -> None:
        self.line(f"{indent}stream = stream << {bits} | {text}; bits += {bits}")

    def write_simple(self, source: str, kind: Any, where: str, indent: str) -> None:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            index = self.name({member: position for position, member in enumerate(kind)}, kind.__name__)
            self.line(f"{indent}code = {index}.get({source})")
            self.line(f"{indent}check(code is not None, {where!r}, {source})")
            self.write_bits("code", enum_bits(kind), indent)
            return
        coding: Coding = kind
        if coding.kind == "bool":
            self.write_bits(f"(1 if {source} else 0)", 1, indent)
            return
        if coding.kind in ("nbit", "uint", "int"):
            if coding.high is not None:
                self.line(
                    f"{indent}if not {coding.low} <= {source} <= {coding.high}: check(False, {where!r}, {source})"
                )
            if coding.kind == "nbit":
                offset = f" - {coding.low}" if coding.low else ""
                self.write_bits(f"{source}{offset}", coding.bits, indent)
            elif coding.kind == "uint":
                self.line(f"{indent}if 0 <= {source} < 128: stream = stream << 8 | {source}; bits += 8")
                self.line(f"{indent}else: stream, bits = write_uint(stream, bits, {source})")
            else:
                self.line(f"{indent}if {source} < 0:")
                self.line(f"{indent}    stream, bits = write_uint(stream << 1 | 1, bits + 1, -1 - {source})")
                self.line(f"{indent}else:")
                self.line(f"{indent}    stream, bits = write_uint(stream << 1, bits + 1, {source})")
            return
        longest = coding.longest if coding.longest is not None else "len(" + source + ")"
        self.line(f"{indent}if not {coding.shortest} <= len({source}) <= {longest}: check(False, {where!r}, {source})")
        function = "write_string" if coding.kind == "string" else "write_bytes"
        self.line(f"{indent}stream, bits = {function}(stream, bits, {source})")


class _Codec(_Body):
    """What reading and writing of a regular type share: its items and its states."""

    def __init__(self, cls: type[Type]) -> None:
        super().__init__()
        self.cls = cls
        self.items = items_of(cls)

    def productions(self, position: int) -> list[tuple[int, int]]:
        """Return the state before item `position` as (item index, member index) in code order."""
        found = []
        for index in offered(self.items, position):
            width = self.items[index].width if index < len(self.items) else 1
            found += [(index, member) for member in range(width)]
        return found

    def repeated(self, index: int) -> list[tuple[int, int]]:
        """Return the state between the minimum and the maximum of list `index`: itself, then what follows."""
        return [(index, 0), *self.productions(index + 1)]


class _Read(_Codec):
    """Generates the reading function."""

    def compile(self) -> Reader:  # type: ignore[override]
        items = self.items
        self.line("def read(data, left):")
        for index, item in enumerate(items):
            self.line(f"    f{index} = {'[]' if item.is_list else 'None'}")
        self._next(self.productions(0), "    ", "start")
        for index, item in enumerate(items):
            self.line(f"    if at == {index}:")
            if item.is_list:
                self._read_list(index, item)
            else:
                self._read_item(f"f{index}", item, "        ")
                self._next(self.productions(index + 1), "        ", item.name)
        arguments = ", ".join(f"{item.name}=f{index}" for index, item in enumerate(items))
        self.line(f"    return {self.name(self.cls, 'cls')}({arguments}), left")
        compiled: Reader = super().compile("read", f"read {self.cls.__module__.rsplit('.', 1)[-1]}.{self.cls.__name__}")
        return compiled

    def _next(self, productions: list[tuple[int, int]], indent: str, after: str) -> None:
        """Read an event code and set `at` (the item that comes, len(items) for the end) and `member`."""
        where = f"{self.cls.__name__} after {after}"
        if productions[0][0] < len(self.items) and self.items[productions[0][0]].kind == "text":
            self.read_zero(1, where, indent)
            self.line(f"{indent}at = {productions[0][0]}")
            return
        if len(productions) == 1:
            self.read_zero(1, where, indent)
            self.line(f"{indent}at = {productions[0][0]}")
            if productions[0][0] < len(self.items) and self.items[productions[0][0]].kind == "group":
                self.line(f"{indent}member = 0")
            return
        self.read_bits("code", code_bits(len(productions)), indent)
        if len(productions) < (1 << code_bits(len(productions))):
            self.line(f"{indent}if code >= {len(productions)}: raise ExiError({where!r} f': no event {{code}} here')")
        first = productions[0][0]
        if [production[0] for production in productions] == list(range(first, first + len(productions))):
            self.line(f"{indent}at = code + {first}" if first else f"{indent}at = code")
            self.line(f"{indent}member = 0")
        else:
            table = self.name(tuple(productions), "state")
            self.line(f"{indent}at, member = {table}[code]")

    def _read_item(self, target: str, item: Item, indent: str) -> None:
        where = f"{self.cls.__name__}.{item.name}"
        if item.kind == "group":
            readers = tuple(None if cls is None else reader(cls) for _, cls in item.members)
            if len([each for each in readers if each]) == 1 and len(readers) == 1:
                self.line(f"{indent}{target}, left = {self.name(readers[0], 'read')}(data, left)")
                return
            self.line(f"{indent}inner = {self.name(readers, 'readers')}[member]")
            self.line(f"{indent}if inner is None: raise ExiError({where!r} ': an abstract element cannot be sent')")
            self.line(f"{indent}{target}, left = inner(data, left)")
        elif item.kind in ("attribute", "text"):
            self.read_simple(target, item.type, where, indent)
        elif is_simple(item.type):
            self.read_zero(1, where, indent)
            self.read_simple(target, item.type, where, indent)
            self.read_zero(1, where, indent)
        else:
            self.line(f"{indent}{target}, left = {self.name(reader(item.type), 'read')}(data, left)")

    def _read_list(self, index: int, item: Item) -> None:
        """Exact unrolling: only the item below its minimum, item and follow set up to the maximum, then the rest."""
        following = self.productions(index + 1)
        self.line(f"        while at == {index}:")
        self._read_item("entry", item, "            ")
        self.line(f"            f{index}.append(entry)")
        self.line(f"            count = len(f{index})")
        branches = []
        if item.low > 1:
            branches.append((f"count < {item.low}", [(index, 0)]))
        if item.high is not None:
            branches.append((f"count < {item.high}", self.repeated(index)))
            branches.append(("True", following))
        else:
            branches.append(("True", self.repeated(index)))
        for number, (condition, productions) in enumerate(branches):
            self.line(f"            {'if' if number == 0 else 'elif'} {condition}:")
            self._next(productions, "                ", item.name)


class _Write(_Codec):
    """Generates the writing function."""

    def compile(self) -> Writer:  # type: ignore[override]
        self.line("def write(value, stream, bits):")
        self.line("    at = 0")
        for index, item in enumerate(self.items):
            self._write_field(index, item)
        self._code(len(self.items), "0", "    ")
        self.line("    return stream, bits")
        title = f"write {self.cls.__module__.rsplit('.', 1)[-1]}.{self.cls.__name__}"
        compiled: Writer = super().compile("write", title)
        return compiled

    def _code(self, index: int, member: str, indent: str) -> None:
        """Write the event code of item `index` (EE for len(items)) from the state `at`."""
        codes = {}
        for state in self._states_before(index):
            productions = self.repeated(-state - 1) if state < 0 else self.productions(state)
            codes[state] = (productions.index((index, 0)), code_bits(len(productions)))
        if len(set(codes.values())) == 1:
            code, width = next(iter(codes.values()))
            text = f"{code} + {member}" if member != "0" else str(code)
            self.write_bits(f"({text})", width, indent)
            return
        name = self.name(codes, "codes")
        self.line(f"{indent}code, width = {name}[at]")
        self.line(f"{indent}stream = stream << width | code + {member}; bits += width")

    def _states_before(self, index: int) -> list[int]:
        """Return the states from which item `index` can come directly; -(n+1) is inside list n, its minimum reached."""
        states = []
        for state in range(index + 1):
            if any(self.items[between].low > 0 for between in range(state, index)):
                continue
            before = self.items[state - 1] if state else None
            if before is not None and before.is_list:
                states.append(-state)
            if before is None or before.high is not None:
                states.append(state)
        return states

    def _write_field(self, index: int, item: Item) -> None:
        where = f"{self.cls.__name__}.{item.name}"
        self.line(f"    v = value.{item.name}")
        if item.is_list:
            self._write_list(index, item, where)
            return
        if item.low:
            self.line(f"    if v is None: raise EncodeError({where!r} ' is required')")
            indent = "    "
        else:
            self.line("    if v is not None:")
            indent = "        "
        self._write_item(index, item, where, indent)
        self.line(f"{indent}at = {index + 1}")

    def _write_item(self, index: int, item: Item, where: str, indent: str, code: bool = True) -> None:
        if item.kind == "group":
            places = {cls: place for place, (_, cls) in enumerate(item.members) if cls is not None}
            self.line(f"{indent}member = {self.name(places, 'places')}.get(type(v))")
            self.line(f"{indent}if member is None: check(False, {where!r}, v)")
            self._code(index, "member", indent)
            writers = tuple(None if cls is None else writer(cls) for _, cls in item.members)
            self.line(f"{indent}stream, bits = {self.name(writers, 'writers')}[member](v, stream, bits)")
            return
        if code:
            if item.kind == "text":
                self.write_bits("0", 1, indent)
            else:
                self._code(index, "0", indent)
        if item.kind in ("attribute", "text"):
            self.write_simple("v", item.type, where, indent)
        elif is_simple(item.type):
            self.write_bits("0", 1, indent)
            self.write_simple("v", item.type, where, indent)
            self.write_bits("0", 1, indent)
        else:
            self.line(f"{indent}stream, bits = {self.name(writer(item.type), 'write')}(v, stream, bits)")

    def _write_list(self, index: int, item: Item, where: str) -> None:
        high = "None" if item.high is None else str(item.high)
        self.line("    size = len(v)")
        limit = f" or size > {high}" if item.high is not None else ""
        self.line(f"    if size < {item.low}{limit}: check(False, {where!r} ' (entries)', size)")
        self.line("    for count, v in enumerate(v):")
        self.line("        if count == 0:")
        self._code(index, "0", "            ")
        inner = "        else:"
        if item.low > 1:
            self.line(f"        elif count < {item.low}:")
            self.write_bits("0", 1, "            ")
        self.line(inner)
        self.write_bits("0", code_bits(len(self.repeated(index))), "            ")
        self._write_item(index, item, where, "        ", code=False)
        # After the list: between minimum and maximum the list's own production still stands first.
        self.line("    if size:")
        full = f"size == {item.high}" if item.high is not None else "False"
        self.line(f"        at = {index + 1} if {full} else {-(index + 1)}")
