"""Cases from the field for what no single house has: randomness, lengths on the wire, limits that come negative."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.engine import V2gEngine
from chargebyte_fw.modules.v2g.evcc.registry import protocols
from chargebyte_fw.modules.v2g.exi import EncodeError, codec
from chargebyte_fw.modules.v2g.messages import iso2, iso20_common, iso20_contracts, iso20_types
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import offered_services
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.talk20 import Course, ac20_facts, dc20_facts, dc_parameters, talk20


def drawn(count: int, octets: int) -> list[bytes]:
    """What an engine draws for session ids and challenges, with the randomness of a charger."""
    engine: Any = V2gEngine.__new__(V2gEngine)
    engine.module = SimpleNamespace(runtime=Runtime(), id="charger")
    engine._trace = SimpleNamespace(record=lambda *record: None)
    return [engine._random_bytes(octets) for _ in range(count)]


def test_session_ids_and_challenges_come_from_the_generator_of_the_system() -> None:
    """With the module `random` seeded alike two chargers differ; 2^16 challenges do not repeat ([V2G20-698])."""
    random.seed(7)
    first = drawn(2**16, 16)
    random.seed(7)
    second = drawn(2**16, 16)
    assert len({*first, *second}) == 2**17
    ones = sum(int.from_bytes(one, "big").bit_count() for one in first)
    assert ones / (2**16 * 128) == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize(
    ("curve", "field", "public", "private"),
    [
        ("SECP521", "SECP521_EncryptedPrivateKey", 133, 94),
        ("X448", "X448_EncryptedPrivateKey", 56, 84),
        ("SECP521", "TPM_EncryptedPrivateKey", 133, 206),
    ],
)
def test_the_lengths_of_an_installation(curve: str, field: str, public: int, private: int) -> None:
    def response(octets: int) -> Any:
        sub = iso20_contracts.SubCertificatesType(Certificate=[b"\x30"])
        data = iso20_contracts.SignedInstallationDataType(
            Id="id1",
            ContractCertificateChain=iso20_contracts.ContractCertificateChainType(
                Certificate=b"\x30", SubCertificates=sub
            ),
            ECDHCurve=iso20_contracts.ecdhCurveType(curve),
            DHPublicKey=bytes(public),
            **{field: bytes(octets)},
        )
        return iso20_common.CertificateInstallationRes(
            Header=iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=1),
            ResponseCode=iso20_types.responseCodeType.OK,
            EVSEProcessing=iso20_types.processingType.Finished,
            CPSCertificateChain=iso20_contracts.CertificateChainType(Certificate=b"\x30"),
            SignedInstallationData=data,
            RemainingContractCertificateChains=0,
        )

    chosen = codec("iso20_common")
    assert chosen.decode(chosen.encode(response(private))) == response(private)
    with pytest.raises(EncodeError, match=field):
        chosen.encode(response(private + 1))


def test_a_car_takes_an_installation_of_more_than_4096_octets_in_segments_of_one() -> None:
    subs = iso2.SubCertificatesType(Certificate=[bytes(800)] * 2)
    body = iso2.CertificateInstallationRes(
        ResponseCode=iso2.responseCodeType.OK,
        SAProvisioningCertificateChain=iso2.CertificateChainType(Certificate=bytes(800), SubCertificates=subs),
        ContractSignatureCertChain=iso2.CertificateChainType(Id="id1", Certificate=bytes(800), SubCertificates=subs),
        ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKeyType(Id="id2", value=bytes(48)),
        DHpublickey=iso2.DiffieHellmanPublickeyType(Id="id3", value=bytes(65)),
        eMAID=iso2.EMAIDType(Id="id4", value="DEKL2C00012345U"),
    )
    message = iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes(8)), Body=body)
    data = v2gtp.Frame(v2gtp.EXI_DIN_ISO2, codec("iso2").encode(message)).to_bytes()
    assert len(data) > 4_800
    receiver, frames = v2gtp.Receiver(), list[v2gtp.Frame]()
    for place in range(len(data)):
        frames += receiver.feed(data[place : place + 1])
    (frame,) = frames
    assert protocols()["ISO15118D2"].decode(frame).body == body


@pytest.mark.parametrize(("negative", "noted"), [(False, True), (True, False)])
def test_negative_discharge_limits_of_a_car_are_noted_where_they_are_not_expected(negative: bool, noted: bool) -> None:
    options = Iso20Settings(scheduled=True, negative_discharge_limits=negative)
    it = talk20(S.CHARGE_PARAMETERS, dc20_facts("DC", "DC_BPT"), options, Course(6, bidirectional=True))
    it.ask(dc_parameters(bidirectional=True, EVMaximumDischargePower=-20_000))
    lines = [one.text for one in it.charger.log if isinstance(one, out.Log)]
    assert ("the car's discharge limits are negative: their magnitude holds" in lines) is noted


@pytest.mark.parametrize("mode", ["AC_DER_SAE", "WPT", "DC_ACDP", "DC_ACDP_BPT"])
def test_what_needs_more_than_the_charger_has_is_not_offered(mode: str) -> None:
    """DERControlCPDRes of the SAE profile has five mandatory parts: no service without a whole grid code."""
    assert offered_services(ac20_facts(mode, grid_support=True)) == []
