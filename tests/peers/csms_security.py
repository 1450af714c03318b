"""The security profiles of OCPP for a peer and the charger: passwords, certificates, configuration."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
from pathlib import Path
from typing import Any

from tests.ocpp.connection import certificates
from tests.session.plant import REPOSITORY

PASSWORD = "correct-horse-battery-9"
"""Neither hexadecimal nor shorter than 16 characters: 1.6 and 2.x send it as it is."""
IDENTITY = "cp001"


class Security:
    """One security profile. `folder` has server.pem, server.key and root.pem for a peer, client.pem and client.key."""

    def __init__(self, profile: int, folder: Path) -> None:
        self.profile = profile
        self.folder = folder
        self.password = PASSWORD
        folder.mkdir(parents=True)
        root = certificates.root()
        certificates.write(folder, "root", root)
        certificates.write(folder, "server", certificates.issue("CSMS", root, names=("localhost", "127.0.0.1")))
        certificates.write(folder, "client", certificates.issue(IDENTITY, root))

    def url(self, port: int) -> str:
        """Return where the station is at the peer."""
        return f"{'wss' if self.profile >= 2 else 'ws'}://127.0.0.1:{port}/{IDENTITY}"

    def of_station(self) -> dict[str, Any]:
        """Return what a client of `websockets` needs to be let in."""
        how = self._tls()
        if self.profile == 3:
            how["ssl"].load_cert_chain(self.folder / "client.pem", self.folder / "client.key")
        return how | self._basic(self.password)

    def of_stranger(self) -> dict[str, Any]:
        """The same without the certificate, or with another password."""
        return self._tls() | self._basic("another password")

    def _tls(self) -> dict[str, Any]:
        if self.profile < 2:
            return {}
        return {"ssl": ssl.create_default_context(cafile=str(self.folder / "root.pem"))}

    def _basic(self, password: str) -> dict[str, Any]:
        if self.profile not in (1, 2):
            return {}
        token = base64.b64encode(f"{IDENTITY}:{password}".encode()).decode()
        return {"additional_headers": {"Authorization": f"Basic {token}"}}

    def configure(self, state: Path, version: str, port: int, path: str = "") -> str:
        """Lay configuration and certificates over the shipped ones; returns the name of the YAML file."""
        module, name = ("OCPP", "16") if version == "1.6" else ("OCPP201", "201")
        folder = state / f"usr/share/everest/modules/{module}"
        shutil.copytree(REPOSITORY / folder.relative_to(state), folder)
        for file in folder.rglob("*.json"):
            file.write_text(file.read_text().replace("ws://localhost:9000", f"ws://127.0.0.1:{port}{path}"))
        if version == "1.6":
            self._keys_16(folder / "ocpp-config.json")
        else:
            self._variables(folder / "component_config/standardized")
        certs = state / "etc/everest/certs"
        for source, place in (
            ("root.pem", "ca/csms/CSMS_ROOT_CA.pem"),
            ("client.pem", "client/csms/CSMS_LEAF.pem"),
            ("client.key", "client/csms/CSMS_LEAF.key"),
        ):
            (certs / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / source, certs / place)
        return f"config-ac-ocpp{name}.yaml"

    def _keys_16(self, file: Path) -> None:
        keys = json.loads(file.read_text())
        keys["Security"] |= {"SecurityProfile": self.profile, "AuthorizationKey": self.password}
        file.write_text(json.dumps(keys))

    def _variables(self, folder: Path) -> None:
        self._set(folder / "SecurityCtrlr.json", "BasicAuthPassword", self.password)
        internal = folder / "InternalCtrlr.json"
        before = internal.read_text()
        after = before.replace('\\"securityProfile\\": 1', f'\\"securityProfile\\": {self.profile}')
        assert after != before or self.profile == 1
        internal.write_text(after)

    @staticmethod
    def _set(file: Path, name: str, value: Any) -> None:
        component = json.loads(file.read_text())
        component["properties"][name]["attributes"][0]["value"] = value
        file.write_text(json.dumps(component))
