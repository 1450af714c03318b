"""ISO 15118-2, from the charge parameters to the session's end, DC and AC (clauses 8.4.3.9, 8.4.4, 8.4.5)."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common import sequence
from chargebyte_fw.modules.v2g.secc.common.dc import DcDialogue
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.common.session import (
    SCHEDULE_ID,
    SCHEDULE_IN_PAUSE_S,
    SCHEDULE_S,
    Answer,
    Dialogue,
    Later,
)
from chargebyte_fw.modules.v2g.secc.facts import PausedSession
from chargebyte_fw.modules.v2g.secc.iso2.setup import Iso2SetUp

MOST_ENTRIES = 12
"""Entries of a schedule (PMaxScheduleEntry)."""
WHENEVER_S = 2**32 - 1
"""The greatest DepartureTime: cars without a departure give it."""
_START, _STOP = iso2.chargeProgressType.Start, iso2.chargeProgressType.Stop


class Iso2Dialogue(Iso2SetUp):
    """What AC and DC sessions of ISO 15118-2 share after the set-up."""

    schedule_W = 0.0
    """The power of the schedule that the car was given."""
    schedule_s = SCHEDULE_S
    """How long that schedule is."""
    departure_s: int | None = None
    started = False
    """PowerDelivery start was granted."""

    def is_stop(self, name: str, request: Any) -> bool:
        """Tell whether the request takes the power off."""
        return name == "PowerDeliveryReq" and request.ChargeProgress is _STOP

    def evse_status(self, normal: str) -> Any:
        """Return DC_EVSEStatus or AC_EVSEStatus."""
        raise NotImplementedError

    def charge_parameter(self, normal: str) -> Any:
        """Return DC_EVSEChargeParameter or AC_EVSEChargeParameter."""
        raise NotImplementedError

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by request name."""
        finished = iso2.EVSEProcessingType.Finished
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
                return {"GenChallenge": bytes(16), "EVSETimeStamp": int(self.outside.utc_now().timestamp())}
            case "ChargeParameterDiscoveryReq":
                return {"EVSEProcessing": finished, "EVSEChargeParameter": self.charge_parameter("EVSE_NotReady")}
            case "PowerDeliveryReq" | "MeteringReceiptReq":
                return {"EVSEStatus": self.evse_status("EVSE_NotReady")}
            case "ChargingStatusReq":
                return {
                    "EVSEID": self.evse_id(),
                    "SAScheduleTupleID": SCHEDULE_ID,
                    "AC_EVSEStatus": ac_status(self, rcd=False),
                }
            case "CertificateInstallationReq" | "CertificateUpdateReq":
                return _no_certificate()
        return super().least_content(name)

    # -- parameters

    def take_departure(self, departure_s: int | None) -> str | None:
        """Publish when the car wants to leave; returns the time as text."""
        self.departure_s = departure_s
        if departure_s is None:
            return None
        # A car may say "whenever" with the greatest number; a calendar ends before that.
        at = rfc3339(self.outside.utc_now() + timedelta(seconds=min(departure_s, 10 * 365 * 86_400)))
        self.publish("departure_time", at)
        return at

    def schedules(self, power_W: float) -> Any:
        """Return the one schedule: `power_W` until the departure, for a day where the car gives none."""
        whole_s = SCHEDULE_S if self.departure_s in (None, 0, WHENEVER_S) else self.departure_s
        assert whole_s is not None
        durations_s = durations_until(SCHEDULE_IN_PAUSE_S if self.facts.no_energy_pause else whole_s)
        self.schedule_W, self.schedule_s = power_W, sum(durations_s)
        starts_s = itertools.accumulate(durations_s, initial=0)
        entries = [
            iso2.PMaxScheduleEntryType(
                TimeInterval=iso2.RelativeTimeIntervalType(start=start_s, duration=duration_s), PMax=self.watts(power_W)
            )
            for start_s, duration_s in zip(starts_s, durations_s)
        ]
        schedule = iso2.PMaxScheduleType(PMaxScheduleEntry=entries)
        return iso2.SAScheduleListType(
            SAScheduleTuple=[iso2.SAScheduleTupleType(SAScheduleTupleID=SCHEDULE_ID, PMaxSchedule=schedule)]
        )

    # -- power delivery

    def profile_fault(self, request: iso2.PowerDeliveryReq) -> tuple[str, str]:
        """Return the FAILED code and why, where the car's schedule or profile is not one of ours."""
        if request.SAScheduleTupleID != SCHEDULE_ID:
            return "FAILED_TariffSelectionInvalid", f"schedule {request.SAScheduleTupleID}"
        for entry in request.ChargingProfile.ProfileEntry if request.ChargingProfile is not None else ():
            power_W = number(entry.ChargingProfileEntryMaxPower)
            # Rounding to the wire's sixteen bits may have cost the schedule its last digits.
            if power_W > self.schedule_W * 1.001 + 1.0:
                return (
                    "FAILED_ChargingProfileInvalid",
                    f"a profile of {power_W:g} W in a schedule of {self.schedule_W:g} W",
                )
            if entry.ChargingProfileEntryStart > self.schedule_s:
                self.note("the car's charging profile reaches beyond the schedule")
        return "", ""

    def on_PowerDeliveryReq(self, request: iso2.PowerDeliveryReq, now: float) -> Answer | Later:  # noqa: N802
        """Start, stop or renegotiate the energy transfer."""
        name, progress = "PowerDeliveryReq", request.ChargeProgress
        self.take_power(request)
        if progress is _STOP:
            self.stop_power()
        elif progress is _START:
            code, why = self.profile_fault(request)
            if code:
                return self.failed(name, code, why)
            if self.started:
                return self.failed(name, "FAILED", "started while charging")
            result = self.start_power(now)
            if isinstance(result, Later | Answer):
                return result
            self.started = True
        else:
            if not self.started:
                return self.failed(name, "FAILED", "renegotiation before charging")
            self.renegotiate()
        status = self.evse_status("EVSE_Ready")
        return Answer(iso2.PowerDeliveryRes(ResponseCode=self.ok(), EVSEStatus=status))

    def take_power(self, request: iso2.PowerDeliveryReq) -> None:
        """Publish what the request says of the battery."""

    def start_power(self, now: float) -> Answer | Later | None:
        """Let the energy flow; returns a refusal, Later, or None when it flows."""
        raise NotImplementedError

    def stop_power(self) -> None:
        """End the energy transfer."""
        raise NotImplementedError

    def renegotiate(self) -> None:
        """Go back to the charge parameters."""
        self.started = False
        self.wait_since = None
        self.state = State.CHARGE_PARAMETERS
        self.note("the car renegotiates")

    # -- metering and end

    def meter_info(self) -> Any:
        """Return MeterInfo when a value came since the last one, else None."""
        facts = self.facts
        if not facts.meter_is_new or facts.meter_Wh is None:
            return None
        facts.meter_is_new = False
        return iso2.MeterInfoType(MeterID=facts.meter_id[:32], MeterReading=max(0, round(facts.meter_Wh)))

    def on_SessionStopReq(self, request: iso2.SessionStopReq, now: float) -> Answer:  # noqa: N802
        """End or pause the session; a pause only directly after the energy transfer."""
        response = iso2.SessionStopRes(ResponseCode=self.ok())
        if request.ChargingSession is iso2.chargingSessionType.Terminate:
            self.state = State.ENDED
            return Answer(response, end="terminate")
        allowed = self.state in (State.STOPPED, State.WELDING)
        self.state = State.ENDED
        if not allowed:
            response.ResponseCode = iso2.responseCodeType.FAILED
            return Answer(response, end="terminate", log="SessionStopReq: a pause where nothing was charged")
        self.facts.paused = PausedSession(self.session_id)
        return Answer(response, end="pause")


class Iso2Dc(Iso2Dialogue, DcDialogue):
    """A DC session of ISO 15118-2."""

    @property
    def allowed(self) -> dict[State, tuple[str, ...]]:
        """The table of requests by state."""
        return sequence.ISO2_DC

    def evse_status(self, normal: str) -> Any:
        """Return DC_EVSEStatus."""
        return self.status(normal)

    def charge_parameter(self, normal: str) -> Any:
        """Return DC_EVSEChargeParameter."""
        return self.dc_evse_parameters(normal)

    def current_demand_extras(self) -> dict[str, Any]:
        """Return EVSE id, schedule and meter."""
        return {"EVSEID": self.evse_id(), "SAScheduleTupleID": SCHEDULE_ID, "MeterInfo": self.meter_info()}

    def on_ChargeParameterDiscoveryReq(  # noqa: N802
        self, request: iso2.ChargeParameterDiscoveryReq, now: float
    ) -> Answer:
        """Compare the car's limits with ours, give it ours and a schedule."""
        name, wanted, parameters = "ChargeParameterDiscoveryReq", request.RequestedEnergyTransferMode, None
        if wanted not in self.modes():
            return self.failed(name, "FAILED_WrongEnergyTransferMode", str(wanted))
        parameters = request.EVChargeParameter
        if not isinstance(parameters, iso2.DC_EVChargeParameterType) or not wanted.startswith("DC"):
            return self.failed(name, "FAILED_WrongChargeParameter", f"{type(parameters).__name__} for {wanted}")
        mode = iso15118.EnergyTransferMode(str(wanted))
        self.publish("requested_energy_transfer_mode", mode)
        departure = self.take_departure(parameters.DepartureTime)
        self.take_dc_parameters(parameters)
        self.extension(
            "charging_needs",
            iso15118.ChargingNeeds(
                requested_energy_transfer=mode,
                dc_charging_parameters=self.dc_needs(parameters),
                departure_time=departure,
            ),
        )
        if why := self.limits_do_not_fit(parameters):
            return self.failed(name, "FAILED_WrongChargeParameter", why)
        self.state = State.CABLE_CHECK
        return Answer(
            iso2.ChargeParameterDiscoveryRes(
                ResponseCode=self.ok(),
                EVSEProcessing=iso2.EVSEProcessingType.Finished,
                SASchedules=self.schedules(self.facts.schedule_power_W),
                EVSEChargeParameter=self.dc_evse_parameters("EVSE_Ready"),
            )
        )

    def take_power(self, request: iso2.PowerDeliveryReq) -> None:
        """Publish what the request says of the battery."""
        self.take_power_delivery_parameter(request.EVPowerDeliveryParameter)

    def start_power(self, now: float) -> Answer | None:
        """Begin the charge loop."""
        if why := self.start_power_dc():
            return self.failed("PowerDeliveryReq", "FAILED_PowerDeliveryNotApplied", why)
        return None

    def stop_power(self) -> None:
        """End the charge loop."""
        self.stop_power_dc()

    def renegotiate(self) -> None:
        """Go back to the charge parameters; the isolation must be checked again."""
        super().renegotiate()
        self.facts.isolation = "Invalid"
        # The next pre-charge has targets of its own, even if they are equal.
        self.outside.told.pop("dc_ev_target_voltage_current", None)
        if self.charging:
            self.charging = False
            self.publish("current_demand_finished")


def durations_until(departure_s: int) -> list[int]:
    """Return the durations of a schedule's entries: their sum is the time until the departure.

    An entry lasts a day at most (the schema's limit). Twelve entries are what libcbv2g, and many a car with it, can
    take of the 1,024 of the schema: a departure beyond twelve days is not reached.
    """
    whole, rest_s = divmod(departure_s, SCHEDULE_S)
    durations_s = [SCHEDULE_S] * min(whole, MOST_ENTRIES) + ([rest_s] if rest_s else [])
    return durations_s[:MOST_ENTRIES]


def ac_status(dialogue: Dialogue, *, rcd: bool) -> Any:
    """Return AC_EVSEStatus."""
    notification, delay_s = dialogue.notification
    return iso2.AC_EVSEStatusType(NotificationMaxDelay=delay_s, EVSENotification=notification, RCD=rcd)


def _no_certificate() -> dict[str, Any]:
    chain = iso2.CertificateChainType(Certificate=b"")
    return {
        "SAProvisioningCertificateChain": chain,
        "ContractSignatureCertChain": iso2.CertificateChainType(Id="id1", Certificate=b""),
        "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKeyType(Id="id2", value=b""),
        "DHpublickey": iso2.DiffieHellmanPublickeyType(Id="id3", value=b""),
        "eMAID": iso2.EMAIDType(Id="id4", value="DE000000000000"),
    }
