"""The EVSE of a simulated station: cars come, charge and leave, and commands of the station are carried out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
)
from chargebyte_fw.contracts.types.energy import ExternalLimits, LimitsReq
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.modules.ocpp.station.events import PowermeterReceived, Served, SessionEventReceived
from chargebyte_fw.sim.fleet.options import Options
from chargebyte_fw.sim.fleet.tally import Tally

EVSE_ID = 1
VOLTAGE_V, PHASES = 230.0, 3
LEAVES_AFTER_S = 2.0
"""How long a car stays plugged in after its transaction was ended from elsewhere."""
E = evse.SessionEventEnum


def limit_W(limits: ExternalLimits, at: datetime) -> float | None:
    """Return how much a schedule allows at a time, None for no limit."""
    found: LimitsReq | None = None
    for entry in limits.schedule_import:
        if datetime.fromisoformat(entry.timestamp) <= at:
            found = entry.limits_to_root
    if found is None:
        return None
    phases = found.ac_max_phase_count.value if found.ac_max_phase_count is not None else PHASES
    current = found.ac_max_current_A
    allowed = [] if current is None else [current.value * VOLTAGE_V * phases]
    if found.total_power_W is not None:
        allowed.append(found.total_power_W.value)
    return min(allowed, default=None)


class SimulatedEvse:
    """One EVSE of one connector. `feed` gives the station an event."""

    def __init__(self, options: Options, number: int, tally: Tally, feed: Callable[[Any], None]) -> None:
        self._options = options
        self._tally = tally
        self._feed = feed
        self._chance = random.Random(f"{options.seed}/{number}")
        self._token = options.named(options.token, number)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._session = ""
        """Of the car that is plugged in; empty without one."""
        self._shown: ProvidedIdToken | None = None
        """The token that is being validated."""
        self.charging = False
        """Whether a transaction runs."""
        self.has_charged = False
        self._begun_s = self._read_s = 0.0
        self._energy_Wh = self._chance.uniform(0, 1e6)
        self._power_W = 0.0
        self._paused = False
        """By the CSMS."""
        self._limits: dict[int, ExternalLimits] = {}
        self._open = True

    # Cars.

    def begin(self) -> None:
        """Let cars come from now on."""
        if self._open and not self._session and self._options.charging_s > 0:
            self._in("car", self._chance.uniform(0, self._options.pause_s), self._arrive)

    def close(self) -> None:
        """Send the car away; none comes any more."""
        self._open = False
        self._leave(evse.StopTransactionReason.EVDisconnected)
        for timer in self._timers.values():
            timer.cancel()

    def halt(self) -> None:
        """Stop as with a power loss: nothing is reported."""
        self._open = False
        for timer in self._timers.values():
            timer.cancel()

    def _in(self, name: str, pause_s: float, run: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(pause_s, run)

    def _arrive(self) -> None:
        self._plug_in()
        self._show(
            ProvidedIdToken(
                id_token=IdToken(value=self._token, type=IdTokenType.ISO14443),
                authorization_type=AuthorizationType.RFID,
            )
        )

    def _plug_in(self) -> None:
        self._session = f"{self._chance.getrandbits(128):032x}"
        started = evse.SessionStarted(reason=evse.StartSessionReason.EVConnected, meter_value=self._meter())
        self._event(E.SessionStarted, session_started=started)

    def _show(self, token: ProvidedIdToken) -> None:
        self._shown = token
        if token.prevalidated:
            self._start(token)
        else:
            self._feed(Served(self._session, AuthTokenValidator.interface, "validate_token", (token,)))

    def validated(self, session: str, status: AuthorizationStatus) -> None:
        """Take what became of a token."""
        if session != self._session or self.charging or self._shown is None:
            return
        if status is AuthorizationStatus.Accepted:
            self._start(self._shown)
            return
        self._tally.error(f"the token is refused: {status.value}")
        self._in("car", LEAVES_AFTER_S, lambda: self._leave(evse.StopTransactionReason.EVDisconnected))

    def _start(self, token: ProvidedIdToken) -> None:
        self.charging = True
        self._paused = False
        self._begun_s = self._read_s = asyncio.get_running_loop().time()
        started = evse.TransactionStarted(id_tag=token, meter_value=self._meter())
        self._event(E.TransactionStarted, transaction_started=started)
        self._power_W = self._draws_W()
        self._event(E.ChargingStarted if self._power_W > 0 else E.ChargingPausedEV)
        self._in("meter", self._options.sample_s / 2, self._measure)
        if self._options.charging_s > 0:
            leave = evse.StopTransactionReason.EVDisconnected
            self._in("car", self._options.charging_s, lambda: self._leave(leave))

    def _leave(self, reason: evse.StopTransactionReason) -> None:
        self._end(reason)
        if self._session:
            self._event(E.SessionFinished, session_finished=evse.SessionFinished(meter_value=self._meter()))
            self._session = ""
        self.begin()

    def _end(self, reason: evse.StopTransactionReason) -> None:
        if not self.charging:
            return
        self._read()
        self._timers["meter"].cancel()
        self.charging = False
        self.has_charged = True
        self._shown = None
        finished = evse.TransactionFinished(meter_value=self._meter(), reason=reason)
        self._event(E.TransactionFinished, transaction_finished=finished)
        self._tally.transactions += 1

    def _event(self, kind: E, **more: Any) -> None:
        happened = evse.SessionEvent(
            uuid=self._session, timestamp=rfc3339(utc_now()), event=kind, connector_id=1, **more
        )
        self._feed(SessionEventReceived(EVSE_ID, happened))

    # Power and energy.

    def _draws_W(self) -> float:
        wanted_W = self._options.power_W(asyncio.get_running_loop().time() - self._begun_s)
        at = utc_now()
        limits = [allowed for one in self._limits.values() if (allowed := limit_W(one, at)) is not None]
        return 0.0 if self._paused else max(0.0, min([wanted_W, *limits]))

    def _read(self) -> None:
        now = asyncio.get_running_loop().time()
        self._energy_Wh += self._power_W * (now - self._read_s) / 3600
        self._read_s = now

    def _measure(self) -> None:
        self._read()
        before_W, self._power_W = self._power_W, self._draws_W()
        if (before_W > 0) != (self._power_W > 0):
            wanted_W = self._options.power_W(self._read_s - self._begun_s)
            paused = E.ChargingPausedEVSE if wanted_W > 0 else E.ChargingPausedEV
            self._event(E.ChargingStarted if self._power_W > 0 else paused)
        self._feed(PowermeterReceived(EVSE_ID, self._meter()))
        self._in("meter", self._options.sample_s / 2, self._measure)

    def _meter(self) -> Powermeter:
        current_A = self._power_W / (VOLTAGE_V * PHASES)
        return Powermeter(
            timestamp=rfc3339(utc_now()),
            energy_Wh_import=units.Energy(total=round(self._energy_Wh, 1)),
            power_W=units.Power(total=round(self._power_W, 1)),
            voltage_V=units.Voltage(L1=VOLTAGE_V, L2=VOLTAGE_V, L3=VOLTAGE_V),
            current_A=units.Current(L1=current_A, L2=current_A, L3=current_A),
        )

    # What the station asks for.

    def remote_start(self, token: ProvidedIdToken) -> None:
        """A token of the CSMS: the car that is plugged in, or one that comes for it, charges with it."""
        if self.charging or not self._open:
            return
        if not self._session:
            self._plug_in()
        self._show(token)

    def stop(self, reason: evse.StopTransactionReason) -> None:
        """End the transaction; the car leaves a little later."""
        if self.charging:
            self._end(reason)
            self._in("car", LEAVES_AFTER_S, lambda: self._leave(reason))

    def pause(self, paused: bool) -> None:
        """Let the car draw nothing, or what it wants."""
        self._paused = paused
        if self.charging:
            self._measure()

    def limit(self, node: int, limits: ExternalLimits) -> None:
        """Take a schedule of limits, for the station (0) or the EVSE."""
        self._limits[node] = limits

    def enable(self, enabled: bool) -> None:
        """Take the EVSE out of use, or back."""
        self._event(E.Enabled if enabled else E.Disabled)
