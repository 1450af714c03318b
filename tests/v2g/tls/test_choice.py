"""What the server chooses by the ClientHello: version, chain, group, or the alert."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.transport.tls import connection as tls
from chargebyte_fw.modules.v2g.transport.tls import policy
from chargebyte_fw.modules.v2g.transport.tls.alerts import Alert
from chargebyte_fw.modules.v2g.transport.tls.choice import Choice, Refused, choose
from chargebyte_fw.modules.v2g.transport.tls.client_hello import ClientHello, parse
from chargebyte_fw.modules.v2g.transport.tls.credentials import Chain
from tests.v2g.tls import hellos, pki
from tests.v2g.tls.handshake import Server

ISO20, STRICT, TLS13 = policy.iso20(), policy.iso20(profile="strict"), policy.iso20(enforce_tls_1_3=True)
ALL = (0x0603, 0x0808, 0x0403, 0x0503)


def tls12(**values: Any) -> ClientHello:
    return parse(hellos.hello(**values))


def tls13(**values: Any) -> ClientHello:
    values = {"suites": (0x1302,), "versions": (0x0304,), "groups": (25, 30, 23, 24), "signatures": ALL, **values}
    return parse(hellos.hello(**values))


def chain(kind: str = "P-256", title: str = "V2G") -> Chain:
    return pki.leaf("SECC", title, kind).chain()


def refusal(hello: ClientHello, rules: policy.TlsPolicy, *chains: Chain) -> Refused:
    with pytest.raises(Refused) as caught:
        choose(hello, rules, chains)
    return caught.value


def test_a_p256_and_a_p521_leaf_below_one_root() -> None:
    """Field case 10: TLS 1.2 shows P-256, TLS 1.3 shows P-521, in whatever order they were installed."""
    old, new = chain("P-256"), chain("P-521")
    for chains in ((old, new), (new, old)):
        assert choose(tls12(groups=(23, 25)), ISO20, chains).chain is old
        assert choose(tls13(), ISO20, chains).chain is new
        assert choose(tls13(), STRICT, chains).chain is new
    assert choose(tls13(), ISO20, (old,)).chain is old, "one leaf alone serves what its key allows"
    assert "fits the chain's key (P-256)" in refusal(tls13(), STRICT, old).what


def test_a_p256_leaf_in_the_strict_profile_still_serves_tls_12() -> None:
    both = tls13(suites=(0x1302, 0xC023), versions=(0x0304, 0x0303))
    assert choose(both, STRICT, [chain()]).version == "1.2"


def test_a_key_of_ed448() -> None:
    assert choose(tls13(), STRICT, [chain("Ed448")]).chain.key_kind == "Ed448"
    assert "are not those of the chains' keys" in refusal(tls12(), ISO20, chain("Ed448")).what


@pytest.mark.parametrize(
    ("offered", "rules", "version", "demand"),
    [
        (tls13(), ISO20, "1.3", True),
        (tls13(suites=(0x1303, 0xC023), versions=(0x0304, 0x0303)), ISO20, "1.3", True),
        (tls13(suites=(0x1303, 0xC023), versions=(0x0304, 0x0303)), policy.ISO2, "1.2", False),
        (tls12(), ISO20, "1.2", False),
    ],
)
def test_the_version_and_the_demand_for_a_certificate(
    offered: ClientHello, rules: policy.TlsPolicy, version: str, demand: bool
) -> None:
    found = choose(offered, rules, [chain()])
    assert (found.version, found.demand_certificate) == (version, demand)


@pytest.mark.parametrize(
    ("offered", "rules", "alert", "text"),
    [
        (tls12(), TLS13, Alert.protocol_version, "the car offers TLS 1.2, 1.1, 1.0, SSL 3, served is 1.3"),
        (tls12(legacy=0x0302), ISO20, Alert.protocol_version, "the car offers TLS 1.1, 1.0, SSL 3, served is 1.3, 1.2"),
        (tls13(versions=(0x0A0A,)), ISO20, Alert.protocol_version, "the car offers TLS none that is known"),
        (tls13(suites=(0x1301,)), ISO20, Alert.handshake_failure, "TLS 1.3: no common cipher suite among 0x1301"),
        (tls12(suites=(0xC025,)), ISO20, Alert.handshake_failure, "TLS 1.2: no common cipher suite among 0xC025"),
        (tls13(groups=(29,)), ISO20, Alert.handshake_failure, "no common group among 0x001D"),
        (tls13(groups=(23,)), STRICT, Alert.handshake_failure, "no common group among 0x0017"),
        (tls13(groups=None), ISO20, Alert.handshake_failure, "no common group among none"),
        (tls12(groups=(29,)), ISO20, Alert.handshake_failure, "no common group among 0x001D"),
        (tls12(groups=(24,)), ISO20, Alert.handshake_failure, "are not those of the chains' keys"),
        (tls12(signatures=(0x0401, 0x0804)), ISO20, Alert.handshake_failure, "verifies no ECDSA signatures"),
        (tls13(signatures=(0x0804,)), ISO20, Alert.handshake_failure, "no signature algorithm of the car (0x0804)"),
    ],
)
def test_what_is_refused_has_its_alert_and_reason(
    offered: ClientHello, rules: policy.TlsPolicy, alert: Alert, text: str
) -> None:
    found = refusal(offered, rules, chain())
    assert found.alert is alert and text in found.what and f"alert {alert:d} " in found.what


def test_without_a_chain() -> None:
    assert refusal(tls12(), ISO20).alert is Alert.handshake_failure


def test_groups_of_the_standard_come_first() -> None:
    """Field case 6."""
    chains = [chain("P-521")]
    assert choose(tls13(groups=(23, 24, 25)), ISO20, chains).group == policy.P521
    assert choose(tls13(groups=(24, 23)), ISO20, chains).group == policy.P256
    assert choose(tls13(groups=(0x1A1A, 30)), STRICT, chains).group is None, "OpenSSL takes it by itself"
    assert choose(tls13(groups=(30, 23)), ISO20, chains).group == policy.P256
    assert choose(tls13(groups=(30, 23)), ISO20, chains, any_group=True).group == policy.X448
    assert "X448" in refusal(tls13(groups=(30, 23)), STRICT, *chains).what


def test_two_ecdh_suites_and_the_ephemeral_one_wins() -> None:
    """Field case 11."""
    assert choose(tls12(suites=(0xC025, 0xC023)), policy.ISO2, [chain()]).version == "1.2"


A, B = chain(title="A"), chain(title="B")


def root(of: Chain) -> Any:
    assert of.root is not None
    return of.root


@pytest.mark.parametrize(
    "entry",
    [
        (1, hashlib.sha1(root(B).public_key).digest()),
        (2, root(B).subject),
        (3, hashlib.sha1(root(B).certificate).digest()),
    ],
    ids=["key", "name", "certificate"],
)
def test_trusted_ca_keys_choose_among_the_chains(entry: tuple[int, bytes]) -> None:
    """RFC 6066 clause 6; in TLS 1.3 they play no role ([V2G20-1006])."""
    extensions = [hellos.trusted_ca_keys((1, b"x" * 20), entry)]
    assert choose(tls12(extensions=extensions), ISO20, [A, B]).chain is B
    assert choose(tls13(extensions=extensions), ISO20, [A, B]).chain is A
    assert choose(tls12(extensions=extensions), ISO20, [A]).chain is A, "no match: the default"


def test_trusted_ca_keys_agreed_before_take_the_default() -> None:
    assert choose(tls12(extensions=[hellos.trusted_ca_keys((0, b""))]), ISO20, [A, B]).chain is A


def test_the_hash_of_a_new_root_does_not_match_the_old_one_of_the_same_name() -> None:
    """Field case 21."""
    renewed = pki.issue("A root P-256", None)
    entry = (3, hashlib.sha1(renewed.der).digest())
    assert choose(tls12(extensions=[hellos.trusted_ca_keys(entry)]), ISO20, [B, A]).chain is B
    by_name = (2, renewed.certificate.subject.public_bytes())
    assert choose(tls12(extensions=[hellos.trusted_ca_keys(by_name)]), ISO20, [B, A]).chain is A


def test_certificate_authorities_choose_in_tls_13() -> None:
    """Field case 9."""
    for wanted in (A, B):
        extensions = [hellos.certificate_authorities(b"other", root(wanted).subject)]
        assert choose(tls13(extensions=extensions), ISO20, [A, B]).chain is wanted
    assert choose(tls13(), ISO20, [A, B]).chain is A
    extensions = [hellos.certificate_authorities(root(B).subject)]
    assert choose(tls12(extensions=extensions), ISO20, [A, B]).chain is A


def test_the_chosen_chain_is_what_a_tls_12_car_gets() -> None:
    """The Certificate message of TLS 1.2 is readable: our own bytes in, OpenSSL's answer out."""
    extensions = [hellos.trusted_ca_keys((1, hashlib.sha1(root(B).public_key).digest()))]
    machine = Server(policy.ISO2, [A, B]).machine()
    machine.feed(tls.Begin(), 0.0)
    effects = machine.feed(tls.Arrived(hellos.stream(extensions=extensions)), 0.0)
    sent = b"".join(one.data for one in effects if isinstance(one, tls.Transmit))
    for der in B.certificates:
        assert der in sent
    assert A.certificates[0] not in sent and root(B).certificate not in sent


def test_a_choice_can_be_a_key_of_what_is_kept() -> None:
    found = choose(tls12(), ISO20, [A])
    assert isinstance(found, Choice) and hash(found) == hash(choose(tls12(), ISO20, [A]))
