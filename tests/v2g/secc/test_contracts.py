"""Contract chains: read, compared, made a token; and the answers of the certificate store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.types import evse_security as types
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.contracts import (
    ContractVerification,
    contract_token,
    normal_emaid,
    pem,
    read_contract,
    same_emaid,
)
from chargebyte_fw.sim.idle import idle
from tests.v2g.contract_chains import EMAID, NOW, chain, issue
from tests.v2g.station import Manager


def test_a_chain_is_read() -> None:
    contract = read_contract(chain().der)
    assert contract.emaid == EMAID
    assert contract.is_of("dekl2c00012345u")
    assert [one.subject for one in x509.load_pem_x509_certificates(contract.pem.encode())] == [
        one.certificate.subject for one in (chain().leaf, *chain().subs)
    ]
    assert contract.out_of_time(NOW) == ""
    assert "valid from 2025-12-02" in contract.out_of_time(NOW - timedelta(days=31))
    assert "expired on 2027-01-01" in contract.out_of_time(NOW + timedelta(days=366))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("DE-KL2-C00012345-U", "DEKL2C00012345U", True),
        ("DE-KL2-C00012345-U", "dekl2c00012345", True),
        ("dekl2c00012345", "DE-KL2-C00012345-U", True),
        ("DE-KL2-C00012345-U", "DEKL2C00012345V", False),
        ("DE-KL2-C00012345-U", "DEKL2C00012346", False),
        ("DEKL2C0001234", "DEKL2C00012345", False),
        ("DEKL2C00012345U9", "DEKL2C00012345U", False),
        ("DE-KL2-C00012345-U", "", False),
    ],
)
def test_hyphens_case_and_the_check_digit_make_no_difference(one: str, other: str, same: bool) -> None:
    assert same_emaid(one, other) is same_emaid(other, one) is same


def test_an_emaid_keeps_its_check_digit() -> None:
    assert normal_emaid("de-kl2-c00012345-u") == "DEKL2C00012345U"
    assert normal_emaid("dekl2c00012345") == "DEKL2C00012345"


@pytest.mark.parametrize(
    ("ders", "why"),
    [
        ((), "no contract certificate"),
        ((b"",), "certificate 1 of the contract chain cannot be read"),
        ((b"\x30\x00",), "certificate 1 of the contract chain cannot be read"),
        ((chain().leaf.der, b"\x30\x03\x02\x01\x04"), "certificate 2 of the contract chain cannot be read"),
        ((chain().leaf.der[:-1],), "certificate 1 of the contract chain cannot be read"),
    ],
)
def test_what_cannot_be_read_is_named(ders: tuple[bytes, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_contract(ders)


def test_a_contract_has_a_common_name() -> None:
    with pytest.raises(ValueError, match="no common name"):
        read_contract([issue("", None).der])


def test_a_chain_that_no_token_can_carry_is_refused() -> None:
    long = issue(EMAID, None, padding=4_000)
    with pytest.raises(ValueError, match="a token carries 5500"):
        read_contract([long.der])


@given(st.binary(max_size=900), st.integers(0, 500), st.integers(1, 255))
def test_rubbish_is_a_value_error(rubbish: bytes, at: int, change: int) -> None:
    der = bytearray(chain().leaf.der)
    der[at % len(der)] ^= change
    for candidate in (rubbish, bytes(der), bytes(der[: at % len(der)])):
        try:
            read_contract([candidate])
        except ValueError as error:
            assert str(error)


def hash_data(url: str | None, serial: str = "1a") -> types.OCSPRequestData:
    data = types.CertificateHashData(
        hash_algorithm=types.HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number=serial
    )
    return types.OCSPRequestData(certificate_hash_data=data, responder_url=url)


def test_the_token_carries_chain_and_hash_data() -> None:
    contract = read_contract(chain().der)
    ocsp = (hash_data("http://a"), hash_data(None), types.OCSPRequestData(), *[hash_data("http://b")] * 4)
    verification = ContractVerification(contract.chain, types.CertificateValidationResult.Valid, ocsp)
    token = contract_token(contract, "dekl2c00012345u", verification)
    assert (token.id_token.value, token.id_token.type.value) == ("DEKL2C00012345U", "eMAID")
    assert token.authorization_type.value == "PlugAndCharge"
    assert token.certificate == pem(chain().der) == contract.pem
    assert token.iso15118CertificateHashData is not None
    assert [one.responderURL for one in token.iso15118CertificateHashData] == ["http://a", *["http://b"] * 3]
    assert contract_token(contract, "DEKL2C00012345U", None).iso15118CertificateHashData is None


# -- the engine asks the certificate store


_Idle: type[Any] = idle(EvseSecurity)


class StoreImpl(_Idle):  # type: ignore[misc]
    """Knows one chain."""

    module: Any

    async def verify_certificate(self, certificate_chain: str, certificate_types: list[Any]) -> Any:
        self.module.asked.append((certificate_chain, certificate_types))
        if self.module.broken:
            raise CommandError("HandlerException", "the store is broken")
        return types.CertificateValidationResult.Valid

    async def get_mo_ocsp_request_data(self, certificate_chain: str) -> Any:
        return types.OCSPRequestDataList(ocsp_request_data_list=[hash_data("http://a")])


class Store(Module):
    """A certificate store."""

    main = provides(StoreImpl)
    broken = False

    async def init(self) -> None:
        self.asked: list[Any] = []


class BrokenStore(Store):
    broken = True


@pytest.mark.parametrize(("store", "result", "urls"), [(Store, "Valid", ["http://a"]), (BrokenStore, None, [])])
def test_the_store_is_asked_for_v2g_and_mo_roots(
    run: Any, assemble: Any, store: type[Store], result: str | None, urls: list[str]
) -> None:
    async def main() -> None:
        assembly = assemble(
            v2g=(EvseV2G, {"device": "eth1"}, {"security": "store.main"}),
            store=(store, {}, {}),
            manager=(Manager, {}, {"hlc": "v2g.charger"}),
        )
        await assembly.start()
        engine = assembly.modules["v2g"].engine
        session = engine.facts.session
        engine._act(out.VerifyContract(chain().der))
        await asyncio.sleep(1.0)
        verification = session.contract_verification
        assert verification.chain == chain().der and verification.result == result
        assert [one.responder_url for one in verification.ocsp] == urls
        assert assembly.modules["store"].asked == [(pem(chain().der), ["V2G", "MO"])]
        await assembly.stop()

    run(main())
