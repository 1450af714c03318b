"""Writes the pages that follow from declarations (modules, findings, faults): `script/reference --write`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from chargebyte_fw.contracts.fault_advice import ROWS, Advice
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.configuration.findings import explanations
from chargebyte_fw.manager.discovery import discover
from chargebyte_fw.manager.manifest import declarations, first_paragraph
from chargebyte_fw.modules.evse.machine.fault_policy import blocks

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NOTE = "<!-- Written from the declarations by script/reference --write: change those, not this page. -->"
HOUSES = {
    "board": "the safety controller",
    "evse": "the charging logic",
    "v2g": "communication with the car",
    "slac": "the powerline modem",
    "energy": "the energy tree",
    "power": "power supplies and insulation monitors",
    "meter": "meters",
    "auth": "authorization and reservations",
    "security": "certificates and keys",
    "ocpp": "the CSMS",
    "api": "interfaces for integrators",
    "system": "the machine, stores and the history of errors",
    "sim": "simulators",
}
UNIT = re.compile(
    r"\bin (A/s|A|V|Wh|W|var|s|ms|min|h|days|percent|%|dB|degrees Celsius|Ohm|kOhm|Hz|bytes|octets|bit/s|Bd|MB|KiB)"
    r"(?!\w)"
)
CHANGED = {"ReadOnly": "start", "ReadWrite": "any time", "WriteOnly": "any time"}
SPELLED = {"Seconds": "s", "Milliseconds": "ms", "Minutes": "min", "Hours": "h"}
SHORT = {"percent": "%", "degrees Celsius": "°C"}
BEGIN, END = "<!-- begin: faults -->", "<!-- end: faults -->"


def classes() -> dict[str, type[Module]]:
    """Return the modules of this product by name."""
    own = {name: places[0].load() for name, places in sorted(discover([]).by_name.items())}
    return {name: cls for name, cls in own.items() if cls.__module__.startswith("chargebyte_fw.")}


def house_of(cls: type[Module]) -> str:
    """Return the house of a module."""
    parts = cls.__module__.split(".")
    return parts[2] if parts[1] == "modules" else parts[1]


def unit_of(declared: dict[str, Any]) -> str:
    """Return the unit that the description of a number gives, or nothing."""
    if declared.get("type") not in ("integer", "number"):
        return ""
    text: str = declared["description"]
    found = UNIT.search(text)
    unit = found[1] if found else SPELLED.get(text.split(" ", 1)[0], "")
    return SHORT.get(unit, unit)


def cell(text: str) -> str:
    """Return text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def range_of(declared: dict[str, Any]) -> str:
    """Return the values that a key may have."""
    if "enum" in declared:
        return ", ".join(f"`{one}`" for one in declared["enum"])
    ends = []
    if "minimum" in declared:
        ends.append(f"{declared['minimum']:g} or more")
    if "exclusiveMinimum" in declared:
        ends.append(f"above {declared['exclusiveMinimum']:g}")
    if "maximum" in declared:
        ends = [f"{declared['minimum']:g} to {declared['maximum']:g}"] if "minimum" in declared else [
            *ends, f"at most {declared['maximum']:g}"]  # fmt: skip
    if "minLength" in declared or "maxLength" in declared:
        ends.append(f"{declared.get('minLength', 0)} to {declared.get('maxLength', 'any number of')} characters")
    if "pattern" in declared:
        ends.append(f"`{declared['pattern']}`")
    return ", ".join(ends)


def key_rows(cls: type[Module]) -> list[str]:
    """Return a row for each key of a module and its implementations."""
    rows = []
    for implementation, config in {"": cls.Config, **{k: p.config for k, p in cls.provisions.items()}}.items():
        for key, declared in declarations(config).items():
            default = f"`{json.dumps(declared['default'])}`" if "default" in declared else "mandatory"
            if "default" not in declared and "null" in str(declared.get("type")):
                default = "none"
            cells = [
                f"`{implementation}.{key}`" if implementation else f"`{key}`",
                str(declared["type"]),
                unit_of(declared),
                default,
                range_of(declared),
                CHANGED.get(declared["mutability"], ""),
                declared["description"],
            ]
            rows.append("| " + " | ".join(cell(one) for one in cells) + " |")
    return rows


def section(name: str, cls: type[Module]) -> list[str]:
    """Return the part of one module."""
    lines = [f"## {name}", "", first_paragraph(cls.__doc__), ""]
    provided = [f"`{key}` ({one.interface})" for key, one in cls.provisions.items()]
    if provided:
        lines += [f"Provides {', '.join(provided)}.", ""]
    required = []
    for key, one in cls.requirements.items():
        if (one.minimum, one.maximum) == (1, 1):
            count = ""
        elif one.maximum > 1000:
            count = f", {one.minimum} or more"
        else:
            count = f", {one.minimum} to {one.maximum}"
        required.append(f"`{key}` ({one.interface}{count})")
    if required:
        lines += [f"Requires {', '.join(required)}.", ""]
    rows = key_rows(cls)
    if rows:
        lines += ["| key | type | unit | default | range | changed | |", "|" + " --- |" * 7, *rows, ""]
    return lines


def module_pages() -> dict[str, str]:
    """Return the pages of the modules, and their index."""
    by_house: dict[str, dict[str, type[Module]]] = {}
    for name, cls in classes().items():
        by_house.setdefault(house_of(cls), {})[name] = cls
    pages = {}
    index = [
        "# Modules",
        "",
        NOTE,
        "",
        "Every module with what it provides, what it requires, and its keys. A key of an implementation has its name",
        "before the dot and stands below `config_implementation`, any other below `config_module`. *Changed* is when a",
        "value can be another one: at the start, or at any time by EVerest's protocol for configurations. The same on",
        "a charger: `secc modules --verbose NAME`.",
        "",
        "| module | | |",
        "| --- | --- | --- |",
    ]
    for house, about in HOUSES.items():
        modules = by_house.pop(house)
        lines = [f"# Modules: {about}", "", NOTE, ""]
        for name, cls in modules.items():
            lines += section(name, cls)
            index.append(f"| [{name}]({house}.md#{name.lower()}) | {about} | {cell(first_paragraph(cls.__doc__))} |")
        pages[f"reference/{house}.md"] = "\n".join(lines)
    assert not by_house, f"{', '.join(by_house)}: name it in HOUSES"
    return {**pages, "reference/README.md": "\n".join([*index, ""])}


def findings_page() -> str:
    """Return the page of the findings."""
    lines = [
        "# Findings",
        "",
        NOTE,
        "",
        "Each finding of a file has a number at the end of its line. `secc check --explain C046` prints the same as",
        "this page.",
        "",
        "| numbers | what is wrong | found by |",
        "| --- | --- | --- |",
        "| C001 to C014, C020 to C028 | the file, its YAML, its keys and values | all of these |",
        "| C029 to C199 | a configuration | `secc check`, `secc run` |",
        "| from C200 | a configuration together with what is there at the start | `secc run` |",
        "| from C300 | a parameter block of the safety controller | `secc mcu params` |",
        "| from C400 | a list of tokens | `secc auth`, the charger's log |",
        "| from C500 | a rig or a scenario | `secc hil` |",
        "",
    ]
    for number, one in explanations().items():
        lines += [f"## {number}", "", f"**{one.title}.** {one.cause} {one.remedy}", ""]
        lines += ["```yaml", one.shown.rstrip(), "```", ""] if one.shown else [f"Example: {one.situation}.", ""]
    return "\n".join(lines)


def fault_lines() -> list[str]:
    """Return the table of the faults: those that stop charging first, in the order in which they are looked for."""
    of_any = [one for one in ROWS if not one.error_type]
    named = [one for one in ROWS if one.error_type]
    lines = [
        "| fault | sub-type | stops charging | cause | what to do | helps |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in sorted(named, key=lambda one: not blocks(one.error_type)):
        sub_type = "" if one.sub_type == "*" else f"`{one.sub_type}`"
        if one.implementation_id:
            sub_type = f"of `{one.implementation_id}`"
        lines.append(_fault(f"`{one.error_type}`", sub_type, "yes" if blocks(one.error_type) else "no", one.advice))
    lines += [_fault("any", f"`{one.sub_type}`", "as the fault", one.advice) for one in of_any]
    return lines


def _fault(error: str, sub_type: str, stops: str, advice: Advice) -> str:
    helps = ", ".join(advice.helps)
    return "| " + " | ".join([error, sub_type, stops, cell(advice.cause), cell(advice.advice), helps]) + " |"


def troubleshooting_page() -> str:
    """Return the page for service, with the table of faults made anew."""
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{NOTE}\n\n" + "\n".join(fault_lines()) + f"\n\n{END}{after}"


def pages() -> dict[str, str]:
    """Return the text of each page by its path below docs/."""
    from tests.docs.interfaces import documents

    return {
        **module_pages(),
        "reference/interfaces.md": documents.page(NOTE),
        "findings.md": findings_page(),
        "troubleshooting.md": troubleshooting_page(),
    }


def differences() -> list[str]:
    """Return the pages that are not what the declarations give, or that belong to nothing."""
    wanted = pages()
    there = {str(path.relative_to(DOCS)) for path in (DOCS / "reference").glob("*.md")} | wanted.keys()
    found = {name: (DOCS / name).read_text("utf-8") if (DOCS / name).exists() else "" for name in there}
    return sorted(name for name in there if wanted.get(name) != found[name])


def write_interfaces(folder: Path) -> None:
    """Write the documents of the interfaces for integrators."""
    from tests.docs.interfaces.documents import documents, text_of

    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents().items():
        (folder / name).write_text(text_of(document), "utf-8")


def main() -> int:
    """Write the pages, or print which are not current."""
    parser = argparse.ArgumentParser(prog="script/reference", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the pages in docs/")
    parser.add_argument("--interfaces", type=Path, metavar="DIR", help="write the AsyncAPI and OpenRPC documents there")
    arguments = parser.parse_args()
    if arguments.interfaces is not None:
        write_interfaces(arguments.interfaces)
        return 0
    if arguments.write:
        (DOCS / "reference").mkdir(exist_ok=True)
        for name, text in pages().items():
            (DOCS / name).write_text(text, "utf-8")
        return 0
    found = differences()
    for name in found:
        print(f"docs/{name} is not current: script/reference --write")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
