"""PyEvJosev: what its keys make of the car, its way to the charger, its certificates."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from chargebyte_fw.contracts.types.iso15118 import (
    DcEvParameters,
    EnergyTransferMode,
    PaymentOption,
    SelectedPaymentOption,
)
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.sim.modules import ev_net
from chargebyte_fw.sim.modules.ev_josev_config import JosevConfig, payment_of
from chargebyte_fw.sim.modules.ev_keys import keys_in
from chargebyte_fw.sim.modules.ev_net import CarNet, car_host, interface_of
from chargebyte_fw.sim.modules.py_ev_josev import PyEvJosev
from tests.v2g.tls import pki

DC, AC = EnergyTransferMode.DC_extended, EnergyTransferMode.AC_three_phase_core


@pytest.mark.parametrize(
    ("config", "asked", "mode", "protocols"),
    [
        ({"supported_ISO15118_2": True}, DC, "DC_extended", ("ISO15118D2",)),
        (
            {"supported_DIN70121": True, "supported_ISO15118_20_DC": True},
            DC,
            "DC_extended",
            ("ISO15118D20", "DIN70121"),
        ),
        (
            {"supported_ISO15118_20_DC": True, "supported_d20_energy_services": "Other, DC_BPT"},
            DC,
            "DC_BPT",
            ("ISO15118D20",),
        ),
        ({"supported_ISO15118_20_DC": True, "supported_d20_energy_services": "MCS"}, DC, "MCS", ("ISO15118D20",)),
        (
            {"supported_ISO15118_20_AC": True, "supported_d20_energy_services": "AC_BPT,AC"},
            AC,
            "AC_BPT",
            ("ISO15118D20",),
        ),
        ({"supported_ISO15118_20_DC": True}, AC, "AC_three_phase_core", ("ISO15118D20",)),
    ],
)
def test_what_the_keys_make_of_the_car(
    config: dict[str, Any], asked: EnergyTransferMode, mode: str, protocols: tuple[str, ...]
) -> None:
    made = JosevConfig(**config)
    assert made.mode(asked) == mode and made.protocols() == protocols


def test_the_services_of_the_key_are_the_wishes_of_the_car_in_their_order() -> None:
    made = JosevConfig(supported_ISO15118_20_DC=True, supported_d20_energy_services="AC,DC,XX,DC_BPT")
    assert made.wishes(DC) == ("DC", "DC_BPT") and made.wishes(AC) == ()
    assert JosevConfig(supported_ISO15118_2=True).wishes(DC) == ()


def test_what_can_have_no_session_is_named() -> None:
    found = [one.what for one in PyEvJosev.config_issues(JosevConfig(supported_d20_energy_services="WPT"), {})]
    assert found[0] == "the car offers no protocol: it has no V2G session" and "WPT is no energy service" in found[1]


def test_payment() -> None:
    assert payment_of(SelectedPaymentOption(payment_option=PaymentOption.Contract)) == "contract"
    assert payment_of(SelectedPaymentOption(payment_option=PaymentOption.ExternalPayment)) == "external"
    assert payment_of(SelectedPaymentOption()) == "auto"


def test_without_a_protocol_or_a_charger_a_session_is_over_soon(run: Any, assemble: Any, runtime: Runtime) -> None:
    async def main() -> None:
        assembly = assemble(
            none=(PyEvJosev, {"device": "none0"}),
            alone=(PyEvJosev, {"device": "none0", "supported_ISO15118_2": True}),
            both=(PyEvJosev, {"device": "none0", "supported_ISO15118_20_DC": True}),
        )
        await assembly.start()
        none: Any = assembly.provider("none", "ev")
        alone: Any = assembly.provider("alone", "ev")
        over: list[None] = []
        alone.v2g_session_finished.subscribe(over.append)
        both: Any = assembly.modules["both"]
        assert await assembly.provider("both", "ev").start_charging(DC, SelectedPaymentOption(), 3600.0, 5.0)
        assert both._settings.energy_services == ("DC", "DC_BPT") and both._settings.max_discharge_power_W > 0
        await alone.update_soc(55.0)
        await alone.set_dc_params(DcEvParameters(target_current=20.0, target_voltage=400.0))
        assert await none.start_charging(DC, SelectedPaymentOption(), 3600.0, 0.0) is False
        assert await alone.start_charging(DC, SelectedPaymentOption(), 3600.0, 5.0) is True
        await alone.set_fault()
        await asyncio.sleep(60)
        assert over == [None]
        await alone.stop_charging()
        await assembly.stop()

    run(main())


def test_cars_on_one_interface_share_the_link_to_the_charger() -> None:
    wires = Wires()
    first, second, other = car_host(wires, "auto"), car_host(wires, "auto"), car_host(wires, "eth1")
    assert first is second and first is not other and wires.find("ip:auto") is first.peer


def test_a_charger_of_this_process_is_met_in_memory_and_no_other(run: Any) -> None:
    async def main() -> None:
        refused: list[str] = []
        host = car_host(Wires(), "none0")
        net = CarNet(host, "none0", refused.append)
        net.open(lambda data: None)
        net.send_sdp(b"lost")
        assert len(refused) == 1 and refused[0].startswith("none0: ")

        class Who:
            reasons: list[str] = []

            def connected(self) -> None:
                raise AssertionError

            def received(self, data: bytes) -> None:
                raise AssertionError

            def disconnected(self, reason: str) -> None:
                self.reasons.append(reason)

        who = Who()
        net.connect("fe80::a", 1, who).send(b"lost")
        await asyncio.sleep(0)
        assert who.reasons == ["there is no network"]
        asked: list[bytes] = []
        assert host.peer is not None
        host.peer.bind(lambda data, _: asked.append(data), sdp.PORT)
        net.open(lambda data: None)
        net.send_sdp(b"where")
        await asyncio.sleep(0)
        assert asked == [b"where"] and len(refused) == 1
        net.close()

    run(main())


def test_auto_is_the_first_interface_with_a_link_local_address(tmp_path: Path, monkeypatch: Any) -> None:
    listed = tmp_path / "if_inet6"
    monkeypatch.setattr(ev_net, "_ADDRESSES", listed)
    with pytest.raises(Unavailable, match="no IPv6"):
        interface_of("auto")
    listed.write_text("00000000000000000000000000000001 01 80 10 80       lo\n")
    with pytest.raises(Unavailable, match="no interface has a link-local IPv6 address"):
        interface_of("auto")
    with listed.open("a") as file:
        file.write("fe800000000000000000000000000001 02 40 20 80     eth3\n")
    assert interface_of("auto") == "eth3" and interface_of("eth1") == "eth1"


def test_without_keys_of_its_own_the_car_has_the_root_of_the_charger(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="V2G_ROOT_CA"):
        keys_in(tmp_path / "certs")


def everests_certificates(folder: Path) -> pki.Party:
    """Lay out EVerest's test certificates: contract, provisioning and vehicle with encrypted keys; returns the root."""
    leaf = pki.leaf("UKSWI123456789A")
    sub2, sub1 = leaf.issuer, leaf.issuer and leaf.issuer.issuer
    assert sub2 is not None and sub1 is not None
    for place, prefix in (("mo", "MO"), ("oem", "OEM"), ("vehicle", "VEHICLE")):
        ca, client = folder / "ca" / place, folder / "client" / place
        for made in (ca, client):
            made.mkdir(parents=True)
        (ca / f"{prefix}_SUB_CA2.pem").write_bytes(sub2.pem)
        (ca / f"{prefix}_SUB_CA1.pem").write_bytes(sub1.pem)
        (client / f"{prefix}_LEAF.pem").write_bytes(leaf.pem)
        secret = BestAvailableEncryption(b"123456")
        key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, secret)
        (client / f"{prefix}_LEAF.key").write_bytes(key)
        (client / f"{prefix}_LEAF_PASSWORD.txt").write_text("123456\n")
    (folder / "ca/v2g").mkdir()
    (folder / "ca/v2g/V2G_ROOT_CA.pem").write_bytes(leaf.root.pem)
    return leaf.root


def test_the_car_has_everests_test_certificates_where_its_own_keys_are_of_another_root(tmp_path: Path) -> None:
    root = everests_certificates(tmp_path / "certs")
    own = tmp_path / "car/iso2"
    own.mkdir(parents=True)
    (own / "v2g_root.pem").write_bytes(pki.issue("Another root").pem)
    keys = keys_in(tmp_path / "certs")
    assert keys.iso2.roots == (root.der,) and keys.iso20.contract is None
    for identity in (keys.iso2.contract, keys.iso2.provisioning, keys.iso20.vehicle):
        assert identity is not None and len(identity.chain) == 3
        assert load_pem_private_key(identity.key_pem, None).public_key() == pki.leaf("UKSWI123456789A").key.public_key()
    (own / "v2g_root.pem").write_bytes(root.pem)
    assert keys_in(tmp_path / "certs").iso2.contract is None
    (tmp_path / "certs/client/mo/MO_LEAF_PASSWORD.txt").write_text("wrong")
    (own / "v2g_root.pem").unlink()
    with pytest.raises(Unavailable, match=r"MO_LEAF\.key"):
        keys_in(tmp_path / "certs")
