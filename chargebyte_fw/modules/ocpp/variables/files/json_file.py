"""A JSON file that people write: its value, and the place of each part for the findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from chargebyte_fw.kernel import yaml_text
from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.kernel.files import read_regular

SIZE_LIMIT_BYTES = 4 * 1024 * 1024


class Findings:
    """What is wrong with the files of a configuration, all of it."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def error(self, where: str, what: str, hint: str = "") -> None:
        """Note what must be changed."""
        self.found.append(Finding(where, what, hint, number="C221"))

    def warning(self, where: str, what: str, hint: str = "") -> None:
        """Note what is ignored or replaced."""
        self.found.append(Finding(where, what, hint, "warning", "C222"))

    @property
    def errors(self) -> list[Finding]:
        """What must be changed."""
        return [one for one in self.found if one.severity == "error"]


class JsonFile:
    """One file; a file that cannot be read, or is no JSON object, is an error and has no members."""

    def __init__(self, path: Path, findings: Findings, shown: str = "") -> None:
        self.path = path
        self.shown = shown or str(path)
        """The name in findings."""
        self._findings = findings
        self._node: Any = None
        self.text = ""
        self.value: dict[str, Any] = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            self.text = yaml_text.decode(read_regular(self.path, SIZE_LIMIT_BYTES))
            value = decode_json(self.text, limit_bytes=SIZE_LIMIT_BYTES)
        except OSError as error:
            self._findings.error(self.shown, f"cannot be read: {error.strerror or error}")
            return {}
        except yaml_text.YamlError as error:
            self._findings.error(error.where(self.shown), error.problem)
            return {}
        except msgspec.DecodeError as error:
            self._findings.error(_where_it_ends(self.text, self.shown), f"no JSON: {error}")
            return {}
        if not isinstance(value, dict):
            self._findings.error(f"{self.shown}:1:1", "no JSON object")
            return {}
        return value

    def where(self, *path: str | int) -> str:
        """Return `file:line:column` of a member, or of what is nearest to it."""
        # The text is read a second time, and only for a finding: a reader that knows places is a hundred times slower.
        if self._node is None:
            try:
                self._node = yaml_text.compose(self.text)
            except yaml_text.YamlError:
                self._node = False
        node: Any = self._node
        if not node:
            return self.shown
        place = node
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            place, node = found
        return str(yaml_text.place_of(place, self.shown))

    def error(self, path: tuple[str | int, ...], what: str, hint: str = "") -> None:
        """Note what must be changed at a member."""
        self._findings.error(self.where(*path), what, hint)

    def warning(self, path: tuple[str | int, ...], what: str, hint: str = "") -> None:
        """Note what is ignored or replaced at a member."""
        self._findings.warning(self.where(*path), what, hint)


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    """Return the key and the value of a member, or an item twice."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _where_it_ends(text: str, shown: str) -> str:
    """Return the place at which text is no JSON any more; msgspec has an offset in octets at best."""
    import json

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"{shown}:{error.lineno}:{error.colno}"
    except (RecursionError, ValueError):
        return shown
    return shown


def as_text(value: Any, separator: str = ",") -> str | None:
    """Return a JSON value as the device model has it; None for null and for objects."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case int() | float() | str():
            return str(value)
        case list() if all(isinstance(one, str | int | float) for one in value):
            return separator.join(as_text(one) or "" for one in value)
        case _:
            return None
