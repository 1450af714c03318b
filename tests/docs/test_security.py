"""docs/security.md has every place where the product listens, and every service of D-Bus that it calls."""

from __future__ import annotations

import re

import pytest

from chargebyte_fw.manager.configuration.settings import Settings
from chargebyte_fw.manager.control import SOCKET
from chargebyte_fw.modules.api.rpc_api import RpcApiConfig
from chargebyte_fw.modules.v2g import evse15118_d20, iso_mux, link, sdp
from tests.docs.site.pages import ROOT

PAGE = (ROOT / "docs/security.md").read_text("utf-8")
PORTS = {
    "SDP": sdp.PORT,
    "EvseV2G": link.TCP_PORT,
    "EvseV2G, TLS": link.TLS_PORT,
    "Evse15118D20": evse15118_d20.PORT,
    "IsoMux": iso_mux.TCP_PORT,
    "IsoMux, TLS": iso_mux.TLS_PORT,
    "RpcApi": RpcApiConfig().websocket_port,
    "secc manager": Settings().controller_port,
}
LISTENS = re.compile(r"\b(start_server|start_unix_server|create_server|create_datagram_endpoint|serve)\(|\bAF_PACKET\b")
KNOWN = {
    "chargebyte_fw/manager/control.py": SOCKET,
    "chargebyte_fw/manager/everest/panel_link.py": "controller_port",
    "chargebyte_fw/manager/mqtt/embedded.py": "embedded",
    "chargebyte_fw/modules/api/link.py": "websocket_port",
    "chargebyte_fw/modules/slac/link.py": "raw Ethernet",
    "chargebyte_fw/modules/v2g/link.py": "SDP",
}
"""Files that open something to listen on, and the word by which the page has it."""
CALLS = {"chargebyte_fw/cli/plc.py", "chargebyte_fw/cli/run_grouped.py"}
"""Files that only ask, or start a file that listens."""
NAME = re.compile(r'"((?:org|de)\.[a-z]+\.[A-Za-z0-9.]+)"')


@pytest.mark.parametrize("what", PORTS)
def test_every_port_is_on_the_page(what: str) -> None:
    assert re.search(rf"\b{PORTS[what]}\b", PAGE)


def test_every_file_that_listens_is_known() -> None:
    found = []
    for path in sorted((ROOT / "chargebyte_fw").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if "/sim/" in name or "/everestpy/" in name:
            continue
        text = path.read_text("utf-8")
        for line in text.split("\n") if LISTENS.search(text) else ():
            if LISTENS.search(line) and not re.search(
                r"(self|module|requests|bridge|_requests)\.serve\(|def serve", line
            ):
                found.append(name)
    assert set(found) - CALLS <= set(KNOWN), "docs/security.md has each place that listens"
    assert [word for word in KNOWN.values() if word not in PAGE] == []


def test_every_service_of_dbus_is_on_the_page() -> None:
    used = {
        name
        for path in (ROOT / "chargebyte_fw/modules/system").rglob("*.py")
        for name in NAME.findall(path.read_text("utf-8"))
        if not name.startswith("org.freedesktop.DBus") and not name.endswith(".Installer")
    }
    assert used
    assert [name for name in sorted(used) if name not in PAGE] == []
