"""The power is cut at each file operation of each change: after the next start the old or the new state is whole."""

from __future__ import annotations

import base64
import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateHashData,
    EncodingFormat,
    LeafCertificateType,
)
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.modules.security import certificates, layout, retention
from chargebyte_fw.modules.security.certificate_store import CertificateStore
from chargebyte_fw.modules.security.changes import Changes
from chargebyte_fw.modules.security.layout import Layout, LeafPlace
from chargebyte_fw.modules.security.queries import Queries
from tests.security.pki import chain, issue, ocsp_about
from tests.security.power_cut import cut_at, cuts_of

V2G, CSMS = LeafCertificateType.V2G, LeafCertificateType.CSMS
ROOTS = CaCertificateType.V2G
PARTIES = chain()
RENEWED = issue("V2G leaf", PARTIES.sub2, ca=False, begin_days=-0.5, key=PARTIES.leaf.key)
OTHER_ROOT = issue("Another root")
RENEWED_ROOT = issue("V2G root", key=PARTIES.root.key, days=1000)
BEFORE = ocsp_about(PARTIES.leaf, PARTIES.sub2, now=VIRTUAL_EPOCH - timedelta(days=2))
AFTER = ocsp_about(PARTIES.leaf, PARTIES.sub2)


class Power(msgspec.Struct):
    """One charger: its disk, and what it finds there after a start."""

    disk: Path
    folder_of_roots: bool = False

    def layout(self) -> Layout:
        roots = {kind: self.disk / f"ca/{kind.value}/ROOT_CA.pem" for kind in CaCertificateType}
        if self.folder_of_roots:
            roots[ROOTS] = self.disk / "ca/V2G"
        own, csms = self.disk / "client/cso", self.disk / "client/csms"
        return Layout(roots, {CSMS: LeafPlace(csms, csms), V2G: LeafPlace(own, own)})

    def start(self) -> Changes:
        places = self.layout()
        layout.prepare(places)
        return Changes(CertificateStore(places, "", lambda text: None), random.Random(1), lambda text: None)


def first_installation(power: Power, *, leaf: bool) -> None:
    changes = power.start()
    assert changes.install_root(PARTIES.root.pem, ROOTS, VIRTUAL_EPOCH) == "Accepted"
    key = power.disk / "client/cso/SECC_LEAF_first.key"
    key.write_bytes(PARTIES.leaf.key_pem())
    key.chmod(0o600)
    if leaf:
        assert changes.install_leaf(PARTIES.pem, V2G, VIRTUAL_EPOCH) == "Accepted"
        assert changes.keep_ocsp(leaf_name(), BEFORE, VIRTUAL_EPOCH) == 1
    orphan = power.disk / "client/cso/orphan.key"
    orphan.write_bytes(OTHER_ROOT.key_pem())
    orphan.chmod(0o600)


def leaf_name() -> CertificateHashData:
    return certificates.hash_data(PARTIES.leaf.certificate, PARTIES.sub2.certificate)


def install_root(changes: Changes) -> None:
    changes.install_root(OTHER_ROOT.pem, ROOTS, VIRTUAL_EPOCH)


def replace_root(changes: Changes) -> None:
    changes.install_root(RENEWED_ROOT.pem, ROOTS, VIRTUAL_EPOCH)


def first_leaf(changes: Changes) -> None:
    changes.install_leaf(PARTIES.pem, V2G, VIRTUAL_EPOCH)


def renew_leaf(changes: Changes) -> None:
    changes.install_leaf(RENEWED.pem + PARTIES.sub2.pem + PARTIES.sub1.pem, V2G, VIRTUAL_EPOCH)


def delete_leaf(changes: Changes) -> None:
    changes.delete(leaf_name())


def delete_root(changes: Changes) -> None:
    changes.delete(certificates.hash_data(PARTIES.root.certificate, PARTIES.root.certificate))


def request(changes: Changes) -> None:
    changes.request_signature(V2G, "DE", "O", "SECC", VIRTUAL_EPOCH, 0.0, use_tpm=False)


def renew_ocsp(changes: Changes) -> None:
    changes.keep_ocsp(leaf_name(), AFTER, VIRTUAL_EPOCH)


def make_room(changes: Changes) -> None:
    for now_s in (0.0, 2 * 3600.0):
        list(retention.collect(changes, VIRTUAL_EPOCH + timedelta(days=400), now_s))


def link_roots(changes: Changes) -> None:
    Queries(changes.store).verify_location(ROOTS, VIRTUAL_EPOCH)


def check(power: Power, work: Callable[[Changes], None]) -> set[str]:
    """Everything that must hold after a start, whatever was interrupted; returns the roots and the leaf in use."""
    changes = power.start()
    store = changes.store
    for path in power.disk.rglob("*"):
        assert not path.name.endswith(".new"), f"{path} is left over"
        if path.suffix == ".pem" and path.stat().st_size:
            assert certificates.parse(path.read_bytes()), path
        if path.suffix == ".key":
            load_pem_private_key(path.read_bytes(), None)
            assert path.stat().st_mode & 0o777 == 0o600
        if path.suffix in (".hash", ".der"):
            assert path.with_suffix(".der").is_file() and path.with_suffix(".hash").is_file()
    answer = Queries(store).leaf_info(V2G, EncodingFormat.PEM, VIRTUAL_EPOCH, include_ocsp=True)
    found = {f"root {certificates.common_name(root)}" for root in store.roots(ROOTS)}
    if answer.info is not None:
        info = answer.info
        assert info.certificate_count == 3 and info.certificate is not None, "a leaf without its chain"
        chain = certificates.parse(Path(info.certificate).read_bytes())
        assert Queries(store).verify(Path(info.certificate).read_text(), [V2G], VIRTUAL_EPOCH) == "Valid" or (
            work is delete_root
        )
        found.add("new leaf" if chain[0] == RENEWED.certificate else "old leaf")
        for entry in info.ocsp or []:
            if entry.ocsp_path is not None:
                assert base64.b64encode(Path(entry.ocsp_path).read_bytes()).decode() in (BEFORE, AFTER)
    else:
        found.add(answer.status)
    return found


@pytest.mark.parametrize("folder_of_roots", [False, True])
@pytest.mark.parametrize(
    ("work", "allowed"),
    [
        (install_root, [{"root V2G root", "old leaf"}, {"root V2G root", "root Another root", "old leaf"}]),
        (replace_root, [{"root V2G root", "old leaf"}]),
        (first_leaf, [{"root V2G root", "NotFound"}, {"root V2G root", "old leaf"}]),
        (renew_leaf, [{"root V2G root", "old leaf"}, {"root V2G root", "new leaf"}]),
        (delete_leaf, [{"root V2G root", "old leaf"}, {"root V2G root", "NotFound"}]),
        (delete_root, [{"root V2G root", "old leaf"}, {"old leaf"}]),
        (request, [{"root V2G root", "old leaf"}]),
        (renew_ocsp, [{"root V2G root", "old leaf"}]),
        (make_room, [{"root V2G root", "old leaf"}, {"root V2G root", "NotFound"}]),
        (link_roots, [{"root V2G root", "old leaf"}]),
    ],
)
def test_a_power_cut_leaves_the_old_or_the_new_state(
    tmp_path: Path,
    work: Callable[[Changes], None],
    allowed: list[set[str]],
    folder_of_roots: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "KEPT_CHAINS", 0)
    prepared = Power(tmp_path / "prepared", folder_of_roots)
    first_installation(prepared, leaf=work is not first_leaf)

    def fresh(name: str) -> Power:
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        shutil.copytree(prepared.disk, tmp_path / name, symlinks=True)
        return Power(tmp_path / name, folder_of_roots)

    whole = fresh("whole")
    changes = whole.start()
    cuts = cuts_of(lambda: work(changes))
    assert cuts or (work is link_roots and not folder_of_roots)
    seen = [check(whole, work)]
    for number, lose_half in cuts:
        power = fresh("cut")
        changes = power.start()
        cut_at(number, lambda changes=changes: work(changes), lose_half=lose_half)  # type: ignore[misc]
        state = check(power, work)
        assert state in allowed, f"cut before operation {number}"
        seen.append(state)
        # What was interrupted can be done again.
        work(power.start())
        assert check(power, work) == seen[0]
    assert not cuts or all(state in seen for state in allowed)


def test_a_power_cut_in_the_first_start_leaves_what_was_shipped(tmp_path: Path) -> None:
    """The store is copied from the image where the image itself cannot be written to."""
    shipped = tmp_path / "static/etc/everest/certs/client/cso"
    shipped.mkdir(parents=True)
    for number in range(3):
        (shipped / f"{number}.pem").write_text(PARTIES.pem)

    def start(state: Path) -> Path:
        return layout.resolve(Root(tmp_path / "static", state), "client/cso")

    cuts = cuts_of(lambda: start(tmp_path / "whole"))
    assert len(cuts) > 5
    for number, lose_half in cuts:
        state = tmp_path / f"cut{number}{lose_half}"
        cut_at(number, lambda state=state: start(state), lose_half=lose_half)  # type: ignore[misc]
        found = {path.name: path.read_text() for path in start(state).iterdir()}
        assert found == {f"{number}.pem": PARTIES.pem for number in range(3)}
