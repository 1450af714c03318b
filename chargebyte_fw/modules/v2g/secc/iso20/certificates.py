"""ISO 15118-20, CertificateInstallation (clause 8.3.4.3): a back end gives contracts to the car."""

from __future__ import annotations

from chargebyte_fw.contracts.types.iso15118 import CertificateActionEnum as Action
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.secc.certificate_exchange import CertificateExchange, Unanswered
from chargebyte_fw.modules.v2g.secc.iso20.contract import ContractAuthorization
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, Encoded, SessionContext
from chargebyte_fw.modules.v2g.v2gtp import EXI_ISO20_MAIN, Frame

_NAME = "CertificateInstallationReq"


class Certificates(ContractAuthorization):
    """Contracts that a back end gives to the car, one with each request."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self._exchange = CertificateExchange(self, self.facts, "iso20_common", m.NAMESPACE)

    def on_CertificateInstallationReq(self, request: m.CertificateInstallationReq, now: float) -> Answer | Deferred:
        """Have a contract installed in the car."""
        if not self.offers_certificates:
            return self.failed(_NAME, "FAILED", "the certificate service is not offered")
        result = self._exchange.ask(self.request, Action.Install, self.session_id, now)
        if isinstance(result, Deferred):
            return result
        if isinstance(result, Unanswered):
            return self.failed(_NAME, "FAILED", result.why)
        return self._pass_on(result)

    def _pass_on(self, exi: bytes) -> Answer:
        """Return the back end's response as it is, where it is one to this kind of request."""
        outline = codec("iso20_common").outline(exi)
        if outline is None or outline.root is not m.CertificateInstallationRes:
            return self.failed(_NAME, "FAILED", "the back end's answer is no CertificateInstallationRes")
        log, message = "", None
        try:
            message = codec("iso20_common").decode(exi)
        except ExiError as error:
            # It is the car's to judge: it may take what is beyond the limits of the schema.
            log = f"the back end's CertificateInstallationRes is passed on, but not understood: {error}"
        body = self.refusal(_NAME, "OK") if message is None else message
        return Answer(body, log=log, encoded=Encoded(Frame(EXI_ISO20_MAIN, exi), message))
