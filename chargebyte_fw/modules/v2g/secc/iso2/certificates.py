"""ISO 15118-2, CertificateInstallation and CertificateUpdate (clauses 8.4.3.11, 8.4.3.12).

The request goes to the back end as the car wrote it, and the answer to the car as the back end wrote it: both are
signed by others, whom the charger neither needs to know nor could replace.
"""

from __future__ import annotations

import base64
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types.iso15118 import CertificateActionEnum as Action
from chargebyte_fw.contracts.types.iso15118 import RequestExiStreamSchema
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.iso2.payment import Iso2Payment
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, Encoded, SessionContext
from chargebyte_fw.modules.v2g.timing import CERTIFICATE_PERFORMANCE_S
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame

MOST_CHARACTERS = 5_600
"""What `iso15118_certificate_request` carries of base64."""
_MOST_UNANSWERED = 16


class Iso2Certificates(Iso2Payment):
    """Contracts that a back end gives to the car."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self._asked_back_end_since: float | None = None
        """Since when a request waits for the back end."""

    def on_CertificateInstallationReq(self, request: iso2.CertificateInstallationReq, now: float) -> Answer | Deferred:
        """Have a contract installed in the car."""
        return self._from_back_end("CertificateInstallationReq", Action.Install, now)

    def on_CertificateUpdateReq(self, request: iso2.CertificateUpdateReq, now: float) -> Answer | Deferred:
        """Have the car's contract replaced by a new one."""
        return self._from_back_end("CertificateUpdateReq", Action.Update, now)

    def _from_back_end(self, name: str, action: Action, now: float) -> Answer | Deferred:
        session = self.facts.session
        if self._asked_back_end_since is None:
            if not self.offers_certificates:
                return self.failed(name, "FAILED", "the certificate service is not offered")
            text = base64.b64encode(self.request.payload).decode()
            if len(text) > MOST_CHARACTERS:
                return self.failed(name, "FAILED", f"a request of {len(self.request.payload)} bytes is too long")
            self._asked_back_end_since = now
            session.certificate_request, session.certificate_response = action, None
            schema = iso2.MESSAGE
            request = RequestExiStreamSchema(
                exi_request=text, iso15118_schema_version=schema, certificate_action=action
            )
            self.publish(Iso15118Extensions.iso15118_certificate_request, request)
            self.log(f"{name} goes to the back end")
        limit = self._asked_back_end_since + CERTIFICATE_PERFORMANCE_S
        response = session.certificate_response
        if response is not None and self._is_late(response.exi):
            self.log("a certificate response for an earlier session is dropped")
            response = session.certificate_response = None
        if response is None and now < limit:
            return Deferred(limit)
        self._asked_back_end_since, session.certificate_request = None, ""
        if response is None:
            unanswered = self.facts.unanswered_certificates
            unanswered[:] = [*unanswered, self.session_id][-_MOST_UNANSWERED:]
            why = f"the back end did not answer within {CERTIFICATE_PERFORMANCE_S:g} s"
            return self.failed(name, "FAILED", why)
        if not response.exi:
            return self.failed(name, "FAILED", "the back end has no certificate")
        return self._pass_on(name, response.exi)

    def _is_late(self, exi: bytes) -> bool:
        """Return whether the answer is for a session that is over."""
        outline = codec("iso2").outline(exi) if exi else None
        if outline is None or outline.session_id == self.session_id:
            return False
        return outline.session_id in self.facts.unanswered_certificates

    def _pass_on(self, name: str, exi: bytes) -> Answer:
        """Return the back end's response as it is, where it is one to this kind of request."""
        kind: type[Any] = getattr(iso2, f"{name[:-3]}Res")
        outline = codec("iso2").outline(exi)
        if outline is None or outline.body is not kind:
            return self.failed(name, "FAILED", f"the back end's answer is no {kind.__name__}")
        log = ""
        message: Any = None
        try:
            message = codec("iso2").decode(exi)
            body: Any = message.Body
        except ExiError as error:
            # It is the car's to judge: it may take what is beyond the limits of the schema.
            log = f"the back end's {kind.__name__} is passed on, but not understood: {error}"
            body = kind(ResponseCode=self.ok(), **self.least_content(name))
        if not str(body.ResponseCode).startswith("FAILED"):
            self.enter(State.CONTRACT_INSTALLED)
        return Answer(body, log=log, encoded=Encoded(Frame(EXI_DIN_ISO2, exi), message))
