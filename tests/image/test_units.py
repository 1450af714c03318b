"""Services, rules and the broker's configuration, by the programs that read them on the target."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.image.conftest import Image
from tests.manager.broker import MOSQUITTO, free_port

UNITS = "usr/lib/systemd/system"
LIMIT = 30
"""Of systemd's exposure level, in tenths."""
UDEV_KEYS = (
    "ACTION",
    "KERNEL",
    "SUBSYSTEM",
    "SUBSYSTEMS",
    "DRIVERS",
    "NAME",
    "SYMLINK",
    "GROUP",
    "MODE",
    "TAG",
    "ATTR",
)


@pytest.fixture(scope="module")
def systemd(pristine: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with systemd's own units, so that what ours name is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.fail("systemd-analyze is missing: apt-get install systemd")
    root = tmp_path_factory.mktemp("units") / "root"
    shutil.copytree(pristine.root, root, symlinks=True)
    for folder in ("/usr/lib/systemd/system", "/lib/systemd/system"):
        for unit in Path(folder).glob("*.*"):
            if unit.is_file() and not (root / UNITS / unit.name).exists():
                shutil.copy(unit, root / UNITS / unit.name)
    # What a unit calls of systemd itself.
    shutil.copy("/usr/bin/systemd-mount", root / "usr/bin")
    return root


def ours(pristine: Image, *kinds: str) -> list[str]:
    return sorted(path.name for kind in kinds for path in (pristine.root / UNITS).glob(f"*.{kind}"))


def test_systemd_reads_every_unit_without_a_word(pristine: Image, systemd: Path) -> None:
    names = ours(pristine, "service", "mount")
    assert "everest.service" in names and len(names) >= 6
    for name in [one.replace("@.", "@sda1.") for one in names]:
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", f"--root={systemd}", name], capture_output=True, text=True
        )
        said = [line for line in done.stderr.splitlines() if any(unit in line for unit in names)]
        assert done.returncode == 0 and said == [], done.stderr


def test_every_service_is_confined(pristine: Image) -> None:
    for name in ours(pristine, "service"):
        unit = pristine.root / UNITS / name
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={LIMIT}", "--no-pager", unit],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{name}: {done.stdout.splitlines()[-1]}"


def test_the_stack_is_watched_and_has_a_user_of_its_own(pristine: Image) -> None:
    text = (pristine.root / UNITS / "everest.service").read_text()
    for line in ("Type=notify", "User=everest", "Restart=always", "AmbientCapabilities=CAP_NET_RAW"):
        assert line in text
    assert re.search(r"(?m)^WatchdogSec=\d+$", text)
    assert re.search(r"(?m)^After=.*mosquitto\.service.*chargebyte-mcu-update\.service", text)


def test_nothing_that_may_fail_is_required_by_the_stack(pristine: Image) -> None:
    for name in ours(pristine, "service", "mount"):
        assert "Requires=" not in (pristine.root / UNITS / name).read_text().replace("Requires=dev-", "")


def test_users_and_folders(pristine: Image, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\nmosquitto:x:110:110::/:/bin/false\n")
    (etc / "group").write_text("root:x:0:\nmosquitto:x:110:\ndialout:x:20:\n")
    users = pristine.root / "etc/sysusers.d/chargebyte.conf"
    folders = pristine.root / "usr/lib/tmpfiles.d/chargebyte.conf"
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", users], check=True, capture_output=True)
    assert "everest:x:870:870:" in (etc / "passwd").read_text() and "gpio:x:871:" in (etc / "group").read_text()
    subprocess.run(["systemd-tmpfiles", "--create", f"--root={tmp_path}", folders], check=True, capture_output=True)
    store = (tmp_path / "var/lib/everest").stat()
    assert store.st_mode & 0o777 == 0o750
    if os.geteuid() == 0:
        assert (store.st_uid, store.st_gid) == (870, 870)


@pytest.mark.parametrize(("slot", "part"), [("A", 6), ("B", 7)])
def test_logs_of_each_slot_have_a_partition_of_their_own(pristine: Image, tmp_path: Path, slot: str, part: int) -> None:
    (tmp_path / "cmdline").write_text(f"console=ttyLP0 rauc.slot={slot} quiet\n")
    environment = {
        "PATH": os.environ["PATH"],
        "CHARGEBYTE_CMDLINE": str(tmp_path / "cmdline"),
        "CHARGEBYTE_ENV": str(pristine.root / "usr/lib/chargebyte/board.env"),
    }
    generator = pristine.root / "usr/lib/systemd/system-generators/chargebyte-log"
    subprocess.run([generator, tmp_path / "out"], check=True, env=environment)
    made = tmp_path / "out/var-log.mount"
    if not made.exists():
        pytest.fail("no mount was made")
    assert f"What=/dev/mmcblk0p{part}\n" in made.read_text()
    assert (tmp_path / "out/local-fs.target.wants/var-log.mount").resolve() == made


def test_every_udev_rule_is_one(pristine: Image) -> None:
    """A rule is pairs of a known key, an operator and a quoted value (udev(7)); udev leaves out a line that is not."""
    keys = {*UDEV_KEYS, "ATTR", "ENV"}
    said: dict[str, list[str]] = {}
    for path in sorted((pristine.root / "usr/lib/udev/rules.d").glob("*.rules")):
        for line in path.read_text().splitlines():
            if not line or line.startswith("#"):
                continue
            pairs = re.findall(r'([A-Z]+)(\{[\w]+\})?(==|!=|=|\+=)"([^"]*)"', line)
            assert ", ".join("".join(p[:3]) + f'"{p[3]}"' for p in pairs) == line, f"{path.name}: {line}"
            assert {pair[0] for pair in pairs} <= keys, line
            assert any(operator in ("=", "+=") for _, _, operator, _ in pairs), f"nothing is done: {line}"
            for key, _, operator, value in pairs:
                if operator == "==":
                    said.setdefault(key, []).append(value)
    # UART, GPIO and CAN, the powerline modem, the authenticated store, a stick.
    assert {"tty", "gpio", "net", "tpm", "block"} <= set(said["SUBSYSTEM"]) and "can[0-9]*" in said["KERNEL"]


@dataclass
class Broker:
    """The broker as shipped, on another port and in another folder."""

    port: int
    socket: Path

    def deliver(self, sends: Sequence[tuple[str, str, str]]) -> list[str]:
        """Send (way, topic, text) one after the other; returns the topics that a listener on the port gets."""
        ways = {"port": ["-p", str(self.port)], "socket": ["--unix", str(self.socket)]}
        listen = ["stdbuf", "-oL", "mosquitto_sub", *ways["port"], "-t", "#", "-F", "%t", "-W", "20", "-d"]
        with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as listener:
            assert listener.stdout is not None
            while "SUBACK" not in listener.stdout.readline():
                continue
            for way, topic, text in [*sends, ("socket", "the/end", "x")]:
                command = ["mosquitto_pub", *ways[way], "-t", topic, "-s"]
                subprocess.run(command, input=text, text=True, check=True, timeout=20)
            got = []
            while (line := listener.stdout.readline().strip()) != "the/end":
                assert line, "the listener has ended"
                got.append(line)
            listener.kill()
        return [line for line in got if "/" in line and " " not in line]


@pytest.fixture
def broker(pristine: Image, tmp_path: Path) -> Iterator[Broker]:
    port = free_port()
    shutil.copytree(pristine.root / "etc/mosquitto/conf.d", tmp_path / "conf.d")
    for path in (tmp_path / "conf.d").iterdir():
        text = path.read_text().replace("listener 1883", f"listener {port}")
        path.write_text(text.replace("/run/mosquitto", str(tmp_path)).replace("/etc/mosquitto", str(tmp_path)))
    (tmp_path / "mosquitto.conf").write_text(f"user root\ninclude_dir {tmp_path}/conf.d\n")
    process = subprocess.Popen([MOSQUITTO, "-c", tmp_path / "mosquitto.conf"], stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(200):
            if (tmp_path / "everest.socket").exists() or process.poll() is not None:
                break
            time.sleep(0.02)
        assert process.poll() is None and (tmp_path / "everest.socket").exists()
        yield Broker(port, tmp_path / "everest.socket")
        assert process.poll() is None
    finally:
        process.kill()
        said = process.communicate()[1]
    assert "Error" not in said, said


def test_the_broker_takes_its_configuration_and_has_no_nagle(pristine: Image, broker: Broker) -> None:
    text = (pristine.root / "etc/mosquitto/conf.d/chargebyte.conf").read_text()
    assert "set_tcp_nodelay true" in text and "listener 1883 127.0.0.1" in text
    assert broker.deliver([]) == []


def test_programs_see_facts_and_wish_by_the_api_and_the_stack_alone_speaks_everests_protocol(broker: Broker) -> None:
    command = "everest/modules/supply/impl/main/cmd/setMode"
    topics = [
        command,
        "everest/modules/supply/impl/main/var/mode",
        "everest/modules/supply/impl/main/error/generic/VendorError",
        "everest/config/request",
        "everest_api/connector/var/session_info",
        "everest_api/connector/cmd/pause_charging",
        "everest_external/nodered/1/cmd/enable",
        "something/else",
    ]
    wishes = ["everest_api/connector/cmd/pause_charging", "everest_external/nodered/1/cmd/enable"]
    assert broker.deliver([("port", topic, "x") for topic in topics]) == wishes
    assert broker.deliver([("socket", topic, "x") for topic in topics]) == topics


def test_a_payload_that_is_too_large_is_not_passed_on(broker: Broker) -> None:
    wish = "everest_api/connector/cmd/set_limit_amps"
    sends = [("port", wish, "x" * size) for size in (262_145, 262_144)]
    assert broker.deliver([*sends, ("socket", "everest/x", "x" * 262_145)]) == [wish]


def test_the_brokers_socket_is_for_the_stacks_group_alone(pristine: Image, tmp_path: Path) -> None:
    folders = (pristine.root / "usr/lib/tmpfiles.d/chargebyte.conf").read_text()
    assert "d /run/mosquitto 2750 mosquitto everest\n" in folders
    unit = pristine.root / UNITS / "mosquitto.service.d/chargebyte.conf"
    assert "UMask=0007\n" in unit.read_text()
    # Such a folder and such a mask give a socket of that group which nobody else can use.
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    os.chown(folder, -1, 870)
    folder.chmod(0o2750)
    listen = f"import os, socket; os.umask(0o007); socket.socket(socket.AF_UNIX).bind({str(folder / 's')!r})"
    subprocess.run([sys.executable, "-c", listen], check=True)
    made = (folder / "s").stat()
    assert (made.st_gid, made.st_mode & 0o007) == (870, 0)
