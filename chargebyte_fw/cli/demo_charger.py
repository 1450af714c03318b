"""The charger of the demo: which shipped configuration it runs, and what is laid over it for each kind of car.

The overlay is what a user would write into `user-config/`: the charger of the demo is the shipped one.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import utc_now

OCPP = {"1.6": "config-ac-ocpp16.yaml", "2.0.1": "config-ac-ocpp201.yaml", "2.1": "config-ac-ocpp201.yaml"}
"""The shipped configuration of each version of OCPP: its cars charge by the pilot alone."""
NEVER_MS = 2**31 - 1
"""A deviation of 24 days, which no clock of a demo has."""
DC, AC, INFYPOWER = "bsp-only-dc.yaml", "bsp-only-ac.yaml", "bsp-only-dc-infypower.yaml"
PASSWORD = "123456"
"""Of the charger's private keys, as the shipped configurations have it."""
PKI = "pki"
"""Folder of the demo's certificates below its state root; the car's are in it, too."""
CERTIFICATES = "etc/everest/certs"
CAN_BUS = "udp_multicast:ff15:7079:7468:6f6e:6465:6d6f:6d63:6173"
"""python-can's own multicast group, over the cable to the car's namespace: no kernel needs to know of CAN."""

Overlay = dict[str, Any]


def shipped(protocol: str, power_supply: str = "simulator", ocpp: str = "") -> str:
    """Return the name of the shipped configuration for a car of this kind, under a CSMS of a version of OCPP."""
    if ocpp:
        return OCPP[ocpp]
    if power_supply == "infypower":
        return INFYPOWER
    return AC if protocol == "basic" or "-ac" in protocol else DC


def overlay(
    protocol: str, *, tls: bool = False, pnc: bool = False, power_supply: str = "simulator", ocpp: str = ""
) -> Overlay:
    """Return what is laid over it: the module that speaks the protocol, TLS, contracts; empty: nothing."""
    modules: Overlay = {}
    if power_supply == "infypower":
        modules["powersupply_dc"] = {"config_module": {"device": CAN_BUS}}
    if ocpp:
        # With --speed the time of the CSMS is not that of this machine, whose clock is not the demo's to set.
        modules["system"] = {"config_module": {"min_time_deviation": NEVER_MS}}
        # The boards have no meter of energy, without which the CSMS would see none of it.
        modules["meter"] = {"module": "ACMeterSimulator", "connections": {"evse": [_to("connector", "evse")]}}
        modules["connector"] = {"connections": {"powermeter_grid_side": [_to("meter", "powermeter")]}}
    if protocol == "basic":
        return modules
    if "-ac" in protocol:
        modules |= _with_hlc(bidirectional=protocol.endswith("bpt"))
    if protocol.startswith(("iso20", "mcs")):
        modules["iso15118_charger"] = _connected("Evse15118D20", _iso20(tls=tls))
    elif tls or "-ac" in protocol:
        modules["iso15118_charger"] = _connected("EvseV2G", {"device": "eth1", "tls_security": "allow"})
    connector: Overlay = modules.setdefault("connector", {}).setdefault("config_module", {})
    if protocol.startswith("mcs"):
        connector["connector_type"] = "cMCS"
    if pnc:
        connector |= {"payment_enable_contract": True, "payment_enable_eim": False}
        # The token comes from the car's contract, and from nowhere else.
        modules["token_provider"] = None
        modules["auth"] = {"connections": {"token_provider": [_to("connector", "token_provider")]}}
    return {name: module for name, module in modules.items() if module != {"config_module": {}}}


def _iso20(*, tls: bool) -> Overlay:
    return {
        "device": "eth1",
        "tls_negotiation_strategy": "ENFORCE_TLS" if tls else "ENFORCE_NO_TLS",
        "supported_scheduled_mode": True,
        "verify_contract_cert_chain": None,  # a key of the module that is replaced
    }


def _connected(module: str, config: Overlay) -> Overlay:
    return {
        "module": module,
        "config_module": config,
        "connections": {"security": [_to("evse_security", "main")]},
    }


def _with_hlc(*, bidirectional: bool) -> Overlay:
    """Return what AC needs to speak ISO 15118: SLAC, HLC and the certificate store beside the shipped modules."""
    config: Overlay = {"ac_hlc_enabled": True}
    if bidirectional:
        config["supported_iso_ac_bpt"] = True
    return {
        "connector": {
            "config_module": config,
            "connections": {"slac": [_to("slac", "main")], "hlc": [_to("iso15118_charger", "charger")]},
        },
        "slac": {"module": "EvseSlac", "config_implementation": {"main": {"device": "eth1"}}},
        "evse_security": {"module": "EvseSecurity", "config_module": {"private_key_password": PASSWORD}},
    }


def _to(module: str, implementation: str) -> dict[str, str]:
    return {"module_id": module, "implementation_id": implementation}


def write(root: Path, name: str, modules: Overlay) -> None:
    """Write an overlay for the configuration `name` below the state root."""
    if modules:
        file = root / "etc/everest/user-config" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(msgspec.yaml.encode({"active_modules": modules}))


def make_certificates(root: Path) -> Path:
    """Make certificates for charger and car, and give the charger its store; return the folder with the car's keys."""
    from chargebyte_fw.modules.security.test_pki import make_test_pki

    pki = make_test_pki(root / PKI, now=utc_now(), password=PASSWORD)
    store = root / CERTIFICATES
    if store.exists():
        shutil.rmtree(store)
    shutil.copytree(pki.certs, store)
    return pki.directory
