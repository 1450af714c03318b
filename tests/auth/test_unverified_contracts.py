"""`secc check` warns where contracts authorize whose chain neither the charger nor a CSMS verifies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import load

ROOT = Path(__file__).parents[2]
PRESENTED = {
    "auth": {"connections": {"token_provider": [{"module_id": "connector", "implementation_id": "token_provider"}]}}
}
MUX: dict[str, Any] = {
    "iso15118_2": {
        "module": "EvseV2G",
        "config_module": {"device": "lo", "enable_sdp_server": False},
        "connections": {"security": [{"module_id": "evse_security", "implementation_id": "main"}]},
    },
    "iso15118_20": {
        "module": "Evse15118D20",
        "config_module": {"device": "lo", "enable_sdp_server": False},
        "connections": {"security": [{"module_id": "evse_security", "implementation_id": "main"}]},
    },
    "iso15118_charger": {
        "module": "IsoMux",
        "connections": {
            name: [{"module_id": module, "implementation_id": end}]
            for name, module, end in (
                ("iso2", "iso15118_2", "charger"),
                ("iso20", "iso15118_20", "charger"),
                ("ext2", "iso15118_2", "extensions"),
                ("ext20", "iso15118_20", "extensions"),
            )
        },
    },
}


@pytest.mark.parametrize(
    ("modules", "warned"),
    [
        ({}, ""),
        (PRESENTED, "iso15118_charger"),
        ({**PRESENTED, "iso15118_charger": {"config_module": {"verify_contract_cert_chain": True}}}, ""),
        ({**PRESENTED, "iso15118_charger": {"config_module": {"tls_security": "prohibit"}}}, ""),
        ({**PRESENTED, "connector": {"config_module": {"payment_enable_contract": False}}}, ""),
        ({**PRESENTED, "connector": {"config_module": {"central_contract_validation_allowed": True}}}, ""),
        ({**PRESENTED, **MUX}, "iso15118_2"),
    ],
)
def test_contracts_that_no_one_verifies(modules: dict[str, Any], warned: str, tmp_path: Path) -> None:
    overlay = tmp_path / "etc/everest/user-config/bsp-only-dc.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(yaml.safe_dump({"active_modules": modules}))
    configuration = load(ROOT / "etc/everest/bsp-only-dc.yaml", Root(ROOT, tmp_path), environment={})
    assert configuration.errors == []
    found = [str(one) for one in configuration.findings if "no one verifies" in str(one)]
    assert len(found) == bool(warned)
    assert all("warning" in one and f"verify_contract_cert_chain of {warned} to true" in one for one in found)
