"""A flat YAML file of strings, read with the place of everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import yaml

from chargebyte_fw.kernel.errors import ConfigError, Finding


def read_strings(path: Path) -> dict[str, str]:
    """Return the file's values as the texts that stand there; raises ConfigError with every finding at once.

    An empty file has no values. A key given twice counts with its last value, as in EVerest.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError([Finding(str(path), f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Finding(str(path), f"is not UTF-8 text (byte {error.start})")]) from error
    try:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError([_syntax_finding(path, error)]) from error
    except RecursionError as error:
        raise ConfigError([Finding(str(path), "is nested too deeply")]) from error
    if top is None:
        return {}
    if not isinstance(top, yaml.MappingNode):
        raise ConfigError([Finding(_place(path, top), "must be lines of `key: value`")])
    values: dict[str, str] = {}
    findings: list[Finding] = []
    for key, value in top.value:
        if not isinstance(key, yaml.ScalarNode):
            findings.append(Finding(_place(path, key), "a key must be a plain word"))
        elif not isinstance(value, yaml.ScalarNode):
            findings.append(Finding(_place(path, value), f"{key.value} must be a text, not a list or a mapping"))
        else:
            values[key.value] = value.value
    if findings:
        raise ConfigError(findings)
    return values


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _syntax_finding(path: Path, error: yaml.YAMLError) -> Finding:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(path)
    return Finding(where, f"is no YAML: {problem}")
