"""A child keeps the capabilities that it was given, under another user, and nothing else."""

from __future__ import annotations

import ctypes
import os
import subprocess

import pytest

from chargebyte_fw.kernel import child_rights
from chargebyte_fw.kernel.child_rights import CAPABILITIES, CannotBecome

SHOW = ["/bin/cat", "/proc/self/status"]
NET_RAW = 1 << CAPABILITIES["cap_net_raw"]
NEEDED = NET_RAW | 1 << CAPABILITIES["cap_setuid"] | 1 << CAPABILITIES["cap_setgid"]
may = os.geteuid() == 0 and child_rights.permitted(ctypes.CDLL(None)) & NEEDED == NEEDED
as_root = pytest.mark.skipif(not may, reason="only root may start a child as another user")


def status(user: str, *capabilities: str) -> dict[str, str]:
    before = child_rights.child_rights(user, capabilities)
    text = subprocess.run(SHOW, preexec_fn=before, capture_output=True, text=True, check=True, cwd="/")
    return dict(line.split(":", 1) for line in text.stdout.split("\n") if ":" in line)


@as_root
def test_a_child_of_another_user_has_what_it_was_given_and_nothing_else() -> None:
    found = status("nobody", "cap_net_raw")
    assert found["Uid"].split() == [str(65534)] * 4
    for kind in ("CapEff", "CapAmb", "CapPrm"):
        assert int(found[kind], 16) == NET_RAW, kind


@as_root
def test_without_capabilities_another_user_has_none() -> None:
    assert int(status("nobody")["CapEff"], 16) == 0


@as_root
def test_the_present_user_passes_capabilities_on() -> None:
    found = status("root", "CAP_NET_RAW")
    assert int(found["CapAmb"], 16) == NET_RAW


def test_what_cannot_be_is_known_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotBecome, match="there is no user nobody_here"):
        child_rights.child_rights("nobody_here", [])
    with pytest.raises(CannotBecome, match="there is no capability cap_fly"):
        child_rights.child_rights("", ["cap_fly"])
    monkeypatch.setattr(child_rights, "permitted", lambda _: 0)
    with pytest.raises(CannotBecome, match="this process lacks cap_net_raw itself"):
        child_rights.child_rights("", ["cap_net_raw"])
