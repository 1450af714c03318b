"""EvseV2G as a module: sessions over a link in memory, what crosses the contract, ten cars at once, configuration."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import Any, Self

import pytest

from chargebyte_fw.contracts.interfaces.iso15118_vas import Iso15118Vas
from chargebyte_fw.contracts.types import authorization, iso15118, iso15118_vas, units
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.v2g import handshake, sdp
from chargebyte_fw.modules.v2g.evcc import CarSettings
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.link import TCP, TCP_PORT, Endpoint
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.security import PLAIN
from chargebyte_fw.modules.v2g.v2gtp import Frame
from tests.v2g.station import AcManager, Car, Manager, Security
from tests.v2g.talk import Talk, selection

DIN = CarSettings(protocols=("DIN70121",))
ISO2 = CarSettings(protocols=("ISO15118D2",))
AC = CarSettings(energy_transfer_mode="AC_three_phase_core")


class World:
    """EvseV2G at one end of a link in memory, cars at the other."""

    def __init__(
        self,
        assemble: Any,
        runtime: Any,
        manager: type[Manager] = Manager,
        vas: Any = None,
        providers: int = 1,
        store: type[Module] = Security,
        kind: type[Module] = EvseV2G,
        **config: Any,
    ) -> None:
        charger_host, self.host = memory.link("fe80::1", "fe80::2")
        runtime.wires.plug("ip:eth1", charger_host)
        self.charger_host = charger_host
        connections: dict[str, Any] = {"security": "security.main"}
        modules: dict[str, Any] = {"security": (store,)}
        if vas is not None:
            names = [f"vas{number or ''}" for number in range(providers)]
            modules |= dict.fromkeys(names, (vas,))
            connections["iso15118_vas"] = [f"{name}.main" for name in names]
        self.assembly = assemble(
            v2g=(kind, {"device": "eth1", **config}, connections),
            manager=(manager, {}, {"hlc": "v2g.charger"}),
            **modules,
        )

    async def __aenter__(self) -> Self:
        await self.assembly.start()
        self.v2g = self.assembly.modules["v2g"]
        self.manager = self.assembly.modules["manager"]
        await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.assembly.stop()
        for module in self.assembly.modules.values():
            assert module.failed is None or not module.failed.done(), module.failed

    async def charging(self, settings: CarSettings) -> Car:
        await self.manager.hlc.dlink_ready(True)
        car = Car(self.host, settings)
        car.start()
        await car.until("charging")
        return car


class Knocking:
    """A connection from somewhere."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.security = PLAIN
        self.on_data: Any = None
        self.on_closed: Any = None

    def send(self, data: bytes) -> None:
        pass

    def shut_down(self) -> None:
        pass

    def abort(self) -> None:
        pass


@pytest.mark.parametrize(("manager", "settings"), [(Manager, DIN), (Manager, ISO2), (AcManager, AC)])
def test_a_session_from_the_data_link_to_its_end(
    run: Any, assemble: Any, runtime: Any, manager: type[Manager], settings: CarSettings
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, manager) as world:
            car = await world.charging(settings)
            await asyncio.sleep(10)
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"
            await asyncio.sleep(6)
            names = world.manager.names()
            assert names[0] == "supported_app_protocols_secc"
            assert names[-1] == "dlink_terminate"
            assert "hlc_session_failed" not in names

    run(main())


def test_the_charger_ends_the_session_when_asked_to(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = await world.charging(ISO2)
            await world.manager.hlc.stop_charging(True)
            assert (await car.ended).outcome == "terminated"

    run(main())


def test_present_values_reach_the_car_with_its_next_request(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = await world.charging(ISO2)
            await asyncio.sleep(1)
            assert (car.facts.charger.present_voltage_V, car.facts.charger.present_current_A) == (360.0, 50.0)
            car.facts.target_current_A = 33.0
            await asyncio.sleep(0.5)
            assert car.facts.charger.present_current_A == 33.0

    run(main())


def test_sdp_is_silent_until_the_data_link_is_ready_and_connections_are_refused(
    run: Any, assemble: Any, runtime: Any
) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            answers: list[bytes] = []
            port = world.host.bind(lambda data, _: answers.append(data))
            ask = sdp.Request().to_bytes()
            world.host.send_datagram(ask, sdp.PORT, port)
            early = world.host.connect(TCP_PORT)
            closed: list[str] = []
            early.closed = lambda: closed.append("closed")
            await asyncio.sleep(1)
            assert answers == [] and closed == ["closed"]
            await world.manager.hlc.dlink_ready(True)
            for wrong in (b"", b"\x01\xfe\x90\x00", ask[:-1], ask + b"\0", sdp.Request(transport=0x10).to_bytes()):
                world.host.send_datagram(wrong, sdp.PORT, port)
            await asyncio.sleep(1)
            assert answers == []
            for security in (sdp.SECURITY_NONE, sdp.SECURITY_TLS):
                world.host.send_datagram(sdp.Request(security).to_bytes(), sdp.PORT, port)
            await asyncio.sleep(1)
            assert [sdp.parse_response(data) for data in answers] == [
                sdp.Response(ipaddress.IPv6Address("fe80::1"), TCP_PORT)
            ] * 2
            await world.manager.hlc.dlink_ready(False)
            world.host.send_datagram(ask, sdp.PORT, port)
            await asyncio.sleep(1)
            assert len(answers) == 2

    run(main())


def test_sdp_answers_with_the_endpoint_whose_security_the_car_wants(run: Any, assemble: Any, runtime: Any) -> None:
    tls = Endpoint(64_109, sdp.SECURITY_TLS)

    async def main() -> None:
        async with World(assemble, runtime) as world:
            await world.manager.hlc.dlink_ready(True)
            answers: list[bytes] = []
            port = world.host.bind(lambda data, _: answers.append(data))
            for endpoints in ((TCP,), (TCP, tls)):
                world.v2g.engine.link.endpoints = endpoints
                for security in (sdp.SECURITY_NONE, sdp.SECURITY_TLS):
                    world.host.send_datagram(sdp.Request(security).to_bytes(), sdp.PORT, port)
                    await asyncio.sleep(1)
            found = [(one.port, one.security) for one in map(sdp.parse_response, answers)]
            plain = (TCP_PORT, sdp.SECURITY_NONE)
            assert found == [plain, plain, plain, (tls.port, sdp.SECURITY_TLS)]

    run(main())


def texts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]


def test_a_flood_of_refused_connections_is_a_few_lines_and_a_count(
    run: Any, assemble: Any, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Each comes from another port: no two lines are alike."""

    async def main() -> None:
        async with World(assemble, runtime) as world:
            await world.charging(ISO2)
            caplog.clear()
            for number in range(1000):
                world.v2g.engine.accept(Knocking(f"fe80::bad port {number}"))
                await asyncio.sleep(0.01)
            assert len([text for text in texts(caplog) if "refused" in text]) == 5
            await asyncio.sleep(60)
            assert "995 more connections were refused within 60 s" in texts(caplog)
            caplog.clear()
            world.v2g.engine.accept(Knocking("fe80::bad port 5"))
            assert texts(caplog) == ["refused fe80::bad port 5: another car is connected"]

    caplog.set_level(logging.INFO, "secc")
    run(main())


def test_a_flood_of_connections_that_say_nothing_useful_is_counted_and_the_car_after_it_is_told_of(
    run: Any, assemble: Any, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            await world.manager.hlc.dlink_ready(True)
            for number in range(200):
                one = Knocking(f"fe80::bad port {number}")
                assert world.v2g.engine.accept(one)
                one.on_closed("")
                await asyncio.sleep(0)
            flood = texts(caplog)
            assert len(flood) < 30, flood
            caplog.clear()
            car = Car(world.host, ISO2)
            car.start()
            await car.until("charging")
            car.wish(stop=True)
            await car.ended
            await asyncio.sleep(60)
            told = texts(caplog)
            assert any("V2G session over" in text for text in told), told
            assert "196 more connections came within 60 s" in told

    caplog.set_level(logging.INFO, "secc")
    run(main())


def test_without_the_sdp_server_only_tcp_is_served(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime, enable_sdp_server=False) as world:
            await world.manager.hlc.dlink_ready(True)
            car = Car(world.host, ISO2)
            car.start()
            await asyncio.sleep(1)
            assert car.stream is None
            world.host.connect(TCP_PORT)
            await asyncio.sleep(0.1)
            assert world.v2g.engine.is_connected()

    run(main())


def test_of_ten_connections_one_is_served_and_nine_are_closed(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = await world.charging(ISO2)
            closed: list[int] = []
            for number in range(9):
                stream = world.host.connect(TCP_PORT)
                stream.closed = lambda number=number: closed.append(number)
                stream.send(b"\x01\xfe\x80\x01")
            await asyncio.sleep(2)
            assert closed == list(range(9))
            assert not car.ended.done()
            car.wish(stop=True)
            assert (await car.ended).outcome == "terminated"

    run(main())


def test_a_car_that_comes_again_after_losing_its_connection_is_served(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            for _ in range(3):
                car = await world.charging(ISO2)
                assert car.stream is not None
                car.stream.close()
                await asyncio.sleep(1)
                assert not world.v2g.engine.is_connected()
            names = world.manager.names()
            assert names.count("dlink_error") == 3 and names.count("dc_open_contactor") == 3

    run(main())


def test_a_lost_data_link_ends_the_session_and_opens_the_contactor(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = await world.charging(ISO2)
            await world.manager.hlc.dlink_ready(False)
            assert (await car.ended).outcome == "failed"
            await asyncio.sleep(0.1)
            names = world.manager.names()
            assert names[-3:] == ["current_demand_finished", "dc_open_contactor", "dlink_error"]

    run(main())


def test_the_module_takes_the_power_off_when_it_stops(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        world = World(assemble, runtime)
        async with world:
            await world.charging(ISO2)
        await asyncio.sleep(0.1)
        assert "dc_open_contactor" in world.manager.names()

    run(main())


def test_authorization_that_overtakes_the_plug_in_works(run: Any, assemble: Any, runtime: Any) -> None:
    """The station hears of the car's wish before of the plug: session_setup comes between question and answer."""

    async def main() -> None:
        async with World(assemble, runtime) as world:
            hlc = world.manager.hlc
            world.manager.authorize_s = 3.0
            await hlc.dlink_ready(True)
            car = Car(world.host, ISO2)
            car.start()
            await car.until("authorizing")
            await asyncio.sleep(0.5)
            await hlc.reset_error()
            await hlc.session_setup([iso15118.PaymentOption.ExternalPayment], False, False)
            await hlc.ac_contactor_closed(False)
            await hlc.stop_charging(False)
            await car.until("charging")

    run(main())


def test_an_authorization_of_nobody_is_not_kept_for_the_next_car(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            hlc = world.manager.hlc
            accepted = authorization.AuthorizationStatus.Accepted
            await hlc.authorization_response(accepted, authorization.CertificateStatus.Accepted)
            world.manager.authorize_s = 30.0
            await hlc.dlink_ready(True)
            car = Car(world.host, ISO2)
            car.start()
            await asyncio.sleep(10)
            assert "authorized" not in [getattr(effect, "step", None) for effect in car.log]

    run(main())


def test_protocols_may_be_restricted(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            hlc, kinds = world.manager.hlc, iso15118.SupportedAppProtocol
            only = iso15118.SupportedAppProtocols
            assert await hlc.update_supported_app_protocols(only(app_protocols=[kinds.ISO15118D20])) is False
            assert await hlc.update_supported_app_protocols(only(app_protocols=[kinds.DIN70121])) is True
            car = await world.charging(CarSettings(protocols=("ISO15118D2", "DIN70121")))
            assert car.facts.charger.protocol == "DIN70121"
            told = hlc.supported_app_protocols_secc.value
            assert told == only(app_protocols=[kinds.DIN70121, kinds.ISO15118D2])

    run(main())


def test_debug_mode_publishes_each_message_with_its_own_bytes(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            await world.charging(ISO2)
            messages = [value for name, value in world.manager.heard if name == "v2g_messages"]
            assert [str(message.id) for message in messages[:4]] == [
                *("SupportedAppProtocolReq", "SupportedAppProtocolRes", "SessionSetupReq", "SessionSetupRes")
            ]
            assert all(message.exi.startswith("01fe8001") for message in messages)
            assert "EVCCID" in messages[2].v2g_json

    run(main())


def test_errors_reach_the_car_and_an_emergency_stays_in_front(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = await world.charging(ISO2)
            hlc = world.manager.hlc
            await hlc.send_error(iso15118.EvseError.Error_EmergencyShutdown)
            await hlc.send_error(iso15118.EvseError.Error_Contactor)
            assert (await car.ended).outcome == "failed"
            assert world.v2g.engine.facts.error == "Error_EmergencyShutdown"
            await hlc.reset_error()
            assert world.v2g.engine.facts.error == ""

    run(main())


class Internet(Iso15118Vas):
    """A value-added service."""

    module: InternetModule

    async def get_service_parameters(self, service_id: int) -> list[iso15118_vas.ParameterSet]:
        value = iso15118_vas.ParameterValue(finite_string="http")
        return [iso15118_vas.ParameterSet(set_id=3, parameters=[iso15118_vas.Parameter(name="Protocol", value=value)])]

    async def selected_services(self, selected_services: list[iso15118_vas.SelectedService]) -> None:
        self.module.selected = selected_services


class InternetModule(Module):
    """Its module."""

    main = provides(Internet)
    selected: Any = None

    async def ready(self) -> None:
        service = iso15118_vas.OfferedService(service_id=3, service_name="net", free_service=True)
        self.main.offered_vas.publish(iso15118_vas.OfferedServices(services=[service]))


def test_value_added_services_come_from_their_providers(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime, vas=InternetModule) as world:
            await world.manager.hlc.dlink_ready(True)
            tester = Talk(iso2, world.v2g.engine.facts, shake=False)
            stream = world.host.connect(TCP_PORT)
            got: list[bytes] = []
            stream.receive = got.append

            async def ask(frame: bytes) -> Any:
                got.clear()
                stream.send(frame)
                await asyncio.sleep(0.1)
                return codec("iso2").decode(got[0][8:])

            stream.send(handshake_frame())
            await asyncio.sleep(0.1)
            m = tester.m
            set_up = await ask(tester.frame(m.SessionSetupReq(EVCCID=bytes(6))))
            tester.session_id = set_up.Header.SessionID
            services = await ask(tester.frame(m.ServiceDiscoveryReq()))
            assert services.Body.ServiceList.Service[0].ServiceName == "InternetAccess"
            detail = await ask(tester.frame(m.ServiceDetailReq(ServiceID=3)))
            assert detail.Body.ServiceParameterList.ParameterSet[0].Parameter[0].stringValue == "http"
            chosen = selection(m, (1, 3))
            chosen.SelectedServiceList.SelectedService[1].ParameterSetID = 3
            assert (await ask(tester.frame(chosen))).Body.ResponseCode == "OK"
            told = world.assembly.modules["vas"].selected
            assert told == [iso15118_vas.SelectedService(service_id=3, parameter_set_id=3)]

    run(main())


def test_a_service_that_two_providers_offer_belongs_to_the_first(
    run: Any, assemble: Any, runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, vas=InternetModule, providers=2) as world:
            first, second = world.assembly.modules["vas"], world.assembly.modules["vas1"]
            name = iso15118_vas.OfferedService(service_id=3, service_name="second", free_service=True)
            other = iso15118_vas.OfferedService(service_id=4, service_name="other", free_service=True)
            second.main.offered_vas.publish(iso15118_vas.OfferedServices(services=[name, other]))
            await asyncio.sleep(0.01)
            offered = world.v2g.engine.facts.offered_services
            assert (offered[3].service_name, offered[4].service_name) == ("net", "other")
            await world.v2g.engine.services.select(((3, 3), (4, 1)))
            assert [one.service_id for one in first.selected] == [3]
            assert [one.service_id for one in second.selected] == [4]
            # Its owner offers it no longer: the next offer may have it.
            first.main.offered_vas.publish(iso15118_vas.OfferedServices(services=[]))
            second.main.offered_vas.publish(iso15118_vas.OfferedServices(services=[name]))
            await asyncio.sleep(0.01)
            assert world.v2g.engine.facts.offered_services[3].service_name == "second"

    with caplog.at_level(logging.WARNING, logger="secc.v2g"):
        run(main())
    assert "service 3 is offered by two providers" in caplog.text


def handshake_frame() -> bytes:
    return Frame(0x8001, codec("sap").encode(handshake.offer([handshake.ISO15118D2]))).to_bytes()


# -- configuration


def start(run: Any, assemble: Any, runtime: Any, **config: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime, **config):
            pass

    run(main())


def test_a_charger_that_speaks_nothing_does_not_start(run: Any, assemble: Any, runtime: Any) -> None:
    with pytest.raises(ConfigError, match="no protocol is left"):
        start(run, assemble, runtime, supported_DIN70121=False, supported_ISO15118_2=False)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The product's log lines."""
    caplog.set_level(logging.INFO, "secc")
    return caplog


def test_a_session_is_a_short_story_in_the_log(run: Any, assemble: Any, runtime: Any, lines: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = await world.charging(ISO2)
            await asyncio.sleep(60)
            car.wish(stop=True)
            await car.ended
            await asyncio.sleep(6)

    run(main())
    told = [record.getMessage() for record in lines.records]
    assert 8 <= len(told) <= 14, told
    assert "session in ISO15118-2-2013" in told and "V2G session over (terminate)" in told


@pytest.mark.parametrize("protocol", ["DIN70121", "ISO15118D2"])
def test_a_protocol_may_be_switched_off(run: Any, assemble: Any, runtime: Any, protocol: str) -> None:
    off = {"DIN70121": "supported_DIN70121", "ISO15118D2": "supported_ISO15118_2"}[protocol]

    switched_off: dict[str, Any] = {off: False}

    async def main() -> None:
        async with World(assemble, runtime, **switched_off) as world:
            await world.manager.hlc.dlink_ready(True)
            car = Car(world.host, CarSettings(protocols=(protocol,)))
            car.start()
            assert "speaks none of" in (await car.ended).reason

    run(main())


def test_nobody_within_thirty_seconds_is_an_error_of_the_data_link(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            await world.manager.hlc.dlink_ready(True)
            await asyncio.sleep(29.5)
            assert "dlink_error" not in world.manager.names()
            await asyncio.sleep(1)
            assert world.manager.names()[-1] == "dlink_error"

    run(main())


def test_every_command_of_the_contract_is_served(run: Any, assemble: Any, runtime: Any) -> None:
    """Also those that belong to other protocols: they must not fail."""

    async def main() -> None:
        async with World(assemble, runtime) as world:
            hlc = world.manager.hlc
            calls: dict[str, tuple[Any, ...]] = {
                "bpt_setup": (None,),
                "pause_charging": (True,),
                "receipt_is_required": (True,),
                "update_ac_parameters": (None,),
                "update_ac_maximum_limits": (iso15118.AcEvseMaximumPower(charge_power=units.Power(total=22_080.0)),),
                "update_ac_minimum_limits": (None,),
                "update_ac_target_values": (None,),
                "update_ac_present_power": (None,),
                "no_energy_pause_charging": (iso15118.NoEnergyPauseMode.PauseAfterPrecharge,),
                "cable_check_finished": (True,),
                "update_isolation_status": (iso15118.IsolationStatus.Valid,),
            }
            for name, arguments in calls.items():
                await getattr(hlc, name)(*arguments)
            extensions = world.v2g.extensions
            await extensions.set_get_certificate_response(
                iso15118.ResponseExiStreamStatus(
                    status=iso15118.ResponseExiStreamStatusStatus.Failed,
                    certificate_action=iso15118.CertificateActionEnum.Install,
                )
            )

    run(main())


@pytest.mark.parametrize(
    ("modes", "power", "current_A"),
    [
        (["AC_three_phase_core"], units.Power(total=22_080.0), 32.0),
        (["AC_single_phase_core"], units.Power(total=3_680.0), 16.0),
        (["AC_three_phase_core"], units.Power(total=11_040.0, L1=3_680.0, L2=3_680.0, L3=3_680.0), 16.0),
        (["AC_single_phase_core"], units.Power(total=3_680.0, L1=3_680.0), 16.0),
    ],
)
def test_the_nominal_current_comes_from_the_limits_and_outlasts_a_grant_of_nothing(
    run: Any, assemble: Any, runtime: Any, modes: list[str], power: units.Power, current_A: float
) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            hlc, facts = world.manager.hlc, world.v2g.engine.facts
            await hlc.update_energy_transfer_modes([iso15118.EnergyTransferMode(mode) for mode in modes])
            await hlc.set_charging_parameters(iso15118.SetupPhysicalValues(ac_nominal_voltage=230.0))
            await hlc.update_ac_maximum_limits(iso15118.AcEvseMaximumPower(charge_power=power))
            await hlc.update_ac_max_current(0.0)
            assert (facts.ac_nominal_current_A, facts.ac_max_current_A) == (current_A, 0.0)
            await hlc.update_ac_max_current(13.0)
            await hlc.update_ac_max_current(0.0)
            assert (facts.ac_nominal_current_A, facts.ac_max_current_A) == (13.0, 0.0), "a fuse holds it below"

    run(main())
