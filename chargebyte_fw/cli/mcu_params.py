"""`secc mcu params`: parameter blocks from YAML to bytes and back, checked, and written into the controller."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from chargebyte_fw.cli import mcu_bench

if TYPE_CHECKING:
    from chargebyte_fw.board.flash.programmer import Programmer
    from chargebyte_fw.board.flash.record import FlashRecord
    from chargebyte_fw.board.params.yaml_text import Document
    from chargebyte_fw.kernel.errors import Finding

STDIN = "-"


def create(arguments: argparse.Namespace) -> int:
    """Make a block of a YAML file."""
    source = arguments.infile or arguments.source or STDIN
    if arguments.outfile is None and sys.stdout.isatty():
        mcu_bench.note("a block is binary: name a file with -o, or send standard output somewhere")
        return 2
    document = _document(source)
    version = _version(document, arguments.version)
    block = _block(document, version)
    if arguments.debug:
        _show_places(block)
    if arguments.outfile in (None, STDIN):
        sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    else:
        Path(arguments.outfile).write_bytes(block)
        kind = f"version {version}" if version else "unversioned"
        mcu_bench.note(f"{arguments.outfile}: {kind}, {len(block)} bytes, CRC 0x{block[-1]:02x}")
    return 0


def _show_places(block: bytes) -> None:
    from chargebyte_fw.board.params import layout

    _, parameters, _ = layout.decode(block)
    for (one, index), place in parameters.given.items():
        mcu_bench.note(f"{place}: {one.name(index)}: {one.kind.show(parameters.get(one, index))}")


def dump(arguments: argparse.Namespace) -> int:
    """Show a block as YAML; exit status 1 when its CRC is wrong or a value has no meaning."""
    from chargebyte_fw.board.params import layout, yaml_text

    data = _from_device(arguments) if arguments.device else _bytes(arguments.file or STDIN)
    name = arguments.uart if arguments.device else arguments.file or "standard input"
    found, parameters, problems = layout.decode(data)
    if found.is_opaque:
        problems.append(
            f"the layout of version {found.version} is not known: its {found.size} bytes are kept as they are"
        )
    else:
        sys.stdout.write(yaml_text.write(parameters, found.version))
        sys.stdout.flush()
    for problem in problems:
        mcu_bench.note(f"{name}: {problem}")
    return 1 if problems else 0


def check(arguments: argparse.Namespace) -> int:
    """Print everything that is wrong with a YAML file or a block."""
    from chargebyte_fw.board.params import layout, rules

    data = _bytes(arguments.file)
    if _is_block(arguments.file, data):
        found, _, problems = layout.decode(data)
        rest = data[found.size :]
        if rest.strip(b"\xff"):
            problems.append(f"{len(rest)} bytes after the block that are not erased flash")
        for problem in problems:
            print(f"{arguments.file}: error: {problem}")
        kind = f"version {found.version}" if found.version else "unversioned"
        known = ", layout not known: markers and CRC checked" if found.is_opaque else ""
        print(f"{arguments.file}: {kind}, {found.size} bytes{known}: {len(problems) or 'no'} problems")
        return 1 if problems else 0
    document = _document(arguments.file)
    wanted = [arguments.version] if arguments.version is not None else sorted(layout.SIZES)
    lost = {version: rules.fit(document.parameters, version, document.name) for version in wanted}
    if arguments.version is not None:
        _report(lost[arguments.version])
    whole = [str(version) for version in wanted if not lost[version]]
    print(f"{arguments.file}: fits whole into version {', '.join(whole) or 'none of those that can be written'}")
    return 0


def write(arguments: argparse.Namespace) -> int:
    """Write a YAML file or a block into the controller, if that is what its firmware needs."""
    from chargebyte_fw.board.flash import parameters

    data = _bytes(str(arguments.file))
    name = str(arguments.file)
    document = None if _is_block(name, data) else _document(name)
    fixed = None if document is not None else _whole_block(data, name)

    async def work(programmer: Programmer, record: FlashRecord) -> str:
        from chargebyte_fw.kernel.errors import ConfigError

        wanted = None if arguments.force else await _wanted(programmer)
        if document is not None:
            version = _version(document, arguments.version) if wanted is None else wanted
            if arguments.version is not None and wanted is not None:
                version = arguments.version
            block = _block(document, version)
        else:
            assert fixed is not None
            block, version = fixed, parameters.version_of(fixed)
        if wanted is not None and (wrong := parameters.negotiate(version, wanted, name)):
            raise ConfigError(wrong)
        async with programmer.in_boot_loader():
            await parameters.store(programmer, block, record)
        kind = f"version {version}" if version else "unversioned"
        return f"parameter block ({kind}, {len(block)} bytes) written and verified"

    print(mcu_bench.run(work, arguments))
    return 0


async def _wanted(programmer: Programmer) -> int:
    """Ask the firmware which version it needs: the running one, else the one in the flash."""
    from chargebyte_fw.kernel.errors import PeerError

    running = await programmer.running()
    if running is None:
        await programmer.application()
        running = await programmer.running()
    if running is not None:
        return running.firmware.parameter_version
    async with programmer.in_boot_loader():
        info = await programmer.info()
    if info is None:
        what = "there is no firmware that could say which version it needs: flash one first, or use --force"
        raise PeerError("safety controller", what)
    return info.parameter_version


def _from_device(arguments: argparse.Namespace) -> bytes:
    from chargebyte_fw.board.flash.messages import AreaKind

    async def look(programmer: Programmer, _: FlashRecord) -> bytes:
        async with programmer.in_boot_loader() as chip:
            return await programmer.read(chip.area(AreaKind.DATA))

    return mcu_bench.run(look, arguments)


def _bytes(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()


def _is_block(name: str, data: bytes) -> bool:
    from chargebyte_fw.board.params import layout

    return data[:4] == layout.MARKER or name.endswith(".bin") or b"\0" in data


def _whole_block(data: bytes, name: str) -> bytes:
    """Return the block of a file; what is wrong with it stops us. What follows it must be erased flash."""
    from chargebyte_fw.board.params import layout
    from chargebyte_fw.kernel.errors import ConfigError, Finding

    found, _, problems = layout.decode(data)
    if data[found.size :].strip(b"\xff"):
        problems.append(f"{len(data) - found.size} bytes after the block that are not erased flash")
    if problems:
        raise ConfigError([Finding(name, problem) for problem in problems])
    return data[: found.size]


def _document(name: str) -> Document:
    """Read YAML; prints warnings, raises ConfigError with every finding when something is wrong."""
    from chargebyte_fw.board.params import yaml_text
    from chargebyte_fw.kernel.errors import ConfigError

    if name == STDIN:
        document = yaml_text.read(sys.stdin.buffer.read(), "<stdin>")
    else:
        document = yaml_text.read_file(Path(name))
    if document.failed:
        raise ConfigError(document.findings)
    _report(document.findings)
    return document


def _report(findings: list[Finding]) -> None:
    for finding in findings:
        print(finding, file=sys.stderr)


def _version(document: Document, given: int | None) -> int:
    """Choose the version: as asked for, else the file's, else the newest that can be written."""
    from chargebyte_fw.board.params import layout
    from chargebyte_fw.kernel.errors import ConfigError, Finding

    version = given if given is not None else document.version
    if version is None:
        return layout.NEWEST
    if version not in layout.SIZES:
        what = f"a block of version {version} cannot be written: its layout is not known"
        known = ", ".join(str(one) for one in layout.SIZES)
        raise ConfigError(
            [Finding(document.version_place or document.name, what, f"use --version with one of {known}")]
        )
    return version


def _block(document: Document, version: int) -> bytes:
    from chargebyte_fw.board.params import layout, rules
    from chargebyte_fw.kernel.errors import ConfigError

    if version not in layout.SIZES:
        from chargebyte_fw.kernel.errors import Finding

        what = f"the running firmware needs version {version}, whose layout is not known: it cannot be made from YAML"
        raise ConfigError([Finding(document.name, what, "write a block (.bin) that was made for it")])
    findings = rules.fit(document.parameters, version, document.name)
    if any(finding.severity == "error" for finding in findings):
        raise ConfigError(findings)
    _report(findings)
    return layout.encode(document.parameters, version)
