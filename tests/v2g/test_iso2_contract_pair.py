"""Car and charger of ISO 15118-2 with contracts: installed, proven, receipted, renegotiated, resumed."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, LeafCertificateType
from chargebyte_fw.modules.security.certificate_store import CertificateStore
from chargebyte_fw.modules.security.layout import Layout
from chargebyte_fw.modules.security.queries import Queries
from chargebyte_fw.modules.security.test_pki import EMAID, NEW_EMAID, Pki, make_test_pki
from chargebyte_fw.modules.v2g import evcc
from chargebyte_fw.modules.v2g.evcc import CarFacts, CarSettings, KeyStore, Misbehaviour
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification, pem
from chargebyte_fw.modules.v2g.secc.facts import CertificateResponse, Settings
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.sim.car_keys import read_keys
from chargebyte_fw.sim.provisioning import Provisioning
from tests.v2g.pair import START, Pair, ac_facts, dc_facts

TLS = Security(tls_version="1.2", cipher="ECDHE-ECDSA-AES128-SHA256")
KINDS = [LeafCertificateType.V2G, LeafCertificateType.MO]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=START)


class ContractPair(Pair):
    """The pair with a certificate store and a back end on the charger's side."""

    def __init__(
        self,
        pki: Pki,
        folder: Path,
        *,
        ac: bool = False,
        kind: str = "",
        keys: KeyStore | None = None,
        charger: dict[str, Any] | None = None,
        settings: Settings | None = None,
        **car: Any,
    ) -> None:
        facts = (ac_facts if ac else dc_facts)(
            payment_options=["Contract", "ExternalPayment"], certificate_service=True, **(charger or {})
        )
        values: dict[str, Any] = {
            "protocols": ("ISO15118D2",),
            "tls": "require",
            "payment": "contract",
            "keys": keys or read_keys(pki.directory, kind),
            "energy_transfer_mode": "AC_three_phase_core" if ac else "DC_extended",
        }
        car_facts = CarFacts(battery_voltage_V=350.0, target_voltage_V=360.0, target_current_A=50.0)
        car_facts.wall_offset_s = START.timestamp()
        super().__init__(
            facts,
            CarSettings(**(values | car)),
            car_facts,
            settings=settings or Settings(verify_contract_cert_chain=True, reject_invalid_receipts=True),
            security=TLS,
        )
        self.queries = store(pki, folder)
        self.provisioning = Provisioning.of(pki.provisioning("iso2"), "iso2")
        self.back_end_s = 2.0
        react = self.charger.reactions
        react["require_auth_pnc"] = lambda _: self.later(1.0, self.fact, authorized=True)
        react["iso15118_certificate_request"] = lambda request: self.later(self.back_end_s, self.answered, request)

    def answered(self, request: Any) -> None:
        exi = self.provisioning.answer(base64.b64decode(request.exi_request))
        if self.charger.facts.session.certificate_request == request.certificate_action:
            self.fact(certificate_response=CertificateResponse(exi))

    def _charger(self, effects: list[Any]) -> None:
        super()._charger(effects)
        for effect in effects:
            if isinstance(effect, out.VerifyContract):
                text = pem(effect.chain)
                result = self.queries.verify(text, KINDS, START)
                ocsp = tuple(self.queries.contract_ocsp_requests(text).ocsp_request_data_list)
                verification = ContractVerification(effect.chain, result, ocsp)
                self.later(0.05, self.fact, contract_verification=verification)

    def end(self) -> tuple[str, str]:
        self.run()
        assert self.outcome is not None, self.steps
        return self.outcome.outcome, self.outcome.reason


def store(pki: Pki, folder: Path) -> Queries:
    places = {}
    for kind, name in ((CaCertificateType.V2G, "v2g_root"), (CaCertificateType.MO, "mo_root")):
        places[kind] = folder / f"{name}.pem"
        places[kind].write_bytes(pki.iso2[name].certificate.public_bytes(Encoding.PEM))
    return Queries(CertificateStore(Layout(roots=places, leaves={}), "", lambda text: None))


def token(it: Pair) -> Any:
    ((_, value),) = it.charger.published("require_auth_pnc")
    return value


@pytest.mark.parametrize("ac", [False, True])
def test_a_contract_charges(pki: Pki, tmp_path: Path, ac: bool) -> None:
    it = ContractPair(pki, tmp_path, ac=ac)
    it.charge()
    it.wish(stop=True)
    assert it.end() == ("terminated", "")
    assert it.charger.broken() == []
    assert token(it).id_token.value == EMAID["iso2"].replace("-", "")
    assert len(token(it).iso15118CertificateHashData) >= 1
    assert it.charger.published("selected_payment_option") == [("selected_payment_option", "Contract")]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "PaymentDetailsRes FAILED_CertificateExpired"),
        ("early", "PaymentDetailsRes FAILED_CertificateExpired"),
        ("wrong", "PaymentDetailsRes FAILED_NoCertificateAvailable"),
    ],
)
def test_a_contract_that_is_not_in_order_is_refused(pki: Pki, tmp_path: Path, kind: str, reason: str) -> None:
    it = ContractPair(pki, tmp_path, kind=kind)
    it.start()
    assert it.end() == ("failed", reason)
    assert "require_auth_pnc" not in it.charger.names()
    assert it.charger.published("hlc_session_failed")[-1][1] == "AuthorizationFailed"


def test_the_order_of_the_sub_cas_does_not_matter(pki: Pki, tmp_path: Path) -> None:
    """Field case 32, and a contract below the V2G root."""
    queries = store(pki, tmp_path)
    leaf, *subs = (one.public_bytes(Encoding.DER) for one in pki.iso2["contract"].chain)
    assert queries.verify(pem((leaf, *reversed(subs))), KINDS, START) == "Valid"
    below_v2g = [one.public_bytes(Encoding.DER) for one in pki.iso2["cps"].chain]
    assert queries.verify(pem(below_v2g), KINDS, START) == "Valid"


def test_a_root_that_only_the_back_end_knows_is_left_to_it(pki: Pki, tmp_path: Path) -> None:
    it = ContractPair(pki, tmp_path, kind="wrong", charger={"central_contract_validation": True})
    it.charge(1.0)
    assert token(it).certificate.count("BEGIN CERTIFICATE") == 3


@pytest.mark.parametrize(
    ("wrong", "code"), [("signature", "FAILED_SignatureError"), ("challenge", "FAILED_ChallengeInvalid")]
)
def test_a_car_that_cannot_prove_its_contract_does_not_charge(pki: Pki, tmp_path: Path, wrong: str, code: str) -> None:
    it = ContractPair(pki, tmp_path, misbehaviours=(Misbehaviour(wrong),))
    it.start()
    assert it.end() == ("failed", f"AuthorizationRes {code}")
    assert "require_auth_pnc" not in it.charger.names()


@pytest.mark.parametrize("update", [False, True])
def test_a_contract_is_installed_and_used(pki: Pki, tmp_path: Path, update: bool) -> None:
    keys = read_keys(pki.directory)
    if not update:
        keys = msgspec.structs.replace(keys, iso2=msgspec.structs.replace(keys.iso2, contract=None))
    it = ContractPair(pki, tmp_path, keys=keys, install_contract="update" if update else "missing")
    it.charge(1.0)
    assert it.requests.count("CertificateUpdateReq" if update else "CertificateInstallationReq") == 1
    assert token(it).id_token.value == NEW_EMAID["iso2"].replace("-", "")


def test_a_back_end_that_is_too_late_costs_the_session_and_not_the_next_one(pki: Pki, tmp_path: Path) -> None:
    keys = read_keys(pki.directory)
    keys = msgspec.structs.replace(keys, iso2=msgspec.structs.replace(keys.iso2, contract=None))
    it = ContractPair(pki, tmp_path, keys=keys)
    it.back_end_s = 4.6
    it.start()
    assert it.end() == ("failed", "CertificateInstallationRes FAILED")
    assert it.charger.facts.session.certificate_request == ""
    assert it.charger.facts.session.certificate_response is None


@pytest.mark.parametrize("ac", [False, True])
def test_the_car_signs_the_meter(pki: Pki, tmp_path: Path, ac: bool) -> None:
    it = ContractPair(pki, tmp_path, ac=ac, charger={"receipt_required": True})
    it.charge(1.0)
    for reading in (1_000.0, 1_100.0):
        it.fact(meter_id="M1", meter_Wh=reading, meter_is_new=True)
        it.run(4.0)
    assert it.requests.count("MeteringReceiptReq") == 2
    assert {str(one.ResponseCode) for one in it.charger.sent() if "Metering" in type(one).__name__} == {"OK"}
    it.wish(stop=True)
    assert it.end() == ("terminated", "")
    assert it.charger.broken() == []


def test_a_spoiled_receipt_is_refused(pki: Pki, tmp_path: Path) -> None:
    spoiled = Misbehaviour("signature", "MeteringReceiptReq")
    it = ContractPair(pki, tmp_path, ac=True, charger={"receipt_required": True}, misbehaviours=(spoiled,))
    it.charge(1.0)
    it.fact(meter_id="M1", meter_Wh=1_000.0, meter_is_new=True)
    assert it.end() == ("failed", "MeteringReceiptRes FAILED_MeteringSignatureNotValid")


def test_less_current_is_renegotiated_under_a_contract(pki: Pki, tmp_path: Path) -> None:
    it = ContractPair(pki, tmp_path, ac=True)
    it.charge(2.0)
    it.fact(ac_max_current_A=10.0)
    it.run(10.0)
    assert it.requests.count("ChargeParameterDiscoveryReq") == 2
    assert it.charger.names().count("ac_open_contactor") == 0
    it.wish(stop=True)
    assert it.end() == ("terminated", "")


@pytest.mark.parametrize("ac", [False, True])
def test_a_paused_contract_is_resumed(pki: Pki, tmp_path: Path, ac: bool) -> None:
    it = ContractPair(pki, tmp_path, ac=ac)
    it.charge(1.0)
    it.wish(pause=True)
    assert it.end() == ("paused", "")
    assert it.outcome is not None
    facts = it.charger.facts
    again = ContractPair(pki, tmp_path, ac=ac, session_id=it.outcome.session_id)
    again.charger.facts.paused = facts.paused
    again.charge(1.0)
    codes = [str(one.ResponseCode) for one in again.charger.sent() if hasattr(one, "ResponseCode")]
    assert "OK_OldSessionJoined" in codes
    assert again.charger.names().count("require_auth_pnc") == 1


def test_a_car_without_tls_pays_otherwise(pki: Pki, tmp_path: Path) -> None:
    it = ContractPair(pki, tmp_path, payment="auto", tls="none")
    it.security = Security()
    it.charge(1.0)
    assert it.charger.published("selected_payment_option") == [("selected_payment_option", "ExternalPayment")]
    it.wish(stop=True)
    assert it.end() == ("terminated", "")
    assert isinstance(it.outcome, evcc.SessionStopped)
