"""EVerest's installation prefix, laid out from the declarations of this product (framework: 1.3, 2)."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw import VERSION
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.everest.schemas import schemas
from chargebyte_fw.manager.export import everything

PLACES = {"modules": "libexec/everest/modules", "schemas": "share/everest/schemas"}
FOLDERS = (
    *("share/everest/www", "share/everest/modules", "lib/everest", "etc/everest", "libexec/everest/modules"),
    # Empty here: EVerest's tests copy it for each station.
    "share/everest/modules/OCPP/device_model_migrations",
)
LAUNCHER = """\
#!{python}
# EVerest's {name}, by chargebyte_fw.
import sys

from chargebyte_fw.cli.main import main

try:
    # A prefix that is given counts before this one.
    status = main([{command!r}, "--prefix", {prefix!r}, *sys.argv[1:]])
except SystemExit as end:
    status = end.code
# A wrong call is a failure like any other: EVerest's programs have the exit statuses 0 and 1.
sys.exit(1 if status else 0)
"""
LAUNCHERS = {"manager": "manager", "everest-config-tool": "configs"}
"""Programs in `bin`, and the subcommand that each is."""
PROGRAM = """\
#!{python}
# A module of chargebyte_fw as a program of its own.
import sys

from chargebyte_fw.cli.main import main

sys.exit(main(["module", *sys.argv[1:]]))
"""


def lay_out(
    prefix: Path,
    modules: Mapping[str, type[Module]],
    configurations: Mapping[str, Any],
    shipped: Path,
    *,
    programs: bool = False,
) -> list[str]:
    """Write everything but certificates below `prefix`; return the paths written, relative to it. Raises OSError.

    `configurations` are by file name, `shipped` is the root of the files that came with the product. With `programs`
    each module can be started by another manager; ours would find it twice.
    """
    for folder in FOLDERS:
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    for path, content in everything(dict(modules)).items():
        top, _, rest = path.partition("/")
        files[f"{PLACES.get(top, f'share/everest/{top}')}/{rest}"] = as_text(path, content)
    for name, schema in schemas().items():
        files[f"share/everest/schemas/{name}.yaml"] = as_text(".yaml", schema)
    for name, content in configurations.items():
        files[f"etc/everest/{name}"] = as_text(name, content)
    files["share/everest/version_information.txt"] = f"chargebyte_fw {VERSION}\n"
    for path, text in files.items():
        target = prefix / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    _copy(shipped / "etc/everest", prefix / "etc/everest")
    _copy(shipped / "usr/share/everest", prefix / "share/everest")
    _python_api(prefix / "lib/everest/everestpy")
    executable = {
        f"bin/{name}": LAUNCHER.format(python=sys.executable, name=name, command=command, prefix=str(prefix))
        for name, command in LAUNCHERS.items()
    }
    if programs:
        executable |= {f"{PLACES['modules']}/{one}/{one}": PROGRAM.format(python=sys.executable) for one in modules}
    for path, text in executable.items():
        write_program(prefix / path, text)
    return [*files, *executable]


def as_text(path: str, content: Any) -> str:
    """Return data as the text of a file, JSON or YAML by its name."""
    if path.endswith(".json"):
        return json.dumps(content, indent=2) + "\n"
    # libyaml where it is there: ten times as fast.
    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    # C++ EVerest reads an alias of YAML as a text.
    dumper = type("_Plain", (base,), {"ignore_aliases": lambda *_: True})
    return str(yaml.dump(content, Dumper=dumper, sort_keys=False, allow_unicode=True, width=110))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("user-config", "certs"))


def _python_api(target: Path) -> None:
    """Lay `everest.framework` where EVerest's manager lets Python modules look for it."""
    source = Path(__file__).resolve().parents[2] / "everestpy"
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def write_program(target: Path, text: str) -> None:
    """Write a file that everybody may execute; raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    target.chmod(target.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
