"""A SocketCAN interface is given its bit rate; where that cannot be, it is taken as it is or the reason is said."""

from __future__ import annotations

import errno
from typing import Any

import pyroute2
import pytest

from chargebyte_fw.kernel.can_bus import open_bus
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.power.infypower.interface import set_up
from tests.netns import NamespacesUnavailable, namespace


class Attributes(dict[str, Any]):
    def get_attr(self, name: str) -> Any:
        return self.get(name)


class Kernel:
    """Netlink's answers about one interface; remembers what was set, in order."""

    def __init__(self, kind: str, bitrate: int = 0, state: int = 0, up: bool = True, refuses: int = 0) -> None:
        data = Attributes(IFLA_CAN_BITTIMING={"bitrate": bitrate} if bitrate else None, IFLA_CAN_STATE=state)
        info = Attributes(IFLA_INFO_KIND=kind, IFLA_INFO_DATA=data)
        self.link_told = Attributes(IFLA_LINKINFO=info, flags=int(up))
        self.refuses = refuses
        self.done: list[str] = []

    def __call__(self) -> Kernel:
        return self

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def link_lookup(self, ifname: str) -> list[int]:
        return [7] if ifname == "can0" else []

    def get_links(self, index: int) -> list[Any]:
        return [self.link_told]

    def link(self, action: str, index: int, **values: Any) -> None:
        if self.refuses:
            raise pyroute2.NetlinkError(self.refuses, "refused")
        assert (action, index) == ("set", 7)
        self.done.append(values.get("state") or f"{values['can_bittiming']['bitrate']} bit/s")


@pytest.mark.parametrize(
    ("kernel", "done"),
    [
        (Kernel("can", 125_000), []),
        (Kernel("can", 500_000), ["down", "125000 bit/s", "up"]),
        (Kernel("can", 0, state=4, up=False), ["125000 bit/s", "up"]),
        (Kernel("can", 125_000, state=3), ["down", "125000 bit/s", "up"]),
        (Kernel("vcan", up=False), ["up"]),
        (Kernel("vcan"), []),
    ],
    ids=["as wanted", "another rate", "fresh", "bus-off", "virtual and down", "virtual"],
)
def test_only_what_differs_is_set(mocker: Any, kernel: Kernel, done: list[str]) -> None:
    mocker.patch.object(pyroute2, "IPRoute", kernel)
    set_up("can0", 125_000)
    assert kernel.done == done


def test_without_the_right_to_change_it_is_taken_as_it_is(mocker: Any) -> None:
    mocker.patch.object(pyroute2, "IPRoute", Kernel("can", 500_000, refuses=errno.EPERM))
    assert set_up("can0", 125_000) == [
        "CAN device can0 is taken as it is: no right to set its bit rate (CAP_NET_ADMIN)"
    ]


def test_a_rate_that_the_controller_cannot_is_said(mocker: Any) -> None:
    mocker.patch.object(pyroute2, "IPRoute", Kernel("can", 500_000, refuses=errno.EINVAL))
    with pytest.raises(Unavailable, match="can0: cannot be set to 125001 bit/s"):
        set_up("can0", 125_001)


def test_an_interface_of_another_kind_is_not_opened_and_the_reason_is_said() -> None:
    """Real netlink, a real kernel: with CAN it says that there is no such interface, without that it has no CAN."""
    try:
        with namespace() as place, place.entered():
            assert set_up("can0", 125_000) == []
            with pytest.raises(Unavailable, match=r"no such interface|this kernel has no CAN"):
                open_bus("can0")
    except NamespacesUnavailable as error:
        pytest.skip(str(error))
