"""Prices that the issuer of a contract has signed: sales tariffs of ISO 15118-2, price schedules of -20."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chargebyte_fw.contracts.types.evse_security import CertificateValidationResult as Result
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.modules.security.test_pki import Pki, make_test_pki
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.price_key_file import price_keys_of
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification, read_contract
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, Price, Settings
from chargebyte_fw.modules.v2g.secc.price_keys import key_of_issuer, read_price_keys
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.sim.car_keys import read_keys
from tests.v2g.contract_chains import chain
from tests.v2g.pair import START, Pair
from tests.v2g.test_iso2_contract_pair import ContractPair
from tests.v2g.test_iso20_pair import pair

START_S = int(START.timestamp())
PRICES = [Price(START_S - 3_600, 0.30, "EUR"), Price(START_S + 3_600, 0.20, "EUR")]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), now=START)


def pem_of(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


# -- the keys


def test_a_file_has_several_keys_and_other_things() -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP521R1())]
    read = read_price_keys(b"of our fleet\n" + pem_of(keys[0]) + b"\n\n" + pem_of(keys[1]))
    assert [one.public_key() for one in read] == [one.public_key() for one in keys]


@pytest.mark.parametrize("octets", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_key(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"no private key|key 1 cannot be read"):
        read_price_keys(octets)


def test_the_key_is_the_one_of_the_issuer_wherever_its_certificate_stands() -> None:
    one = chain()
    issuer, other = one.subs[0].key, one.subs[1].key
    assert key_of_issuer(read_contract(one.der), [other, issuer]) is issuer
    assert key_of_issuer(read_contract((one.der[0], *reversed(one.der[1:]))), [other, issuer]) is issuer
    assert key_of_issuer(read_contract(one.der), [other]) is None
    assert key_of_issuer(None, [issuer]) is None
    assert key_of_issuer(read_contract(one.der[:1]), [issuer]) is None


def test_the_file_of_a_module_is_read_or_its_trouble_logged(tmp_path: Path) -> None:
    lines: list[str] = []
    log = SimpleNamespace(error=lambda text, *values: lines.append(text % values))
    module: Any = SimpleNamespace(runtime=SimpleNamespace(root=Root(tmp_path, tmp_path)), log=log)
    file = tmp_path / "etc/everest/prices.key"
    assert price_keys_of(module, "") == () and lines == []
    assert price_keys_of(module, "/etc/everest/prices.key") == ()
    assert lines == ["price_key_file /etc/everest/prices.key: No such file or directory; prices are not signed"]
    file.parent.mkdir(parents=True)
    file.write_bytes(pem_of(ec.generate_private_key(ec.SECP256R1())))
    assert len(price_keys_of(module, "/etc/everest/prices.key")) == 1 and len(lines) == 1


# -- ISO 15118-2


def iso2_pair(pki: Pki, folder: Path, *keys: Any) -> ContractPair:
    settings = Settings(verify_contract_cert_chain=True, price_keys=keys)
    it = ContractPair(pki, folder, settings=settings)
    it.charger.facts.prices = list(PRICES)
    return it


def tariff_of(it: Pair) -> tuple[Any, Any]:
    """The tariff that was sent, and its signature."""
    (message,) = [
        one.message
        for one in it.charger.log
        if isinstance(one, out.MessageExchanged) and one.name == "ChargeParameterDiscoveryRes"
    ]
    (schedule,) = message.Body.SASchedules.SAScheduleTuple
    return schedule.SalesTariff, message.Header.Signature


def test_the_tariff_of_a_contract_has_the_signature_of_its_issuer(pki: Pki, tmp_path: Path) -> None:
    it = iso2_pair(pki, tmp_path, pki.iso2["mo_sub2"].key)
    it.charge()
    tariff, signature = tariff_of(it)
    public = pki.iso2["mo_sub2"].certificate.public_key()
    assert signatures.verify("iso2", signature, public, {"SalesTariff": tariff}) == ""
    assert signatures.verify("iso2", signature, pki.iso2["mo_sub1"].certificate.public_key(), {"SalesTariff": tariff})
    charger = it.car_facts.charger
    assert (charger.prices_signed, charger.price_level) == (True, 2), "0.20 EUR is level 1 and comes later"


def test_without_the_key_of_its_issuer_a_contract_gets_no_tariff(pki: Pki, tmp_path: Path) -> None:
    it = iso2_pair(pki, tmp_path, pki.iso2["mo_sub1"].key, pki.iso20["mo_sub2"].key)
    it.charge()
    assert tariff_of(it) == (None, None)
    assert it.car_facts.charger.price_level is None


def test_a_car_drops_a_tariff_that_its_issuer_has_not_signed(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    monkeypatch.setattr("chargebyte_fw.modules.v2g.secc.iso2.session.key_of_issuer", lambda *_: stranger)
    it = iso2_pair(pki, tmp_path, stranger)
    it.charge()
    tariff, signature = tariff_of(it)
    assert tariff is not None and signature is not None
    charger = it.car_facts.charger
    assert (charger.prices_signed, charger.price_level) == (False, None) and it.outcome is None
    texts = [getattr(effect, "what", "") for _, effect in it.car_log]
    assert any(text.startswith("without the prices: the signature was not made") for text in texts)


# -- ISO 15118-20


def iso20_pair(pki: Pki, *keys: Any, pricing: str = "absolute", mode: str = "Scheduled", **car: Any) -> Pair:
    it = pair(
        options=Iso20Settings(scheduled=mode == "Scheduled", dynamic=mode == "Dynamic", pricing=pricing),
        control_mode=mode,
        charger={"payment_options": ["Contract"], "prices": list(PRICES)},
        security=Security("1.3", "TLS_AES_256_GCM_SHA384", (b"vehicle",)),
        keys=read_keys(pki.directory),
        payment="contract",
        **car,
    )
    it.charger.machine.settings.price_keys = keys
    it.car_facts.wall_offset_s = START.timestamp()
    react = it.charger.reactions
    react["require_auth_pnc"] = lambda _: it.later(1.0, it.fact, authorized=True)
    carry_out = it._charger

    def with_store(effects: list[Any]) -> None:
        carry_out(effects)
        for effect in effects:
            if isinstance(effect, out.VerifyContract):
                it.later(0.05, it.fact, contract_verification=ContractVerification(effect.chain, Result.Valid))

    it._charger = with_store  # type: ignore[method-assign]
    return it


def exchanged(it: Pair) -> Any:
    return next(one.message for one in it.charger.log if getattr(one, "name", "") == "ScheduleExchangeRes")


@pytest.mark.parametrize("mode", ["Scheduled", "Dynamic"])
@pytest.mark.parametrize(
    ("pricing", "element"), [("absolute", "AbsolutePriceSchedule"), ("levels", "PriceLevelSchedule")]
)
def test_prices_in_20_have_the_signature_of_the_issuer(pki: Pki, pricing: str, element: str, mode: str) -> None:
    it = iso20_pair(pki, pki.iso2["mo_sub2"].key, pki.iso20["mo_sub2"].key, pricing=pricing, mode=mode)
    it.charge()
    message = exchanged(it)
    scheduled, dynamic = message.Scheduled_SEResControlMode, message.Dynamic_SEResControlMode
    holder = dynamic if scheduled is None else scheduled.ScheduleTuple[0].ChargingSchedule
    public = pki.iso20["mo_sub2"].certificate.public_key()
    prices = {element: getattr(holder, element)}
    assert signatures.verify("iso20_common", message.Header.Signature, public, prices, strict=True) == ""
    assert it.car_facts.charger.prices_signed
    assert it.car_facts.charger.price_per_kWh == (0.3 if pricing == "absolute" else None)


def test_prices_in_20_without_the_key_are_sent_unsigned(pki: Pki) -> None:
    it = iso20_pair(pki)
    it.charge()
    assert exchanged(it).Header.Signature is None
    assert (it.car_facts.charger.prices_signed, it.car_facts.charger.price_per_kWh) == (False, 0.3)


def test_a_car_of_20_drops_prices_with_a_wrong_signature(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "chargebyte_fw.modules.v2g.secc.iso20.metering.key_of_issuer", lambda *_: pki.iso20["mo_sub1"].key
    )
    it = iso20_pair(pki)
    it.charge()
    assert exchanged(it).Header.Signature is not None
    assert (it.car_facts.charger.prices_signed, it.car_facts.charger.price_per_kWh) == (False, None)
    assert it.outcome is None, "the session goes on"
