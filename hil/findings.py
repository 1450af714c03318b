"""What is common to reading rigs and scenarios: the file as a map, and how many findings stop a run."""

from __future__ import annotations

from pathlib import Path

import yaml

from chargebyte_fw.kernel.text import read_text_as_is, yaml_text
from chargebyte_fw.manager.configuration.reading import read
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import MapNode, Place


def errors(report: Report) -> int:
    """Count them: what a file adds to them says whether that file can be used, whatever others are like."""
    return sum(1 for finding in report.findings if finding.severity == "error")


def read_map(path: Path, report: Report, what: str, keys: tuple[str, ...]) -> MapNode | None:
    """Read a file that has to hold these keys; None (with findings) when nothing can be made of it."""
    try:
        node = yaml.compose(yaml_text(read_text_as_is(path)), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return read(path, report)  # says what is wrong with it
    if node is None or isinstance(node, yaml.MappingNode):
        return read(path, report)
    mark = node.start_mark
    place = Place(str(path), mark.line + 1, mark.column + 1)
    kind = "list" if isinstance(node, yaml.SequenceNode) else "word"
    report.error(place, f"{what} is a map of keys, not a {kind}", f"keys: {', '.join(keys)}")
    return None
