"""Prints what a package needs, from its setup.cfg: `python -m tests.everest_suite.requirements FILE`."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path


def requirements(text: str) -> list[str]:
    """Return the requirements of a `setup.cfg`, without blanks."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    lines = parser.get("options", "install_requires", fallback="").splitlines()
    return [line.replace(" ", "") for line in lines if line.strip()]


if __name__ == "__main__":
    print("\n".join(requirements(Path(sys.argv[1]).read_text("utf-8"))))
