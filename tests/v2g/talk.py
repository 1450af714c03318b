"""A tester in the car's place: sends the charger's machine one request at a time and looks at the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g import handshake, signatures
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import din, iso2
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import CertificateResponse, ChargerFacts, Settings
from chargebyte_fw.modules.v2g.security import PLAIN, Security
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame
from tests.v2g import contract_chains
from tests.v2g.pair import Charger, ac_facts, change, dc_facts

APP_PROTOCOLS = {one.name: one for one in (handshake.DIN70121, handshake.ISO15118D2)}
OK_STATUS = {"EVReady": True, "EVErrorCode": "NO_ERROR", "EVRESSSOC": 30}


class Talk:
    """One connection. `ask` sends a body and returns the charger's, None where it does not answer (yet)."""

    def __init__(
        self,
        m: Any,
        facts: ChargerFacts,
        settings: Settings | None = None,
        *,
        shake: bool = True,
        security: Security = PLAIN,
    ) -> None:
        self.m = m
        self.facts = facts
        self.charger = Charger(facts, settings)
        self.now = 100.0
        self.session_id = bytes(8)
        self.charger.feed(out.Connected(security), self.now)
        if shake:
            self.handshake()

    @property
    def schema_set(self) -> str:
        return str(self.m.SCHEMA.name)

    @property
    def machine(self) -> Any:
        return self.charger.machine

    def handshake(self, *names: str) -> Any:
        wanted = names or ("DIN70121" if self.m is din else "ISO15118D2",)
        payload = codec("sap").encode(handshake.offer([APP_PROTOCOLS[name] for name in wanted]))
        effects = self.raw(Frame(EXI_DIN_ISO2, payload).to_bytes())
        return next((codec("sap").decode(e.data[8:]) for e in effects if isinstance(e, out.Send)), None)

    def raw(self, data: bytes) -> list[Any]:
        return self.charger.feed(out.Received(data), self.now)

    def frame(self, body: Any, session_id: bytes | None = None, signature: Any = None) -> bytes:
        session_id = self.session_id if session_id is None else session_id
        header = self.m.MessageHeaderType(SessionID=session_id, Signature=signature)
        payload = codec(self.schema_set).encode(self.m.V2G_Message(Header=header, Body=body))
        return Frame(EXI_DIN_ISO2, payload).to_bytes()

    def ask(self, body: Any, session_id: bytes | None = None, signature: Any = None) -> Any:
        return self.answer_in(self.raw(self.frame(body, session_id, signature)))

    def ask_signed(self, body: Any, key: Any = None) -> Any:
        """Ask with the signature of the contract's key over the body, whose Id is set where it has none."""
        body.Id = body.Id or "id1"
        signature = signatures.sign("iso2", key or contract_chains.chain().leaf.key, {type(body).__name__: body})
        return self.ask(body, signature=signature)

    def answer_in(self, effects: list[Any]) -> Any:
        sent = [effect for effect in effects if isinstance(effect, out.Send)]
        if not sent:
            return None
        assert len(sent) == 1, "one request, one response"
        message = codec(self.schema_set).decode(sent[0].data[8:])
        if type(message.Body).__name__ == "SessionSetupRes":
            self.session_id = message.Header.SessionID
        assert message.Header.SessionID == self.machine.session.session_id
        return message.Body

    def change(self, **facts: Any) -> Any:
        """Change facts; returns the response that this let out, if any."""
        change(self.facts, facts)
        return self.answer_in(self.charger.feed(out.FactsChanged(), self.now))

    def wait(self, duration_s: float) -> list[Any]:
        """Let time pass, the machine woken whenever it asked for it; returns the effects."""
        end, effects = self.now + duration_s, []
        while self.machine.deadline is not None and self.machine.deadline <= end:
            self.now = self.machine.deadline
            effects += self.charger.wake(self.now)
        self.now = end
        return effects

    @property
    def closed(self) -> bool:
        return any(isinstance(e, out.Ended) for e in self.charger.log)

    @property
    def closing(self) -> bool:
        """The last response is out."""
        return self.machine.state.name in ("FINISHING", "SHUT_DOWN", "ENDED")

    def end(self) -> list[str]:
        """Close as a car does; returns what the charger publishes about the end."""
        before = len(self.charger.log)
        self.charger.feed(out.Disconnected(), self.now)
        return [e.variable for e in self.charger.log[before:] if isinstance(e, Publish)]


# -- requests, valid ones


def ev_status(m: Any, **changes: Any) -> Any:
    fields = {**OK_STATUS, **changes}
    return m.DC_EVStatusType(**{**fields, "EVErrorCode": m.DC_EVErrorCodeType(fields["EVErrorCode"])})


SOC_BITS = 7


def with_soc(frame: bytes, soc_percent: int) -> bytes:
    """Return the frame of a request with an EVRESSSOC that no encoder writes: the schema ends at 100."""
    spoken = codec("iso2" if frame[9] >> 1 == 76 else "din")
    message = spoken.decode(frame[8:])
    body = message.Body
    holder = getattr(body, "EVChargeParameter", None) or getattr(body, "EVPowerDeliveryParameter", None) or body
    streams = []
    for value in (0, 64):
        holder.DC_EVStatus.EVRESSSOC = value
        streams.append(int.from_bytes(spoken.encode(message), "big"))
    top = (streams[0] ^ streams[1]).bit_length()
    stream = streams[0] | soc_percent << top - SOC_BITS
    return Frame(EXI_DIN_ISO2, stream.to_bytes(len(frame) - 8, "big")).to_bytes()


def quantity(m: Any, value: int, unit: str, multiplier: int = 0) -> Any:
    return m.PhysicalValueType(Multiplier=multiplier, Unit=m.unitSymbolType(unit), Value=value)


def dc_parameters(m: Any, volts: int = 450, amperes: int = 200) -> Any:
    return m.DC_EVChargeParameterType(
        DC_EVStatus=ev_status(m),
        EVMaximumCurrentLimit=quantity(m, amperes, "A"),
        EVMaximumVoltageLimit=quantity(m, volts, "V"),
    )


def ac_parameters(m: Any) -> Any:
    extra = {"DepartureTime": 3600} if m is din else {}
    return m.AC_EVChargeParameterType(
        EAmount=quantity(m, 20_000, "Wh"),
        EVMaxVoltage=quantity(m, 400, "V"),
        EVMaxCurrent=quantity(m, 16, "A"),
        EVMinCurrent=quantity(m, 6, "A"),
        **extra,
    )


def demand(m: Any, volts: int = 400, amperes: int = 50, **more: Any) -> Any:
    return m.CurrentDemandReq(
        DC_EVStatus=ev_status(m),
        EVTargetCurrent=quantity(m, amperes, "A"),
        EVTargetVoltage=quantity(m, volts, "V"),
        ChargingComplete=False,
        **more,
    )


def precharge(m: Any, volts: int = 400) -> Any:
    return m.PreChargeReq(
        DC_EVStatus=ev_status(m),
        EVTargetVoltage=quantity(m, volts, "V"),
        EVTargetCurrent=quantity(m, 1, "A"),
    )


def power(m: Any, progress: str, schedule: int = 1) -> Any:
    if m is din:
        return din.PowerDeliveryReq(ReadyToChargeState=progress == "Start")
    return iso2.PowerDeliveryReq(ChargeProgress=iso2.chargeProgressType(progress), SAScheduleTupleID=schedule)


def selection(m: Any, services: tuple[int, ...] = (1,), payment: str = "ExternalPayment") -> Any:
    kind = din.ServicePaymentSelectionReq if m is din else iso2.PaymentServiceSelectionReq
    chosen = m.SelectedServiceListType(SelectedService=[m.SelectedServiceType(ServiceID=i) for i in services])
    return kind(SelectedPaymentOption=m.paymentOptionType(payment), SelectedServiceList=chosen)


def parameters(m: Any, mode: str = "DC_extended", content: Any = None) -> Any:
    content = content or (dc_parameters(m) if mode.startswith("DC") else ac_parameters(m))
    if m is din:
        return din.ChargeParameterDiscoveryReq(
            EVRequestedEnergyTransferType=din.EVRequestedEnergyTransferType(mode), EVChargeParameter=content
        )
    return iso2.ChargeParameterDiscoveryReq(
        RequestedEnergyTransferMode=iso2.EnergyTransferModeType(mode), EVChargeParameter=content
    )


def stop(m: Any, kind: str = "Terminate") -> Any:
    return din.SessionStopReq() if m is din else iso2.SessionStopReq(ChargingSession=iso2.chargingSessionType(kind))


def authorization(m: Any) -> Any:
    return din.ContractAuthenticationReq() if m is din else iso2.AuthorizationReq()


def requests(m: Any, mode: str = "DC_extended") -> dict[str, Any]:
    """One valid request of each kind that a car without a contract sends."""
    common = [
        m.SessionSetupReq(EVCCID=b"\x02\0\0\0\0\x02"),
        m.ServiceDiscoveryReq(),
        m.ServiceDetailReq(ServiceID=1),
        selection(m),
        authorization(m),
        parameters(m, mode),
        m.CableCheckReq(DC_EVStatus=ev_status(m)),
        precharge(m),
        power(m, "Start"),
        demand(m),
        m.ChargingStatusReq(),
        m.WeldingDetectionReq(DC_EVStatus=ev_status(m)),
        stop(m),
        m.MeteringReceiptReq(SessionID=bytes(8), MeterInfo=m.MeterInfoType(MeterID="1")),
        *contract_requests(m),
    ]
    return {type(request).__name__: request for request in common}


def contract_requests(m: Any) -> list[Any]:
    """Requests of cars with a contract: they belong to connections with TLS."""
    chain = m.CertificateChainType(Certificate=b"\x30\x00")
    if m is din:
        din_roots = din.ListOfRootCertificateIDsType(RootCertificateID=["root"])
        return [
            din.PaymentDetailsReq(ContractID="DE-8AA-1A2B3C4D5", ContractSignatureCertChain=chain),
            din.CertificateInstallationReq(
                OEMProvisioningCert=b"\x30", ListOfRootCertificateIDs=din_roots, DHParams=b"\1"
            ),
            din.CertificateUpdateReq(
                ContractSignatureCertChain=chain, ContractID="C", ListOfRootCertificateIDs=din_roots, DHParams=b"\1"
            ),
        ]
    issuer = m.xmldsig.X509IssuerSerialType(X509IssuerName="CN=root", X509SerialNumber=1)
    roots = iso2.ListOfRootCertificateIDsType(RootCertificateID=[issuer])
    return [
        iso2.PaymentDetailsReq(eMAID="DE8AA1A2B3C4D59", ContractSignatureCertChain=chain),
        iso2.CertificateInstallationReq(Id="id1", OEMProvisioningCert=b"\x30", ListOfRootCertificateIDs=roots),
        iso2.CertificateUpdateReq(
            Id="id1", ContractSignatureCertChain=chain, eMAID="DE8AA1A2B3C4D59", ListOfRootCertificateIDs=roots
        ),
    ]


CONTRACT_STATES = (State.PAYMENT_DETAILS, State.CONTRACT_INSTALLED, State.RECEIPT)
TLS = Security(tls_version="1.2", cipher="ECDHE-ECDSA-AES128-SHA256")
CONTRACT_EMAID = "DEKL2C00012345U"


def payment_details(emaid: str = CONTRACT_EMAID, chain: Any = None) -> Any:
    """PaymentDetailsReq with a contract chain (DER, leaf first)."""
    leaf, *subs = contract_chains.chain().der if chain is None else chain
    below = iso2.SubCertificatesType(Certificate=subs) if subs else None
    return iso2.PaymentDetailsReq(
        eMAID=emaid, ContractSignatureCertChain=iso2.CertificateChainType(Certificate=leaf, SubCertificates=below)
    )


def installation(kind: str = "CertificateInstallationReq") -> Any:
    return {type(one).__name__: one for one in contract_requests(iso2)}[kind]


def certificate_response(session_id: bytes, code: str = "OK", kind: Any = iso2.CertificateInstallationRes) -> bytes:
    """EXI of a response as a back end writes it: signed by it, so that nothing in it may change."""
    leaf, *subs = contract_chains.chain().der
    chain = iso2.CertificateChainType(Certificate=leaf, SubCertificates=iso2.SubCertificatesType(Certificate=subs))
    body = kind(
        ResponseCode=iso2.responseCodeType(code),
        SAProvisioningCertificateChain=chain,
        ContractSignatureCertChain=iso2.CertificateChainType(
            Id="id1", Certificate=leaf, SubCertificates=iso2.SubCertificatesType(Certificate=subs)
        ),
        ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKeyType(Id="id2", value=bytes(48)),
        DHpublickey=iso2.DiffieHellmanPublickeyType(Id="id3", value=b"\4" + bytes(64)),
        eMAID=iso2.EMAIDType(Id="id4", value=CONTRACT_EMAID),
    )
    header = iso2.MessageHeaderType(SessionID=session_id)
    return codec("iso2").encode(iso2.V2G_Message(Header=header, Body=body))


def receipt(it: Talk, **changes: Any) -> Any:
    """The receipt of the last meter value that the charger sent."""
    sent = next(one for one in reversed(it.charger.sent()) if getattr(one, "MeterInfo", None) is not None)
    fields = {"SessionID": it.session_id, "SAScheduleTupleID": 1, "MeterInfo": sent.MeterInfo} | changes
    return iso2.MeteringReceiptReq(**fields)


Step = tuple[State, Callable[[Talk, str], Any]]
"""A state and how to get there from the one before: returns the response."""


def _asking(make: Callable[[Any, str], Any]) -> Callable[[Talk, str], Any]:
    return lambda it, mode: it.ask(make(it.m, mode))


def _authorized(it: Talk, mode: str) -> Any:
    it.facts.session.authorized = True
    return it.ask(authorization(it.m))


def _contract_authorized(it: Talk, mode: str) -> Any:
    proof = iso2.AuthorizationReq(GenChallenge=it.charger.sent()[-1].GenChallenge)
    assert it.ask_signed(proof).EVSEProcessing == "Ongoing"
    it.change(authorized=True)
    return it.ask(authorization(it.m))


def _installed(it: Talk, mode: str) -> Any:
    assert it.ask(installation()) is None
    return it.change(certificate_response=CertificateResponse(certificate_response(it.session_id)))


def _cable_checked(it: Talk, mode: str) -> Any:
    body = it.m.CableCheckReq(DC_EVStatus=ev_status(it.m))
    assert it.ask(body).EVSEProcessing == "Ongoing"
    it.change(cable_check=True, isolation="Valid")
    return it.ask(body)


def _started(it: Talk, mode: str) -> Any:
    it.facts.contactor_closed = True
    return it.ask(power(it.m, "Start"))


def _receipt_owed(it: Talk, mode: str) -> Any:
    it.change(receipt_required=True, meter_id="M1", meter_Wh=1234.0, meter_is_new=True)
    return it.ask(it.m.ChargingStatusReq() if mode.startswith("AC") else demand(it.m))


def _path(kind: str, to: State, contract: bool) -> list[Step]:
    """The steps to `to`, in their order."""
    payment: list[Step] = [
        (State.AUTHORIZATION, _asking(lambda m, mode: selection(m))),
        (State.CHARGE_PARAMETERS, _authorized),
    ]
    if contract:
        payment = [
            (State.PAYMENT_DETAILS, _asking(lambda m, mode: selection(m, payment="Contract"))),
            *([(State.CONTRACT_INSTALLED, _installed)] if to is State.CONTRACT_INSTALLED else []),
            (State.AUTHORIZATION, _asking(lambda m, mode: payment_details())),
            (State.CHARGE_PARAMETERS, _contract_authorized),
        ]
    dc: list[Step] = [
        (State.CABLE_CHECK, _asking(parameters)),
        (State.PRECHARGE_FIRST, _cable_checked),
        (State.PRECHARGE, _asking(lambda m, mode: precharge(m))),
    ]
    ac: list[Step] = [(State.POWER_DELIVERY, _asking(parameters))]
    loop = _asking(lambda m, mode: m.ChargingStatusReq() if kind == "ac" else demand(m))
    welding: list[Step] = [(State.WELDING, _asking(lambda m, mode: m.WeldingDetectionReq(DC_EVStatus=ev_status(m))))]
    return [
        (State.SERVICE_DISCOVERY, _asking(lambda m, mode: m.SessionSetupReq(EVCCID=b"\x02\0\0\0\0\x02"))),
        (State.SERVICE_SELECTION, _asking(lambda m, mode: m.ServiceDiscoveryReq())),
        *payment,
        *(ac if kind == "ac" else dc),
        (State.CHARGING_FIRST, _started),
        (State.CHARGING, loop),
        *([(State.RECEIPT, _receipt_owed)] if to is State.RECEIPT else []),
        (State.STOPPED, _asking(lambda m, mode: power(m, "Stop"))),
        *([] if kind == "ac" else welding),
        (State.ENDED, _asking(lambda m, mode: stop(m))),
    ]


def talk(
    kind: str,
    to: State = State.SESSION_SETUP,
    settings: Settings | None = None,
    *,
    contract: bool | None = None,
    **facts: Any,
) -> Talk:
    """Return a connection of `kind` (`din`, `iso2`, `ac`) brought to state `to` by valid requests.

    `contract`: it has TLS, and a contract pays; as is needed to get to `to`, unless it is given.
    """
    m = din if kind == "din" else iso2
    mode = "AC_three_phase_core" if kind == "ac" else "DC_extended"
    if contract is None:
        contract = to in CONTRACT_STATES
    if contract:
        facts = {"payment_options": ["Contract", "ExternalPayment"], "certificate_service": True, **facts}
    it = Talk(m, (ac_facts if kind == "ac" else dc_facts)(**facts), settings, security=TLS if contract else PLAIN)
    session = it.machine.session
    for state, step in _path(kind, to, contract):
        if session.state is to:
            break
        response = step(it, mode)
        assert response.ResponseCode.startswith("OK"), (response, it.charger.log[-3:])
        assert session.state is state, (session.state, state)
    assert session.state is to
    return it
