"""A board for RAUC: keys, two slots as files, and a boot loader that counts as U-Boot's script does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.image.conftest import ROOT

HOOK = ROOT / "meta-layer/dynamic-layers/rauc/recipes-core/bundles/files/hooks.sh"
COMPATIBLE = "chargebyte Charge SOM"
SBIN = {**os.environ, "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"}
ATTEMPTS = 3
IMAGE_SIZE = 10 << 20
SLOT_SIZE = 12 << 20
PRINTENV = '#!/bin/sh\n[ "$1" = -n ] && { sed -n "s/^$2=//p" @ENV@; exit; }\ngrep "^$1=" @ENV@\n'
SETENV = """#!/bin/sh
# Where somebody asks for it the power goes before or after the n-th change of the boot loader's memory.
count=$(($(cat @ENV@.count 2>/dev/null || echo 0) + 1)); echo $count >@ENV@.count
[ "$(cat @ENV@.cut 2>/dev/null)" = "before $count" ] && kill -9 $(cat @ENV@.pid) && sleep 1
{ grep -v "^$1=" @ENV@; echo "$1=$2"; } >@ENV@.new; mv @ENV@.new @ENV@
[ "$(cat @ENV@.cut 2>/dev/null)" = "after $count" ] && kill -9 $(cat @ENV@.pid) && sleep 1
exit 0
"""


def write_program(path: Path, text: str) -> None:
    """Write something that can be called."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@dataclass
class Plant:
    """The board."""

    folder: Path

    def __post_init__(self) -> None:
        self.environment = self.folder / "uboot.env"
        self.programs = self.folder / "programs"
        self.environment.write_text(f"BOOT_ORDER=A B\nBOOT_A_LEFT={ATTEMPTS}\nBOOT_B_LEFT={ATTEMPTS}\n")
        write_program(self.programs / "fw_printenv", PRINTENV.replace("@ENV@", str(self.environment)))
        write_program(self.programs / "fw_setenv", SETENV.replace("@ENV@", str(self.environment)))

    # --- the boot loader

    def memory(self) -> dict[str, str]:
        """Return the boot loader's variables."""
        return dict(line.split("=", 1) for line in self.environment.read_text().splitlines())

    def boot(self) -> str:
        """Switch on: the first slot in order that has attempts left; when none has, all get them back."""
        for _ in range(2):
            memory = self.memory()
            for slot in memory["BOOT_ORDER"].split():
                left = int(memory[f"BOOT_{slot}_LEFT"])
                if left > 0:
                    self._remember({**memory, f"BOOT_{slot}_LEFT": str(left - 1)})
                    return slot
            self._remember({**memory, "BOOT_A_LEFT": str(ATTEMPTS), "BOOT_B_LEFT": str(ATTEMPTS)})
        raise AssertionError("no slot has attempts")

    def _remember(self, memory: dict[str, str]) -> None:
        self.environment.write_text("".join(f"{key}={value}\n" for key, value in memory.items()))

    # --- bundles

    def key(self, name: str) -> Path:
        """Make a development key as the script does."""
        target = self.folder / name
        done = subprocess.run([ROOT / "script/rauc-key", target], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return target

    def bundle(
        self,
        name: str,
        key: Path,
        *,
        compatible: str = COMPATIBLE,
        root: Path | None = None,
        version: str = "2.0.0",
        folder: Path | None = None,
    ) -> Path:
        """Build and sign a bundle, as the recipe's class does."""
        content = self.folder / f"{name}.content"
        content.mkdir()
        image = content / "rootfs.ext4"
        with image.open("wb") as file:
            file.truncate(IMAGE_SIZE)
        subprocess.run(
            ["mkfs.ext4", "-q", "-F", *(["-d", str(root)] if root else []), str(image)], check=True, env=SBIN
        )
        shutil.copy(HOOK, content / "hooks.sh")
        (content / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion={version}\n\n[bundle]\nformat=plain\n\n"
            "[hooks]\nfilename=hooks.sh\nhooks=install-check\n\n"
            "[image.rootfs]\nfilename=rootfs.ext4\nhooks=post-install\n"
        )
        out = (folder or self.folder) / f"{name}.image"
        pair = [f"--cert={key}/cert.pem", f"--key={key}/key.pem", f"--keyring={key}/ca.pem"]
        done = subprocess.run(["rauc", *pair, "bundle", content, out], capture_output=True, text=True, env=SBIN)
        assert done.returncode == 0, done.stderr
        return out

    # --- RAUC

    def slot(self, name: str) -> Path:
        """Return a slot's device."""
        return self.folder / f"slot-{name}"

    def system(self, keyring: Path) -> Path:
        """Write a system configuration made of the shipped one: our slots, and formats that work here."""
        for name in "AB":
            if not self.slot(name).exists():
                with self.slot(name).open("wb") as file:
                    file.truncate(SLOT_SIZE)
        text = (ROOT / "etc/rauc/system.conf").read_text()
        text = re.sub(r"(?m)^bundle-formats=.*\n", "", text)
        text = re.sub(r"(?s)\[slot\.customerfs.*", "", text)
        assert "bootloader=uboot" in text
        for old, new in {
            "/run/rauc": f"{self.folder}/mount",
            "/srv/rauc.status": f"{self.folder}/status",
            "/etc/rauc/keyring.pem": str(keyring),
            "/dev/mmcblk0p1": str(self.slot("A")),
            "/dev/mmcblk0p2": str(self.slot("B")),
            "resize=true\n": "",
        }.items():
            assert old in text, f"the shipped system.conf has no {old}"
            text = text.replace(old, new)
        text = re.sub(r"(?s)\[handlers\].*?\n\n", "", text)
        target = self.folder / "system.conf"
        target.write_text(text)
        # The client finds the configuration in /etc on a board.
        write_program(self.programs / "rauc", f'#!/bin/sh\nexec /usr/bin/rauc -c {target} "$@"\n')
        return target

    def with_rauc(self, keyring: Path, script: str, *, booted: str = "A", **environment: str) -> str:
        """Run a script while the RAUC service is there, on a bus of its own; returns everything that was said."""
        system = self.system(keyring)
        path = self.folder / "run.sh"
        path.write_text(
            "export DBUS_STARTER_BUS_TYPE=session\n"
            f"/usr/bin/rauc -c {system} --override-boot-slot={booted} service & service=$!\n"
            f"echo $service >{self.environment}.pid\n"
            "for i in $(seq 100); do gdbus introspect --session -d de.pengutronix.rauc -o / >/dev/null 2>&1 && break;"
            " sleep 0.05; done\n"
            f"{script}\nkill $service 2>/dev/null\nwait $service\n"
        )
        given = {**SBIN, **environment, "PATH": f"{self.programs}:{SBIN['PATH']}"}
        given.setdefault("CARRY_OVER_FROM", str(self.folder / "nothing"))
        # Mounts of its own, as RAUC has as a service: they are gone when its power is.
        command = ["unshare", "--mount"] if os.geteuid() == 0 else []
        command += ["dbus-run-session", "--", "sh", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=given)
        return done.stdout + done.stderr

    def install(self, bundle: Path, keyring: Path, old: Path | None = None, after: str = "", booted: str = "A") -> str:
        """Install as a person does; `after` runs then."""
        more = {"CARRY_OVER_FROM": str(old)} if old else {}
        return self.with_rauc(keyring, f"rauc install {bundle}; echo installed=$?\n{after}", booted=booted, **more)

    def cut(self, when: str) -> None:
        """Let the power go `before N` or `after N`: the n-th change of the boot loader's memory from now on."""
        self.environment.with_suffix(".env.count").unlink(missing_ok=True)
        self.environment.with_suffix(".env.cut").write_text(when)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A board whose slots are empty."""
    for program in ("rauc", "mksquashfs", "mkfs.ext4", "dbus-run-session", "gdbus", "openssl"):
        if shutil.which(program, path=SBIN["PATH"]) is None:
            pytest.fail(f"{program} is missing: apt-get install rauc rauc-service squashfs-tools dbus libglib2.0-bin")
    return Plant(tmp_path)


def needs_loop_devices() -> None:
    """Skip where a bundle cannot be mounted."""
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("installing mounts the bundle, which needs root and loop devices")
