"""Signatures of Plug and Charge: the car's over its challenge, made and checked, in ISO 15118-2 and -20."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448

from bench.rows import Row, at_most, median_us
from chargebyte_fw.modules.v2g.messages import iso2, iso20_contracts
from chargebyte_fw.modules.v2g.messages.model import Type
from chargebyte_fw.modules.v2g.signatures import sign, verify


def _challenge() -> dict[str, Type]:
    return {"AuthorizationReq": iso2.AuthorizationReq(Id="id1", GenChallenge=bytes(range(16)))}


def _authorization() -> dict[str, Type]:
    """Return the signed part of a request with a contract chain of three certificates."""
    chain = iso20_contracts.ContractCertificateChainType(
        Certificate=bytes(900), SubCertificates=iso20_contracts.SubCertificatesType(Certificate=[bytes(900)] * 2)
    )
    mode = iso20_contracts.PnC_AReqAuthorizationModeType(
        Id="id1", GenChallenge=bytes(16), ContractCertificateChain=chain
    )
    return {"PnC_AReqAuthorizationMode": mode}


def rows() -> list[Row]:
    """Measure."""
    found: list[Row] = []
    cases: list[tuple[str, str, Any, dict[str, Type]]] = [
        ("ISO 15118-2, P-256", "iso2", ec.generate_private_key(ec.SECP256R1()), _challenge()),
        ("ISO 15118-20, P-521", "iso20_common", ec.generate_private_key(ec.SECP521R1()), _authorization()),
        ("ISO 15118-20, Ed448", "iso20_common", ed448.Ed448PrivateKey.generate(), _authorization()),
    ]
    for name, schema_set, key, elements in cases:
        signature, public = sign(schema_set, key, elements), key.public_key()
        if wrong := verify(schema_set, signature, public, elements):
            raise RuntimeError(wrong)
        signing = median_us(lambda: sign(schema_set, key, elements), rounds=200, warm_up=20) / 1000  # noqa: B023
        checking = median_us(lambda: verify(schema_set, signature, public, elements), rounds=200, warm_up=20) / 1000  # noqa: B023
        found += [
            at_most(f"signature: sign, {name}", signing, "ms", 5),
            at_most(f"signature: check, {name}", checking, "ms", 5),
        ]
    return found
