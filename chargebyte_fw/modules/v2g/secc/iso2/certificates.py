"""ISO 15118-2, CertificateInstallation and CertificateUpdate (clauses 8.4.3.11, 8.4.3.12)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.iso15118 import CertificateActionEnum as Action
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.certificate_exchange import CertificateExchange, Unanswered
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.iso2.payment import Iso2Payment
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, Encoded, SessionContext
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame


class Iso2Certificates(Iso2Payment):
    """Contracts that a back end gives to the car."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self._exchange = CertificateExchange(self, self.facts, "iso2", iso2.MESSAGE)

    def on_CertificateInstallationReq(self, request: iso2.CertificateInstallationReq, now: float) -> Answer | Deferred:
        """Have a contract installed in the car."""
        return self._from_back_end("CertificateInstallationReq", Action.Install, now)

    def on_CertificateUpdateReq(self, request: iso2.CertificateUpdateReq, now: float) -> Answer | Deferred:
        """Have the car's contract replaced by a new one."""
        return self._from_back_end("CertificateUpdateReq", Action.Update, now)

    def _from_back_end(self, name: str, action: Action, now: float) -> Answer | Deferred:
        if not self.offers_certificates:
            return self.failed(name, "FAILED", "the certificate service is not offered")
        result = self._exchange.ask(self.request, action, self.session_id, now)
        if isinstance(result, Deferred):
            return result
        if isinstance(result, Unanswered):
            return self.failed(name, "FAILED", result.why)
        return self._pass_on(name, result)

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
