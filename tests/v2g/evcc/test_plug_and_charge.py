"""What a car signs and decrypts, against a provisioning service with the test infrastructure's keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from chargebyte_fw.modules.security.test_pki import EMAID, NEW_EMAID, Pki, make_test_pki
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.evcc import CarSettings, KeyStore, Misbehaviour, NewContract, plug_and_charge
from chargebyte_fw.modules.v2g.evcc.ed448 import ORDER, ScalarKey
from chargebyte_fw.modules.v2g.evcc.iso2.contract import INSTALLATION, UPDATE, Payment
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso2, iso20_common
from chargebyte_fw.modules.v2g.messages import iso20_types as types
from chargebyte_fw.sim.car_keys import keep_contract, read_keys
from chargebyte_fw.sim.provisioning import Provisioning, _alternate_key, _exchange_x448
from tests.v2g.evcc.station20 import ONGOING, SESSION, UNIX_S, Station, res

NOW = datetime.fromtimestamp(UNIX_S, UTC)
EIM, PNC = iso20_common.authorizationType.EIM, iso20_common.authorizationType.PnC
CHALLENGE = bytes(range(16))


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=NOW)


@pytest.fixture(scope="module")
def keys(pki: Pki) -> KeyStore:
    return read_keys(pki.directory)


@pytest.fixture(scope="module")
def pki_ed448(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=NOW, ed448=True)


@pytest.fixture(params=["P-521", "X448"])
def curve(request: Any, pki: Pki, pki_ed448: Pki) -> tuple[str, Pki]:
    """The curve of the key exchange of -20, and an infrastructure for it."""
    return request.param, pki if request.param == "P-521" else pki_ed448


def without_contract(keys: KeyStore) -> KeyStore:
    return KeyStore(*(msgspec.structs.replace(one, contract=None) for one in (keys.iso2, keys.iso20)))


def car20(keys: KeyStore, **changes: Any) -> Station:
    it = Station(CarSettings(protocols=("ISO15118D20",), tls="require", keys=keys, **changes))
    it.tls_version = "1.3"
    it.authorizations = [EIM, PNC]
    it.challenge = CHALLENGE
    return it


# -- ISO 15118-20


def test_a_contract_is_proved_by_a_signature_over_the_challenge(keys: KeyStore) -> None:
    it = car20(keys)
    it.charge()
    request = it.last("AuthorizationReq")
    mode = request.PnC_AReqAuthorizationMode
    assert request.SelectedAuthorizationService is PNC and mode.GenChallenge == CHALLENGE
    chain = mode.ContractCertificateChain
    leaf = plug_and_charge._certificate(chain.Certificate)
    elements = {"PnC_AReqAuthorizationMode": mode}
    assert signatures.verify("iso20_common", request.Header.Signature, leaf.public_key(), elements) == ""
    assert it.facts.charger.identity == EMAID["iso20"]
    assert it.asked_tls and it.facts.charger.tls_version == "1.3"


def test_a_repetition_differs_in_the_time_stamp_alone(keys: KeyStore) -> None:
    it = car20(keys)
    normal = it.on_AuthorizationReq
    it.answers["AuthorizationReq"] = lambda r: (
        normal(r) if len(it.all("AuthorizationReq")) > 6 else res(iso20_common.AuthorizationRes, EVSEProcessing=ONGOING)
    )
    it.charge()
    first, *others = it.all("AuthorizationReq")
    assert len(others) == 6 and others[-1].Header.TimeStamp > first.Header.TimeStamp
    for other in others:
        other.Header.TimeStamp = first.Header.TimeStamp
        assert other == first


@pytest.mark.parametrize(("wrong", "valid", "same"), [("signature", False, True), ("challenge", True, False)])
def test_a_car_can_be_wrong_on_purpose(keys: KeyStore, wrong: str, valid: bool, same: bool) -> None:
    it = car20(keys, misbehaviours=(Misbehaviour(wrong),))
    it.charge()
    request = it.last("AuthorizationReq")
    mode = request.PnC_AReqAuthorizationMode
    public: Any = plug_and_charge._certificate(mode.ContractCertificateChain.Certificate).public_key()
    elements = {"PnC_AReqAuthorizationMode": mode}
    assert (signatures.verify("iso20_common", request.Header.Signature, public, elements) == "") is valid
    assert (mode.GenChallenge == CHALLENGE) is same


@pytest.mark.parametrize(("payment", "outcome"), [("auto", "charging"), ("contract", "ended")])
def test_a_refused_contract_is_followed_by_external_means_where_the_car_may(
    keys: KeyStore, payment: str, outcome: str
) -> None:
    it = car20(keys, payment=payment)

    def refuse(request: Any) -> Any:
        code = (
            types.responseCodeType.WARNING_CertificateRevoked
            if request.PnC_AReqAuthorizationMode
            else types.responseCodeType.OK
        )
        return res(iso20_common.AuthorizationRes, ResponseCode=code, EVSEProcessing=types.processingType.Finished)

    it.answers["AuthorizationReq"] = refuse
    it.feed_start()
    it.run(20.0, until=lambda: outcome in it.steps)
    assert outcome in it.steps
    if outcome == "ended":
        assert it.outcome is not None and it.outcome.reason == "AuthorizationRes WARNING_CertificateRevoked"
    else:
        assert it.facts.charger.identity == "EIM"


def test_a_car_without_a_contract_gets_one(curve: tuple[str, Pki], tmp_path: Path) -> None:
    """It signs the request with the key of its maker, and the next one with the key that came."""
    name, pki = curve
    it = car20(without_contract(read_keys(pki.directory)), payment="contract")
    it.certificates = True
    service = Provisioning.of(pki.provisioning("iso20"), "iso20")
    given: list[Any] = []

    def installs(request: Any) -> Any:
        exi = codec("iso20_common").encode(request)
        given.append(codec("iso20_common").decode(service.answer(exi)))
        return given[-1]

    it.answers["CertificateInstallationReq"] = installs
    it.charge()
    request = it.last("CertificateInstallationReq")
    chain = request.OEMProvisioningCertificateChain
    public: Any = plug_and_charge._certificate(chain.Certificate).public_key()
    elements = {"OEMProvisioningCertificateChain": chain}
    assert signatures.verify("iso20_common", request.Header.Signature, public, elements, strict=True) == ""
    new = next(effect for _, effect in it.log if isinstance(effect, NewContract))
    assert (new.standard, new.emaid) == ("iso20", NEW_EMAID["iso20"])
    assert it.facts.charger.identity == NEW_EMAID["iso20"]

    data = given[0].SignedInstallationData
    wanted = ("SECP521", 133, 94, 0) if name == "P-521" else ("X448", 56, 0, 84)
    lengths = [len(octets or b"") for octets in (data.SECP521_EncryptedPrivateKey, data.X448_EncryptedPrivateKey)]
    assert (str(data.ECDHCurve), len(data.DHPublicKey), *lengths) == wanted
    authorization = it.last("AuthorizationReq")
    mode = authorization.PnC_AReqAuthorizationMode
    public = plug_and_charge._certificate(mode.ContractCertificateChain.Certificate).public_key()
    assert public == service_key(service)
    elements = {"PnC_AReqAuthorizationMode": mode}
    assert signatures.verify("iso20_common", authorization.Header.Signature, public, elements, strict=True) == ""

    folder = tmp_path / "iso20"
    folder.mkdir()
    keep_contract(folder, new.contract)
    kept = read_keys(tmp_path).iso20.contract
    assert kept == new.contract and plug_and_charge.private_key(kept).public_key() == public


def service_key(service: Provisioning) -> Any:
    return plug_and_charge.private_key(service.contract).public_key()


def test_keys_that_cannot_be_exchanged_are_refused(pki_ed448: Pki) -> None:
    """A service that fills DHPublicKey up to the schema's 133 octets is understood."""
    keys = read_keys(pki_ed448.directory)
    receiver = keys.iso20.provisioning
    assert receiver is not None
    public, secret = _exchange_x448(_alternate_key(receiver.certificate))
    for octets in (public, bytes(77) + public):
        assert plug_and_charge._secret(receiver, octets, x448=True) == secret
    bare = msgspec.structs.replace(receiver, exchange_key_pem=b"")
    for identity, octets, why in (
        (bare, public, "the car has no X448 key"),
        (msgspec.structs.replace(receiver, exchange_key_pem=receiver.key_pem), public, "is no X448 key"),
        (receiver, bytes(56), "cannot be exchanged"),
        (receiver, public[:50], "cannot be exchanged"),
    ):
        with pytest.raises(plug_and_charge.Refused, match=why):
            plug_and_charge._secret(identity, octets, x448=True)
    with pytest.raises(plug_and_charge.Refused, match="own key cannot exchange keys"):
        plug_and_charge._secret(receiver, public)


def test_a_key_of_another_contract_is_refused(pki_ed448: Pki) -> None:
    """[V2G20-2510]: the number is below the order, and its product with the base point is the public key."""
    contract: Any = pki_ed448.of("iso20")["new_contract"]
    scalar = ScalarKey.of_seed(contract.key.private_bytes_raw()).scalar
    chain = (contract.der,)
    assert plug_and_charge._contract(chain, scalar.to_bytes(56, "big")).chain == chain
    for wrong, why in ((scalar + 1, "does not belong"), (scalar + ORDER, "is none"), (0, "is none")):
        with pytest.raises(plug_and_charge.Refused, match=why):
            plug_and_charge._contract(chain, wrong.to_bytes(56, "big"))


def test_a_scalar_signs_as_its_seed_does() -> None:
    key = Ed448PrivateKey.generate()
    own = ScalarKey.of_seed(key.private_bytes_raw())
    assert own.public_key() == key.public_key()
    for message in (b"", b"a message", bytes(1000)):
        key.public_key().verify(own.sign(message), message)
        assert own.sign(message) == own.sign(message)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("data", "the signature of the provisioning service"),
        ("service", "leads to no V2G root"),
        ("car", "for another car"),
        ("warning", "WARNING_NoContractMatchingPCIDFound"),
    ],
)
def test_a_contract_that_is_not_in_order_is_not_taken(pki: Pki, keys: KeyStore, change: str, reason: str) -> None:
    it = car20(without_contract(keys), payment="contract")
    it.certificates = True
    service = Provisioning.of(pki.provisioning("iso20"), "iso20")

    def installs(request: Any) -> Any:
        if change == "car":
            contract = keys.iso20.contract
            assert contract is not None
            request.OEMProvisioningCertificateChain.Certificate = contract.certificate
        response: Any = codec("iso20_common").decode(service.answer(codec("iso20_common").encode(request)))
        if change == "data":
            response.SignedInstallationData.DHPublicKey = bytes(133)
        if change == "service":
            vehicle = keys.iso20.vehicle
            assert vehicle is not None
            response.CPSCertificateChain.Certificate = vehicle.certificate
        if change == "warning":
            response.ResponseCode = types.responseCodeType.WARNING_NoContractMatchingPCIDFound
        return response

    it.answers["CertificateInstallationReq"] = installs
    it.feed_start()
    outcome, why = it.end()
    assert outcome == "failed" and reason in why
    assert it.names[-1] == "SessionStopReq"


def test_a_car_whose_contract_nobody_takes_pays_otherwise_or_leaves(keys: KeyStore) -> None:
    it = car20(keys)
    it.authorizations, it.challenge = [EIM], b""
    it.charge()
    assert it.facts.charger.identity == "EIM"
    it = car20(keys, payment="contract")
    it.authorizations, it.challenge = [EIM], b""
    it.feed_start()
    assert it.end() == ("failed", "the charger takes no contract")


def test_iso20_is_offered_on_tls_13_alone(keys: KeyStore) -> None:
    it = Station(CarSettings(protocols=("ISO15118D20", "ISO15118D2"), tls="offer", keys=keys))
    it.feed_start()
    it.run(1.0, until=lambda: bool(it.offer))
    assert [name for name, _ in it.offer] == ["urn:iso:15118:2:2013:MsgDef"]
    it = Station(CarSettings(protocols=("ISO15118D20",), tls="offer", keys=keys))
    it.feed_start()
    assert it.end() == ("failed", "the car speaks nothing over plain TCP")


# -- ISO 15118-2


class Session2:
    """As much of a session as the payment of ISO 15118-2 asks for."""

    def __init__(self, settings: CarSettings) -> None:
        from chargebyte_fw.modules.v2g.evcc import CarFacts

        self.settings = settings
        self.facts = CarFacts(wall_offset_s=float(UNIX_S))
        self.session_id = SESSION
        self.schedule_id = 1
        self.stage = ""
        self.signature: Any = None
        self.received_signature: Any = None
        self.effects: list[Any] = []

    def misbehaves(self, kind: str, request: str = "") -> None:
        return None

    def report(self, step: Any, what: str = "") -> None:
        self.effects.append((step, what))

    def effect(self, effect: Any) -> None:
        self.effects.append(effect)


@pytest.mark.parametrize("update", [False, True])
def test_a_contract_of_iso2_is_installed_and_updated(pki: Pki, keys: KeyStore, update: bool) -> None:
    store = keys if update else without_contract(keys)
    session: Any = Session2(CarSettings(keys=store, install_contract="update" if update else "missing"))
    payment = Payment(session)
    payment.certificate_set = UPDATE if update else INSTALLATION
    request: Any = payment.build_CertificateUpdate(0.0) if update else payment.build_CertificateInstallation(0.0)
    signer = request.ContractSignatureCertChain.Certificate if update else request.OEMProvisioningCert
    public: Any = plug_and_charge._certificate(signer).public_key()
    assert signatures.verify("iso2", session.signature, public, {type(request).__name__: request}) == ""
    header = iso2.MessageHeaderType(SessionID=SESSION, Signature=session.signature)
    exi = codec("iso2").encode(iso2.V2G_Message(Header=header, Body=request))
    answer = codec("iso2").decode(Provisioning.of(pki.provisioning("iso2"), "iso2").answer(exi))
    session.received_signature = answer.Header.Signature
    if update:
        payment.take_CertificateUpdate(answer.Body, 0.0)  # type: ignore[arg-type]
    else:
        payment.take_CertificateInstallation(answer.Body, 0.0)  # type: ignore[arg-type]
    new = session.effects[0]
    assert (new.standard, new.emaid) == ("iso2", NEW_EMAID["iso2"])
    assert session.stage == "PaymentDetails"
    assert payment.build_PaymentDetails(0.0).eMAID == NEW_EMAID["iso2"]


def test_a_new_contract_is_kept_in_the_car(tmp_path: Path, keys: KeyStore) -> None:
    contract = keys.iso2.contract
    assert contract is not None
    (tmp_path / "iso2").mkdir()
    keep_contract(tmp_path / "iso2", contract)
    assert read_keys(tmp_path).iso2.contract == contract
    assert (tmp_path / "iso2/contract.key").stat().st_mode & 0o077 == 0
