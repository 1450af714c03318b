"""`secc mcu params`: parameter blocks from YAML to bytes and back, checked, and written into the controller."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from chargebyte_fw.cli import mcu_bench
from chargebyte_fw.cli.outputs import write_bytes
from chargebyte_fw.cli.table import paragraph
from chargebyte_fw.cli.text import counted
from chargebyte_fw.kernel.errors import ConfigError

if TYPE_CHECKING:
    from chargebyte_fw.board.flash.programmer import Programmer
    from chargebyte_fw.board.flash.record import FlashRecord
    from chargebyte_fw.board.params import layout
    from chargebyte_fw.board.params.yaml_text import Document
    from chargebyte_fw.kernel.errors import Finding

STDIN = "-"
EX_CONFIG = 78


def create(arguments: argparse.Namespace) -> int:
    """Make a block of a YAML file."""
    source = arguments.infile or arguments.source or STDIN
    if arguments.outfile is None and sys.stdout.isatty():
        mcu_bench.note("a block is binary: name a file with -o, or send standard output somewhere")
        return 2
    document = _document(source)
    version, why = _version(document, arguments.version)
    block = _block(document, version, leave_out=arguments.leave_out)
    if arguments.debug:
        _show_places(block)
    target = Path(STDIN) if arguments.outfile is None else arguments.outfile
    write_bytes(target, block)
    if str(target) != STDIN:
        mcu_bench.note(f"{target}: {_kind(version)} ({why}), {len(block)} bytes, CRC 0x{block[-1]:02x}")
    return 0


def _kind(version: int) -> str:
    return f"version {version}" if version else "unversioned"


def _show_places(block: bytes) -> None:
    from chargebyte_fw.board.params import layout

    _, parameters, _ = layout.decode(block)
    for (one, index), place in parameters.given.items():
        mcu_bench.note(f"{place}: {one.name(index)}: {one.kind.show(parameters.get(one, index))}")


def dump(arguments: argparse.Namespace) -> int:
    """Show a block as YAML; exit status 1 when its CRC is wrong or a value has no meaning."""
    from chargebyte_fw.board.params import yaml_text

    data = _from_device(arguments) if arguments.device else _bytes(arguments.file or STDIN)
    name = arguments.uart if arguments.device else arguments.file or "standard input"
    found, parameters, problems = _decoded(data, name)
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
    """Print everything that is wrong with a YAML file or a block, as the version that `create` would make of it."""
    data = _bytes(arguments.file)
    if _is_block(arguments.file, data):
        return _check_block(arguments, data)
    from chargebyte_fw.board.params import layout, rules

    document = _read(arguments.file, data)
    findings = list(document.findings)
    version, why = None, ""
    if not document.failed:
        try:
            version, why = _version(document, arguments.version)
        except ConfigError as error:
            findings += error.findings
        else:
            findings += rules.fit(document.parameters, version, document.name, leave_out=arguments.leave_out)
    errors = [finding for finding in findings if finding.severity == "error"]
    fits = [one for one in layout.SIZES if not document.failed and not rules.fit(document.parameters, one, "")]
    if arguments.json:
        _print_json(arguments.file, version, None if version is None else layout.SIZES[version], fits, findings)
        return EX_CONFIG if errors else 0
    _report(findings)
    if version is not None:
        whole = f"; fits whole into version {', '.join(map(str, fits))}" if fits else "; no version holds all of it"
        problems = counted(len(errors), "problem") if errors else "no problems"
        size = f"{layout.SIZES[version]} bytes"
        print(paragraph(f"{arguments.file}: {_kind(version)} ({why}), {size}: {problems}{whole}"))
    return EX_CONFIG if errors else 0


def _check_block(arguments: argparse.Namespace, data: bytes) -> int:
    from chargebyte_fw.kernel.errors import Finding

    found, findings = _findings(data, arguments.file)
    if arguments.version is not None and arguments.version != found.version:
        what = f"this is a block of version {found.version}, not {arguments.version}"
        findings.append(Finding(arguments.file, what, number="C314"))
    if arguments.json:
        _print_json(arguments.file, found.version, found.size, [found.version], findings)
        return 1 if findings else 0
    for finding in findings:
        print(paragraph(str(finding)))
    known = ", layout not known: markers and CRC checked" if found.is_opaque else ""
    count = counted(len(findings), "problem") if findings else "no problems"
    print(paragraph(f"{arguments.file}: {_kind(found.version)}, {found.size} bytes{known}: {count}"))
    return 1 if findings else 0


def _findings(data: bytes, name: str) -> tuple[layout.Found, list[Finding]]:
    """Return the block that a file begins with, and what is wrong with it; what follows it must be erased flash."""
    from chargebyte_fw.kernel.errors import Finding

    found, _, problems = _decoded(data, name)
    rest = data[found.size :]
    if rest.strip(b"\xff"):
        problems.append(f"{counted(len(rest), 'byte')} after the block that are not erased flash")
    return found, [Finding(name, problem, number="C313") for problem in problems]


def _print_json(file: str, version: int | None, size: int | None, fits: list[int], findings: list[Finding]) -> None:
    import json

    keys = ("where", "severity", "what", "hint", "number")
    rows = [{key: getattr(one, key) for key in keys} for one in findings]
    plain = {"file": file, "version": version, "bytes": size, "fits": fits, "findings": rows}
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def write(arguments: argparse.Namespace) -> int:
    """Write a YAML file or a block into the controller, if that is what its firmware needs."""
    from chargebyte_fw.board.flash import parameters
    from chargebyte_fw.board.params import layout

    data = _bytes(str(arguments.file))
    name = str(arguments.file)
    document = None if _is_block(name, data) else _document(name, data)
    fixed = None if document is not None else _whole_block(data, name)

    async def work(programmer: Programmer, record: FlashRecord) -> str:
        wanted = None if arguments.force else await _wanted(programmer)
        if document is not None:
            given = wanted if arguments.version is None else arguments.version
            version = _version(document, given)[0] if given is None or given in layout.SIZES else given
            block = _block(document, version, leave_out=arguments.leave_out)
        else:
            assert fixed is not None
            block, version = fixed, parameters.version_of(fixed)
        if wanted is not None and (wrong := parameters.negotiate(version, wanted, name)):
            raise ConfigError(wrong)
        async with programmer.in_boot_loader():
            await parameters.store(programmer, block, record)
        return f"parameter block ({_kind(version)}, {len(block)} bytes) written and verified"

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


def _decoded(data: bytes, name: str) -> tuple[layout.Found, layout.Parameters, list[str]]:
    """Read a block; raises BadBlock that names the file."""
    from chargebyte_fw.board.params import layout

    try:
        return layout.decode(data)
    except layout.BadBlock as error:
        raise layout.BadBlock(f"{name}: {error}") from error


def _bytes(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()


def _is_block(name: str, data: bytes) -> bool:
    from chargebyte_fw.board.params import layout

    return data[:4] == layout.MARKER or name.endswith(".bin") or b"\0" in data


def _whole_block(data: bytes, name: str) -> bytes:
    """Return the block of a file; raises ConfigError for what is wrong with it."""
    found, findings = _findings(data, name)
    if findings:
        raise ConfigError(findings)
    return data[: found.size]


def _document(name: str, data: bytes | None = None) -> Document:
    """Read YAML; prints warnings, raises ConfigError with every finding when something is wrong."""
    document = _read(name, data)
    if document.failed:
        raise ConfigError(document.findings)
    _report(document.findings)
    return document


def _read(name: str, data: bytes | None) -> Document:
    from chargebyte_fw.board.params import yaml_text

    if data is not None or name == STDIN:
        return yaml_text.read(_bytes(name) if data is None else data, "<stdin>" if name == STDIN else name)
    return yaml_text.read_file(Path(name))


def _report(findings: list[Finding]) -> None:
    for finding in findings:
        print(paragraph(str(finding), sys.stderr), file=sys.stderr)


def _version(document: Document, given: int | None) -> tuple[int, str]:
    """Return the version and the reason: as asked for, else the file's, else the newest that can be written."""
    from chargebyte_fw.board.params import layout
    from chargebyte_fw.kernel.errors import Finding

    version = given if given is not None else document.version
    if version is None:
        return layout.NEWEST, "the newest, as neither the file nor --version names one"
    if version not in layout.SIZES:
        what = f"a block of version {version} cannot be written: its layout is not known"
        known = ", ".join(str(one) for one in layout.SIZES)
        where = document.version_place if given is None else document.name
        raise ConfigError([Finding(where, what, f"use --version with one of {known}", number="C310")])
    return version, "as the file says" if given is None else "as asked for"


def _block(document: Document, version: int, *, leave_out: bool) -> bytes:
    from chargebyte_fw.board.params import layout, rules
    from chargebyte_fw.kernel.errors import Finding

    if version not in layout.SIZES:
        what = f"the running firmware needs version {version}, whose layout is not known: it cannot be made from YAML"
        hint = "write a block (.bin) that was made for it"
        raise ConfigError([Finding(document.name, what, hint, number="C310")])
    findings = rules.fit(document.parameters, version, document.name, leave_out=leave_out)
    if any(finding.severity == "error" for finding in findings):
        raise ConfigError(findings)
    _report(findings)
    return layout.encode(document.parameters, version)
