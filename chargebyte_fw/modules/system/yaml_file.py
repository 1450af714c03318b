"""A flat YAML file of strings, read with the place of everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import yaml

from chargebyte_fw.kernel.decoding import SIZE_LIMIT_BYTES
from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.kernel.files import read_regular
from chargebyte_fw.kernel.text import text_lines, yaml_text


def read_strings(path: Path) -> tuple[dict[str, str], list[Finding]]:
    """Return the file's values as the texts that stand there, and everything that is wrong in it, with its place.

    What is wrong costs its own value alone; a file that is no YAML has none. An empty file has no values and nothing
    wrong. A key given twice counts with its last value, as in EVerest. A file that is not there is one thing wrong.
    """
    try:
        text = read_regular(path, SIZE_LIMIT_BYTES).decode("utf-8")
    except OSError as error:
        return {}, [Finding(str(path), f"cannot be read: {error.strerror or error}")]
    except UnicodeDecodeError as error:
        return {}, [Finding(str(path), f"is not UTF-8 text (byte {error.start})")]
    try:
        top = yaml.compose(yaml_text(text), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return {}, [_syntax_finding(path, error)]
    except RecursionError:
        return {}, [Finding(str(path), "is nested too deeply")]
    if top is None:
        return {}, []
    if not isinstance(top, yaml.MappingNode):
        return {}, [Finding(_place(path, top), "must be lines of `key: value`")]
    values: dict[str, str] = {}
    findings: list[Finding] = []
    for key, value in top.value:
        if not isinstance(key, yaml.ScalarNode):
            findings.append(Finding(_place(path, key), "a key must be a plain word"))
        elif not isinstance(value, yaml.ScalarNode):
            findings.append(Finding(_place(path, value), f"{key.value} must be a text, not a list or a mapping"))
        else:
            values[key.value] = value.value
    return values, findings


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _syntax_finding(path: Path, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or text_lines(str(error))[0]
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(path)
    return Finding(where, f"is no YAML: {problem}")
