"""A tester in the place of a car that speaks ISO 15118-20: one request at a time to the charger's machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types import iso15118, power_supply_DC, units
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import (
    iso20_ac,
    iso20_contracts,
    iso20_dc,
    iso20_schedules,
    iso20_types,
    xmldsig,
)
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.rational import rational
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Iso20Facts, Iso20Settings, SessionFacts, Settings
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State
from chargebyte_fw.modules.v2g.security import PLAIN, Security
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, EXI_ISO20_MAIN, Frame, Receiver
from tests.v2g.pair import START, Charger, ac_facts, dc_facts

S = State
TIMESTAMP = int(START.timestamp())
SETS = {0x8002: "iso20_common", 0x8003: "iso20_ac", 0x8004: "iso20_dc", 0x8010: "iso20_ac_der_iec"}
TYPES = {f"urn:iso:std:iso:15118:-20:{name}": kind for name, kind in (("DC", 0x8004), ("AC", 0x8003))}
TYPES["urn:iso:std:iso:15118:-20:AC-DER-IEC"] = 0x8010
STREAMS = {"main": 0, "schedule": 0x8101, "metering": 0x8102, "parking": 0x8104}
SUPPLY = power_supply_DC.Capabilities(
    bidirectional=True,
    current_regulation_tolerance_A=2.0,
    peak_current_ripple_A=2.0,
    min_export_voltage_V=200.0,
    max_export_voltage_V=900.0,
    min_export_current_A=1.0,
    max_export_current_A=200.0,
    max_export_power_W=150_000.0,
    max_import_power_W=100_000.0,
    max_import_current_A=150.0,
)


def change(facts: ChargerFacts, changes: dict[str, Any]) -> None:
    """Change facts of the charger by name: its own, those of the session, those of ISO 15118-20."""
    for name, value in changes.items():
        holder: Any = facts
        if name in SessionFacts.__struct_fields__:
            holder = facts.session
        elif name in Iso20Facts.__struct_fields__:
            holder = facts.iso20
        setattr(holder, name, value)


def dc20_facts(*modes: str, **changes: Any) -> ChargerFacts:
    """A DC charger of 150 kW that speaks ISO 15118-20, and takes power back where `modes` have it."""
    facts = dc_facts(app_protocols=["ISO15118D20"], energy_transfer_modes=list(modes or ("DC",)))
    facts.iso20.dc_supply = SUPPLY
    facts.iso20.dc_min_power_W = 200.0
    change(facts, changes)
    return facts


class Talk20:
    """One connection. `ask` sends a request and returns the charger's response, None where it does not answer (yet)."""

    def __init__(
        self,
        facts: ChargerFacts,
        options: Iso20Settings | None = None,
        *,
        security: Security = PLAIN,
        app: handshake.AppProtocol = handshake.ISO15118D20_DC,
        shake: bool = True,
    ) -> None:
        self.facts = facts
        options = options or Iso20Settings(scheduled=True)
        self.charger = Charger(facts, Settings(without_tls=True, iso20=options))
        self.security = security
        self.now = 100.0
        self.session_id = bytes(8)
        self.types: list[int] = []
        """The payload types of the responses."""
        self.charger.feed(out.Connected(security), self.now)
        if shake:
            self.handshake(app)

    @property
    def machine(self) -> Any:
        return self.charger.machine

    @property
    def session(self) -> Any:
        return self.charger.machine.session

    def handshake(self, *apps: handshake.AppProtocol) -> Any:
        payload = codec("sap").encode(handshake.offer(apps))
        effects = self.raw(Frame(EXI_DIN_ISO2, payload).to_bytes())
        return next((codec("sap").decode(e.data[8:]) for e in effects if isinstance(e, out.Send)), None)

    def raw(self, data: bytes) -> list[Any]:
        return self.charger.feed(out.Received(data), self.now)

    def frame(self, request: Any, session_id: bytes | None = None, *, stream: str = "main", kind: int = 0) -> bytes:
        request.Header.SessionID = self.session_id if session_id is None else session_id
        payload_type = TYPES.get(type(request).namespace, EXI_ISO20_MAIN)
        payload = codec(SETS[payload_type]).encode(request)
        return Frame(kind or STREAMS[stream] or payload_type, payload).to_bytes()

    def ask(self, request: Any, session_id: bytes | None = None, *, stream: str = "main", kind: int = 0) -> Any:
        return self.answer_in(self.raw(self.frame(request, session_id, stream=stream, kind=kind)))

    def answer_in(self, effects: list[Any]) -> Any:
        receiver = Receiver()
        frames = [frame for one in effects if isinstance(one, out.Send) for frame in receiver.feed(one.data)]
        if not frames:
            return None
        assert len(frames) == 1, "one request, one response"
        self.types.append(frames[0].payload_type)
        message: Any = codec(SETS.get(frames[0].payload_type, "iso20_common")).decode(frames[0].payload)
        if type(message).__name__ == "SessionSetupRes":
            self.session_id = message.Header.SessionID
        return message

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
        """Close as a car does; returns what the charger has published in the whole session."""
        self.charger.feed(out.Disconnected(), self.now)
        return self.charger.names()

    def value(self, variable: str) -> Any:
        """The value that was published last."""
        return self.charger.published(variable)[-1][1]


# -- requests, valid ones


def header() -> iso20_types.MessageHeaderType:
    return iso20_types.MessageHeaderType(SessionID=bytes(8), TimeStamp=TIMESTAMP)


def of(kind: type[Any], **fields: Any) -> Any:
    """A request with a header."""
    return kind(Header=header(), **fields)


def processing(text: str = "Finished") -> iso20_types.processingType:
    return iso20_types.processingType(text)


def numbers(**values: float) -> dict[str, Any]:
    return {name: rational(value) for name, value in values.items()}


def session_setup() -> Any:
    return of(m.SessionSetupReq, EVCCID="WMIV0A1B2C3D4E5F60")


def authorization(kind: str = "EIM") -> Any:
    return of(
        m.AuthorizationReq,
        SelectedAuthorizationService=m.authorizationType(kind),
        EIM_AReqAuthorizationMode=iso20_contracts.EIM_AReqAuthorizationModeType(),
    )


def discovery(*services: int) -> Any:
    wanted = m.ServiceIDListType(ServiceID=list(services)) if services else None
    return of(m.ServiceDiscoveryReq, SupportedServiceIDs=wanted)


def selection(service: int = 2, set_id: int = 0, others: tuple[tuple[int, int], ...] = ()) -> Any:
    def one(service_id: int, number: int) -> m.SelectedServiceType:
        return m.SelectedServiceType(ServiceID=service_id, ParameterSetID=number)

    vas = m.SelectedServiceListType(SelectedService=[one(*other) for other in others]) if others else None
    return of(m.ServiceSelectionReq, SelectedEnergyTransferService=one(service, set_id), SelectedVASList=vas)


DC_LIMITS = {
    "EVMaximumChargePower": 120_000,
    "EVMinimumChargePower": 100,
    "EVMaximumChargeCurrent": 300,
    "EVMinimumChargeCurrent": 0,
    "EVMaximumVoltage": 450,
    "EVMinimumVoltage": 250,
}
DISCHARGE = {
    "EVMaximumDischargePower": 11_000,
    "EVMinimumDischargePower": 100,
    "EVMaximumDischargeCurrent": 30,
}


def dc_parameters(*, bidirectional: bool = False, **changes: float) -> Any:
    limits = {**DC_LIMITS, **(DISCHARGE | {"EVMinimumDischargeCurrent": 0} if bidirectional else {}), **changes}
    kind = iso20_dc.BPT_DC_CPDReqEnergyTransferModeType if bidirectional else iso20_dc.DC_CPDReqEnergyTransferModeType
    return of(iso20_dc.DC_ChargeParameterDiscoveryReq, DC_CPDReqEnergyTransferMode=kind(**numbers(**limits)))


def energies() -> dict[str, Any]:
    return numbers(EVTargetEnergyRequest=40_000, EVMaximumEnergyRequest=60_000, EVMinimumEnergyRequest=-5_000)


def schedule(*, dynamic: bool = True, departure_s: int | None = 7_200) -> Any:
    if dynamic:
        mode = iso20_schedules.Dynamic_SEReqControlModeType(DepartureTime=departure_s or 0, **energies())
        return of(m.ScheduleExchangeReq, MaximumSupportingPoints=24, Dynamic_SEReqControlMode=mode)
    scheduled = iso20_schedules.Scheduled_SEReqControlModeType(DepartureTime=departure_s)
    return of(m.ScheduleExchangeReq, MaximumSupportingPoints=24, Scheduled_SEReqControlMode=scheduled)


def precharge(state: str = "Finished", volts: float = 400) -> Any:
    voltages = numbers(EVPresentVoltage=volts, EVTargetVoltage=volts)
    return of(iso20_dc.DC_PreChargeReq, EVProcessing=processing(state), **voltages)


def power(progress: str = "Start", state: str = "Finished", profile: Any = None) -> Any:
    return of(
        m.PowerDeliveryReq,
        EVProcessing=processing(state),
        ChargeProgress=m.chargeProgressType(progress),
        EVPowerProfile=profile,
    )


def profile(watts: float = 50_000, *, schedule_id: int = 1, dynamic: bool = False) -> Any:
    entry = iso20_schedules.PowerScheduleEntryType(Duration=3_600, Power=rational(watts))
    entries = iso20_schedules.EVPowerProfileEntryListType(EVPowerProfileEntry=[entry])
    mode: dict[str, Any] = {
        "Scheduled_EVPPTControlMode": iso20_schedules.Scheduled_EVPPTControlModeType(
            SelectedScheduleTupleID=schedule_id
        )
    }
    if dynamic:
        mode = {"Dynamic_EVPPTControlMode": iso20_schedules.Dynamic_EVPPTControlModeType()}
    return iso20_schedules.EVPowerProfileType(TimeAnchor=TIMESTAMP, EVPowerProfileEntries=entries, **mode)


DYNAMIC_LOOP = {
    "EVMaximumChargePower": 120_000,
    "EVMinimumChargePower": 100,
    "EVMaximumChargeCurrent": 300,
    "EVMaximumVoltage": 450,
    "EVMinimumVoltage": 250,
}


def dc_loop(
    *,
    dynamic: bool = True,
    bidirectional: bool = False,
    meter: bool = False,
    display: Any = None,
    amperes: float = 125.5,
    volts: float = 400,
    **more: Any,
) -> Any:
    bpt = "BPT_" if bidirectional else ""
    if dynamic:
        kind = getattr(iso20_dc, f"{bpt}Dynamic_DC_CLReqControlModeType")
        mode = kind(**energies(), **numbers(**DYNAMIC_LOOP, **(DISCHARGE if bidirectional else {})), **more)
    else:
        kind = getattr(iso20_dc, f"{bpt}Scheduled_DC_CLReqControlModeType")
        mode = kind(**numbers(EVTargetCurrent=amperes, EVTargetVoltage=volts), **more)
    return of(
        iso20_dc.DC_ChargeLoopReq,
        DisplayParameters=display,
        MeterInfoRequested=meter,
        EVPresentVoltage=rational(volts),
        CLReqControlMode=mode,
    )


def welding(state: str = "Finished") -> Any:
    return of(iso20_dc.DC_WeldingDetectionReq, EVProcessing=processing(state))


def stop(kind: str = "Terminate", code: str | None = None, why: str | None = None) -> Any:
    session = m.chargingSessionType(kind)
    return of(m.SessionStopReq, ChargingSession=session, EVTerminationCode=code, EVTerminationExplanation=why)


class Course:
    """What the requests of a session depend on."""

    def __init__(self, service: int = 2, *, dynamic: bool = True, bidirectional: bool = False, set_id: int = 0) -> None:
        self.service = service
        self.dynamic = dynamic
        self.bidirectional = bidirectional
        self.set_id = set_id


DC_PATH: tuple[tuple[State, Callable[[Course], Any]], ...] = (
    (S.AUTHORIZATION_SETUP, lambda c: session_setup()),
    (S.AUTHORIZATION, lambda c: of(m.AuthorizationSetupReq)),
    (S.SERVICE_DISCOVERY, lambda c: authorization()),
    (S.SERVICE_DETAIL, lambda c: discovery()),
    (S.SERVICE_SELECTION, lambda c: of(m.ServiceDetailReq, ServiceID=c.service)),
    (S.CHARGE_PARAMETERS, lambda c: selection(c.service, c.set_id)),
    (S.SCHEDULE, lambda c: dc_parameters(bidirectional=c.bidirectional)),
    (S.CABLE_CHECK, lambda c: schedule(dynamic=c.dynamic)),
    (S.PRECHARGE, lambda c: of(iso20_dc.DC_CableCheckReq)),
    (S.POWER_DELIVERY, lambda c: precharge()),
    (S.CHARGING, lambda c: power(profile=profile(dynamic=c.dynamic))),
    (S.STOPPED, lambda c: power("Stop")),
    (S.WELDING, lambda c: welding()),
    (S.ENDED, lambda c: stop()),
)


def talk20(
    state: State = S.SESSION_SETUP,
    facts: ChargerFacts | None = None,
    options: Iso20Settings | None = None,
    course: Course | None = None,
    *,
    security: Security = PLAIN,
    path: Any = DC_PATH,
    app: handshake.AppProtocol = handshake.ISO15118D20_DC,
) -> Talk20:
    """A session that has come as far as `state`."""
    course = course or Course(set_id=0)
    it = Talk20(facts or dc20_facts(), options, security=security, app=app)
    it.facts.present_voltage_V = 400.0
    for reached, make in path:
        if it.session.state is state:
            return it
        it.facts.session.authorized = True
        response = it.ask(make(course))
        if response is None:
            response = it.change(contactor_closed=True)
        if reached is S.PRECHARGE:
            it.change(cable_check=True)
            response = it.ask(make(course))
        assert str(response.ResponseCode).startswith("OK"), response
        assert it.session.state is reached, (it.session.state, reached)
    assert it.session.state is state
    return it


# -- AC


def ac20_facts(*modes: str, connectors: tuple[str, ...] = ("ThreePhase",), **changes: Any) -> ChargerFacts:
    """A three-phase AC charger of 16 A that takes 5.5 kW back where `modes` have it."""
    facts = ac_facts(app_protocols=["ISO15118D20"], energy_transfer_modes=list(modes or ("AC_three_phase_core",)))
    facts.ac_max_current_A = 16.0
    facts.iso20.ac_parameters = iso15118.AcParameters(
        nominal_frequency=50.0, nominal_voltage=230.0, connectors=[iso15118.Connector(one) for one in connectors]
    )
    facts.iso20.ac_maximum = iso15118.AcEvseMaximumPower(
        charge_power=units.Power(total=11_040.0, L1=3_680.0, L2=3_680.0, L3=3_680.0),
        discharge_power=units.Power(total=5_520.0),
    )
    facts.iso20.ac_minimum = iso15118.AcEvseMinimumPower(charge_power=units.Power(total=4_140.0, L1=1_380.0))
    change(facts, changes)
    return facts


AC_LIMITS = {"EVMaximumChargePower": 11_040, "EVMinimumChargePower": 1_380}
AC_DISCHARGE = {"EVMaximumDischargePower": 11_000, "EVMinimumDischargePower": 100}


def ac_parameters(*, bidirectional: bool = False, **changes: float) -> Any:
    limits = {**AC_LIMITS, **(AC_DISCHARGE if bidirectional else {}), **changes}
    kind = iso20_ac.BPT_AC_CPDReqEnergyTransferModeType if bidirectional else iso20_ac.AC_CPDReqEnergyTransferModeType
    return of(iso20_ac.AC_ChargeParameterDiscoveryReq, AC_CPDReqEnergyTransferMode=kind(**numbers(**limits)))


def ac_loop(*, dynamic: bool = True, bidirectional: bool = False, meter: bool = False, **changes: float) -> Any:
    name = f"{'BPT_' if bidirectional else ''}{'Dynamic' if dynamic else 'Scheduled'}_AC_CLReqControlModeType"
    values: dict[str, float] = {"EVPresentActivePower": 3_000.0}
    if dynamic:
        values |= {**AC_LIMITS, **(AC_DISCHARGE if bidirectional else {}), "EVPresentReactivePower": 0.0}
    values |= changes
    mode = getattr(iso20_ac, name)(**(energies() if dynamic else {}), **numbers(**values))
    return of(iso20_ac.AC_ChargeLoopReq, MeterInfoRequested=meter, CLReqControlMode=mode)


AC_PATH: tuple[tuple[State, Callable[[Course], Any]], ...] = (
    *DC_PATH[:6],
    (S.SCHEDULE, lambda c: ac_parameters(bidirectional=c.bidirectional)),
    (S.POWER_DELIVERY, lambda c: schedule(dynamic=c.dynamic)),
    (S.CHARGING, lambda c: power(profile=profile(3_000, dynamic=c.dynamic))),
    (S.STOPPED, lambda c: power("Stop")),
    (S.ENDED, lambda c: stop()),
)


def talk20_ac(
    state: State,
    facts: ChargerFacts | None = None,
    options: Iso20Settings | None = None,
    course: Course | None = None,
) -> Talk20:
    """An AC session that has come as far as `state`."""
    app = handshake.ISO15118D20_AC
    return talk20(state, facts or ac20_facts(), options, course or Course(1), path=AC_PATH, app=app)


# -- every request


def confirmation(session_id: bytes = bytes(8), wh: int = 12_345) -> Any:
    data = m.SignedMeteringDataType(
        Id="id1",
        SessionID=session_id,
        MeterInfo=iso20_types.MeterInfoType(MeterID="METER", ChargedEnergyReadingWh=wh),
        Dynamic_SMDTControlMode=m.Dynamic_SMDTControlModeType(),
    )
    return of(m.MeteringConfirmationReq, SignedMeteringData=data)


def contract_authorization() -> Any:
    subs = iso20_contracts.SubCertificatesType(Certificate=[b"\x30\x00"])
    contract = iso20_contracts.ContractCertificateChainType(Certificate=b"\x30\x00", SubCertificates=subs)
    mode = iso20_contracts.PnC_AReqAuthorizationModeType(
        Id="id1", GenChallenge=bytes(16), ContractCertificateChain=contract
    )
    kind = m.authorizationType.PnC
    return of(m.AuthorizationReq, SelectedAuthorizationService=kind, PnC_AReqAuthorizationMode=mode)


def installation() -> Any:
    oem = iso20_contracts.SignedCertificateChainType(Id="oem", Certificate=b"\x30\x03\x02\x01\x04")
    issuer = xmldsig.X509IssuerSerialType(X509IssuerName="CN=root", X509SerialNumber=1)
    roots = iso20_types.ListOfRootCertificateIDsType(RootCertificateID=[issuer])
    return of(
        m.CertificateInstallationReq,
        OEMProvisioningCertificateChain=oem,
        ListOfRootCertificateIDs=roots,
        MaximumContractCertificateChains=1,
    )


def requests() -> dict[str, Any]:
    """One valid request of each kind."""
    every = [
        session_setup(),
        of(m.AuthorizationSetupReq),
        authorization(),
        installation(),
        discovery(),
        of(m.ServiceDetailReq, ServiceID=2),
        selection(),
        dc_parameters(),
        ac_parameters(),
        schedule(),
        of(iso20_dc.DC_CableCheckReq),
        precharge(),
        power(),
        dc_loop(),
        ac_loop(),
        confirmation(),
        welding(),
        stop(),
        of(
            m.VehicleCheckInReq,
            EVCheckInStatus=m.evCheckInStatusType.CheckIn,
            ParkingMethod=m.parkingMethodType.Manual,
        ),
        of(m.VehicleCheckOutReq, EVCheckOutStatus=m.evCheckOutStatusType.CheckOut, CheckOutTime=TIMESTAMP),
    ]
    return {type(one).__name__: one for one in every}
