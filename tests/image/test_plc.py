"""The powerline modem's interface at the start: what is there is said, also when another driver has its name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.image.conftest import ROOT
from tests.image.plant import write_program

SCRIPT = ROOT / "usr/libexec/chargebyte/plc-prepare"
RULES = ROOT / "usr/lib/udev/rules.d/60-chargebyte.rules"


def prepare(folder: Path, driver: str | None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it in a root with an `eth1` of this driver; `ip` notes what it is asked."""
    net = folder / "sys/class/net/eth1"
    if driver is not None:
        (net / "device").mkdir(parents=True)
        (net / "device/driver").symlink_to(f"../../../../bus/spi/drivers/{driver}")
    programs = folder / "programs"
    programs.mkdir()
    write_program(programs / "ip", f'#!/bin/sh\necho "$@" >>{folder}/ip.calls\n')
    told = {"PATH": f"{programs}:{os.environ['PATH']}", "CHARGEBYTE_ROOT": str(folder), "PLC_WAIT_S": "0"}
    return subprocess.run([SCRIPT], env={**told, **environment}, capture_output=True, text=True, check=False)


def test_the_modem_is_brought_up_and_named(tmp_path: Path) -> None:
    done = prepare(tmp_path, "mse102x")
    assert (done.returncode, done.stdout) == (0, "eth1 is there (driver mse102x)\n")
    assert (tmp_path / "ip.calls").read_text() == "link set eth1 up\n"


@pytest.mark.parametrize(
    ("driver", "environment", "says"),
    [
        ("fec", {}, "<4>eth1 belongs to the driver fec, not mse102x: it is not the powerline modem"),
        ("mse102x", {"PLC_DRIVER": "qcaspi"}, "<4>eth1 belongs to the driver mse102x, not qcaspi"),
    ],
)
def test_another_interface_of_that_name_is_warned_of(
    tmp_path: Path, driver: str, environment: dict[str, str], says: str
) -> None:
    done = prepare(tmp_path, driver, **environment)
    assert done.returncode == 0 and says in done.stdout, done.stdout


def test_where_the_driver_is_not_known_nothing_is_claimed(tmp_path: Path) -> None:
    (tmp_path / "sys/class/net/eth1").mkdir(parents=True)
    done = prepare(tmp_path, None)
    assert (done.returncode, done.stdout) == (0, "eth1 is there (driver unknown)\n")


def test_a_modem_that_is_missing_is_an_error_and_does_not_block_the_start(tmp_path: Path) -> None:
    done = prepare(tmp_path, None)
    assert done.returncode == 0 and done.stdout.startswith("<3>eth1 does not exist")


def test_the_rule_promises_what_the_kernel_does() -> None:
    """A name that another interface has is refused (EEXIST): the rule renames, it does not take a name away."""
    comment, _, rule = RULES.read_text().partition('DRIVERS=="mse102x"')
    assert 'NAME="eth1"' in rule.partition("\n")[0]
    assert "free" in comment.rstrip().rpartition("\n\n")[2] and "whatever order" not in comment
