"""OCSP responses are renewed in time, by a responder in memory and by one at HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import ocsp

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, utc_now
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.security import issuing, responder_link
from tests.security.pki import Chain, chain
from tests.security.store import CERTS, OWN, PEM, V2G, ask, put_chain, store

URLS = {name: f"http://ocsp.test/{name}" for name in ("leaf", "sub2", "sub1")}


class Responder:
    """The responder of a chain, in memory."""

    def __init__(self, parties: Chain) -> None:
        root, sub1 = issuing.Party(parties.root.certificate, parties.root.key), None
        sub1 = issuing.Party(parties.sub1.certificate, parties.sub1.key, root)
        sub2 = issuing.Party(parties.sub2.certificate, parties.sub2.key, sub1)
        self.parties = [sub1, sub2, issuing.Party(parties.leaf.certificate, parties.leaf.key, sub2)]
        self.revoked: list[issuing.Party] = []
        self.asked: list[float] = []
        self.down = False

    def __call__(self, request: bytes) -> bytes:
        self.asked.append((utc_now() - VIRTUAL_EPOCH) / timedelta(days=1))
        if self.down:
            raise OSError(111, "Connection refused")
        return issuing.answer_ocsp(request, self.parties, self.revoked, now=utc_now())


def charger(run: Any, assemble: Any, responder: Responder, test: Any) -> None:
    async def main() -> None:
        wires = Wires()
        for url in URLS.values():
            wires.plug(f"ocsp:{url}", responder)
        world = store(assemble, ocsp_renewal=True)
        world.runtime.wires._ends.update(wires._ends)
        await world.start()
        await test(world)
        assert not world.modules["evse_security"].failed.done()
        await world.stop()

    run(main())


async def ocsp_paths(world: Any) -> list[str | None]:
    answer = await ask(world, "get_leaf_certificate_info", V2G, PEM, True)
    return [entry.ocsp_path for entry in answer.info.ocsp]


def test_responses_are_fetched_at_the_start_and_renewed_after_half_of_their_time(
    run: Any, assemble: Any, tmp_path: Path
) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    responder = Responder(parties)

    async def test(world: Any) -> None:
        await asyncio.sleep(1)
        assert all(await ocsp_paths(world)) and len(responder.asked) == 3
        update = world.provider("evse_security", "main").certificate_store_update.value
        assert (update.operation, update.leaf_certificate_type) == ("Installed", V2G)
        for days, asked in ((3.4, 3), (3.6, 6)):
            loop: Any = asyncio.get_running_loop()
            loop.set_wall(VIRTUAL_EPOCH + timedelta(days=days))
            await asyncio.sleep(601)
            assert len(responder.asked) == asked

    charger(run, assemble, responder, test)


def test_a_responder_that_is_down_is_asked_again_and_is_one_line(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    responder = Responder(parties)
    responder.down = True

    async def test(world: Any) -> None:
        await asyncio.sleep(3600)
        assert await ocsp_paths(world) == [None, None, None]
        responder.down = False
        await asyncio.sleep(601)
        assert all(await ocsp_paths(world))

    charger(run, assemble, responder, test)
    assert sum("no OCSP response about" in record.getMessage() for record in caplog.records) == 3


def test_a_revocation_is_noticed_and_ends_the_asking(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    responder = Responder(parties)
    responder.revoked = [responder.parties[2]]

    async def test(world: Any) -> None:
        await asyncio.sleep(1)
        assert (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).status == "NotFoundValid"

    charger(run, assemble, responder, test)


def test_a_refusal_is_not_kept(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties, other = chain(), chain()
    put_chain(tmp_path, parties)
    forger = Responder(parties)
    forger.parties = Responder(other).parties

    async def test(world: Any) -> None:
        await asyncio.sleep(1)
        assert not (tmp_path / OWN / "ocsp").exists()
        assert len(forger.asked) == 3

    charger(run, assemble, forger, test)
    assert (tmp_path / CERTS).is_dir()


class _Handler(BaseHTTPRequestHandler):
    answers: dict[str, bytes] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/echo" and self.headers["Content-Type"] == "application/ocsp-request":
            answer = body
        elif self.path == "/large":
            answer = bytes(responder_link.LARGEST_RESPONSE_BYTES + 1)
        else:
            self.send_error(500)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_responder_at_http(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def post(path: str) -> bytes:
        return asyncio.run(responder_link.ask(Wires(), path, b"request"))

    assert post(f"{server}/echo") == b"request"
    with pytest.raises(ValueError, match="larger than"):
        post(f"{server}/large")
    with pytest.raises(OSError, match="500"):
        post(f"{server}/error")
    with pytest.raises(OSError, match=r"refused|111"):
        post("http://127.0.0.1:1/")
    for url in ("file:///etc/passwd", "ldap://x"):
        with pytest.raises(ValueError, match="not reached by HTTP"):
            post(url)
    with pytest.raises((OSError, ValueError)):
        post("http://[::1/")


def test_what_is_asked_is_a_request_by_rfc_6960(tmp_path: Path, run: Any, assemble: Any) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    seen: list[int] = []

    class Reader(Responder):
        def __call__(self, request: bytes) -> bytes:
            seen.append(ocsp.load_der_ocsp_request(request).serial_number)
            return super().__call__(request)

    async def test(world: Any) -> None:
        await asyncio.sleep(1)

    charger(run, assemble, Reader(parties), test)
    assert sorted(seen) == sorted(each.certificate.serial_number for each in (parties.leaf, parties.sub2, parties.sub1))
