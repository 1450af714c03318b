"""The least of a charger of ISO 15118-20, for what the car does: answers by name, which a test may replace.

The charger's own machines are tested elsewhere (`tests/v2g/secc`); this one does also what they never do.
"""

from __future__ import annotations

import heapq
import ipaddress
import itertools
from collections.abc import Callable
from typing import Any

from chargebyte_fw.modules.v2g import evcc, sdp, v2gtp
from chargebyte_fw.modules.v2g.evcc import CarFacts, CarSettings, Evcc
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso20_ac as ac
from chargebyte_fw.modules.v2g.messages import iso20_common as common
from chargebyte_fw.modules.v2g.messages import iso20_contracts as contracts
from chargebyte_fw.modules.v2g.messages import iso20_dc as dc
from chargebyte_fw.modules.v2g.messages import iso20_schedules as schedules
from chargebyte_fw.modules.v2g.messages import iso20_types as types
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.rational import number, rational

SESSION = bytes.fromhex("5AC3E1F00D9B7246")
UNIX_S = 1_767_225_600
OK = types.responseCodeType.OK
FINISHED, ONGOING = types.processingType.Finished, types.processingType.Ongoing
Answer = Callable[[Any], Any]


def header() -> types.MessageHeaderType:
    return types.MessageHeaderType(SessionID=SESSION, TimeStamp=UNIX_S)


def res(kind: type, **fields: Any) -> Any:
    return kind(**{"Header": header(), "ResponseCode": OK, **fields})


def status(notification: str, delay_s: int = 0) -> types.EVSEStatusType:
    return types.EVSEStatusType(NotificationMaxDelay=delay_s, EVSENotification=types.evseNotificationType(notification))


def parameter_set(number_: int, **values: int) -> common.ParameterSetType:
    parameters = [common.ParameterType(Name=name, intValue=value) for name, value in values.items()]
    return common.ParameterSetType(ParameterSetID=number_, Parameter=parameters)


def power_schedule(*slices: tuple[int, float], price: Any = None, levels: Any = None) -> schedules.ChargingScheduleType:
    entries = [schedules.PowerScheduleEntryType(Duration=s, Power=rational(w)) for s, w in slices]
    return schedules.ChargingScheduleType(
        PowerSchedule=schedules.PowerScheduleType(
            TimeAnchor=UNIX_S,
            PowerScheduleEntries=schedules.PowerScheduleEntryListType(PowerScheduleEntry=entries),
        ),
        AbsolutePriceSchedule=price,
        PriceLevelSchedule=levels,
    )


def price_schedule(currency: str, *slices: tuple[int, float]) -> schedules.AbsolutePriceScheduleType:
    stacks = [
        schedules.PriceRuleStackType(
            Duration=s,
            PriceRule=[schedules.PriceRuleType(EnergyFee=rational(fee), PowerRangeStart=rational(0))],
        )
        for s, fee in slices
    ]
    return schedules.AbsolutePriceScheduleType(
        TimeAnchor=UNIX_S,
        PriceScheduleID=1,
        Currency=currency,
        Language="en",
        PriceAlgorithm="urn:iso:std:iso:15118:-20:PriceAlgorithm:1-Power",
        PriceRuleStacks=schedules.PriceRuleStackListType(PriceRuleStack=stacks),
    )


class Station:
    """A car and what answers it. `answers` replaces answers by the request's name; `sets` are by service."""

    def __init__(self, settings: CarSettings, facts: CarFacts | None = None) -> None:
        self.facts = facts or CarFacts(battery_voltage_V=350.0, target_voltage_V=360.0, target_current_A=50.0)
        self.facts.wall_offset_s = UNIX_S
        self.settings = settings
        self.car = Evcc(settings, self.facts)
        self.now = 0.0
        self.log: list[tuple[float, Any]] = []
        self.requests: list[Any] = []
        self.types: list[int] = []
        self.offer: list[tuple[str, int]] = []
        self.schema_id = 1
        """The entry of the car's offer that the charger chooses."""
        self.asked_tls = False
        self.tls_version = ""
        self.answers: dict[str, Answer] = {}
        self.services = [2]
        self.authorizations = [common.authorizationType.EIM]
        self.challenge = b""
        self.certificates = False
        self.renegotiable = False
        self.sets: dict[int, list[common.ParameterSetType]] = {
            1: [parameter_set(0, Connector=3, ControlMode=1, EVSENominalVoltage=230, MobilityNeedsMode=1, Pricing=0)],
            2: [parameter_set(0, Connector=2, ControlMode=1, MobilityNeedsMode=1, Pricing=0)],
        }
        self.notification = ""
        self.meter: types.MeterInfoType | None = None
        self.schedules = [
            schedules.ScheduleTupleType(ScheduleTupleID=1, ChargingSchedule=power_schedule((86_400, 50e3)))
        ]
        self.needs = schedules.Dynamic_SEResControlModeType()
        self.target_W: float | None = None
        self.voltage_V = 0.0
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    # -- what it answers

    def answer(self, request: Any) -> Any:
        name = type(request).__name__
        if name in self.answers:
            return self.answers[name](request)
        return getattr(self, f"on_{name}")(request)

    def on_SessionSetupReq(self, request: Any) -> Any:
        code = types.responseCodeType.OK_NewSessionEstablished
        return res(common.SessionSetupRes, ResponseCode=code, EVSEID="DE*CHB*E123456*1")

    def on_AuthorizationSetupReq(self, request: Any) -> Any:
        pnc = contracts.PnC_ASResAuthorizationModeType(GenChallenge=self.challenge) if self.challenge else None
        return res(
            common.AuthorizationSetupRes,
            AuthorizationServices=self.authorizations,
            CertificateInstallationService=self.certificates,
            EIM_ASResAuthorizationMode=None if pnc else contracts.EIM_ASResAuthorizationModeType(),
            PnC_ASResAuthorizationMode=pnc,
        )

    def on_AuthorizationReq(self, request: Any) -> Any:
        return res(common.AuthorizationRes, EVSEProcessing=FINISHED)

    def on_ServiceDiscoveryReq(self, request: Any) -> Any:
        offered = [common.ServiceType(ServiceID=one, FreeService=False) for one in self.services]
        return res(
            common.ServiceDiscoveryRes,
            ServiceRenegotiationSupported=self.renegotiable,
            EnergyTransferServiceList=common.ServiceListType(Service=offered),
        )

    def on_ServiceDetailReq(self, request: Any) -> Any:
        sets = common.ServiceParameterListType(ParameterSet=self.sets[request.ServiceID])
        return res(common.ServiceDetailRes, ServiceID=request.ServiceID, ServiceParameterList=sets)

    def on_ServiceSelectionReq(self, request: Any) -> Any:
        self.selected = request.SelectedEnergyTransferService
        return res(common.ServiceSelectionRes)

    def on_DC_ChargeParameterDiscoveryReq(self, request: Any) -> Any:
        fields = {
            "EVSEMaximumChargePower": rational(150_000),
            "EVSEMinimumChargePower": rational(0),
            "EVSEMaximumChargeCurrent": rational(200),
            "EVSEMinimumChargeCurrent": rational(0),
            "EVSEMaximumVoltage": rational(900),
            "EVSEMinimumVoltage": rational(200),
        }
        mode: Any = dc.DC_CPDResEnergyTransferModeType(**fields)
        if isinstance(request.DC_CPDReqEnergyTransferMode, dc.BPT_DC_CPDReqEnergyTransferModeType):
            mode = dc.BPT_DC_CPDResEnergyTransferModeType(
                **fields,
                EVSEMaximumDischargePower=rational(-20_000),
                EVSEMinimumDischargePower=rational(0),
                EVSEMaximumDischargeCurrent=rational(40),
                EVSEMinimumDischargeCurrent=rational(0),
            )
        return res(dc.DC_ChargeParameterDiscoveryRes, DC_CPDResEnergyTransferMode=mode)

    def on_AC_ChargeParameterDiscoveryReq(self, request: Any) -> Any:
        fields = {
            "EVSEMaximumChargePower": rational(22_080),
            "EVSEMinimumChargePower": rational(0),
            "EVSENominalFrequency": rational(50),
        }
        mode: Any = ac.AC_CPDResEnergyTransferModeType(**fields)
        if isinstance(request.AC_CPDReqEnergyTransferMode, ac.BPT_AC_CPDReqEnergyTransferModeType):
            mode = ac.BPT_AC_CPDResEnergyTransferModeType(
                **fields, EVSEMaximumDischargePower=rational(11_040), EVSEMinimumDischargePower=rational(0)
            )
        return res(ac.AC_ChargeParameterDiscoveryRes, AC_CPDResEnergyTransferMode=mode)

    def on_ScheduleExchangeReq(self, request: Any) -> Any:
        fields: dict[str, Any] = {"Dynamic_SEResControlMode": self.needs}
        if request.Scheduled_SEReqControlMode is not None:
            fields = {
                "Scheduled_SEResControlMode": schedules.Scheduled_SEResControlModeType(ScheduleTuple=self.schedules)
            }
        return res(common.ScheduleExchangeRes, EVSEProcessing=FINISHED, **fields)

    def on_DC_CableCheckReq(self, request: Any) -> Any:
        return res(dc.DC_CableCheckRes, EVSEProcessing=FINISHED)

    def on_DC_PreChargeReq(self, request: Any) -> Any:
        self.voltage_V = number(request.EVTargetVoltage)
        return res(dc.DC_PreChargeRes, EVSEPresentVoltage=rational(self.voltage_V))

    def on_PowerDeliveryReq(self, request: Any) -> Any:
        return res(common.PowerDeliveryRes)

    def loop(self, request: Any) -> dict[str, Any]:
        notified = status(self.notification) if self.notification else None
        return {"EVSEStatus": notified, "MeterInfo": self.meter if request.MeterInfoRequested else None}

    def on_DC_ChargeLoopReq(self, request: Any) -> Any:
        wanted, current_A = request.CLReqControlMode, 0.0
        if isinstance(wanted, dc.Scheduled_DC_CLReqControlModeType):
            current_A = number(wanted.EVTargetCurrent)
            both = isinstance(wanted, dc.BPT_Scheduled_DC_CLReqControlModeType)
            mode: Any = dc.BPT_Scheduled_DC_CLResControlModeType() if both else dc.Scheduled_DC_CLResControlModeType()
        else:
            limits: dict[str, Any] = {
                "EVSEMaximumChargePower": rational(150_000),
                "EVSEMinimumChargePower": rational(0),
                "EVSEMaximumChargeCurrent": rational(200),
                "EVSEMaximumVoltage": rational(900),
            }
            mode = dc.Dynamic_DC_CLResControlModeType(**limits)
            current_A = min(30.0, number(wanted.EVMaximumChargeCurrent))
            if isinstance(wanted, dc.BPT_Dynamic_DC_CLReqControlModeType):
                mode = dc.BPT_Dynamic_DC_CLResControlModeType(
                    **limits,
                    EVSEMaximumDischargePower=rational(20_000),
                    EVSEMinimumDischargePower=rational(0),
                    EVSEMaximumDischargeCurrent=rational(40),
                    EVSEMinimumVoltage=rational(200),
                )
        return res(
            dc.DC_ChargeLoopRes,
            **self.loop(request),
            EVSEPresentCurrent=rational(current_A),
            EVSEPresentVoltage=rational(self.voltage_V),
            EVSEPowerLimitAchieved=False,
            EVSECurrentLimitAchieved=False,
            EVSEVoltageLimitAchieved=False,
            CLResControlMode=mode,
        )

    def on_AC_ChargeLoopReq(self, request: Any) -> Any:
        target = None if self.target_W is None else rational(self.target_W)
        match request.CLReqControlMode:
            case ac.BPT_Scheduled_AC_CLReqControlModeType():
                mode: Any = ac.BPT_Scheduled_AC_CLResControlModeType(EVSETargetActivePower=target)
            case ac.Scheduled_AC_CLReqControlModeType():
                mode = ac.Scheduled_AC_CLResControlModeType(EVSETargetActivePower=target)
            case ac.BPT_Dynamic_AC_CLReqControlModeType():
                mode = ac.BPT_Dynamic_AC_CLResControlModeType(EVSETargetActivePower=target or rational(0))
            case _:
                mode = ac.Dynamic_AC_CLResControlModeType(EVSETargetActivePower=target or rational(0))
        return res(ac.AC_ChargeLoopRes, **self.loop(request), CLResControlMode=mode)

    def on_DC_WeldingDetectionReq(self, request: Any) -> Any:
        self.voltage_V = max(0.0, self.voltage_V - 200.0)
        return res(dc.DC_WeldingDetectionRes, EVSEPresentVoltage=rational(self.voltage_V))

    def on_MeteringConfirmationReq(self, request: Any) -> Any:
        self.notification = ""
        return res(common.MeteringConfirmationRes)

    def on_SessionStopReq(self, request: Any) -> Any:
        return res(common.SessionStopRes)

    # -- the line

    def later(self, delay_s: float, call: Callable[..., Any], *args: Any) -> None:
        heapq.heappush(self.queue, (self.now + delay_s, next(self._count), lambda: call(*args)))

    def feed(self, event: Any) -> None:
        self._act(self.car.feed(event, self.now))

    def _act(self, effects: list[Any]) -> None:
        for effect in effects:
            self.log.append((self.now, effect))
            match effect:
                case evcc.SendSdp(data):
                    asked = sdp.parse_request(data)
                    secure = sdp.SECURITY_TLS if self.tls_version else sdp.SECURITY_NONE
                    self.asked_tls = asked.security == sdp.SECURITY_TLS
                    answer = sdp.Response(ipaddress.IPv6Address("fe80::1"), 50000, secure)
                    self.later(0.01, self.feed, evcc.SdpAnswer(answer.to_bytes()))
                case evcc.Connect():
                    self.later(0.001, self.feed, evcc.Connected(self.tls_version))
                case evcc.Send(data):
                    for frame in v2gtp.Receiver().feed(data):
                        self._take(frame)

    def _take(self, frame: v2gtp.Frame) -> None:
        if frame.payload_type == v2gtp.EXI_DIN_ISO2:
            offer: Any = codec("sap").decode(frame.payload)
            self.offer = [(one.ProtocolNamespace, one.Priority) for one in offer.AppProtocol]
            code = sap.responseCodeType.OK_SuccessfulNegotiation
            chosen = codec("sap").encode(sap.supportedAppProtocolRes(ResponseCode=code, SchemaID=self.schema_id))
            self.later(0.01, self.feed, evcc.Received(v2gtp.Frame(v2gtp.EXI_DIN_ISO2, chosen).to_bytes()))
            return
        set_name = {v2gtp.EXI_ISO20_AC: "iso20_ac", v2gtp.EXI_ISO20_DC: "iso20_dc"}.get(
            frame.payload_type, "iso20_common"
        )
        request: Any = codec(set_name).decode(frame.payload)
        self.requests.append(request)
        self.types.append(frame.payload_type)
        response = self.answer(request)
        if response is not None:
            data = v2gtp.Frame(frame.payload_type, codec(set_name).encode(response)).to_bytes()
            self.later(0.01, self.feed, evcc.Received(data))

    def run(self, duration_s: float = 120.0, until: Callable[[], bool] | None = None) -> None:
        """Let time pass until nothing is left to happen, or `until` holds, at most `duration_s`."""
        end = self.now + duration_s
        while until is None or not until():
            moments = [at for at in (self.car.deadline,) if at is not None] + [one[0] for one in self.queue[:1]]
            if not moments or min(moments) > end:
                self.now = end if moments else self.now
                return
            self.now = max(self.now, min(moments))
            if self.queue and self.queue[0][0] <= self.now:
                heapq.heappop(self.queue)[2]()
            else:
                self._act(self.car.wake(self.now))

    def feed_start(self) -> None:
        self.feed(evcc.Start())

    def wish(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self.facts, name, value)
        self.feed(evcc.FactsChanged())

    # -- what happened

    def charge(self, duration_s: float = 2.0) -> None:
        """Run into the charge loop, and on for a while."""
        self.feed(evcc.Start())
        self.run(60.0, until=lambda: "charging" in self.steps)
        assert "charging" in self.steps, (self.steps, self.outcome, self.names[-3:])
        self.run(duration_s)

    def end(self) -> tuple[str, str]:
        self.run()
        assert self.outcome is not None, (self.steps, self.names[-5:])
        return self.outcome.outcome, self.outcome.reason

    @property
    def steps(self) -> list[str]:
        return [effect.step.value for _, effect in self.log if isinstance(effect, evcc.Report)]

    @property
    def names(self) -> list[str]:
        return [type(request).__name__ for request in self.requests]

    @property
    def outcome(self) -> evcc.SessionStopped | None:
        return next((effect for _, effect in self.log if isinstance(effect, evcc.SessionStopped)), None)

    def all(self, name: str) -> list[Any]:
        return [request for request in self.requests if type(request).__name__ == name]

    def last(self, name: str) -> Any:
        return self.all(name)[-1]
