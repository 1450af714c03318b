"""EvseV2G with the least of a charging station around it, and a car at the other end of an IPv6 link in memory."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_security import EvseSecurity
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import authorization, iso15118, power_supply_DC
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.module import Module, provides, requires
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.v2g import evcc, sdp
from chargebyte_fw.modules.v2g.evcc import CarFacts, CarSettings, Evcc
from chargebyte_fw.sim.idle import idle


class Security(Module):
    """A certificate store that nobody asks."""

    main = provides(idle(EvseSecurity))


class Manager(Module):
    """Does what EvseManager does for a session: answers the charger's variables with commands."""

    hlc = requires(Iso15118Charger)
    ac = False
    authorize = "Accepted"
    authorize_s = 1.0

    async def init(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        for name in self.hlc.variables:
            getattr(self.hlc, name).subscribe(lambda value, name=name: self._heard(name, value))

    async def ready(self) -> None:
        hlc = self.hlc
        if self.ac:
            await hlc.update_energy_transfer_modes([iso15118.EnergyTransferMode.AC_three_phase_core])
            await hlc.set_charging_parameters(iso15118.SetupPhysicalValues(ac_nominal_voltage=230.0))
            await hlc.update_ac_max_current(32.0)
        else:
            await hlc.update_energy_transfer_modes([iso15118.EnergyTransferMode.DC_extended])
            await hlc.set_charging_parameters(
                iso15118.SetupPhysicalValues(dc_current_regulation_tolerance=2.0, dc_peak_current_ripple=2.0)
            )
            await hlc.set_powersupply_capabilities(
                power_supply_DC.Capabilities(
                    bidirectional=False,
                    current_regulation_tolerance_A=2.0,
                    peak_current_ripple_A=2.0,
                    min_export_voltage_V=200.0,
                    max_export_voltage_V=900.0,
                    min_export_current_A=1.0,
                    max_export_current_A=200.0,
                    max_export_power_W=150_000.0,
                )
            )
            await hlc.update_dc_maximum_limits(
                iso15118.DcEvseMaximumLimits(
                    evse_maximum_current_limit=200.0,
                    evse_maximum_power_limit=150_000.0,
                    evse_maximum_voltage_limit=900.0,
                )
            )
            await hlc.update_dc_minimum_limits(
                iso15118.DcEvseMinimumLimits(
                    evse_minimum_current_limit=1.0, evse_minimum_voltage_limit=200.0, evse_minimum_power_limit=200.0
                )
            )
        await hlc.setup(
            iso15118.EVSEID(evse_id="DE*CHB*E123456*1", evse_id_din="49A80737A45678"),
            iso15118.SaeJ2847BidiMode.None_,
            True,
        )

    def _heard(self, name: str, value: Any) -> None:
        self.heard.append((name, value))
        reaction = getattr(self, f"_on_{name}", None)
        if reaction is not None:
            work = reaction(value)
            if inspect.iscoroutine(work):
                self.spawn(work, name)

    async def _on_require_auth_eim(self, _: None) -> None:
        await asyncio.sleep(self.authorize_s)
        await self.hlc.authorization_response(
            authorization.AuthorizationStatus(self.authorize), authorization.CertificateStatus.Accepted
        )

    async def _on_start_cable_check(self, _: None) -> None:
        await asyncio.sleep(2.0)
        await self.hlc.update_isolation_status(iso15118.IsolationStatus.Valid)
        await self.hlc.cable_check_finished(True)

    async def _present(self, voltage_V: float, current_A: float) -> None:
        await self.hlc.update_dc_present_values(
            iso15118.DcEvsePresentVoltageCurrent(evse_present_voltage=voltage_V, evse_present_current=current_A)
        )

    charging = False

    def _on_current_demand_started(self, _: None) -> None:
        self.charging = True

    async def _on_dc_ev_target_voltage_current(self, target: iso15118.DcEvTargetValues) -> None:
        await self._present(target.dc_ev_target_voltage, target.dc_ev_target_current if self.charging else 0.0)

    async def _on_dc_open_contactor(self, _: None) -> None:
        self.charging = False
        await self._present(0.0, 0.0)

    async def _on_ac_close_contactor(self, _: None) -> None:
        await asyncio.sleep(0.2)
        await self.hlc.ac_contactor_closed(True)

    async def _on_ac_open_contactor(self, _: None) -> None:
        await self.hlc.ac_contactor_closed(False)

    def names(self) -> list[str]:
        return [name for name, _ in self.heard if name != "v2g_messages"]


class AcManager(Manager):
    """The same for AC."""

    ac = True


class Car:
    """A car's machine on an in-memory host."""

    def __init__(self, host: memory.Host, settings: CarSettings, facts: CarFacts | None = None) -> None:
        self.facts = facts or CarFacts(battery_voltage_V=350.0, target_voltage_V=360.0, target_current_A=50.0)
        self.host = host
        self.machine = Evcc(settings, self.facts)
        self.pump = Pump(self.machine, self._act, self._broken)
        self.log: list[Any] = []
        self.stream: memory.StreamEnd | None = None
        self.ended = asyncio.get_running_loop().create_future()
        self.port = host.bind(lambda data, _: self.pump.feed(evcc.SdpAnswer(data)))

    def _broken(self, error: BaseException) -> None:
        raise error

    def start(self) -> None:
        self.pump.feed(evcc.Start())

    def wish(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self.facts, name, value)
        self.pump.feed(evcc.FactsChanged())

    def _act(self, effect: Any) -> None:
        self.log.append(effect)
        match effect:
            case evcc.SendSdp(data):
                self.host.send_datagram(data, sdp.PORT, self.port)
            case evcc.Connect(_, port):
                try:
                    self.stream = self.host.connect(port)
                except ConnectionRefusedError:
                    self.pump.feed(evcc.Disconnected("refused"))
                    return
                self.stream.receive = lambda data: self.pump.feed(evcc.Received(data))
                self.stream.closed = lambda: self.pump.feed(evcc.Disconnected())
                self.pump.feed(evcc.Connected())
            case evcc.Send(data):
                assert self.stream is not None
                self.stream.send(data)
            case evcc.Close():
                if self.stream is not None:
                    self.stream.close()
            case evcc.SessionStopped() if not self.ended.done():
                self.ended.set_result(effect)

    async def until(self, step: str, limit_s: float = 60.0) -> None:
        """Wait for the session to get to `step`."""
        async with asyncio.timeout(limit_s):
            while step not in [e.step.value for e in self.log if isinstance(e, evcc.Report)]:
                await asyncio.sleep(0.05)


class StreamCar:
    """A car's machine on a connected TCP socket: SDP is answered by what is already known."""

    def __init__(self, sock: Any, where: sdp.Response, settings: CarSettings) -> None:
        self.facts = CarFacts(battery_voltage_V=350.0, target_voltage_V=360.0, target_current_A=50.0)
        self.machine = Evcc(settings, self.facts)
        self.log: list[Any] = []
        self.ended = asyncio.get_running_loop().create_future()
        self.pump = Pump(self.machine, self._act, self._broken)
        self._sock = sock
        self._where = where
        self._reading = asyncio.get_running_loop().create_task(self._read())

    def _broken(self, error: BaseException) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while self._sock.fileno() >= 0 and (data := await loop.sock_recv(self._sock, 4096)):
            self.pump.feed(evcc.Received(data))
        self.pump.feed(evcc.Disconnected())

    def start(self) -> None:
        self.pump.feed(evcc.Start())

    def wish(self, **changes: Any) -> None:
        for name, value in changes.items():
            setattr(self.facts, name, value)
        self.pump.feed(evcc.FactsChanged())

    def _act(self, effect: Any) -> None:
        self.log.append(effect)
        match effect:
            case evcc.SendSdp():
                self.pump.feed(evcc.SdpAnswer(self._where.to_bytes()))
            case evcc.Connect():
                self.pump.feed(evcc.Connected())
            case evcc.Send(data):
                self._sock.sendall(data)
            case evcc.Close():
                self._reading.cancel()
                self._sock.close()
            case evcc.SessionStopped() if not self.ended.done():
                self.ended.set_result(effect)

    until: Any = Car.until
