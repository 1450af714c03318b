"""What is baked: a root file system made by the recipe's own rules runs, and leaves out what was not asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chargebyte_fw import VERSION
from tests.image import bitbake
from tests.image.conftest import ROOT, SITE, Image, builder, copy_of

EXAMPLE = ROOT / "recipes/example-module/files"


def names(image: Image) -> list[str]:
    done = image.secc("modules", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return [one["name"] for one in json.loads(done.stdout)["modules"]]


def entry_points() -> list[str]:
    text = (ROOT / "setup.cfg").read_text().partition("chargebyte_fw.modules =\n")[2].partition("\n\n")[0]
    return sorted(line.split("=")[0].strip() for line in text.splitlines() if "=" in line and line.startswith("    "))


def test_the_whole_root_has_every_module_once(pristine: Image) -> None:
    assert names(pristine) == entry_points()


def test_the_shipped_configuration_is_sound_in_the_root(pristine: Image) -> None:
    done = pristine.secc("check", "/etc/everest/config.yaml")
    assert done.returncode == 0 and "0 errors" in done.stdout, done.stdout


def test_the_root_runs_its_own_code_and_not_the_checkout(pristine: Image) -> None:
    done = pristine.run("-c", "import chargebyte_fw; print(chargebyte_fw.__file__)", cwd="/")
    assert done.stdout.startswith(str(pristine.root)), done.stdout + done.stderr


def test_identity_version_and_links(pristine: Image) -> None:
    assert (pristine.root / "usr/share/secc/VERSION").read_text() == "1.2.3+4.gabcdef0\n"
    assert os.readlink(pristine.root / "etc/everest/config.yaml") == "bsp-only-dc.yaml"
    info = (pristine.root / "etc/everest/charger_info.yaml").read_text()
    assert 'vendor: "chargebyte"' in info and 'model: "Charge SOM"' in info and "serial:" not in info


def test_manifests_interfaces_and_types_are_there(pristine: Image) -> None:
    modules = pristine.root / "usr/libexec/everest/modules"
    assert sorted(path.name for path in modules.iterdir()) == entry_points()
    assert "evse_board_support" in (modules / "CbChargeSOMDriver/manifest.yaml").read_text()
    assert (pristine.root / "usr/share/everest/interfaces/evse_manager.yaml").is_file()
    assert list((pristine.root / "usr/share/everest/types").glob("*.yaml"))


def test_bytecode_is_compiled(pristine: Image) -> None:
    package = pristine.root / SITE.lstrip("/") / "chargebyte_fw"
    sources = {path.relative_to(package) for path in package.rglob("*.py")}
    compiled = {
        path.parent.parent.relative_to(package) / f"{path.name.split('.')[0]}.py" for path in package.rglob("*.pyc")
    }
    assert sources == compiled


def test_the_index_opens_no_metadata(pristine: Image) -> None:
    program = (
        "import sys, pathlib; from chargebyte_fw.manager import discovery, index; opened = [];"
        "sys.addaudithook(lambda event, a: opened.append(str(a[0])) if event == 'open' else None);"
        "root = pathlib.Path(sys.argv[1]);"
        "found = discovery.discover([root / 'usr/libexec/everest/modules'], [sys.argv[2]],"
        " root / index.PLACE.lstrip('/'));"
        "print(len(found.names()), [name for name in opened if 'dist-info' in name or 'manifest' in name])"
    )
    done = pristine.run("-c", program, pristine.root, f"{pristine.root}{SITE}")
    assert done.stdout.strip() == f"{len(entry_points())} []", done.stdout + done.stderr


def test_a_module_that_is_added_on_the_unit_is_found_in_spite_of_the_index(baked: Image) -> None:
    folder = baked.root / SITE.lstrip("/")
    (folder / "guest_list").mkdir()
    (folder / "guest_list/__init__.py").write_text((EXAMPLE / "guest_list/__init__.py").read_text())
    metadata = folder / "guest_list-1.0.dist-info"
    metadata.mkdir()
    (metadata / "entry_points.txt").write_text("[chargebyte_fw.modules]\nGuestList = guest_list:GuestList\n")
    assert "GuestList" in names(baked)


def test_every_file_goes_into_exactly_one_package(packages: dict[str, set[str]]) -> None:
    assert any(path.endswith("modules/slac/evse_slac.py") for path in packages["chargebyte-fw-slac"])
    assert not any("/modules/slac/" in path for path in packages["chargebyte-fw"])
    assert "/etc/rauc/system.conf" in packages["chargebyte-update"]
    assert "/usr/lib/systemd/system/everest.service" in packages["chargebyte-fw"]


def test_a_bare_board_image_lists_the_board_alone(
    installed: Image, packages: dict[str, set[str]], tmp_path: Path
) -> None:
    bare = copy_of(installed, packages["chargebyte-fw"], tmp_path)
    assert names(bare) == ["CbChargeSOMDriver"]
    help_text = bare.run(bare.root / "usr/bin/secc", "--help").stdout
    assert "check" in help_text and "mcu" in help_text, help_text
    assert not re.search(r"^    (demo|decode) ", help_text, re.MULTILINE)


@pytest.mark.parametrize("house", sorted(p.name for p in (ROOT / "chargebyte_fw/modules").glob("[a-z]*/")))
def test_a_house_brings_its_modules(
    house: str, installed: Image, packages: dict[str, set[str]], tmp_path: Path
) -> None:
    image = copy_of(installed, packages["chargebyte-fw"] | packages[f"chargebyte-fw-{house}"], tmp_path)
    setup = (ROOT / "setup.cfg").read_text()
    wanted = {*re.findall(rf"(?m)^    (\w+) = chargebyte_fw\.modules\.{house}\.", setup), "CbChargeSOMDriver"}
    assert set(names(image)) == wanted


def test_without_the_simulation_the_command_names_the_package(
    installed: Image, packages: dict[str, set[str]], tmp_path: Path
) -> None:
    bare = copy_of(installed, packages["chargebyte-fw"], tmp_path)
    done = bare.run(bare.root / "usr/bin/secc", "mcu", "info", "--sim", tmp_path / "board")
    assert done.returncode == 1 and "chargebyte-fw-sim" in done.stderr and "Traceback" not in done.stderr


def test_the_package_group_has_what_the_shipped_configurations_use(
    installed: Image, packages: dict[str, set[str]], tmp_path: Path
) -> None:
    group = bitbake.read(next(path for path in bitbake.recipes() if path.stem == "packagegroup-chargebyte"))
    names = [name for name in bitbake.words(group, "RDEPENDS:packagegroup-chargebyte") if name in packages]
    assert "chargebyte-fw-v2g" in names and not {"chargebyte-fw-sim", "chargebyte-fw-tools"} & set(names)
    image = copy_of(installed, set().union(*(packages[name] for name in names)), tmp_path)
    shipped = [path for path in (image.root / "etc/everest").glob("*.yaml") if path.name.startswith("bsp-only")]
    assert len(shipped) >= 3
    for path in shipped:
        done = image.secc("check", path.stem)
        assert done.returncode == 0, f"{path.name}: {done.stdout}"


def test_names_of_another_board(python: Path, tmp_path: Path) -> None:
    image = Image(tmp_path, python)
    done = image.script(
        "files", tmp_path, "--plc-interface", "plc0", "--disk", "/dev/mmcblk2", "--mcu-uart", "/dev/ttymxc5"
    )
    assert done.returncode == 0, done.stderr
    environment = (tmp_path / "usr/lib/chargebyte/board.env").read_text()
    assert "PLC_INTERFACE=plc0" in environment and "SAFETY_MCU_UART=/dev/ttymxc5" in environment
    assert "What=/dev/mmcblk2p5" in (tmp_path / "usr/lib/systemd/system/srv.mount").read_text()
    assert "dev-mmcblk2p5.device" in (tmp_path / "usr/lib/systemd/system/chargebyte-data.service").read_text()
    assert "Name=plc0" in (tmp_path / "usr/lib/systemd/network/60-chargebyte-plc.network").read_text()
    # Manual pages and completion have the defaults of the options, which no board changes.
    made = ("--exclude-dir=man", "--exclude=*secc", "--exclude=secc.fish")
    search = ["grep", "-rlE", *made, r"\beth1\b|mmcblk0|ttyLP2"]
    left = subprocess.run([*search, str(tmp_path / "usr")], capture_output=True, text=True)
    assert left.stdout == ""


# --- bad input


def bake(image: Image, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return image.script("bake", image.root, "--site", SITE, *options)


def test_a_configuration_that_is_not_there_ends_the_build(baked: Image) -> None:
    done = bake(baked, "--config", "bsp-only-cd")
    assert done.returncode == 1 and "bsp-only-cd" in done.stderr and "bsp-only-dc" in done.stderr


def test_a_configuration_that_fails_the_check_ends_the_build_with_its_findings(baked: Image) -> None:
    path = baked.root / "etc/everest/bsp-only-dc.yaml"
    path.write_text(path.read_text().replace("module: EvseV2G", "module: EvseV2X"))
    done = bake(baked)
    assert done.returncode == 1
    assert re.search(r"config\.yaml:\d+:\d+: error: no module EvseV2X is installed .*EvseV2G", done.stderr), done.stderr


def test_an_empty_variable_ends_the_build(baked: Image) -> None:
    done = bake(baked, "--vendor", "")
    assert done.returncode == 1 and "CHARGER_VENDOR is empty" in done.stderr


def test_a_keyring_is_a_certificate_and_never_a_key(baked: Image, tmp_path: Path) -> None:
    done = bake(baked, "--keyring", tmp_path / "missing.pem")
    assert done.returncode == 1 and "script/rauc-key" in done.stderr
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n")
    done = bake(baked, "--keyring", key)
    assert done.returncode == 1 and "never a key" in done.stderr
    assert not (baked.root / "etc/rauc/keyring.pem").exists()


def build(image: Image, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the image class's own function on a root, with the variables of a build."""
    data = bitbake.read(next(path for path in bitbake.recipes() if path.stem == "chargebyte-image"))
    for name, value in {"IMAGE_ROOTFS": str(image.root), "PYTHON_SITEPACKAGES_DIR": SITE, **variables}.items():
        data.setVar(name, value)
    (tmp_path / "bin").mkdir(exist_ok=True)
    (tmp_path / "bin/nativepython3").write_text(f'#!/bin/sh\nexec {builder(image.python)} "$@"\n')
    (tmp_path / "bin/nativepython3").chmod(0o755)
    script = 'bbfatal() { echo "ERROR: $*" >&2; exit 1; }\nset -e\n' + data.getVar("chargebyte_bake")
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=120)


def test_the_images_class_bakes_and_a_wrong_configuration_fails_bitbake_with_the_finding(
    baked: Image, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    subprocess.run([ROOT / "script/rauc-key", keys], check=True, capture_output=True)
    keyring = {"CHARGEBYTE_RAUC_KEYRING": f"{keys}/ca.pem"}
    done = build(baked, tmp_path, CHARGER_MODEL="Pole 7", CHARGEBYTE_CONFIG="bsp-only-ac", **keyring)
    assert done.returncode == 0, done.stderr
    assert os.readlink(baked.root / "etc/everest/config.yaml") == "bsp-only-ac.yaml"
    assert 'model: "Pole 7"' in (baked.root / "etc/everest/charger_info.yaml").read_text()
    assert (baked.root / "etc/rauc/keyring.pem").read_text() == (keys / "ca.pem").read_text()

    path = baked.root / "etc/everest/bsp-only-dc.yaml"
    path.write_text(path.read_text().replace("charge_mode: DC", "charge_mode: CD"))
    done = build(baked, tmp_path, **keyring)
    assert done.returncode == 1 and "ERROR: " in done.stderr
    assert re.search(r"config\.yaml:\d+:\d+: error: .*charge_mode.*\bDC\b", done.stderr), done.stderr
    for name, value in (("CHARGER_VENDOR", ""), ("CHARGEBYTE_CONFIG", ""), ("CHARGEBYTE_RAUC_KEYRING", "")):
        done = build(baked, tmp_path, **{**keyring, name: value})
        assert done.returncode == 1 and name in done.stderr and "ERROR: " in done.stderr, done.stderr


def test_who_may_log_in_is_named_by_their_public_keys(baked: Image, tmp_path: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZXJzIHB1YmxpYyBrZXkgaXMgaGVyZSwgc29tZXdo me@desk"
    (tmp_path / "keys").write_text(f"# mine\n{key}\n")
    (baked.root / "etc/passwd").write_text("root:x:0:0:root:/home/root:/bin/sh\n")
    done = bake(baked, "--authorized-keys", tmp_path / "keys")
    assert done.returncode == 0, done.stderr
    target = baked.root / "home/root/.ssh/authorized_keys"
    assert target.read_text() == f"{key}\n" and target.stat().st_mode & 0o777 == 0o600
    assert target.parent.stat().st_mode & 0o777 == 0o700
    for text in ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "", "ssh-ed25519 nothing\n"):
        (tmp_path / "keys").write_text(text)
        done = bake(baked, "--authorized-keys", tmp_path / "keys")
        assert done.returncode == 1 and "public keys" in done.stderr
    assert "is no file" in bake(baked, "--authorized-keys", tmp_path / "missing").stderr


def test_bake_names_the_identity_of_the_image(baked: Image) -> None:
    done = bake(baked, "--config", "bsp-only-ac", "--vendor", 'A "quoted" vendor', "--model", "X1")
    assert done.returncode == 0, done.stderr
    assert os.readlink(baked.root / "etc/everest/config.yaml") == "bsp-only-ac.yaml"
    assert 'vendor: "A \\"quoted\\" vendor"' in (baked.root / "etc/everest/charger_info.yaml").read_text()


def test_versions(baked: Image) -> None:
    (baked.root / "proc").mkdir()
    (baked.root / "proc/cmdline").write_text("console=ttyLP0 rauc.slot=B quiet\n")
    told = json.loads(baked.secc("version", "--json").stdout)
    assert told["image"] == "1.2.3+4.gabcdef0" and told["application"] == VERSION and told["slot"].startswith("B")
    assert "does not run" in told["safety controller"]


def test_python_of_the_target_is_new_enough() -> None:
    assert sys.version_info >= (3, 11)
