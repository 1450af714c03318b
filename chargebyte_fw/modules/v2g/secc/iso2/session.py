"""A session of ISO 15118-2: charge parameters, energy transfer and end, DC and AC (clauses 8.4.3.9, 8.4.4, 8.4.5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.cb_iso15118_schedules import EvSchedule, EvScheduleEntry
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.back_end import Wait
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import SCHEDULE_ID
from chargebyte_fw.modules.v2g.secc.facts import PausedSession
from chargebyte_fw.modules.v2g.secc.iso2.ac import AcService, ac_status
from chargebyte_fw.modules.v2g.secc.iso2.dc import Iso2DcService
from chargebyte_fw.modules.v2g.secc.iso2.energy import Iso2EnergyService
from chargebyte_fw.modules.v2g.secc.iso2.metering import Iso2Metering
from chargebyte_fw.modules.v2g.secc.iso2.schedule import MOST_ENTRIES, Schedule, schedule
from chargebyte_fw.modules.v2g.secc.iso2.tariff import sales_tariff
from chargebyte_fw.modules.v2g.secc.price_keys import key_of_issuer
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, SessionContext

_START, _STOP = iso2.chargeProgressType.Start, iso2.chargeProgressType.Stop
_LATEST_DEPARTURE_S = 10 * 365 * 86_400


class Iso2Session(Iso2Metering):
    """A session of ISO 15118-2. `energy` is the service that the car chose, before that the first one offered."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context)
        self._offered = (Iso2DcService(self) if self.facts.is_dc else AcService(self),)
        self._energy: Iso2EnergyService = self._offered[0]
        self.schedule = Schedule()
        self._wait = Wait()
        self._needs_known = False
        """The back end has asked for the renegotiation: it has a schedule for the needs that it knows."""
        self.departure_s: int | None = None
        self._departure: datetime | None = None
        self.started = False
        """PowerDelivery start was granted."""

    @property
    def energy(self) -> Iso2EnergyService:
        """The energy service of the session."""
        return self._energy

    @property
    def renegotiation_due(self) -> bool:
        """Whether the schedule of a car that is charging no longer holds."""
        in_loop = self.state in (State.CHARGING_FIRST, State.CHARGING, State.RECEIPT)
        return in_loop and self.energy.schedule_is_outdated()

    def offered_energy(self) -> tuple[Iso2EnergyService, ...]:
        """Return the energy services that the car may choose from."""
        return self._offered

    def is_stop(self, name: str, request: Any) -> bool:
        """Return whether the request takes the power off."""
        return name == "PowerDeliveryReq" and request.ChargeProgress is _STOP

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by the name of the request."""
        finished, energy = iso2.EVSEProcessingType.Finished, self.energy
        match name:
            case "SessionSetupReq":
                return {"EVSEID": self.evse_id()}
            case "ServiceDiscoveryReq":
                return self.discovery_content()
            case "ServiceDetailReq":
                return {"ServiceID": 1}
            case "AuthorizationReq":
                return {"EVSEProcessing": finished}
            case "PaymentDetailsReq":
                return {"GenChallenge": bytes(16), "EVSETimeStamp": int(self.environment.utc_now().timestamp())}
            case "ChargeParameterDiscoveryReq":
                return {"EVSEProcessing": finished, "EVSEChargeParameter": energy.charge_parameter("EVSE_NotReady")}
            case "PowerDeliveryReq" | "MeteringReceiptReq":
                return {"EVSEStatus": energy.evse_status("EVSE_NotReady")}
            case "ChargingStatusReq":
                return {
                    "EVSEID": self.evse_id(),
                    "SAScheduleTupleID": SCHEDULE_ID,
                    "AC_EVSEStatus": ac_status(self.notification, rcd=False),
                }
            case "CertificateInstallationReq" | "CertificateUpdateReq":
                return _no_certificate()
        return super().least_content(name)

    # -- charge parameters

    def _choose_energy(self, mode: iso2.EnergyTransferModeType) -> bool:
        """Take the energy service that has this mode; return whether there is one."""
        for energy in self._offered:
            if mode in energy.modes():
                self._energy = energy
                return True
        return False

    def on_ChargeParameterDiscoveryReq(self, request: iso2.ChargeParameterDiscoveryReq, now: float) -> Answer:
        """Choose the energy service, compare the car's limits with ours, answer with ours and a schedule."""
        name, wanted, parameters = "ChargeParameterDiscoveryReq", request.RequestedEnergyTransferMode, None
        if not self._choose_energy(wanted):
            return self.failed(name, "FAILED_WrongEnergyTransferMode", str(wanted))
        energy, parameters = self.energy, request.EVChargeParameter
        if not isinstance(parameters, energy.parameter_type):  # [V2G2-477]
            return self.failed(name, "FAILED_WrongChargeParameter", f"{type(parameters).__name__} for {wanted}")
        energy.mode = wanted
        needs_known = self._needs_known
        if not self._wait.begun:
            self._take_needs(request)
        if why := energy.limits_do_not_fit(parameters):
            return self.failed(name, "FAILED_WrongChargeParameter", why)  # [V2G2-477]
        if not needs_known and self._wait.goes_on(self.facts.back_end, self.facts.session.needs_answered, now):
            return self._not_yet()
        self._needs_known = False
        self.enter(energy.after_parameters)
        pause, most_entries = bool(self.facts.session.no_energy_pause), request.MaxEntriesSAScheduleTuple
        begin_s = self.environment.utc_now().timestamp()
        spans_of = partial(energy.spans, begin_s)
        self.schedule = schedule(spans_of, begin_s, self.departure_s, pause=pause, most_entries=most_entries)
        energy.offered_limits = self.facts.back_end.limits
        tariff, signature = self._tariff(most_entries)
        return Answer(
            iso2.ChargeParameterDiscoveryRes(
                ResponseCode=self.ok(),
                EVSEProcessing=iso2.EVSEProcessingType.Finished,
                SASchedules=self.schedule.message(self.watts, tariff),
                EVSEChargeParameter=energy.charge_parameter("EVSE_Ready"),
            ),
            signature=signature,
        )

    def _take_needs(self, request: iso2.ChargeParameterDiscoveryReq) -> None:
        """Publish what the car needs; the back end has not answered that."""
        energy, parameters = self.energy, request.EVChargeParameter
        mode = iso15118.EnergyTransferMode(str(request.RequestedEnergyTransferMode))
        self.facts.session.needs_answered = False
        self.publish(Iso15118Charger.requested_energy_transfer_mode, mode)
        departure = self._take_departure(parameters.DepartureTime)
        energy.take_parameters(parameters)
        if self._needs_known:  # OCPP 2.x K16.FR.09
            return
        self.publish(
            Iso15118Extensions.charging_needs,
            iso15118.ChargingNeeds(
                requested_energy_transfer=mode, departure_time=departure, **energy.charging_needs(parameters)
            ),
        )

    def _not_yet(self) -> Answer:
        """Let the car ask again until the back end has its schedule (OCPP 2.x K15)."""
        return Answer(
            iso2.ChargeParameterDiscoveryRes(
                ResponseCode=self.ok(),
                EVSEProcessing=iso2.EVSEProcessingType.Ongoing,
                EVSEChargeParameter=self.energy.charge_parameter("EVSE_Ready"),
            )
        )

    def _tariff(self, most_entries: int | None) -> tuple[iso2.SalesTariffType | None, Any]:
        """Return the tariff of the schedule; that of a contract with its issuer's signature, or not at all."""
        key = key_of_issuer(self.contract, self.settings.price_keys) if self.by_contract else None
        if not self.facts.prices or (self.by_contract and key is None):
            return None, None
        now_s, most = int(self.environment.utc_now().timestamp()), most_entries or MOST_ENTRIES
        tariff = sales_tariff(self.facts.prices, now_s, self.schedule.duration_s, min(most, MOST_ENTRIES))
        if tariff is None or key is None:
            return tariff, None
        tariff.Id = "id1"
        try:
            return tariff, signatures.sign("iso2", key, {"SalesTariff": tariff})
        except ValueError as error:
            self.log(f"the contract gets no tariff: {error}")
            return None, None

    def _take_departure(self, departure_s: int | None) -> str | None:
        """Publish when the car wants to leave; return the time as text.

        A session that was paused keeps its departure where the car does not give another one.
        """
        now = self.environment.utc_now()
        if departure_s is None and self.resumed is not None and self.resumed.departure is not None:
            departure_s = max(0, round((self.resumed.departure - now).total_seconds()))
        self.departure_s = departure_s
        if departure_s is None:
            self._departure = None
            return None
        # The greatest number means "whenever"; a calendar ends before that.
        self._departure = now + timedelta(seconds=min(departure_s, _LATEST_DEPARTURE_S))
        at = rfc3339(self._departure)
        self.publish(Iso15118Charger.departure_time, at)
        return at

    # -- power delivery

    def on_PowerDeliveryReq(self, request: iso2.PowerDeliveryReq, now: float) -> Answer | Deferred:
        """Start, stop or renegotiate the energy transfer."""
        name, progress, energy = "PowerDeliveryReq", request.ChargeProgress, self.energy
        energy.take_power_delivery(request)
        if progress is _STOP:
            energy.stop_power()
        elif progress is _START:
            code, why = self.profile_fault(request)
            if code:
                return self.failed(name, code, why)
            if self.started:
                return self.failed(name, "FAILED", "started while charging")
            result = energy.start_power(now)
            if result is not None:
                return result
            self.started = True
            self._publish_profile(request)
        else:
            if not self.started:
                return self.failed(name, "FAILED", "renegotiation before charging")  # [V2G2-812]
            self.started = False
            self._needs_known = energy.schedule_is_outdated()
            self.enter(State.CHARGE_PARAMETERS)
            self.log("the car renegotiates")
            energy.renegotiate()
        status = energy.evse_status("EVSE_Ready")
        return Answer(iso2.PowerDeliveryRes(ResponseCode=self.ok(), EVSEStatus=status))

    def _publish_profile(self, request: iso2.PowerDeliveryReq) -> None:
        """Publish by which profile the car is going to charge; one without follows the schedule."""
        profile = request.ChargingProfile
        given = [] if profile is None else profile.ProfileEntry
        entries = [(one.ChargingProfileEntryStart, number(one.ChargingProfileEntryMaxPower)) for one in given]
        entries = entries or [(one.start_s, one.power_W) for one in self.schedule.entries]
        self.publish(
            CbIso15118Schedules.ev_schedule,
            EvSchedule(
                # ChargingProfileEntryStart counts from the begin of the schedule.
                time_base=rfc3339(datetime.fromtimestamp(self.schedule.begin_s, UTC)),
                schedule_tuple_id=request.SAScheduleTupleID,
                entries=[EvScheduleEntry(start_s=start_s, power_W=power_W) for start_s, power_W in entries],
                duration_s=self.schedule.duration_s,
            ),
        )

    def profile_fault(self, request: iso2.PowerDeliveryReq) -> tuple[str, str]:
        """Return the FAILED code and why, where the car's schedule or profile is not one of ours."""
        fault = self.schedule.refusal_of(request)
        if not fault[0]:
            for _ in range(self.schedule.entries_beyond(request)):
                self.log("the car's charging profile reaches beyond the schedule")
        return fault

    # -- end

    def on_SessionStopReq(self, request: iso2.SessionStopReq, now: float) -> Answer:
        """End or pause the session; a pause only directly after the energy transfer."""
        response = iso2.SessionStopRes(ResponseCode=self.ok())
        if request.ChargingSession is iso2.chargingSessionType.Terminate:
            self.enter(State.ENDED)
            return Answer(response, end="terminate")
        allowed = self.state in (State.STOPPED, State.WELDING)
        self.enter(State.ENDED)
        if not allowed:
            response.ResponseCode = iso2.responseCodeType.FAILED
            return Answer(response, end="terminate", log="SessionStopReq: a pause where nothing was charged")
        self.facts.paused = PausedSession(self.session_id, self.evcc_id, self.payment_option, self._departure)
        return Answer(response, end="pause")


def _no_certificate() -> dict[str, Any]:
    chain = iso2.CertificateChainType(Certificate=b"")
    return {
        "SAProvisioningCertificateChain": chain,
        "ContractSignatureCertChain": iso2.CertificateChainType(Id="id1", Certificate=b""),
        "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKeyType(Id="id2", value=b""),
        "DHpublickey": iso2.DiffieHellmanPublickeyType(Id="id3", value=b""),
        "eMAID": iso2.EMAIDType(Id="id4", value="DE000000000000"),
    }
