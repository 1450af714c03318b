"""Renews the OCSP responses that are shown to cars, where no CSMS does it: each responder is asked by HTTP in time."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.contracts.types.evse_security import CertificateHashData, CertificateStoreUpdateOperation
from chargebyte_fw.contracts.types.evse_security import LeafCertificateType as Kind
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import in_words
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.security import responder_link
from chargebyte_fw.modules.security.layout import Layout

if TYPE_CHECKING:
    from chargebyte_fw.modules.security.changes import Changes

LOOK_S = 10 * 60.0
"""Period in which what is due is asked for; also the pause after a responder did not answer."""
WEEK = timedelta(days=7)
"""A response is renewed after half of its time, after a week at the latest."""


class Due(msgspec.Struct, frozen=True):
    """A certificate whose response is to be renewed."""

    about: str
    name: CertificateHashData
    url: str
    request: bytes


async def renew(
    layout: Layout, changes: Callable[[], Changes], wires: Wires, publish: Callable[[Any, Kind], None], log: Any
) -> None:
    """Keep the responses of the charger's own chains current, for ever."""
    troubles = LastingConditions(log)
    while True:
        renewed = 0
        for due in [] if layout.is_empty() else list(due_at(changes(), utc_now())):
            try:
                response = await responder_link.ask(wires, due.url, due.request)
                kept = changes().keep_ocsp(due.name, base64.b64encode(response).decode(), utc_now())
            except (OSError, ValueError) as error:
                troubles.set(due.about, True, f"no OCSP response about {due.about} from {due.url}: {in_words(error)}")
                continue
            troubles.set(due.about, False, f"{due.url} answers about {due.about} again")
            renewed += bool(kept)
        if renewed:
            log.info("%d OCSP responses are renewed", renewed)
            publish(CertificateStoreUpdateOperation.Installed, Kind.V2G)
        await asyncio.sleep(LOOK_S)


def due_at(changes: Changes, at: datetime) -> Iterator[Due]:
    """Return the certificates of the charger's own chains whose responses are to be renewed, each once."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    from chargebyte_fw.modules.security import certificates as x509
    from chargebyte_fw.modules.security.certificate_store import ROOT_OF
    from chargebyte_fw.modules.security.ocsp_responses import Response, Status

    def is_due(response: Response | None) -> bool:
        if response is None:
            return True
        if response.status is Status.REVOKED:
            return False
        half = (response.until - response.this_update) / 2
        return not response.this_update <= at < response.this_update + min(half, WEEK)

    store = changes.store
    seen: set[bytes] = set()
    for leaf in store.leaves(Kind.V2G):
        if x509.has_expired(leaf.certificate, at):
            continue
        issuers = x509.Issuers([*leaf.chain, *store.bundle(ROOT_OF[Kind.V2G])])
        for certificate in leaf.chain:
            issuer, url = issuers.of(certificate), x509.ocsp_url(certificate)
            if issuer is None or url is None or issuer == certificate or x509.fingerprint(certificate) in seen:
                continue
            seen.add(x509.fingerprint(certificate))
            if is_due(store.ocsp_response(Kind.V2G, certificate, issuer)):
                builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256())
                request = builder.build().public_bytes(Encoding.DER)
                yield Due(x509.describe(certificate), x509.hash_data(certificate, issuer), url, request)
