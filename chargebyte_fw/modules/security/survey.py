"""A store as a technician wants to see it: each certificate below its issuer, whether it is used, and why not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, LeafCertificateType
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security.certificate_store import ROOT_OF, CertificateStore, Leaf
from chargebyte_fw.modules.security.certificates import Certificate
from chargebyte_fw.modules.security.judgement import date, doubt, judge
from chargebyte_fw.modules.security.layout import Preference
from chargebyte_fw.modules.security.ocsp_responses import Status

SOON = timedelta(days=30)
"""A certificate that expires sooner is one to look after."""
CA_TITLES = {
    CaCertificateType.V2G: "V2G root",
    CaCertificateType.MO: "mobility operator's root",
    CaCertificateType.CSMS: "CSMS root",
    CaCertificateType.MF: "manufacturer's root",
}
LEAF_TITLES = {
    LeafCertificateType.V2G: "this charger, towards cars",
    LeafCertificateType.CSMS: "this charger, towards the CSMS",
}
OEM_TITLE = "vehicle manufacturer's root"


class State(StrEnum):
    """How a certificate stands."""

    USED = "used"
    SPARE = "spare"
    """It could be used; another one is preferred."""
    UNUSABLE = "unusable"
    MISSING = "missing"
    """The issuer of another one, which is not installed."""


class Node(msgspec.Struct, kw_only=True):
    """One certificate with those that it issued."""

    name: str
    role: str
    state: State
    why: str = ""
    """Why it is used or not, in words."""
    serial: str = ""
    key_kind: str = ""
    begin: datetime | None = None
    end: datetime | None = None
    own: bool = False
    """Whether it is one of this charger, which needs a private key."""
    key: Path | None = None
    ocsp: str = ""
    """What the kept OCSP response states, and its age."""
    ocsp_stale: bool = False
    files: list[Path] = []
    children: list[Node] = []


class Place(msgspec.Struct, kw_only=True):
    """The certificates of one purpose."""

    title: str
    kind: str
    """`V2G`, `MO`, `CSMS`, `MF`, `OEM`."""
    where: list[Path]
    trees: list[Node] = []


class Survey(msgspec.Struct, kw_only=True):
    """The whole store at a time."""

    at: datetime
    clock: str = ""
    """Why the system time cannot be right."""
    places: list[Place] = []
    waiting_keys: list[Path] = []
    """Keys without a certificate."""

    def problems(self, soon: timedelta = SOON) -> list[str]:
        """Return what a technician has to do something about, each in one line."""
        found = [self.clock] if self.clock else []
        for place in self.places:
            leaves = [node for tree in place.trees for node in walk(tree) if node.own]
            used = [node for node in leaves if node.state is State.USED]
            if leaves and not used:
                found.append(f"{place.title}: none of {len(leaves)} certificates of this charger can be used")
            for tree in place.trees:
                found += [f"{place.title}: {text}" for node in walk(tree) for text in _complaints(node, self.at, soon)]
        return found


def _complaints(node: Node, at: datetime, soon: timedelta) -> Iterable[str]:
    label = f"{node.name} (serial {node.serial})" if node.serial else node.name
    if node.state in (State.UNUSABLE, State.MISSING):
        yield f"{label}: {node.why}"
    elif node.end is not None and node.end - at < soon:
        yield f"{label} expires on {date(node.end)}"
    if node.ocsp_stale and node.state is State.USED:
        yield f"{label}: {node.ocsp}"


def walk(node: Node) -> Iterable[Node]:
    """Return a certificate and everything below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def survey(store: CertificateStore, at: datetime) -> Survey:
    """Look at everything in a store."""
    places = [_place(store, kind, at) for kind in _PLACE_TITLES]
    if (oem := store.layout.oem_roots) is not None:
        trees = [_root_node(root, OEM_TITLE, at, [oem]) for root in store.vehicle_roots()]
        places.insert(2, Place(title="vehicle manufacturers", kind="OEM", where=[oem], trees=trees))
    paired = {store.key_of(leaf, kind) for kind in store.layout.leaves for leaf in store.leaves(kind)}
    keys = {path for kind in store.layout.leaves for path in store.key_files(kind)}
    return Survey(at=at, clock=doubt(store, at), places=places, waiting_keys=sorted(keys - paired))


_PLACE_TITLES = {
    CaCertificateType.V2G: "cars",
    CaCertificateType.MO: "contracts",
    CaCertificateType.CSMS: "CSMS",
    CaCertificateType.MF: "firmware",
}


def _place(store: CertificateStore, kind: CaCertificateType, at: datetime) -> Place:
    """Return roots, what is below them in the bundle, and the charger's own chains that lead to them."""
    bundle = store.bundle(kind)
    files = {
        x509.fingerprint(each): path for path in store.bundle_files(kind) for each in store.read(path, partly=True)
    }
    nodes: dict[bytes, Node] = {}
    trees: list[Node] = []
    issuers = x509.Issuers(bundle)
    for certificate in sorted(bundle, key=lambda each: not x509.is_self_signed(each)):
        mark = x509.fingerprint(certificate)
        role = CA_TITLES[kind] if store.is_root(certificate, kind) else "sub-CA, in the bundle"
        node = nodes[mark] = _root_node(certificate, role, at, [files[mark]])
        issuer = None if x509.is_self_signed(certificate) else issuers.of(certificate)
        _hang(nodes, trees, node, issuer)
    where = [store.layout.roots[kind]]
    for leaf_kind, ca in ROOT_OF.items():
        if ca is kind and leaf_kind in store.layout.leaves:
            where.append(store.layout.leaves[leaf_kind].certificates)
            _add_leaves(store, leaf_kind, at, nodes, trees)
    return Place(title=_PLACE_TITLES[kind], kind=kind.value, where=where, trees=trees)


def _add_leaves(
    store: CertificateStore, kind: LeafCertificateType, at: datetime, nodes: dict[bytes, Node], trees: list[Node]
) -> None:
    """Add the charger's own chains, one below the other where they share authorities."""
    bundle = store.bundle(ROOT_OF[kind])
    chosen: dict[tuple[bytes, str], Leaf] = {}
    for leaf in store.leaves(kind):
        issuers = x509.Issuers([*leaf.chain, *bundle])
        path = [leaf.certificate]
        while len(path) < x509.MAX_CHAIN:
            issuer = issuers.of(path[-1])
            if issuer is None or issuer in path:
                break
            path.append(issuer)
        top = path[-1]
        for number in range(len(path) - 1, 0, -1):
            mark = x509.fingerprint(path[number])
            if mark not in nodes:
                nodes[mark] = _authority_node(store, kind, path, number, at)
                _hang(nodes, trees, nodes[mark], path[number + 1] if number + 1 < len(path) else None)
        node = _leaf_node(store, leaf, kind, at, path, chosen)
        if not x509.is_self_signed(top):
            _hang_below_missing(nodes, trees, top, node if top is leaf.certificate else nodes[x509.fingerprint(top)])
        if top is not leaf.certificate:
            _hang(nodes, trees, node, path[1])


def _hang(nodes: dict[bytes, Node], trees: list[Node], node: Node, issuer: Certificate | None) -> None:
    parent = nodes.get(x509.fingerprint(issuer)) if issuer is not None else None
    (parent.children if parent is not None else trees).append(node)


def _hang_below_missing(nodes: dict[bytes, Node], trees: list[Node], top: Certificate, node: Node) -> None:
    """Show the issuer that is not installed above what leads to it."""
    mark = top.issuer.public_bytes()
    if mark not in nodes:
        name = top.issuer.rfc4514_string()
        why = "not installed: no chain below it can be verified here"
        nodes[mark] = Node(name=name, role="issuer", state=State.MISSING, why=why)
        trees.append(nodes[mark])
    if node in trees:
        trees.remove(node)
    if node not in nodes[mark].children:
        nodes[mark].children.append(node)


def _node(certificate: Certificate, role: str, state: State, why: str, files: list[Path]) -> Node:
    return Node(
        name=x509.common_name(certificate),
        role=role,
        state=state,
        why=why,
        serial=f"{certificate.serial_number:x}",
        key_kind=x509.curve(certificate),
        begin=certificate.not_valid_before_utc,
        end=certificate.not_valid_after_utc,
        files=files,
        children=[],
    )


def _validity(certificate: Certificate, at: datetime) -> str:
    if at < certificate.not_valid_before_utc:
        return f"it is valid from {date(certificate.not_valid_before_utc)} on"
    if x509.has_expired(certificate, at):
        return f"it expired on {date(certificate.not_valid_after_utc)}"
    return ""


def _root_node(certificate: Certificate, role: str, at: datetime, files: list[Path]) -> Node:
    why = _validity(certificate, at)
    return _node(certificate, role, State.UNUSABLE if why else State.USED, why or "trusted", files)


def _authority_node(
    store: CertificateStore, kind: LeafCertificateType, path: list[Certificate], number: int, at: datetime
) -> Node:
    certificate = path[number]
    why = _validity(certificate, at)
    node = _node(certificate, "sub-CA", State.UNUSABLE if why else State.USED, why or "part of a chain", [])
    if number + 1 < len(path):
        _add_ocsp(store, kind, certificate, path[number + 1], node, at)
    return node


def _leaf_node(
    store: CertificateStore,
    leaf: Leaf,
    kind: LeafCertificateType,
    at: datetime,
    path: list[Certificate],
    chosen: dict[tuple[bytes, str], Leaf],
) -> Node:
    verdict = judge(store, leaf, kind, at)
    node = _node(leaf.certificate, LEAF_TITLES.get(kind, "this charger"), State.UNUSABLE, verdict.reason, leaf.paths)
    node.own, node.key = True, store.key_of(leaf, kind)
    if verdict.obstacle is None:
        rooted = x509.is_self_signed(path[-1])
        mark = x509.fingerprint(path[-1]) if rooted else path[-1].issuer.public_bytes()
        first = chosen.setdefault((mark, x509.curve(leaf.certificate)), leaf)
        if first is leaf:
            node.state = State.USED
            node.why = f"for this root and {node.key_kind}" if rooted else "if no other leads to an installed root"
        else:
            node.state = State.SPARE
            better = "became valid later" if store.preference == Preference.LATEST_BEGIN else "is valid longer"
            node.why = f"{x509.describe(first.certificate)} {better} (preferred_leaf)"
    if len(path) > 1:
        _add_ocsp(store, kind, leaf.certificate, path[1], node, at)
    return node


def _add_ocsp(
    store: CertificateStore,
    kind: LeafCertificateType,
    certificate: Certificate,
    issuer: Certificate,
    node: Node,
    at: datetime,
) -> None:
    response = store.ocsp_response(kind, certificate, issuer)
    if response is None:
        if kind is LeafCertificateType.V2G and x509.ocsp_url(certificate) is not None:
            node.ocsp, node.ocsp_stale = "no OCSP response to show to cars", True
        return
    node.ocsp = f"OCSP {response.status}, {age(at - response.this_update)} old, until {date(response.until)}"
    if response.status is not Status.REVOKED and not response.is_current(at):
        node.ocsp_stale = True
        node.ocsp += ": not shown to cars any more"


def age(span: timedelta) -> str:
    """Write a time span in its largest unit."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
