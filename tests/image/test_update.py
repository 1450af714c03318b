"""The update with real RAUC: signed, inspected, installed into file slots, refused when forged; and what is kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image.conftest import ROOT, Image
from tests.image.plant import COMPATIBLE, HOOK, SBIN, SLOT_SIZE, Plant, needs_loop_devices, plant

__all__ = ["plant"]


# --- what is carried over


@pytest.fixture
def slots(pristine: Image, tmp_path: Path) -> tuple[Path, Path]:
    """The running system, used by a person, and the other slot as it was just written."""
    old, new = tmp_path / "old", tmp_path / "new"
    for root, version in ((old, "1.0.0"), (new, "2.0.0")):
        shutil.copytree(pristine.root / "etc", root / "etc", symlinks=True)
        shutil.copytree(pristine.root / "usr/share/secc", root / "usr/share/secc", symlinks=True)
        shutil.copytree(pristine.root / "usr/lib/rauc", root / "usr/lib/rauc", symlinks=True)
        (root / "usr/share/secc/VERSION").write_text(f"{version}\n")
        (root / "etc/shadow").write_text("root:*:19000:0:99999:7:::\neverest:!:19000::::::\n")
        (root / "etc/hostname").write_text(f"{version}\n")
    return old, new


def carry(old: Path, new: Path) -> str:
    """Run the hook as RAUC does after it has written the slot."""
    environment = {
        **os.environ,
        "RAUC_SLOT_CLASS": "rootfs",
        "RAUC_SLOT_MOUNT_POINT": str(new),
        "CARRY_OVER_FROM": str(old),
    }
    done = subprocess.run([HOOK, "slot-post-install"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tree(root: Path) -> dict[str, str]:
    """Every file, link and empty folder with what it is."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in [*names, *(one for one in folders if os.path.islink(os.path.join(folder, one)))]:
            path = Path(folder, name)
            what = f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text(errors="replace")
            found["/" + str(path.relative_to(root))] = what
    return found


KEPT = {
    "/etc/hostname": "garage-7\n",
    "/etc/hosts": "10.0.0.1 backend\n",
    "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "/etc/timezone": "Europe/Berlin\n",
    "/etc/ssh/ssh_host_ed25519_key": "host key\n",
    "/etc/ssh/ssh_host_ed25519_key.pub": "public\n",
    "/root/.ssh/authorized_keys": "ssh-ed25519 AAAA me\n",
    "/etc/systemd/network/10-lan.network": "[Match]\nName=br0\n",
    "/etc/systemd/system/everest.service.d/can.conf": "[Service]\nAmbientCapabilities=CAP_NET_ADMIN\n",
    "/etc/systemd/system/srv.mount.d/options.conf": "[Mount]\nOptions=ro\n",
    "/etc/hostapd.conf": "ssid=charger\n",
    "/etc/resolv.conf": "nameserver 10.0.0.2\n",
    "/etc/default/chargebyte": "PLC_INTERFACE=eth2\n",
    "/usr/local/share/ca-certificates/own.crt": "certificate\n",
    "/etc/everest/user-config/bsp-only-dc.yaml": "active_modules: {}\n",
    "/etc/everest/ocpp-config.json": "{}\n",
    "/var/lib/everest/ocpp16/db.sqlite": "database\n",
    "/etc/everest-ui/settings.json": "{}\n",
    "/etc/mosquitto/conf.d/bridge.conf": "connection cloud\n",
    "/etc/mosquitto/conf.d/own.acl": "topic readwrite own/#\n",
}
LEFT = {
    "/etc/everest/charger_info.yaml": "friendly_name: mine\n",
    "/etc/systemd/system/mine.service": "[Service]\nExecStart=/opt/thing/file\n",
    "/etc/everest/notes.txt": "somebody's\n",
    "/etc/mosquitto/conf.d/chargebyte.conf": "changed by hand\n",
    "/etc/passwd-": "backup\n",
    "/opt/thing/file": "x\n",
    "/var/lib/other/file": "x\n",
}


def test_exactly_the_documented_files_are_carried_over(slots: tuple[Path, Path]) -> None:
    old, new = slots
    for path, text in {**KEPT, **LEFT}.items():
        (old / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (old / path.lstrip("/")).write_text(text)
    (old / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    # Links of somebody: certificates on the data partition, a name for the newest database.
    (old / "etc/everest/certs").symlink_to("/srv/certs")
    (old / "var/lib/everest/ocpp16/newest").symlink_to("db.sqlite")
    (old / "etc/shadow").write_text("root:$6$secret:19500:0:99999:7:::\nmallory:$6$x:19500::::::\n")
    before = tree(new)
    carry(old, new)
    after = tree(new)
    changed = {path: text for path, text in after.items() if before.get(path) != text}
    expected = {
        **KEPT,
        "/etc/localtime": "-> /usr/share/zoneinfo/Europe/Berlin",
        "/etc/everest/certs": "-> /srv/certs",
        "/var/lib/everest/ocpp16/newest": "-> db.sqlite",
        "/etc/shadow": "root:$6$secret:19000:0:99999:7:::\neverest:!:19000::::::\n",
        "/var/lib/secc/previous-version/VERSION": "1.0.0\n",
    }
    assert changed == expected
    assert set(before) - set(after) == set()


def test_the_documentation_names_the_same_files() -> None:
    listed = re.findall(r"(?m)^(/\S+)", (ROOT / "usr/lib/rauc/carry-over.list").read_text())
    text = (ROOT / "docs/flashing.md").read_text()
    assert listed and [path for path in listed if f"`{path}`" not in text] == []


def test_a_folder_replaces_the_new_ones(slots: tuple[Path, Path]) -> None:
    old, new = slots
    (old / "etc/everest/certs").mkdir()
    (old / "etc/everest/certs/mine.pem").write_text("mine")
    (new / "etc/everest/certs").mkdir()
    (new / "etc/everest/certs/sample.pem").write_text("sample")
    carry(old, new)
    assert [path.name for path in (new / "etc/everest/certs").iterdir()] == ["mine.pem"]


def test_modes_and_owners_stay(slots: tuple[Path, Path]) -> None:
    old, new = slots
    key = old / "etc/everest/certs/key.key"
    key.parent.mkdir()
    key.write_text("k")
    key.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(key, 870, 870)
    carry(old, new)
    there = (new / "etc/everest/certs/key.key").stat()
    assert there.st_mode & 0o777 == 0o600 and there.st_uid == key.stat().st_uid


class TestConfiguration:
    """`config.yaml` and what it points to."""

    def test_a_link_to_a_shipped_file_stays_a_link_to_the_new_systems_file(self, slots: tuple[Path, Path]) -> None:
        old, new = slots
        (new / "etc/everest/bsp-only-ac.yaml").write_text("newer: true\n")
        (old / "etc/everest/config.yaml").unlink()
        (old / "etc/everest/config.yaml").symlink_to("bsp-only-ac.yaml")
        carry(old, new)
        assert os.readlink(new / "etc/everest/config.yaml") == "bsp-only-ac.yaml"
        assert (new / "etc/everest/bsp-only-ac.yaml").read_text() == "newer: true\n"

    def test_a_shipped_file_that_a_person_changed_is_kept(self, slots: tuple[Path, Path]) -> None:
        old, new = slots
        with (old / "etc/everest/bsp-only-dc.yaml").open("a") as file:
            file.write("# mine\n")
        carry(old, new)
        assert os.readlink(new / "etc/everest/config.yaml") == "bsp-only-dc.yaml"
        assert (new / "etc/everest/bsp-only-dc.yaml").read_text().endswith("# mine\n")

    def test_an_own_file_behind_the_link_comes_along(self, slots: tuple[Path, Path]) -> None:
        old, new = slots
        (old / "etc/everest/mine.yaml").write_text("active_modules: {}\n")
        (old / "etc/everest/config.yaml").unlink()
        (old / "etc/everest/config.yaml").symlink_to("/etc/everest/mine.yaml")
        carry(old, new)
        assert os.readlink(new / "etc/everest/config.yaml") == "/etc/everest/mine.yaml"
        assert (new / "etc/everest/mine.yaml").is_file()

    def test_a_plain_file_stays_a_plain_file(self, slots: tuple[Path, Path]) -> None:
        old, new = slots
        (old / "etc/everest/config.yaml").unlink()
        (old / "etc/everest/config.yaml").write_text("active_modules: {}\n")
        carry(old, new)
        assert not (new / "etc/everest/config.yaml").is_symlink()
        assert (new / "etc/everest/config.yaml").read_text() == "active_modules: {}\n"

    def test_a_link_to_nowhere_leaves_the_new_systems_configuration(self, slots: tuple[Path, Path]) -> None:
        old, new = slots
        (old / "etc/everest/config.yaml").unlink()
        (old / "etc/everest/config.yaml").symlink_to("gone.yaml")
        carry(old, new)
        assert os.readlink(new / "etc/everest/config.yaml") == "bsp-only-dc.yaml"


def test_install_check_names_both_boards() -> None:
    environment = {**os.environ, "RAUC_MF_COMPATIBLE": "Other Board", "RAUC_SYSTEM_COMPATIBLE": COMPATIBLE}
    done = subprocess.run([HOOK, "install-check"], env=environment, capture_output=True, text=True)
    assert done.returncode == 10 and "Other Board" in done.stderr and COMPATIBLE in done.stderr


# --- RAUC


def test_a_bundle_is_signed_inspected_and_installed_and_the_person_finds_their_files(
    plant: Plant, slots: tuple[Path, Path]
) -> None:
    needs_loop_devices()
    old, new = slots
    (old / "etc/everest/user-config").mkdir()
    (old / "etc/everest/user-config/config.yaml").write_text("active_modules: {}\n")
    (old / "etc/hostname").write_text("garage-7\n")
    key = plant.key("key")
    bundle = plant.bundle("good", key, root=new)
    done = subprocess.run(
        ["rauc", f"--keyring={key}/ca.pem", "info", "--output-format=json", bundle], capture_output=True, text=True
    )
    told = json.loads(done.stdout)
    assert told["compatible"] == COMPATIBLE and told["version"] == "2.0.0"
    said = plant.install(bundle, key / "ca.pem", old, "rauc status mark-good; rauc status")
    assert "installed=0" in said, said
    assert plant.memory()["BOOT_ORDER"] == "B A" and plant.boot() == "B"
    listing = {
        path: subprocess.run(
            ["debugfs", "-R", f"cat {path}", plant.slot("B")], capture_output=True, text=True, env=SBIN
        ).stdout
        for path in ("/etc/hostname", "/etc/everest/user-config/config.yaml", "/usr/share/secc/VERSION")
    }
    assert list(listing.values()) == ["garage-7\n", "active_modules: {}\n", "2.0.0\n"]
    assert plant.slot("A").read_bytes() == bytes(SLOT_SIZE), "the running slot was written"


def test_a_bundle_of_another_key_is_refused(plant: Plant) -> None:
    needs_loop_devices()
    ours, theirs = plant.key("ours"), plant.key("theirs")
    said = plant.install(plant.bundle("forged", theirs), ours / "ca.pem")
    assert "installed=1" in said and "issuer certificate" in said, said
    assert plant.boot() == "A"
    assert plant.slot("B").read_bytes() == bytes(SLOT_SIZE)


def test_a_bundle_with_one_changed_byte_is_refused(plant: Plant) -> None:
    needs_loop_devices()
    key = plant.key("key")
    bundle = plant.bundle("changed", key)
    content = bytearray(bundle.read_bytes())
    content[len(content) // 3] ^= 1
    bundle.write_bytes(content)
    said = plant.install(bundle, key / "ca.pem")
    assert "installed=1" in said and re.search(r"(?i)verif|digest", said), said
    assert plant.boot() == "A"


def test_a_bundle_for_another_board_is_refused(plant: Plant) -> None:
    needs_loop_devices()
    key = plant.key("key")
    said = plant.install(plant.bundle("other", key, compatible="Other Board"), key / "ca.pem")
    assert "installed=1" in said and "Other Board" in said, said
    assert plant.slot("B").read_bytes() == bytes(SLOT_SIZE)


def test_a_key_never_lands_in_the_repository() -> None:
    done = subprocess.run([ROOT / "script/rauc-key", ROOT / "keys"], capture_output=True, text=True)
    assert done.returncode == 1 and "repository" in done.stderr and not (ROOT / "keys").exists()
    tracked = subprocess.run(
        ["git", "grep", "-lI", "BEGIN.*PRIVATE KEY-----$"], cwd=ROOT, capture_output=True, text=True
    )
    allowed = [name for name in tracked.stdout.split() if not name.startswith("tests/")]
    assert allowed == []


def test_a_bundle_from_a_development_key_needs_its_own_keyring(plant: Plant) -> None:
    key = plant.key("key")
    bundle = plant.bundle("good", key)
    other = plant.key("other")
    done = subprocess.run(["rauc", f"--keyring={other}/ca.pem", "info", bundle], capture_output=True, text=True)
    assert done.returncode != 0 and "issuer certificate" in done.stderr
