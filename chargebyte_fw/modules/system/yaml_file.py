"""A flat YAML file of strings, read with the place of everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import yaml

from chargebyte_fw.kernel.decoding import SIZE_LIMIT_BYTES
from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.kernel.files import read_regular
from chargebyte_fw.kernel.yaml_text import NotUtf8, TooDeep, YamlError, compose, decode, place_of


def read_strings(path: Path) -> tuple[dict[str, str], list[Finding]]:
    """Return the file's values as the texts that stand there, and everything that is wrong in it, with its place.

    What is wrong costs its own value alone; a file that is no YAML has none. An empty file has no values and nothing
    wrong. A key given twice counts with its last value, as in EVerest. A file that is not there is one thing wrong.
    """
    try:
        top = compose(decode(read_regular(path, SIZE_LIMIT_BYTES)))
    except OSError as error:
        return {}, [Finding(str(path), f"cannot be read: {error.strerror or error}")]
    except YamlError as error:
        is_text = not isinstance(error, NotUtf8 | TooDeep)
        return {}, [Finding(error.where(str(path)), f"is no YAML: {error}" if is_text else f"is {error}")]
    if top is None:
        return {}, []
    if not isinstance(top, yaml.MappingNode):
        return {}, [_finding(path, top, "must be lines of `key: value`")]
    values: dict[str, str] = {}
    findings: list[Finding] = []
    for key, value in top.value:
        if not isinstance(key, yaml.ScalarNode):
            findings.append(_finding(path, key, "a key must be a plain word"))
        elif not isinstance(value, yaml.ScalarNode):
            findings.append(_finding(path, value, f"{key.value} must be a text, not a list or a mapping"))
        else:
            values[key.value] = value.value
    return values, findings


def _finding(path: Path, node: yaml.Node, what: str) -> Finding:
    return Finding(str(place_of(node, str(path))), what)
