"""`secc plc` beside Debian's plc-utils: both ask the same virtual modem over real packets and hear the same."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.slac.keys import nid_from_nmk
from chargebyte_fw.modules.slac.messages import ETHERTYPE, MODEM_MAC, CmSetKeyReq, Frame
from chargebyte_fw.modules.slac.messages_network import (
    FACTORY_NID,
    Network,
    Station,
    networks_from_content,
    networks_to_content,
)
from tests.netns import Namespace, NamespacesUnavailable, connect, namespace

ROOT = Path(__file__).parents[2]
SECC = [sys.executable, "-m", "chargebyte_fw.cli.main"]
FACTORY_KEY = bytes.fromhex("50d3e4933f855b7040784df815aa8db7")


@contextmanager
def power_line(*options: str) -> Iterator[tuple[Namespace, Namespace]]:
    """(charger, car), each with an `eth1`, and a program with both modems between them."""
    try:
        with namespace("eth1", "charger") as charger, namespace("eth1", "car") as car, namespace("plc0", "l") as line:
            connect(charger, "eth1", line, "plc0")
            connect(car, "eth1", line, "plc1")
            command = [sys.executable, "-m", "chargebyte_fw.sim.modem_bench", "plc0", "plc1", "--join", "0.2", *options]
            modems = line.popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            assert modems.stdout is not None and "ready" in modems.stdout.readline()
            yield charger, car
    except NamespacesUnavailable as error:
        pytest.skip(str(error))


def set_key(host: Namespace, nmk: bytes) -> None:
    with host.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, ETHERTYPE) as raw:
        raw.bind((host.interface, ETHERTYPE))
        mac = raw.getsockname()[4]
        raw.send(Frame(MODEM_MAC, mac, CmSetKeyReq(nid=nid_from_nmk(nmk), new_key=nmk)).encode())


def secc(host: Namespace, *words: str) -> subprocess.CompletedProcess[str]:
    return host.run([*SECC, "plc", *words], cwd=ROOT, check=False)


def independent(host: Namespace, *words: str) -> str:
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is missing: install the package plc-utils")
    # Their usual patience of 50 ms is for a chip, not for a process on a busy machine.
    return host.run([words[0], "-i", "eth1", "-t", "1000", *words[1:]], check=False).stdout


def test_info_says_what_int6k_and_plctool_say() -> None:
    with power_line() as (charger, car):
        for host in (charger, car):
            set_key(host, FACTORY_KEY)
        assert secc(charger, "link", "--wait", "10").stdout == "up\n"
        told = json.loads(secc(charger, "info", "--json").stdout)
        assert (told["vendor"], told["chip"], told["link_up"]) == ("Qualcomm", "QCA7000", True)
        for tool in ("int6k", "plctool"):
            assert f"{told['mac']} QCA7005 {told['firmware']}" in independent(charger, tool, "-r")
        assert f"{told['mac']} {told['chip']}-MAC" in independent(charger, "int6k", "-a")
        network = independent(charger, "int6k", "-m")
        assert "network->NID = B0:F2:E6:95:66:6B:03" in network and "network->STATIONS = 1" in network
        partner = re.search(r"station->MAC = ([0-9A-F:]+)", network)
        assert partner is not None
        assert told["networks"] == [f"B0F2E695666B03 as coordinator, with {partner[1]}"]
        assert any("factory's key" in note for note in told["notes"])
        assert "eth1 00:B0:52:00:00:01 1" in independent(charger, "plctool", "-L"), "link status in plctool's words"
        set_key(charger, bytes(16))
        assert secc(charger, "link").stdout == "down\n"
        assert "factory" not in secc(charger, "info").stdout


def test_a_lumissil_modem_is_told_apart() -> None:
    with power_line("--make", "lumissil") as (charger, _):
        done = secc(charger, "info")
        assert done.returncode == 0
        assert "Lumissil MSE102x" in done.stdout and "1.4.0.0" in done.stdout and "store_key_change" in done.stdout
        assert secc(charger, "link").returncode == 1
        assert "is back after" in secc(charger, "reset").stdout


def test_reset_waits_for_the_modem_and_spares_a_car_that_charges() -> None:
    with power_line() as (charger, car):
        for host in (charger, car):
            set_key(host, bytes(range(16)))
        assert secc(charger, "link", "--wait", "10").returncode == 0
        refused = secc(charger, "reset")
        assert refused.returncode == 1 and "--force" in refused.stderr
        assert secc(charger, "link").returncode == 0, "it was not reset"
        done = secc(charger, "reset", "--force")
        assert done.returncode == 0 and "Qualcomm modem 00:B0:52:00:00:01 is back after" in done.stdout


def test_the_reset_line_brings_back_a_modem(cable: tuple[Namespace, Namespace]) -> None:
    """The board's own simulated line, in the words of the whole simulation."""
    charger, car = cable
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as root:
        command = [sys.executable, "-m", "chargebyte_fw.sim", "--root", root, "--interface", "eth1", "--wait"]
        car.popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        line = Path(root) / "run/secc/gpio/nPLC_RESET_INT"
        wait_until(line.exists)
        wait_until(lambda: secc(charger, "info").returncode == 0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as held:
            held.sendto(b"0", str(line))
        silent = secc(charger, "info")
        assert silent.returncode == 1 and "secc plc reset --line" in silent.stderr
        assert secc(charger, "reset").returncode == 1, "a message does not reach it"
        done = secc(charger, "reset", "--line", "--root", root)
        assert done.returncode == 0, done.stderr
        assert secc(charger, "info").returncode == 0
        missing = secc(charger, "reset", "--line", "nOTHER", "--root", root)
        assert missing.returncode == 1 and "nOTHER" in missing.stderr


def wait_until(true: Callable[[], bool]) -> None:

    give_up_at = time.monotonic() + 20
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


def test_what_cannot_be_opened_is_said(cable: tuple[Namespace, Namespace]) -> None:
    charger, _ = cable
    missing = secc(charger, "info", "-i", "nodev0")
    assert missing.returncode == 1 and "there is no interface nodev0" in missing.stderr
    silent = secc(charger, "info")
    assert silent.returncode == 1 and "no modem answers on eth1" in silent.stderr


# -- VS_NW_INFO

stations = st.builds(
    Station,
    st.binary(min_size=6, max_size=6),
    st.integers(0, 255),
    st.binary(min_size=6, max_size=6),
    st.integers(0, 255),
    st.integers(0, 255),
)


octet = st.integers(0, 255)
networks_told = st.builds(
    Network,
    st.just(FACTORY_NID),
    octet,
    octet,
    octet,
    st.binary(min_size=6, max_size=6),
    octet,
    st.lists(stations, max_size=3).map(tuple),
)


@given(st.lists(networks_told, max_size=3))
def test_networks_are_read_as_they_were_written(networks: list[Network]) -> None:
    assert networks_from_content(networks_to_content(networks)) == networks


@given(st.binary(max_size=60))
def test_no_content_breaks_the_reader(content: bytes) -> None:
    try:
        networks_from_content(content)
    except PeerError as error:
        assert "VS_NW_INFO" in str(error)
