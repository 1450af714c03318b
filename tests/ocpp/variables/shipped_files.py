"""The shipped configuration files of OCPP: `python -m tests.ocpp.variables.shipped_files [--write]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from chargebyte_fw.modules.ocpp.variables.files.shipped import component_files, legacy_text

ROOT = Path(__file__).parents[3]
MODULES = ROOT / "usr/share/everest/modules"


def expected() -> dict[Path, str]:
    """Path and text of each file."""
    found = {MODULES / "OCPP/ocpp-config.json": legacy_text(), MODULES / "OCPPmulti/ocpp-config.json": legacy_text()}
    for module in ("OCPP", "OCPP201", "OCPPmulti"):
        for path, text in component_files():
            if module == "OCPP201" and path == "custom/OCPP16LegacyCtrlr.json":
                continue  # OCPP201 speaks 2.x alone
            found[MODULES / module / "component_config" / path] = text
    return found


def actual() -> dict[Path, str]:
    """Path and text of each file that is there."""
    files = [path for module in ("OCPP", "OCPP201", "OCPPmulti") for path in (MODULES / module).rglob("*.json")]
    return {path: path.read_text("utf-8") for path in files}


def main() -> int:
    """Compare the files with the declarations, or write them."""
    parser = argparse.ArgumentParser(description="The shipped configuration files of OCPP, from the declarations.")
    parser.add_argument("--write", action="store_true", help="write the files instead of comparing them")
    write = parser.parse_args().write
    wanted, found = expected(), actual()
    differing = [path for path in {**wanted, **found} if wanted.get(path) != found.get(path)]
    for path in differing:
        if not write:
            print(f"{path.relative_to(ROOT)}: differs")
        elif path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()
    return 0 if write or not differing else 1


if __name__ == "__main__":
    sys.exit(main())
