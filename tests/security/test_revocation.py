"""Whether a contract was revoked is asked of the responders that its certificates name, for a bounded time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, utc_now
from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki
from tests.security.store import CERTS, store

URL = "ocsp:http://ocsp.test.invalid/iso2"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=VIRTUAL_EPOCH)


def answers(run: Any, assemble: Any, root: Path, pki: Pki, responder: Any, kind: str = "", **config: Any) -> str:
    """What the store answers about a contract of the test infrastructure."""
    shutil.copytree(pki.certs, root / CERTS, dirs_exist_ok=True)
    found: list[str] = []

    async def main() -> None:
        world = store(assemble, **{"contract_revocation": True, **config})
        world.runtime.wires.plug(URL, responder)
        await world.start()
        consumer: Any = world.provider("evse_security", "main")
        found.append(await consumer.revoked((pki.car("iso2", kind) / "contract.pem").read_text()))
        await world.stop()

    run(main())
    return found[0]


def refused(_request: bytes) -> bytes:
    raise OSError(111, "Connection refused")


@pytest.mark.parametrize(
    ("kind", "config", "revoked"),
    [("", {}, False), ("revoked", {}, True), ("revoked", {"contract_revocation": False}, False), ("wrong", {}, False)],
)
def test_what_the_responder_states_holds(
    run: Any, assemble: Any, tmp_path: Path, pki: Pki, kind: str, config: dict[str, Any], revoked: bool
) -> None:
    def responder(request: bytes) -> bytes:
        return pki.answer_ocsp(request, now=utc_now())

    why = answers(run, assemble, tmp_path, pki, responder, kind, **config)
    assert bool(why) is revoked and ("revoked by its issuer" in why) is revoked


@pytest.mark.parametrize("responder", [refused, lambda _: b"", lambda request: request])
def test_a_responder_without_an_answer_revokes_nothing(
    run: Any, assemble: Any, tmp_path: Path, pki: Pki, responder: Any, caplog: Any
) -> None:
    caplog.set_level("INFO")
    assert answers(run, assemble, tmp_path, pki, responder, "revoked") == ""
    assert "no OCSP response about" in caplog.text


def test_an_old_answer_and_one_of_a_stranger_revoke_nothing(run: Any, assemble: Any, tmp_path: Path, pki: Pki) -> None:
    other = make_test_pki(tmp_path / "other", now=VIRTUAL_EPOCH)
    old = VIRTUAL_EPOCH.replace(year=VIRTUAL_EPOCH.year - 1)
    root = tmp_path / "root"
    assert answers(run, assemble, root, pki, lambda request: pki.answer_ocsp(request, now=old), "revoked") == ""
    assert answers(run, assemble, root, pki, other.answer_ocsp, "revoked") == ""
