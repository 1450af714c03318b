"""Compares recorded branch coverage with the floors in setup.cfg, for `script/coverage`."""

from __future__ import annotations

import argparse
import configparser
import io
import sys
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[1]


def floors() -> dict[str, float]:
    """Return the least coverage in percent by house, as setup.cfg has it."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return {house: float(percent) for house, percent in setup["coverage-floors"].items()}


def measured(data: str, house: str) -> float:
    """Return the coverage of a house in percent: lines and branches together, as coverage.py counts them."""
    record = coverage.Coverage(data_file=data)
    record.load()
    return record.report(include=f"{house}/*", file=io.StringIO())


def main() -> int:
    """Print a line for each house; exit status 1 if one is below its floor."""
    parser = argparse.ArgumentParser(prog="script/coverage", description=main.__doc__)
    parser.add_argument("data", nargs="?", help="file with the recorded coverage")
    parser.add_argument("--houses", action="store_true", help="print what is to be recorded")
    arguments = parser.parse_args()
    if arguments.houses:
        print(",".join(floors()))
        return 0
    below = False
    for house, floor in floors().items():
        percent = measured(arguments.data, house)
        below = below or percent < floor
        print(f"{house:35} {percent:6.2f} %  floor {floor:g} %{'  BELOW' if percent < floor else ''}")
    return int(below)


if __name__ == "__main__":
    sys.exit(main())
