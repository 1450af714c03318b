"""Asks the OCSP responders that a contract's certificates name whether one of them was revoked (RFC 6960)."""

from __future__ import annotations

import asyncio
from datetime import datetime
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from chargebyte_fw.contracts.types.evse_security import LeafCertificateType as Kind
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.security import certificates as x509
from chargebyte_fw.modules.security import responder_link
from chargebyte_fw.modules.security.certificates import Certificate
from chargebyte_fw.modules.security.judgement import date
from chargebyte_fw.modules.security.ocsp_responses import Status, check_response
from chargebyte_fw.modules.security.queries import Queries

LIMIT_S = 3.0
"""The car waits 5 s for PaymentDetailsRes (ISO 15118-2 table 109), its answer is due after 4.5 s."""


async def revoked_in(pem: str, queries: Queries, wires: Wires, at: datetime, log: Any) -> str:
    """Return which certificate of a contract's chain was revoked, or nothing.

    A responder that does not answer in time revokes nothing: most chargers reach it at times only.
    """
    try:
        chain = x509.parse(pem.encode())[: x509.MAX_CHAIN]
    except ValueError:
        return ""
    path = next((found for kind in (Kind.MO, Kind.V2G) if (found := queries.path(chain[0], chain[1:], kind, at))), [])
    pairs = [(one, issuer) for one, issuer in pairwise(path) if x509.ocsp_url(one)]
    answers = await asyncio.gather(*(_revocation(one, issuer, wires, at, log) for one, issuer in pairs))
    return next(filter(None, answers), "")


async def _revocation(certificate: Certificate, issuer: Certificate, wires: Wires, at: datetime, log: Any) -> str:
    url, about = x509.ocsp_url(certificate) or "", x509.describe(certificate)
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()).build()
    try:
        asking = responder_link.ask(wires, url, request.public_bytes(Encoding.DER))
        answer = check_response(await asyncio.wait_for(asking, LIMIT_S), certificate, issuer)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        log.info("no OCSP response about %s from %s: %s", about, url, error or f"none within {LIMIT_S:g} s")
        return ""
    if answer.status is not Status.REVOKED or not answer.is_current(at):
        return ""
    on = f" on {date(answer.revoked_at)}" if answer.revoked_at is not None else ""
    return f"{about} was revoked by its issuer{on} (OCSP)"
