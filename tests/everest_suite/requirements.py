"""Prints what a package needs, from its setup.cfg: `python -m tests.everest_suite.requirements FILE`."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

NOT_NEWER = {"pytest": "<9.1"}
"""Bounds that the package leaves open: with pytest 9.1 pytest-xdist 3.8 has no groups (one network, one FTP server)."""


def requirements(text: str) -> list[str]:
    """Return the requirements of a `setup.cfg`, without blanks."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    lines = parser.get("options", "install_requires", fallback="").splitlines()
    found = [line.replace(" ", "") for line in lines if line.strip()]
    return [f"{one},{NOT_NEWER[name]}" if (name := one.partition("~")[0]) in NOT_NEWER else one for one in found]


if __name__ == "__main__":
    print("\n".join(requirements(Path(sys.argv[1]).read_text("utf-8"))))
