"""A certificate request of a car on its way to the back end and back: both protocols with contracts have it.

The request goes on as the car wrote it, and the answer as the back end wrote it: both are signed by others, whom the
charger neither needs to know nor could replace.
"""

from __future__ import annotations

import base64

import msgspec

from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types.iso15118 import CertificateActionEnum as Action
from chargebyte_fw.contracts.types.iso15118 import RequestExiStreamSchema
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts
from chargebyte_fw.modules.v2g.secc.protocol import Deferred, Request
from chargebyte_fw.modules.v2g.secc.session_output import SessionOutput
from chargebyte_fw.modules.v2g.timing import CERTIFICATE_PERFORMANCE_S

MOST_CHARACTERS = 5_600
"""What `iso15118_certificate_request` carries of base64."""
_MOST_UNANSWERED = 16


class Unanswered(msgspec.Struct, frozen=True):
    """There is no certificate for the car."""

    why: str


class CertificateExchange:
    """One request at a time of a session."""

    def __init__(self, output: SessionOutput, facts: ChargerFacts, schema_set: str, schema: str) -> None:
        self._output = output
        self._facts = facts
        self._schema_set = schema_set
        self._schema = schema
        """The name space of the messages, by which the back end knows the protocol."""
        self._asked_since: float | None = None
        """Since when a request waits for the back end."""

    def ask(self, request: Request, action: Action, session_id: bytes, now: float) -> bytes | Unanswered | Deferred:
        """Return the back end's response (EXI) to a request, why there is none, or Deferred until it is there."""
        session = self._facts.session
        if self._asked_since is None:
            text = base64.b64encode(request.payload).decode()
            if len(text) > MOST_CHARACTERS:
                return Unanswered(f"a request of {len(request.payload)} bytes is too long")
            self._asked_since = now
            session.certificate_request, session.certificate_response = action, None
            asked = RequestExiStreamSchema(
                exi_request=text, iso15118_schema_version=self._schema, certificate_action=action
            )
            self._output.publish(Iso15118Extensions.iso15118_certificate_request, asked)
            self._output.log(f"{request.name} goes to the back end")
        limit = self._asked_since + CERTIFICATE_PERFORMANCE_S
        response = session.certificate_response
        if response is not None and self._is_late(response.exi, session_id):
            self._output.log("a certificate response for an earlier session is dropped")
            response = session.certificate_response = None
        if response is None and now < limit:
            return Deferred(limit)
        self._asked_since, session.certificate_request = None, ""
        if response is None:
            unanswered = self._facts.unanswered_certificates
            unanswered[:] = [*unanswered, session_id][-_MOST_UNANSWERED:]
            return Unanswered(f"the back end did not answer within {CERTIFICATE_PERFORMANCE_S:g} s")
        return response.exi or Unanswered("the back end has no certificate")

    def _is_late(self, exi: bytes, session_id: bytes) -> bool:
        """Return whether the answer is for a session that is over."""
        outline = codec(self._schema_set).outline(exi) if exi else None
        if outline is None or outline.session_id == session_id:
            return False
        return outline.session_id in self._facts.unanswered_certificates
