"""Plug and Charge of ISO 15118-2: CPU time of an authorization, and of a certificate that is passed on to the car."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from bench.rows import Row, at_most, info
from chargebyte_fw.contracts.types.evse_security import (
    CaCertificateType,
    CertificateValidationResult,
    LeafCertificateType,
)
from chargebyte_fw.modules.security.certificate_store import CertificateStore
from chargebyte_fw.modules.security.layout import Layout
from chargebyte_fw.modules.security.queries import Queries
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification, pem
from chargebyte_fw.modules.v2g.secc.facts import CertificateResponse, Settings
from tests.v2g.contract_chains import NOW, chain, issue
from tests.v2g.talk import Talk, certificate_response, installation, payment_details, talk

AUTHORIZATION_MS = 10.0
"""PaymentDetails and Authorization together: chain read and verified, signature of the car checked."""
CERTIFICATE_MS = 5.0
ROUNDS = 40
_KINDS = [LeafCertificateType.V2G, LeafCertificateType.MO]


def rows() -> list[Row]:
    """Return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        queries = _store(Path(folder))
        authorizations = [_authorization(queries) for _ in range(ROUNDS)][ROUNDS // 4 :]
    whole, verifying = (statistics.median(one) for one in zip(*authorizations, strict=True))
    passed_on = statistics.median([_certificate() for _ in range(ROUNDS)][ROUNDS // 4 :])
    return [
        at_most("PnC: PaymentDetails and Authorization, CPU", whole, "ms", AUTHORIZATION_MS),
        info("  of it the certificate store (3 certificates, 2 kinds of roots)", verifying, "ms"),
        at_most("PnC: CertificateInstallationRes passed on, CPU", passed_on, "ms", CERTIFICATE_MS),
    ]


def _store(folder: Path) -> Queries:
    """A store with the root of the contract, and another one beside it."""
    roots = {CaCertificateType.MO: chain().root, CaCertificateType.V2G: issue("V2G root", None, ca=True)}
    places = {}
    for kind, root in roots.items():
        places[kind] = folder / f"{kind}.pem"
        places[kind].write_bytes(root.certificate.public_bytes(Encoding.PEM))
    return Queries(CertificateStore(Layout(roots=places, leaves={}), "", lambda text: None))


def _authorization(queries: Queries) -> tuple[float, float]:
    """Return the CPU time of both requests, and the store's share, in ms; what the car does is left out."""
    it = talk("iso2", State.PAYMENT_DETAILS, Settings(verify_contract_cert_chain=True))
    frame = it.frame(payment_details())
    began = time.process_time()
    effects = it.raw(frame)
    asked = time.process_time()
    assert isinstance(effects[-1], out.VerifyContract)
    result = queries.verify(pem(effects[-1].chain), _KINDS, NOW)
    assert result is CertificateValidationResult.Valid
    ocsp = tuple(queries.contract_ocsp_requests(pem(effects[-1].chain)).ocsp_request_data_list)
    answered = time.process_time()
    response = it.change(contract_verification=ContractVerification(effects[-1].chain, result, ocsp))
    spent = time.process_time() - began
    request = iso2.AuthorizationReq(Id="id1", GenChallenge=response.GenChallenge)
    signature = signatures.sign("iso2", chain().leaf.key, {"AuthorizationReq": request})
    frame = it.frame(request, signature=signature)
    began = time.process_time()
    effects = it.raw(frame)
    spent += time.process_time() - began
    assert it.answer_in(effects).EVSEProcessing == "Ongoing"
    return spent * 1e3, (answered - asked) * 1e3


def _certificate() -> float:
    """Return the CPU time between car and back end and back, in ms."""
    it: Talk = talk("iso2", State.PAYMENT_DETAILS)
    frame = it.frame(installation())
    exi = certificate_response(it.session_id)
    began = time.process_time()
    it.raw(frame)
    it.facts.session.certificate_response = CertificateResponse(exi)
    effects: list[Any] = it.charger.feed(out.FactsChanged(), it.now)
    spent = time.process_time() - began
    assert any(isinstance(effect, out.Send) and effect.data[8:] == exi for effect in effects)
    return spent * 1e3
