"""Cases from the field: which leaf is used, what is installed in which form, renewed roots, clocks that jump."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, CertificateType
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH, utc_now
from tests.security.pki import Chain, Party, chain, issue, ocsp_about
from tests.security.store import CERTS, CSMS, OWN, PEM, V2G, ask, own_names, put, put_chain, running


def set_clock(at: datetime) -> None:
    loop: Any = asyncio.get_running_loop()
    loop.set_wall(at)


def days(at: datetime) -> float:
    return (at - VIRTUAL_EPOCH) / timedelta(days=1)


def leaf(parties: Chain, begin: datetime, end: datetime, title: str = "leaf", **how: Any) -> Party:
    return issue(title, parties.sub2, ca=False, begin_days=days(begin), days=days(end), **how)


@pytest.mark.parametrize(
    ("preference", "in_june", "in_july"), [("latest_begin", "Y.pem", "Z.pem"), ("latest_end", "X.pem", "Z.pem")]
)
@pytest.mark.ocpp("A02.FR.15", "A03.FR.15")
def test_of_overlapping_leaves_one_is_used_by_the_configured_rule(
    run: Any, assemble: Any, tmp_path: Path, preference: str, in_june: str, in_july: str
) -> None:
    """The next one is never used before its first second, and from then on at once."""
    parties = chain(days=0.1)
    july = datetime(2026, 7, 1, tzinfo=UTC)
    periods = {
        "X": (VIRTUAL_EPOCH, datetime(2026, 12, 31, tzinfo=UTC)),
        "Y": (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 9, 30, tzinfo=UTC)),
        "Z": (july, datetime(2027, 6, 30, tzinfo=UTC)),
    }
    for name, period in periods.items():
        one = leaf(parties, *period, title=name)
        put(tmp_path, f"client/cso/{name}.pem", one.pem, parties.sub2.pem, parties.sub1.pem)
        put(tmp_path, f"client/cso/{name}.key", one.key_pem())
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", issue("V2G root", key=parties.root.key, days=1000).pem)
    # Sub-CAs that last long enough are of no interest here: only leaves and roots are judged by their time.

    async def test(world: Any) -> None:
        set_clock(datetime(2026, 6, 1, tzinfo=UTC))
        assert await own_names(world) == [in_june]
        set_clock(july - timedelta(seconds=1))
        assert await own_names(world) == [in_june]
        set_clock(july)
        assert await own_names(world) == [in_july]

    running(run, assemble, test, preferred_leaf=preference)


@pytest.mark.ocpp("A02.FR.09", "A03.FR.09", "A00.FR.430")
def test_towards_a_csms_the_newest_valid_certificate_is_used_and_an_expired_one_where_there_is_no_other(
    run: Any, assemble: Any, tmp_path: Path
) -> None:
    """The CSMS decides about an expired one, and can renew it over that connection; a car gets none."""
    parties = chain(days=0.1)
    july, june_30 = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 6, 30, tzinfo=UTC)
    periods = {
        "old": (VIRTUAL_EPOCH, datetime(2027, 12, 31, tzinfo=UTC)),
        "new": (july, datetime(2026, 9, 1, tzinfo=UTC)),
    }
    periods["gone"] = (VIRTUAL_EPOCH + timedelta(days=1), june_30)
    for folder in ("csms", "cso"):
        for name, period in periods.items():
            if folder == "cso" and name != "gone":
                continue
            one = leaf(parties, *period, title=name)
            put(tmp_path, f"client/{folder}/{name}.pem", one.pem, parties.sub2.pem, parties.sub1.pem)
            put(tmp_path, f"client/{folder}/{name}.key", one.key_pem())
    put(tmp_path, "ca/csms/CSMS_ROOT_CA.pem", issue("root", key=parties.root.key, days=1000).pem)

    async def used(world: Any, kind: Any) -> str:
        answer = await ask(world, "get_leaf_certificate_info", kind, PEM, False)
        return Path(answer.info.key).name if answer.info is not None else answer.status.value

    async def test(world: Any) -> None:
        for at, name in ((june_30 - timedelta(days=1), "gone.key"), (june_30 + timedelta(hours=1), "old.key")):
            set_clock(at)
            assert await used(world, CSMS) == name
        set_clock(july)
        assert await used(world, CSMS) == "new.key"
        set_clock(datetime(2028, 1, 1, tzinfo=UTC))
        assert await used(world, CSMS) == "new.key", "expired, as all of them are"
        assert await used(world, V2G) == "NotFoundValid"

    running(run, assemble, test)


def test_a_leaf_of_each_kind_of_key_is_given_for_the_same_root(run: Any, assemble: Any, tmp_path: Path) -> None:
    """TLS 1.2 and TLS 1.3 of ISO 15118 want different curves."""
    from cryptography.hazmat.primitives.asymmetric import ec

    parties = chain()
    put_chain(tmp_path, parties)
    other = leaf(parties, VIRTUAL_EPOCH, VIRTUAL_EPOCH + timedelta(days=9), key=ec.generate_private_key(ec.SECP521R1()))
    put(tmp_path, "client/cso/B.pem", other.pem, parties.sub2.pem, parties.sub1.pem)
    put(tmp_path, "client/cso/B.key", other.key_pem())

    async def test(world: Any) -> None:
        assert sorted(await own_names(world)) == ["B.pem", "SECC_LEAF.pem"]

    running(run, assemble, test)


def test_a_leaf_that_is_not_valid_yet_is_asked_about_already(run: Any, assemble: Any, tmp_path: Path) -> None:
    """Its OCSP responses are then there when it is first used ([V2G20-1021])."""
    put_chain(tmp_path, chain(begin_days=1))

    async def test(world: Any) -> None:
        assert len((await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list) == 3

    running(run, assemble, test)


@pytest.mark.parametrize("place", ["ca/v2g/V2G_ROOT_CA.pem", "ca/v2g"])
@pytest.mark.parametrize("which", ["sub1", "leaf"])
def test_what_did_not_sign_itself_is_not_installed_as_a_root(
    run: Any, assemble: Any, tmp_path: Path, place: str, which: str
) -> None:
    parties = chain()

    async def test(world: Any) -> None:
        kind = CaCertificateType.V2G
        assert await ask(world, "install_ca_certificate", parties.root.pem, kind) == "Accepted"
        before = {path: path.read_bytes() for path in (tmp_path / CERTS / "ca/v2g").iterdir()}
        for pem in (getattr(parties, which).pem, issue("Another root").pem + getattr(parties, which).pem):
            assert await ask(world, "install_ca_certificate", pem, kind) == "InvalidCertificateChain"
        assert {path: path.read_bytes() for path in (tmp_path / CERTS / "ca/v2g").iterdir()} == before

    running(run, assemble, test, v2g_ca_bundle=place)


@pytest.mark.parametrize(
    ("domain", "result"), [("CPO", "Accepted"), ("CSO", "Accepted"), ("CSMS", "InvalidCommonName"), ("", "Accepted")]
)
def test_the_charger_s_certificate_is_one_of_an_operator(
    run: Any, assemble: Any, tmp_path: Path, domain: str, result: str
) -> None:
    """[V2G2-925]; towards a CSMS any name will do (the empty row)."""
    parties = chain()
    put_chain(tmp_path, parties)
    put(tmp_path, "ca/csms/CSMS_ROOT_CA.pem", parties.root.pem)
    kind = V2G if domain else CSMS
    folder = OWN if domain else f"{CERTS}/client/csms"

    async def test(world: Any) -> None:
        new = issue("new", parties.sub2, ca=False, begin_days=-0.5, domain=domain or "anything")
        put(tmp_path, f"{folder.removeprefix(CERTS + '/')}/new.key", new.key_pem())
        before = await own_names(world)
        pem = new.pem + parties.sub2.pem + parties.sub1.pem
        assert await ask(world, "update_leaf_certificate", pem, kind) == result
        assert (await own_names(world) == before) == (result != "Accepted" or not domain)

    running(run, assemble, test)


def stacks(parties: Chain) -> Iterator[tuple[str, str]]:
    """Ways to write the same chain, and the result of installing it."""
    leaf, sub2, sub1, root = (party.pem for party in (parties.leaf, parties.sub2, parties.sub1, parties.root))
    yield leaf + sub2 + sub1 + root, "Accepted"
    yield leaf + sub1 + sub2, "Accepted"
    yield "Bag Attributes\n  friendlyName: x\n" + leaf + "subject=CN = x\n" + sub2 + sub1 + "end\n", "Accepted"
    yield (leaf + sub2 + sub1).replace("\n", "\r\n"), "Accepted"
    yield leaf + sub2 + issue("Another root").pem + sub1 + leaf, "Accepted"
    yield sub2 + leaf + sub1, "InvalidCertificateChain"
    yield root + leaf + sub2 + sub1, "InvalidCertificateChain"


@pytest.mark.parametrize("number", range(7))
def test_a_delivered_stack_is_stored_as_a_chain_without_its_root(
    run: Any, assemble: Any, tmp_path: Path, number: int
) -> None:
    parties = chain()
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem)
    put(tmp_path, "client/cso/key.key", parties.leaf.key_pem())
    pem, result = list(stacks(parties))[number]

    async def test(world: Any) -> None:
        assert await ask(world, "update_leaf_certificate", pem, V2G) == result
        chains = [path.read_text() for path in (tmp_path / OWN).glob("*.pem") if "CHAIN" in path.name]
        assert chains == ([parties.pem] if result == "Accepted" else [])

    running(run, assemble, test)


@pytest.mark.parametrize("upper", [False, True])
def test_a_deleted_leaf_leaves_nothing_but_a_key_that_is_shared(
    run: Any, assemble: Any, tmp_path: Path, upper: bool
) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    put(tmp_path, "client/cso/COPY.pem", parties.pem)
    renewed = leaf(parties, VIRTUAL_EPOCH, VIRTUAL_EPOCH + timedelta(days=9), key=parties.leaf.key)

    async def test(world: Any) -> None:
        (data, *_) = (await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list
        name = data.certificate_hash_data
        await ask(world, "update_ocsp_cache", name, ocsp_about(parties.leaf, parties.sub2))
        put(tmp_path, "client/cso/RENEWED.pem", renewed.pem, parties.sub2.pem, parties.sub1.pem)
        if upper:
            name.serial_number = "00" + name.serial_number.upper()
            name.issuer_key_hash, name.issuer_name_hash = name.issuer_key_hash.upper(), name.issuer_name_hash.upper()
        assert await ask(world, "delete_certificate", name) == "Accepted"
        left = sorted(path.name for path in (tmp_path / OWN).rglob("*") if path.is_file())
        assert left == ["RENEWED.pem", "SECC_LEAF.key"]
        assert await own_names(world) == ["RENEWED.pem"]
        assert await ask(world, "delete_certificate", name) == "NotFound"

    running(run, assemble, test)


def test_a_root_and_its_successor_of_the_same_name(run: Any, assemble: Any, tmp_path: Path) -> None:
    old = issue("Root", days=-0.5, begin_days=-300)
    new = issue("Root")
    cross = issue("Root", old, key=new.key)
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", old.pem, new.pem)
    below_new, below_old = chain(root=new), chain(root=old)

    async def test(world: Any) -> None:
        assert await ask(world, "verify_certificate", below_new.pem + cross.pem, [V2G]) == "Valid"
        assert await ask(world, "verify_certificate", below_old.pem, [V2G]) == "IssuerNotFound"
        forged = chain(root=issue("Root"))
        assert await ask(world, "verify_certificate", forged.pem, [V2G]) == "InvalidSignature"

    running(run, assemble, test)


def test_a_renewed_root_with_the_same_key_is_the_one_that_counts(run: Any, assemble: Any, tmp_path: Path) -> None:
    old = issue("V2G root", days=-0.5, begin_days=-300)
    new = issue("V2G root", key=old.key)
    parties = chain(root=old)
    put_chain(tmp_path, parties)
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", old.pem, new.pem)

    async def test(world: Any) -> None:
        assert await ask(world, "verify_certificate", parties.pem, [V2G]) == "Valid"
        (info,) = (await ask(world, "get_all_valid_certificates_info", V2G, PEM, False)).info
        assert info.certificate_root == new.pem

    running(run, assemble, test)


@pytest.fixture(params=["XXX+7", "XXX-9", "UTC"])
def zone(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A time zone for the whole process (POSIX: `XXX+7` is seven hours west)."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_validity_is_in_utc_whatever_the_time_zone(run: Any, assemble: Any, tmp_path: Path, zone: str) -> None:
    begun, over = chain(begin_days=-1 / 24), chain(days=-1 / 24)
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", begun.root.pem, over.root.pem)
    put(tmp_path, "client/cso/begun.pem", begun.pem)
    put(tmp_path, "client/cso/begun.key", begun.leaf.key_pem())

    async def test(world: Any) -> None:
        assert await own_names(world) == ["begun.pem"]
        assert await ask(world, "verify_certificate", over.pem, [V2G]) == "Expired"
        assert await ask(world, "get_leaf_expiry_days_count", V2G) == 365

    running(run, assemble, test)


def test_a_clock_that_lost_the_time_is_a_fault_and_one_warning(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put_chain(tmp_path, chain())
    lines: list[str] = []

    async def main() -> None:
        from tests.security.store import store

        set_clock(datetime(1970, 1, 1, 0, 0, 42, tzinfo=UTC))
        world = store(assemble)
        provider = world.provider("evse_security", "main")
        updates: list[Any] = []
        await world.start()
        provider.certificate_store_update.subscribe(updates.append)
        await asyncio.sleep(1)
        for _ in range(5):
            assert (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).status == "NotFoundValid"
        (fault,) = provider.faults.active
        assert (fault.type, fault.sub_type) == ("generic/VendorWarning", "ClockNotTrusted")
        await asyncio.sleep(600)
        lines.extend(r.getMessage() for r in caplog.records if r.levelname == "WARNING" and "closed" not in r.message)
        assert updates == []
        set_clock(datetime(2026, 6, 1, tzinfo=UTC))
        await asyncio.sleep(0.1)
        assert (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).status == "Accepted"
        assert provider.faults.active == ()
        assert {(u.operation, u.leaf_certificate_type, u.ca_certificate_type) for u in updates} == {
            ("Installed", V2G, None), ("Installed", None, CaCertificateType.V2G),
        }  # fmt: skip
        await world.stop()

    run(main())
    (line,) = lines
    assert "1970-01-01T00:00:42Z cannot be right" in line and "2025-12-31T00:00:00Z" in line


def test_a_clock_that_went_back_before_an_installed_root_is_noticed(run: Any, assemble: Any, tmp_path: Path) -> None:
    put_chain(tmp_path, chain())

    async def test(world: Any) -> None:
        faults = world.provider("evse_security", "main").faults
        assert not faults.active
        set_clock(VIRTUAL_EPOCH - timedelta(days=200))
        await asyncio.sleep(0.1)
        assert faults.is_active("generic/VendorWarning", "ClockNotTrusted")

    running(run, assemble, test)


def test_a_leaf_that_becomes_valid_or_expires_is_published_in_time(run: Any, assemble: Any, tmp_path: Path) -> None:
    parties = chain(begin_days=0.1, days=0.2)
    put_chain(tmp_path, parties)

    async def test(world: Any) -> None:
        updates: list[tuple[str, datetime]] = []
        provider = world.provider("evse_security", "main")
        provider.certificate_store_update.subscribe(lambda u: updates.append((u.operation, utc_now())))
        await asyncio.sleep(0.3 * 86400)
        (begun, over) = updates
        assert begun[0] == "Installed" and over[0] == "Deleted"
        for (_, at), day in zip(updates, (0.1, 0.2)):
            assert timedelta() <= at - VIRTUAL_EPOCH - timedelta(days=day) <= timedelta(seconds=2)

    running(run, assemble, test)


def test_keys_are_for_the_charger_alone_also_those_that_were_not(run: Any, assemble: Any, tmp_path: Path) -> None:
    put_chain(tmp_path, chain())
    key = tmp_path / OWN / "SECC_LEAF.key"
    key.chmod(0o644)
    key.parent.chmod(0o755)

    async def test(world: Any) -> None:
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.parent.stat().st_mode & 0o777 == 0o700
        await ask(world, "generate_certificate_signing_request", V2G, "DE", "O", "CN", False)
        assert {path.stat().st_mode & 0o777 for path in key.parent.glob("*.key")} == {0o600}

    running(run, assemble, test)


def test_of_three_requested_keys_the_answered_one_is_paired_and_the_others_age_out(
    run: Any, assemble: Any, tmp_path: Path, mocker: Any
) -> None:
    parties = chain()
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem)

    async def test(world: Any) -> None:
        requests = []
        for _ in range(3):
            answer = await ask(world, "generate_certificate_signing_request", V2G, "DE", "O", "SECC1", False)
            requests.append(x509.load_pem_x509_csr(answer.csr.encode()))
        assert requests[0].subject.rfc4514_string() == "DC=CPO,CN=SECC1,O=O,C=DE"
        new = issue("SECC1", parties.sub2, ca=False, public_key=requests[1].public_key())  # type: ignore[arg-type]
        pem = new.pem + parties.sub2.pem + parties.sub1.pem
        assert await ask(world, "update_leaf_certificate", pem, V2G) == "Accepted"
        mocker.patch("chargebyte_fw.modules.security.layout.FULL_BYTES", 0)
        await asyncio.sleep(90 * 60)
        (key,) = (tmp_path / OWN).glob("*.key")
        assert load_pem_private_key(key.read_bytes(), b"123456").public_key() == requests[1].public_key()

    running(run, assemble, test)


@pytest.mark.parametrize(
    ("password", "begin"), [("", b"-----BEGIN PRIVATE KEY-----"), ("x", b"-----BEGIN ENCRYPTED PRIVATE KEY-----")]
)
def test_a_new_key_is_encrypted_with_a_password_only(
    run: Any, assemble: Any, tmp_path: Path, password: str, begin: bytes
) -> None:
    async def test(world: Any) -> None:
        await ask(world, "generate_certificate_signing_request", V2G, "DE", "O", "CN", False)
        (key,) = (tmp_path / OWN).glob("*.key")
        assert key.read_bytes().startswith(begin)

    running(run, assemble, test, private_key_password=password)


# OCSP responses


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (lambda c: ocsp_about(c.sub2, c.sub1), "about another certificate"),
        (lambda c: ocsp_about(c.leaf, issue("V2G sub 2")), "its signature is not of the issuer"),
        (lambda c: base64.b64encode(b"\x30\x03\x0a\x01\x06").decode(), "unauthorized"),
        (lambda c: base64.b64encode(b"\x30\x03abc").decode(), "is not kept"),
        (lambda c: base64.b64encode(b"").decode(), "is not kept"),
    ],
)
def test_a_response_that_cars_would_not_believe_is_not_kept(
    run: Any, assemble: Any, tmp_path: Path, response: Any, reason: str
) -> None:
    from chargebyte_fw.kernel.errors import CommandError

    parties = chain()
    put_chain(tmp_path, parties)

    async def test(world: Any) -> None:
        (data, *_) = (await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list
        with pytest.raises(CommandError, match=reason):
            await ask(world, "update_ocsp_cache", data.certificate_hash_data, response(parties))
        assert not (tmp_path / OWN / "ocsp").exists()

    running(run, assemble, test)


@pytest.mark.parametrize("which", ["leaf", "sub2"])
def test_a_revoked_chain_is_not_used_and_its_reason_is_logged_once(
    run: Any, assemble: Any, tmp_path: Path, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    parties = chain()
    put_chain(tmp_path, parties)
    party, issuer = (parties.leaf, parties.sub2) if which == "leaf" else (parties.sub2, parties.sub1)

    async def test(world: Any) -> None:
        data = (await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list
        name = data[0 if which == "leaf" else 1].certificate_hash_data
        await ask(world, "update_ocsp_cache", name, ocsp_about(party, issuer, revoked=True))
        update = world.provider("evse_security", "main").certificate_store_update.value
        assert (update.operation, update.leaf_certificate_type) == ("Installed", V2G)
        for _ in range(3):
            assert (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).status == "NotFoundValid"
        await ask(world, "update_ocsp_cache", name, ocsp_about(party, issuer))
        assert (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).status == "Accepted"

    running(run, assemble, test)
    lines = [record.getMessage() for record in caplog.records if "is not used" in record.getMessage()]
    assert len(lines) == 1 and "revoked by its issuer" in lines[0]


def test_a_response_is_kept_for_the_names_of_every_hash_algorithm(run: Any, assemble: Any, tmp_path: Path) -> None:
    from chargebyte_fw.contracts.types.evse_security import HashAlgorithm
    from chargebyte_fw.modules.security.certificates import hash_data

    parties = chain()
    put_chain(tmp_path, parties)
    name = hash_data(parties.leaf.certificate, parties.sub2.certificate, HashAlgorithm.SHA512)

    async def test(world: Any) -> None:
        await ask(world, "update_ocsp_cache", name, ocsp_about(parties.leaf, parties.sub2))
        info = (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).info
        assert info.ocsp[0].ocsp_path is not None

    running(run, assemble, test)


@pytest.mark.parametrize("places", [{}, {"v2g_ca_bundle": "ca/v2g", "oem_ca_bundle": "ca/oem"}])
def test_roots_of_vehicles_are_trust_anchors_beside_those_of_v2g_and_nothing_else(
    run: Any, assemble: Any, tmp_path: Path, places: dict[str, str]
) -> None:
    """[V2G20-2331]: not those of contracts."""
    v2g, oem, mo = issue("V2G"), issue("OEM"), issue("MO")
    kind = CaCertificateType.V2G

    async def test(world: Any) -> None:
        (place,) = (tmp_path / CERTS / "ca").glob("oem*")
        assert os.listdir(place) == ([] if places else ["OEM_ROOT_CA.pem"])
        await ask(world, "install_ca_certificate", mo.pem, CaCertificateType.MO)
        assert await ask(world, "get_verify_location", kind) == ""
        put(tmp_path, "ca/oem/OEM_ROOT_CA.pem", oem.pem)
        for _ in range(2):
            assert Path(await ask(world, "get_verify_location", kind)).read_text() == oem.pem
        await ask(world, "install_ca_certificate", v2g.pem, kind)
        assert Path(await ask(world, "get_verify_location", kind)).read_text() == v2g.pem + oem.pem
        assert Path(await ask(world, "get_verify_file", kind)).read_text() == v2g.pem
        listed = await ask(world, "get_installed_certificates", list(CertificateType))
        assert len(listed.certificate_hash_data_chain) == 2
        vehicle = issue("vehicle", oem, ca=False)
        assert await ask(world, "verify_certificate", vehicle.pem, [V2G]) == "IssuerNotFound"

    running(run, assemble, test, **places)


def test_a_response_about_a_certificate_that_is_gone_is_dropped_from_a_full_store(
    run: Any, assemble: Any, tmp_path: Path, mocker: Any
) -> None:
    """Beside the charger's chains, and beside the bundle, where those about sub-CAs of the bundle are."""
    parties = chain()
    put_chain(tmp_path, parties)
    put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem, parties.sub1.pem)

    async def test(world: Any) -> None:
        for data in (await ask(world, "get_v2g_ocsp_request_data")).ocsp_request_data_list[1:]:
            name = data.certificate_hash_data
            sub2 = name.serial_number == f"{parties.sub2.certificate.serial_number:x}"
            about = (parties.sub2, parties.sub1) if sub2 else (parties.sub1, parties.root)
            await ask(world, "update_ocsp_cache", name, ocsp_about(*about))
        kept = sorted(str(path.parent.parent.name) for path in (tmp_path / CERTS).rglob("*.hash"))
        assert kept == ["cso", "cso", "v2g"]
        put(tmp_path, "ca/v2g/V2G_ROOT_CA.pem", parties.root.pem)
        for path in (tmp_path / OWN).glob("*.pem"):
            path.unlink()
        mocker.patch("chargebyte_fw.modules.security.layout.FULL_BYTES", 0)
        await asyncio.sleep(20 * 60 + 1)
        assert not list((tmp_path / CERTS).rglob("*.hash")) and not list((tmp_path / CERTS).rglob("*.der"))

    running(run, assemble, test)


def test_a_key_inside_a_tpm_is_named_as_what_it_is(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parties = chain()
    put(tmp_path, "client/cso/leaf.pem", parties.pem)
    put(tmp_path, "client/cso/leaf.tkey", "-----BEGIN TSS2 PRIVATE KEY-----")

    async def test(world: Any) -> None:
        await asyncio.sleep(1)
        assert (await ask(world, "get_leaf_certificate_info", V2G, PEM, True)).status == "PrivateKeyNotFound"

    running(run, assemble, test)
    assert any("keys inside a TPM (.tkey) are not supported" in record.getMessage() for record in caplog.records)
