"""A charger with certificates and a car with its own, over a link in memory on the virtual clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as types
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.sim import car_tls
from chargebyte_fw.sim.net import Line, MemoryNet
from tests.v2g import station
from tests.v2g.tls import pki

HASH = types.CertificateHashData(
    hash_algorithm=types.HashAlgorithm.SHA256, issuer_name_hash="00", issuer_key_hash="00", serial_number="1"
)


class StoreCommands(station.idle(EvseSecurity)):  # type: ignore[misc]
    """Answers what TLS asks, with files that the test writes."""

    def put(self, folder: Path, *leaves: pki.Party, staple: bytes = b"") -> None:
        """Make these the chains of the store."""
        folder.mkdir(parents=True, exist_ok=True)
        infos = []
        for number, leaf in enumerate(leaves):
            chain, key, response = (folder / f"{number}.{end}" for end in ("pem", "key", "der"))
            chain.write_bytes(leaf.chain_pem)
            key.write_bytes(leaf.key_pem)
            if staple:
                response.write_bytes(staple)
            ocsp = [types.CertificateOCSP(hash=HASH, ocsp_path=str(response) if staple else None)]
            infos.append(
                types.CertificateInfo(
                    key=str(key),
                    certificate_count=3,
                    certificate=str(chain),
                    certificate_root=leaf.root.pem.decode(),
                    ocsp=ocsp,
                )
            )
        self.infos = infos
        self.status = types.GetCertificateInfoStatus.Accepted if infos else types.GetCertificateInfoStatus.NotFound

    def roots(self, path: Path, *roots: pki.Party) -> None:
        """Make these the roots of cars."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(root.pem for root in roots))
        self.bundle = str(path)

    async def get_all_valid_certificates_info(self, *_: Any, **__: Any) -> types.GetCertificateFullInfoResult:
        self.asked = getattr(self, "asked", 0) + 1
        return types.GetCertificateFullInfoResult(
            status=getattr(self, "status", types.GetCertificateInfoStatus.NotFound), info=getattr(self, "infos", [])
        )

    async def get_verify_location(self, *_: Any, **__: Any) -> str:
        return str(getattr(self, "bundle", ""))

    def updated(self) -> None:
        self.certificate_store_update.publish(
            types.CertificateStoreUpdate(
                operation=types.CertificateStoreUpdateOperation.Installed,
                leaf_certificate_type=types.LeafCertificateType.V2G,
            )
        )

    def roots_updated(self) -> None:
        self.certificate_store_update.publish(
            types.CertificateStoreUpdate(
                operation=types.CertificateStoreUpdateOperation.Installed,
                ca_certificate_type=types.CaCertificateType.V2G,
            )
        )


class Store(Module):
    """A certificate store."""

    main = provides(StoreCommands)


class TlsCar(station.Car):
    """A car whose connection may have TLS."""

    line: Line | None = None

    def _act(self, effect: Any) -> None:
        match effect:
            case evcc.Connect(address, port, True):
                self.log.append(effect)
                net = MemoryNet(self.host)
                self.line = car_tls.connect(net, address, port, self, self.machine.settings, self._broken)
            case evcc.Send(data) if self.line is not None:
                self.log.append(effect)
                self.line.send(data)
            case evcc.Close() if self.line is not None:
                self.log.append(effect)
                self.line.close()
            case _:
                super()._act(effect)

    def secured(self, security: Security) -> None:
        self.security = security
        self.pump.feed(evcc.Connected(security.tls_version))

    def received(self, data: bytes) -> None:
        self.pump.feed(evcc.Received(data))

    def disconnected(self, reason: str) -> None:
        self.pump.feed(evcc.Disconnected(reason))


def identity(party: pki.Party) -> evcc.Identity:
    ders, above = [party.der], party.issuer
    while above is not None and above.issuer is not None:
        ders.append(above.der)
        above = above.issuer
    return evcc.Identity(tuple(ders), party.key_pem)


def keys(vehicle: pki.Party | None, *roots: pki.Party) -> evcc.KeyStore:
    """A car's credentials for TLS."""
    ders = tuple(root.der for root in roots)
    shown = None if vehicle is None else identity(vehicle)
    return evcc.KeyStore(evcc.Credentials(roots=ders), evcc.Credentials(vehicle=shown, roots=ders))


def settings(**values: Any) -> CarSettings:
    values.setdefault("tls", "require")
    values.setdefault("keys", keys(pki.vehicle(), pki.leaf().root))
    values.setdefault("protocols", ("ISO15118D2",))
    return CarSettings(**values)
