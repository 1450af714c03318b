"""What is common to reading rigs and scenarios: the file as a map, and how many findings stop a run."""

from __future__ import annotations

from pathlib import Path

import yaml

from chargebyte_fw.kernel.yaml_text import YamlError, compose, decode, place_of
from chargebyte_fw.manager.configuration.reading import read
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import MapNode


def errors(report: Report) -> int:
    """Count them: what a file adds to them decides whether that file can be used, whatever others are like."""
    return sum(1 for finding in report.findings if finding.severity == "error")


def read_map(path: Path, report: Report, what: str, keys: tuple[str, ...]) -> MapNode | None:
    """Read a file that has to hold these keys; None (with findings) when nothing can be made of it."""
    try:
        node = compose(decode(path.read_bytes()))
    except (OSError, YamlError):
        return read(path, report)  # reports what is wrong with it
    if node is None or isinstance(node, yaml.MappingNode):
        return read(path, report)
    kind = "list" if isinstance(node, yaml.SequenceNode) else "word"
    report.error(
        place_of(node, str(path)), f"{what} is a map of keys, not a {kind}", f"keys: {', '.join(keys)}", number="C007"
    )
    return None
