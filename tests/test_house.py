"""Who may import whom (docs/architecture.md, "The walls"): read from the source, so that a lazy import counts too."""

from __future__ import annotations

import configparser
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from chargebyte_fw.cli.graph_machines import machines, subclasses
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.ocpp.station import Block, Station
from tests.source import ROOT, Call, parsed, source

PACKAGE = "chargebyte_fw"
PURE_ROOMS = ("messages", "timing", "machine", "events", "effects")
OPENERS = {"asyncio", "socket", "select", "selectors", "threading", "subprocess", "time", "serial", "gpiod", "pyroute2"}
FILES = {"os", "pathlib", "io", "shutil", "tempfile"}
NEVER = ("hil", "tests", "bench")
FLEET = f"{PACKAGE}.sim.fleet"
CLIENT = (f"{PACKAGE}.modules.ocpp.connection.link", f"{PACKAGE}.modules.ocpp.connection.tls_link")
"""What simulated stations connect with: another client would be no station of the product."""
SIMULATORS = f"{PACKAGE}.sim.modules"
"""Found by entry point and loaded where a configuration names them: a charger has none of them in memory."""


@cache
def module_files() -> set[str]:
    """The files that the entry points name."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options.entry_points"]["chargebyte_fw.modules"].strip().splitlines()
    return {line.partition("=")[2].strip().partition(":")[0] for line in lines}


def sources() -> list[str]:
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return [str(path.relative_to(ROOT)) for path in files]


def dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def imports(path: str) -> tuple[str, ...]:
    """Every module that the file imports, also inside functions; `from package import module` counts as the module."""
    return tuple(imported(path))


def imported(path: str) -> Iterator[str]:
    here = dotted(path).split(".")
    for level, module, names in source(path).imports:
        if not (level or module):
            yield from names
            continue
        base = ".".join(here[: len(here) - level + path.endswith("__init__.py")]) if level else ""
        name = ".".join(part for part in (base, module) if part)
        for alias in names:
            inner = f"{name}.{alias}"
            yield inner if is_module(inner) else name


@cache
def is_module(name: str) -> bool:
    place = ROOT / name.replace(".", "/")
    return name.startswith(PACKAGE) and (place.with_suffix(".py").is_file() or (place / "__init__.py").is_file())


def house_of(name: str) -> str | None:
    parts = name.split(".")
    if parts[:2] == [PACKAGE, "board"]:
        return f"{PACKAGE}.board"
    if parts[:2] == [PACKAGE, "modules"] and len(parts) > 2:
        return ".".join(parts[:3])
    return None


def within(name: str, *places: str) -> bool:
    return any(name == place or name.startswith(place + ".") for place in places)


def rooms_of(name: str) -> list[str]:
    """The names that say which room a file is: itself and the folders between it and its house."""
    house = house_of(name)
    inner = name.removeprefix(house or PACKAGE).strip(".")
    return inner.split(".")


def is_pure(name: str) -> bool:
    if name in module_files():
        return False
    return any(part == room or part.startswith(f"{room}_") for part in rooms_of(name) for room in PURE_ROOMS)


def is_link(name: str) -> bool:
    """Whether a file is a link: the innermost room decides, so that `link/messages/` is pure data beside the link."""
    for part in reversed(rooms_of(name)):
        if any(part == room or part.startswith(f"{room}_") for room in PURE_ROOMS):
            return False
        if part == "link" or part.startswith("link_") or part.endswith("_link"):
            return True
    return False


def complaints(path: str) -> list[str]:
    name = dotted(path)
    room = name.split(".")[1] if "." in name else ""
    ours = [target for target in imports(path) if within(target, PACKAGE)]
    foreign = [target for target in imports(path) if not within(target, PACKAGE)]
    kernel, contracts = f"{PACKAGE}.kernel", f"{PACKAGE}.contracts"
    house = house_of(name)
    found = [f"imports {target}" for target in foreign if target.split(".")[0] in NEVER]
    if not within(name, SIMULATORS):
        found += [f"imports a module of the simulation: {target}" for target in ours if within(target, SIMULATORS)]

    def only(*places: str) -> None:
        found.extend(f"imports {target}" for target in ours if target != PACKAGE and not within(target, *places))

    if room == "kernel":
        only(kernel)
    elif room == "contracts":
        only(kernel, contracts)
    elif house is not None:
        only(kernel, contracts, house)
        if "adapters" in rooms_of(name):
            found.extend(f"imports the module that composes it: {t}" for t in ours if t in module_files())
        if is_pure(name):
            found.extend(f"imports the module {t}" for t in ours if t in module_files())
            found.extend(f"has hands: {t}" for t in foreign if t.split(".")[0] in OPENERS)
            found.extend(f"imports the link {t}" for t in ours if house_of(t) and is_link(t))
    elif room == "manager":
        only(kernel, contracts, f"{PACKAGE}.manager", f"{PACKAGE}.everestpy")
    elif room == "everestpy":
        only(f"{PACKAGE}.everestpy")
        allowed = {*sys.stdlib_module_names, "paho", "yaml"}
        found.extend(f"imports {target}" for target in foreign if target.split(".")[0] not in allowed)
    elif room == "sim":
        only(kernel, contracts, f"{PACKAGE}.sim", f"{PACKAGE}.board", f"{PACKAGE}.modules")
        links = [t for t in ours if house_of(t) is not None and (is_link(t) or t in module_files())]
        found.extend(f"imports {t}" for t in links if not (within(name, FLEET) and within(t, *CLIENT)))
    elif room == "cli":
        found.extend(f"imports {t}" for t in ours if house_of(t) is not None and (is_link(t) or t in module_files()))
    return found


def test_every_file_keeps_to_its_side_of_the_walls() -> None:
    assert {path: found for path in sources() if (found := complaints(path))} == {}


def machine_files() -> list[str]:
    """The files that define a machine or a functional block of a station, found by importing the product."""
    kinds = [*subclasses(Machine), *subclasses(Block), Machine, Block, Station]
    names = sorted({kind.__module__ for kind in kinds if kind.__module__.startswith(f"{PACKAGE}.")})
    return [str(Path(str(sys.modules[name].__file__)).relative_to(ROOT)) for name in names]


def opened(path: str) -> list[str]:
    """What a file imports or calls to reach something outside the process."""
    found = [f"imports {target}" for target in imports(path) if target.split(".")[0] in OPENERS | FILES]
    names = [call.name for call in source(path).calls if call.owner == ""]
    return found + [f"calls {name}" for name in names if name in ("open", "print", "input")]


def test_whoever_subclasses_machine_is_pure_whatever_its_file_is_called() -> None:
    machines()
    files = machine_files()
    assert len(files) > 25
    assert {path: found for path in files if (found := opened(path))} == {}
    for path in files:
        targets = [target for target in imports(path) if within(target, PACKAGE)]
        outside = [t for t in targets if t in module_files() or (house_of(t) is not None and is_link(t))]
        assert outside == [], path


def test_every_package_and_file_says_its_job_in_a_docstring() -> None:
    files = [path for path in sources() if not path.endswith("__main__.py")]
    without = [path for path in files if not source(path).docstring]
    assert without == [], "a file without a sentence on what it is for"


def test_the_walls_notice_a_breach() -> None:
    """The test itself works: a file that may not exist is told off."""
    assert is_pure(f"{PACKAGE}.modules.slac.machine.matching") and is_pure(f"{PACKAGE}.board.link.messages.mcs")
    assert not is_pure(f"{PACKAGE}.modules.slac.link")
    assert is_link(f"{PACKAGE}.modules.v2g.tcp_link") and not is_link(f"{PACKAGE}.modules.v2g.messages.din")
    assert house_of(f"{PACKAGE}.board.link.messages.framing") == f"{PACKAGE}.board"
    assert "asyncio" in OPENERS and "asyncio" in sys.stdlib_module_names
    assert f"{PACKAGE}.kernel.contract" in set(imports(f"{PACKAGE}/kernel/bus.py"))


def test_no_file_is_too_long_to_hold() -> None:
    """Declarations (data types, messages) may be long: nobody reads them from top to bottom."""
    declarations = ("messages", "/contracts/types/", "/machine/events.py")
    files = [path for path in sources() if not any(part in path for part in declarations)]
    long = {path: n for path in files if (n := len((ROOT / path).read_text().splitlines())) > 450}
    assert long == {}


YAML_READERS = {"load", "safe_load", "load_all", "safe_load_all", "compose", "compose_all", "parse", "scan"}


def python_files() -> list[str]:
    """The product's files, the rigs' and the scripts that are Python."""
    scripts = [path for path in sorted((ROOT / "script").iterdir()) if path.is_file()]
    python = [path for path in scripts if path.read_text("utf-8").startswith("#!/usr/bin/env python3")]
    return [*sources(), *(str(path.relative_to(ROOT)) for path in [*sorted((ROOT / "hil").rglob("*.py")), *python])]


def cut_elsewhere(read: Iterable[Call]) -> list[str]:
    """Calls that cut text at other places than LF and CRLF (`kernel/text.py`, `kernel/yaml_text.py`)."""
    read = list(read)
    found = [f"line {line}: splitlines" for line, owner, name in read if name == "splitlines" and owner != ""]
    return found + [
        f"line {line}: yaml.{name}" for line, owner, name in read if owner == "yaml" and name in YAML_READERS
    ]


YAML_READS = (f"{PACKAGE}/kernel/yaml_text.py", f"{PACKAGE}/everestpy/everest/framework/session.py")
"""The product's reader, and that of the Python API, which imports nothing of the product."""


def test_text_is_cut_at_line_feeds_only() -> None:
    read = [path for path in python_files() if path not in YAML_READS]
    found = {path: cut for path in read if (cut := cut_elsewhere(source(path).calls))}
    assert found == {}, "use kernel/text.py and kernel/yaml_text.py"


def test_cutting_elsewhere_is_noticed() -> None:
    def cut(text: str) -> list[str]:
        return cut_elsewhere(parsed(text).calls)

    assert cut("for line in open(path).read().splitlines(): pass") == ["line 1: splitlines"]
    assert cut("import yaml\nyaml.safe_load(text)") == ["line 2: yaml.safe_load"]
    assert cut("yaml_text.load(text)") == []
