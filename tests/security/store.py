"""EvseSecurity alone on the bus, and files laid where EVerest's tools lay them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from chargebyte_fw.contracts.types.evse_security import EncodingFormat, LeafCertificateType
from chargebyte_fw.kernel.bus import run_command
from chargebyte_fw.modules.security.evse_security import EvseSecurity
from tests.security.pki import Chain

CERTS = "etc/everest/certs"
OWN = f"{CERTS}/client/cso"
V2G, CSMS = LeafCertificateType.V2G, LeafCertificateType.CSMS
PEM = EncodingFormat.PEM


def store(assemble: Callable[..., Any], **config: Any) -> Any:
    return assemble(evse_security=(EvseSecurity, {"private_key_password": "123456", **config}))


async def ask(world: Any, command: str, *args: Any) -> Any:
    return await run_command(world.provider("evse_security", "main"), command, args, {})


def running(run: Any, assemble: Any, test: Callable[[Any], Any], **config: Any) -> None:
    """Run a test with the module; it must not have failed at the end."""

    async def main() -> None:
        world = store(assemble, **config)
        await world.start()
        await test(world)
        assert not world.modules["evse_security"].failed.done()
        await world.stop()

    run(main())


def put(root: Path, place: str, *content: str | bytes) -> Path:
    path = root / CERTS / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(part.encode() if isinstance(part, str) else part for part in content))
    return path


def put_chain(root: Path, parties: Chain, *, title: str = "SECC_LEAF", password: str = "123456") -> None:
    """Lay a chain, its key and its root where EVerest's tools lay them."""
    put(root, f"client/cso/{title}.pem", parties.leaf.pem)
    put(root, f"client/cso/CPO_CERT_CHAIN_{title}.pem", parties.pem)
    put(root, f"client/cso/{title}.key", parties.leaf.key_pem(password))
    put(root, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem)


async def own_names(world: Any) -> list[str]:
    """The names of the certificate files that are given to a TLS server, first choice first."""
    answer = await ask(world, "get_all_valid_certificates_info", V2G, PEM, False)
    return [Path(info.certificate_single or info.certificate).name for info in answer.info]
