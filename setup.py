"""Puts the shipped configurations into the wheel: one source (etc/, usr/), and in a wheel a copy of it.

Everything else is in setup.cfg. The recipe of the image does not name this file: there they are at their own places.
"""

from __future__ import annotations

import os
import re
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("etc/everest", "usr/share/everest", "usr/share/secc")
NEVER = re.compile(r"(^|/)(__pycache__|user-config|certs|\..*)(/|$)|~$|\.new\.\d+$")
"""What people and runs leave in a checkout (script/install-root leaves out the same)."""


class BuildWithConfigurations(build_py):
    """Also copies the shipped files to chargebyte_fw/shipped/, but not for an editable installation."""

    def run(self) -> None:
        """Build as setuptools does, then copy the shipped files."""
        super().run()
        if not getattr(self, "editable_mode", False):
            for source, target in self._shipped():
                self.mkpath(os.path.dirname(target))
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the outputs of setuptools and the shipped files."""
        outputs = super().get_outputs(include_bytecode)
        return outputs if getattr(self, "editable_mode", False) else outputs + [target for _, target in self._shipped()]

    def _shipped(self) -> list[tuple[str, str]]:
        found = []
        for top in SHIPPED:
            for folder, folders, names in os.walk(top):
                folders.sort()
                paths = (os.path.join(folder, name) for name in sorted(names))
                found += [path for path in paths if not NEVER.search(path)]
        return [(path, os.path.join(self.build_lib, "chargebyte_fw", "shipped", path)) for path in found]


setup(cmdclass={"build_py": BuildWithConfigurations})
