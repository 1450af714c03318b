"""A session of DIN SPEC 70121 (clauses 9.4, 9.5)."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import din
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import CHARGE_SERVICE_ID, SCHEDULE_ID, SCHEDULE_S, V2gSession
from chargebyte_fw.modules.v2g.secc.din.dc import DinDcService
from chargebyte_fw.modules.v2g.secc.protocol import Answer, SessionContext

_GREATEST_PMAX_W = 32_767
_NO_EVSE_ID = b"\0"
"""The EVSE id of a charger that has none."""
_EVSE_ID_BYTES = 32


class DinSession(V2gSession):
    """A session of DIN SPEC 70121: DC, authorization by external means."""

    messages = din

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self.dc = DinDcService(self)

    @property
    def energy(self) -> DinDcService:
        """The energy service: there is no other one."""
        return self.dc

    def order_of_refusals(self, unknown_session: bool, out_of_sequence: bool) -> str:
        """Return the code that wins: the session before the sequence."""
        if unknown_session:
            return "FAILED_UnknownSession"  # [V2G-DC-391]
        return "FAILED_SequenceError" if out_of_sequence else ""  # [V2G-DC-390]

    def is_stop(self, name: str, request: Any) -> bool:
        """Return whether the request takes the power off."""
        return name == "PowerDeliveryReq" and not request.ReadyToChargeState

    def energy_transfer_type(self) -> Any:
        """Return the one offered type: DC_extended, DC_core only where it is all there is."""
        modes = self.facts.energy_transfer_modes
        core = iso15118.EnergyTransferMode.DC_core in modes and iso15118.EnergyTransferMode.DC_extended not in modes
        return din.EVSESupportedEnergyTransferType("DC_core" if core else "DC_extended")

    def evse_id(self) -> bytes:
        """Return the EVSE id as octets: DIN SPEC 91286's digits (`evse_id_din`, hexadecimal), else `evse_id`'s ASCII.

        Only `evse_id_din` is a number: an `evse_id` such as DE1234AB5678 is text, though each letter is a digit, too.
        """
        try:
            octets = bytes.fromhex(self.facts.evse_id_din)
        except ValueError:
            octets = self.facts.evse_id_din.encode("ascii", "replace")
        octets = octets or self.facts.evse_id.encode("ascii", "replace")
        return octets if 0 < len(octets) <= _EVSE_ID_BYTES else _NO_EVSE_ID

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by the name of the request."""
        finished = din.EVSEProcessingType.Finished
        match name:
            case "SessionSetupReq":
                return {"EVSEID": self.evse_id()}
            case "ServiceDiscoveryReq":
                return self._services()
            case "ServiceDetailReq":
                return {"ServiceID": CHARGE_SERVICE_ID}
            case "ContractAuthenticationReq":
                return {"EVSEProcessing": finished}
            case "ChargeParameterDiscoveryReq":
                return {
                    "EVSEProcessing": finished,
                    "SASchedules": self._schedules(),
                    "EVSEChargeParameter": self.dc.charge_parameter("EVSE_NotReady"),
                }
            case "PaymentDetailsReq":
                return {"GenChallenge": "", "DateTimeNow": 0}
            case "ChargingStatusReq":
                return {
                    "EVSEID": self.evse_id(),
                    "SAScheduleTupleID": SCHEDULE_ID,
                    "ReceiptRequired": False,
                    "AC_EVSEStatus": self._ac_status(),
                }
            case "MeteringReceiptReq":
                return {"AC_EVSEStatus": self._ac_status()}
            case "CertificateInstallationReq" | "CertificateUpdateReq":
                return _no_certificate() | ({"RetryCounter": 0} if name == "CertificateUpdateReq" else {})
        return super().least_content(name)

    def _ac_status(self) -> Any:
        notification, delay_s = self.notification
        return din.AC_EVSEStatusType(
            PowerSwitchClosed=False, RCD=False, NotificationMaxDelay=delay_s, EVSENotification=notification
        )

    @property
    def notification(self) -> tuple[Any, int]:
        """Return None and 0, always.

        DIN SPEC 70121 has EVSENotification and NotificationMaxDelay in its schema and no use for them: a charger that
        wants to stop, or has no energy, reports EVSE_Shutdown.
        """
        return din.EVSENotificationType.None_, 0

    # -- set-up

    def on_SessionSetupReq(self, request: din.SessionSetupReq, now: float) -> Answer:
        """Begin a session: DIN knows no resumption."""
        self.take_evcc_id(request.EVCCID)
        self.session_id = self.environment.new_session_id()
        self.facts.forget_paused()
        self.enter(State.SERVICE_DISCOVERY)
        self.publish_ev_info()
        code = din.responseCodeType.OK_NewSessionEstablished  # [V2G-DC-393]
        return Answer(din.SessionSetupRes(ResponseCode=code, EVSEID=self.evse_id()))

    def _services(self) -> dict[str, Any]:
        tag = din.ServiceTagType(ServiceID=CHARGE_SERVICE_ID, ServiceCategory=din.serviceCategoryType.EVCharging)
        return {
            "PaymentOptions": din.PaymentOptionsType(PaymentOption=[din.paymentOptionType.ExternalPayment]),
            "ChargeService": din.ServiceChargeType(
                ServiceTag=tag, FreeService=False, EnergyTransferType=self.energy_transfer_type()
            ),
        }

    def on_ServiceDiscoveryReq(self, request: din.ServiceDiscoveryReq, now: float) -> Answer:
        """Offer the charge service, to be paid by external means."""
        self.enter(State.SERVICE_SELECTION)
        return Answer(din.ServiceDiscoveryRes(ResponseCode=self.ok(), **self._services()))

    def on_ServiceDetailReq(self, request: din.ServiceDetailReq, now: float) -> Answer:
        """Know no service but the charge service, which has no details."""
        code = self.ok()
        if request.ServiceID != CHARGE_SERVICE_ID:
            code = din.responseCodeType.FAILED_ServiceIDInvalid
        return Answer(din.ServiceDetailRes(ResponseCode=code, ServiceID=request.ServiceID))

    def on_ServicePaymentSelectionReq(self, request: din.ServicePaymentSelectionReq, now: float) -> Answer:
        """Take external payment of exactly the charge service."""
        name = "ServicePaymentSelectionReq"
        services = [service.ServiceID for service in request.SelectedServiceList.SelectedService]
        if request.SelectedPaymentOption != din.paymentOptionType.ExternalPayment:
            return self.failed(
                name, "FAILED_PaymentSelectionInvalid", str(request.SelectedPaymentOption)
            )  # [V2G-DC-395]
        if services != [CHARGE_SERVICE_ID]:
            return self.failed(
                name, "FAILED_ServiceSelectionInvalid", f"services {services}"
            )  # [V2G-DC-396], [V2G-DC-635]
        self.publish(Iso15118Charger.selected_payment_option, iso15118.PaymentOption.ExternalPayment)
        self.enter(State.AUTHORIZATION)
        return Answer(din.ServicePaymentSelectionRes(ResponseCode=self.ok()))

    def on_ContractAuthenticationReq(self, request: Any, now: float) -> Answer:
        """Wait for the authorization of the session."""
        return self.external_authorization("ContractAuthenticationReq", now, din.EVSEProcessingType.Ongoing)

    # -- parameters

    def _schedules(self) -> Any:
        power_W = min(_GREATEST_PMAX_W, max(0, round(self.facts.schedule_power_W)))
        interval = din.RelativeTimeIntervalType(start=0, duration=SCHEDULE_S)
        entry = din.PMaxScheduleEntryType(TimeInterval=interval, PMax=power_W)
        schedule = din.PMaxScheduleType(PMaxScheduleID=SCHEDULE_ID, PMaxScheduleEntry=[entry])
        return din.SAScheduleListType(
            SAScheduleTuple=[din.SAScheduleTupleType(SAScheduleTupleID=SCHEDULE_ID, PMaxSchedule=schedule)]
        )

    def on_ChargeParameterDiscoveryReq(self, request: din.ChargeParameterDiscoveryReq, now: float) -> Answer:
        """Compare the car's limits with ours and give it ours."""
        name, wanted = "ChargeParameterDiscoveryReq", request.EVRequestedEnergyTransferType
        if wanted != self.energy_transfer_type() and wanted not in self.facts.energy_transfer_modes:
            return self.failed(name, "FAILED_WrongEnergyTransferType", str(wanted))  # [V2G-DC-397]
        parameters = request.EVChargeParameter
        if not isinstance(parameters, din.DC_EVChargeParameterType):
            return self.failed(name, "FAILED_WrongChargeParameter", "AC parameters")  # [V2G-DC-398]
        mode = iso15118.EnergyTransferMode(str(wanted))
        self.publish(Iso15118Charger.requested_energy_transfer_mode, mode)
        self.dc.take_parameters(parameters)
        self.publish(
            Iso15118Extensions.charging_needs,
            iso15118.ChargingNeeds(requested_energy_transfer=mode, dc_charging_parameters=self.dc.needs(parameters)),
        )
        if why := self.dc.limits_do_not_fit(parameters):
            return self.failed(name, "FAILED_WrongChargeParameter", why)
        # IEC 61851-23:2023 CC.5.6: without energy a DIN session ends here, the car comes again later.
        self.enter(State.STOPPED if self.facts.session.without_energy else State.CABLE_CHECK)
        return Answer(
            din.ChargeParameterDiscoveryRes(
                ResponseCode=self.ok(),
                EVSEProcessing=din.EVSEProcessingType.Finished,
                SASchedules=self._schedules(),
                EVSEChargeParameter=self.dc.charge_parameter("EVSE_Ready"),
            )
        )

    # -- power and end

    def on_PowerDeliveryReq(self, request: din.PowerDeliveryReq, now: float) -> Answer:
        """Start (ReadyToChargeState true) or stop the energy transfer."""
        name, profile = "PowerDeliveryReq", request.ChargingProfile
        self.dc.take_power_delivery_parameter(request.EVPowerDeliveryParameter)
        if not request.ReadyToChargeState:
            self.dc.stop_power()
        elif profile is not None and profile.SAScheduleTupleID != SCHEDULE_ID:
            # [V2G-DC-400]
            return self.failed(name, "FAILED_TariffSelectionInvalid", f"schedule {profile.SAScheduleTupleID}")
        elif self.state is not State.PRECHARGE:
            return self.failed(name, "FAILED", "started while charging")
        elif why := self.dc.begin():
            return self.failed(name, "FAILED_PowerDeliveryNotApplied", why)  # [V2G-DC-401]
        return Answer(din.PowerDeliveryRes(ResponseCode=self.ok(), EVSEStatus=self.dc.evse_status("EVSE_Ready")))

    def on_SessionStopReq(self, request: din.SessionStopReq, now: float) -> Answer:
        """End the session."""
        self.enter(State.ENDED)
        return Answer(din.SessionStopRes(ResponseCode=self.ok()), end="terminate")


def _no_certificate() -> dict[str, Any]:
    return {
        "Id": "id1",
        "ContractSignatureCertChain": din.CertificateChainType(Certificate=b""),
        "ContractSignatureEncryptedPrivateKey": b"",
        "DHParams": b"",
        "ContractID": "",
    }
