"""`openssl s_client` at a running charger: certificate store, listener and sockets are the product's own."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.modules.security.evse_security import EvseSecurity
from chargebyte_fw.modules.security.test_pki import make_test_pki
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.link import TLS_PORT
from tests.netns import Namespace, namespace, require
from tests.security.store import CERTS
from tests.v2g.station import Manager
from tests.v2g.tls.s_client import available

OPEN_S = 0.2
"""So long s_client keeps its connection where the charger does not end it."""


@pytest.fixture
def secc() -> Iterator[Namespace]:
    available()
    with require(), namespace("lo", "secc") as made:
        yield made


class Asked:
    """What s_client printed, and the charger logged meanwhile."""

    def __init__(self, text: str, lines: list[str]) -> None:
        self.text, self.lines = text, lines

    def has(self, *wanted: str) -> None:
        for one in wanted:
            assert one in self.text, f"{one!r} is not in:\n{self.text}\n{self.lines}"

    def logged(self, beginning: str, *wanted: str) -> None:
        (line,) = [line for line in self.lines if line.startswith(beginning)]
        for one in wanted:
            assert one in line, line


def test_each_answer_is_as_the_standard_says(
    secc: Namespace, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In each version with the OCSP response; with wrong roots; with and without a client certificate."""
    caplog.set_level(logging.INFO, "secc")
    made = make_test_pki(tmp_path / "pki", now=utc_now())
    shutil.copytree(made.certs, tmp_path / CERTS)
    roots = {standard: str(made.car(standard) / "v2g_root.pem") for standard in ("iso2", "iso20")}
    tls12 = ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256")
    tls13 = ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")

    def shown(kind: str = "") -> tuple[str, ...]:
        folder = made.car("iso20", kind)
        chain = str(folder / "vehicle.pem")
        return "-cert", chain, "-cert_chain", chain, "-key", str(folder / "vehicle.key")

    def verified(standard: str) -> tuple[str, ...]:
        return "-status", "-verify_return_error", "-CAfile", roots[standard]

    async def ask(*options: str) -> Asked:
        caplog.clear()
        command = " ".join(["openssl", "s_client", "-connect", f"[::1]:{TLS_PORT}", *options])
        process = await asyncio.create_subprocess_shell(
            f"sleep {OPEN_S} | {command}", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(20):
            printed, _ = await process.communicate()
        await asyncio.sleep(0.1)
        return Asked(printed.decode("utf-8", "replace"), list(caplog.messages))

    async def main() -> None:
        config = {"device": "lo", "enable_sdp_server": False, "supported_ISO15118_20": True}
        world = assemble(
            security=(EvseSecurity, {}),
            v2g=(EvseV2G, config, {"security": "security.main"}),
            manager=(Manager, {}, {"hlc": "v2g.charger"}),
        )
        await world.start()
        try:
            await world.modules["manager"].hlc.dlink_ready(True)
            async with asyncio.timeout(15):
                while not world.modules["v2g"].endpoints.server.offered():
                    await asyncio.sleep(0.05)
            await story()
        finally:
            await world.stop()
        failures = [str(value) for name, value in world.modules["manager"].heard if name == "hlc_session_failed"]
        assert failures.count("FailedTLSHandshake") >= 2, "it is published at most once a second"

    async def story() -> None:
        # ISO 15118-2: the suite of [V2G2-602], chain and OCSP response, no client certificate.
        it = await ask(*tls12, *verified("iso2"), *shown())
        it.has("Cipher is ECDHE-ECDSA-AES128-SHA256", "OCSP Response Status: successful", "Cert Status: good")
        it.has("Verify return code: 0 (ok)", "No client certificate CA names sent")
        it.logged("TLS 1.2 with ::1", "ECDHE-ECDSA-AES128-SHA256")
        it = await ask(*tls12, *verified("iso20"))
        it.has("unable to get")
        it.logged("no TLS with ::1", "alert 48 unknown_ca")

        # ISO 15118-20: mutual authentication ([V2G20-2400]), suites of [V2G20-2458], a chain on P-521.
        it = await ask(*tls13, *verified("iso20"), *shown())
        it.has("Cipher is TLS_AES_256_GCM_SHA384", "OCSP Response Status: successful", "Cert Status: good")
        it.has("Verify return code: 0 (ok)", "secp521r1", "Acceptable client certificate CA names")
        it.logged("TLS 1.3 with ::1", "the car shows", "CN=WMIV")
        it = await ask(*tls13, *verified("iso2"), *shown())
        it.has("unable to get")
        it.logged("no TLS with ::1", "alert 48 unknown_ca")
        it = await ask(*tls13, *verified("iso20"))
        it.has("certificate required")
        it.logged("no TLS with ::1", "shows no certificate", "116 certificate_required")
        it = await ask(*tls13, *verified("iso20"), *shown("wrong"))
        it.has("unknown ca")
        it.logged("no TLS with ::1", "its issuer is not installed", "48 unknown_ca")

        it = await ask("-tls1_1", "-cipher", "ALL@SECLEVEL=0")
        it.has("protocol version")
        it.logged("no TLS with ::1", "70 protocol_version")

        # Without a choice of its own the car gets the newest version.
        it = await ask(*verified("iso20"), *shown())
        it.has("TLSv1.3", "Verify return code: 0 (ok)")

    with secc.entered():
        clock.run(main())
