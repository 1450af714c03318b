"""Evse15118D20 as a module: a session over a link in memory, its keys, and what crosses the contract."""

from __future__ import annotations

import asyncio
from typing import Any, Self

import pytest

from chargebyte_fw.contracts.interfaces.energy_price_information import EnergyPriceInformation
from chargebyte_fw.contracts.types import energy_price_information, grid_support, iso15118
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.evse15118_d20 import Evse15118D20, Evse15118D20Config, iso20_settings, protocols
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.messages import iso20_dc
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, Price, Settings
from chargebyte_fw.modules.v2g.v2gtp import Frame, Receiver
from tests.v2g.station import Manager, Security
from tests.v2g.talk20 import (
    SETS,
    TYPES,
    authorization,
    dc20_facts,
    dc_loop,
    dc_parameters,
    discovery,
    of,
    power,
    precharge,
    schedule,
    selection,
    session_setup,
    stop,
    welding,
)


class Client:
    """Sends requests over a stream in memory and waits for each response."""

    def __init__(self, host: memory.Host) -> None:
        self.stream = host.connect(50_000)
        self.receiver = Receiver()
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.closed = False
        self.session_id = bytes(8)
        self.stream.receive = self._received
        self.stream.closed = self._closed

    def _received(self, data: bytes) -> None:
        for frame in self.receiver.feed(data):
            self.frames.put_nowait(frame)

    def _closed(self) -> None:
        self.closed = True

    async def handshake(self, app: handshake.AppProtocol = handshake.ISO15118D20_DC) -> str:
        payload = codec("sap").encode(handshake.offer([app]))
        self.stream.send(Frame(0x8001, payload).to_bytes())
        response: Any = codec("sap").decode((await self.frames.get()).payload)
        return str(response.ResponseCode)

    async def ask(self, request: Any) -> Any:
        kind = TYPES.get(type(request).namespace, 0x8002)
        request.Header.SessionID = self.session_id
        self.stream.send(Frame(kind, codec(SETS[kind]).encode(request)).to_bytes())
        frame = await asyncio.wait_for(self.frames.get(), 5)
        response: Any = codec(SETS[frame.payload_type]).decode(frame.payload)
        self.session_id = response.Header.SessionID
        return response

    async def until(self, make: Any, name: str, value: str) -> Any:
        """Repeat a request until its response has `value`."""
        while getattr(response := await self.ask(make()), name) != value:
            await asyncio.sleep(0.2)
        return response


class World:
    """Evse15118D20 at one end of a link in memory, a client at the other."""

    def __init__(
        self,
        assemble: Any,
        runtime: Any,
        prices: Any = None,
        store: type[Module] = Security,
        store_config: dict[str, Any] | None = None,
        **config: Any,
    ) -> None:
        charger_host, self.host = memory.link("fe80::1", "fe80::2")
        runtime.wires.plug("ip:eth1", charger_host)
        connections: dict[str, Any] = {"security": "security.main"}
        modules: dict[str, Any] = {"security": (store, store_config or {})}
        if prices is not None:
            modules["prices"] = (prices,)
            connections["energy_prices"] = ["prices.main"]
        self.assembly = assemble(
            v2g=(Evse15118D20, {"device": "eth1", **config}, connections),
            manager=(Manager, {}, {"hlc": "v2g.charger"}),
            **modules,
        )

    async def __aenter__(self) -> Self:
        await self.assembly.start()
        self.v2g = self.assembly.modules["v2g"]
        self.manager = self.assembly.modules["manager"]
        await asyncio.sleep(0.01)
        await self.manager.hlc.dlink_ready(True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.assembly.stop()
        for module in self.assembly.modules.values():
            assert module.failed is None or not module.failed.done(), module.failed


def test_a_session_from_the_data_link_to_its_end(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            car = Client(world.host)
            assert await car.handshake() == "OK_SuccessfulNegotiation"
            await car.ask(session_setup())
            await car.ask(of(m.AuthorizationSetupReq))
            await car.until(authorization, "EVSEProcessing", "Finished")
            await car.ask(discovery())
            await car.ask(of(m.ServiceDetailReq, ServiceID=2))
            await car.ask(selection())
            await car.ask(dc_parameters())
            await car.ask(schedule())
            await car.until(lambda: of(iso20_dc.DC_CableCheckReq), "EVSEProcessing", "Finished")
            await car.ask(precharge())
            await car.ask(power())
            for _ in range(10):
                assert (await car.ask(dc_loop())).EVSEStatus is None
                await asyncio.sleep(0.2)
            await world.manager.hlc.stop_charging(True)
            assert (await car.ask(dc_loop())).EVSEStatus.EVSENotification == "Terminate"
            await car.ask(power("Stop"))
            await car.ask(welding())
            assert (await car.ask(stop())).ResponseCode == "OK"
            await asyncio.sleep(8)
            assert car.closed
            names = world.manager.names()
            order = ["evcc_id", "require_auth_eim", "start_cable_check", "start_pre_charge", "v2g_setup_finished"]
            order += ["current_demand_started", "current_demand_finished", "dc_open_contactor", "dlink_terminate"]
            places = [names.index(name) for name in order]
            assert places == sorted(places), names
            messages = [value.id for name, value in world.manager.heard if name == "v2g_messages"]
            assert "DcChargeLoopReq" in messages and "UnknownMessage" not in messages
            assert ("selected_protocol", "ISO15118-20:DC") in world.manager.heard

    run(main())


def test_iso_15118_20_is_served_with_service_renegotiation(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            served: list[Any] = []
            provider = world.assembly.provider
            provider("v2g", "charger").supported_app_protocols_secc.subscribe(served.append)
            provider("v2g", "extensions").service_renegotiation_supported.subscribe(served.append)
            await asyncio.sleep(0.01)
            protocols = [iso15118.SupportedAppProtocol.ISO15118D20]
            assert served == [iso15118.SupportedAppProtocols(app_protocols=protocols), True]

    run(main())


def test_every_key_reaches_the_sessions() -> None:
    config = Evse15118D20Config(
        supported_dynamic_mode=False,
        supported_scheduled_mode=True,
        supported_mobility_needs_mode_provided_by_secc=True,
        selecting_sap_based_on_energy_service=True,
        negative_bidirectional_limits=True,
        supported_service_renegotiation=False,
        schedule_renegotiation=True,
        pricing="levels",
        supported_standby=True,
        power_tolerance_W=500.0,
        charge_loop_timeout_ms=500,
    )
    expected = Iso20Settings(False, True, True, True, True, "levels", False, True, True, 500.0, 0.5)
    assert iso20_settings(config) == expected
    assert iso20_settings(Evse15118D20Config()) == Iso20Settings()


def _tls(module: Any) -> Any:
    return module._tls_options()


def _settings(module: Any) -> Any:
    return module.engine.settings.iso20


def _claims(module: Any) -> str:
    return str(next(iter(module.claims(module.config, {}))).kind)


def _namespaces(module: Any) -> list[str]:
    return [one.app.namespace for one in module.engine.protocols]


EVEREST: tuple[tuple[str, Any, Any, Any], ...] = (
    ("device", "eth1", lambda module: module.engine.listener.link.device, "eth1"),
    ("logging_path", "/tmp/logs", lambda module: None, None),
    ("tls_negotiation_strategy", "ENFORCE_TLS", lambda module: _tls(module).security, "force"),
    ("tls_negotiation_strategy", "ENFORCE_NO_TLS", lambda module: _tls(module).security, "prohibit"),
    ("tls_negotiation_strategy", "ENFORCE_TLS", lambda module: module.engine.settings.without_tls, False),
    ("enforce_tls_1_3", True, lambda module: _tls(module).policy.versions, ("1.3",)),
    ("enforce_tls_1_3", False, lambda module: _tls(module).policy.versions, ("1.3", "1.2")),
    ("enable_ssl_logging", True, lambda module: _tls(module).log_course, True),
    ("enable_tls_key_logging", False, lambda module: _tls(module).key_log, None),
    ("enable_tls_key_logging", True, lambda module: _tls(module).key_log.name, "tmp"),
    ("tls_key_logging_path", "/var/keys", lambda module: _tls(module).key_log.name, "keys"),
    ("enable_sdp_server", False, lambda module: _claims(module), "TCP port for V2G"),
    ("supported_dynamic_mode", False, lambda module: _settings(module).dynamic, False),
    ("supported_mobility_needs_mode_provided_by_secc", True, lambda m: _settings(m).mobility_needs_by_secc, True),
    ("supported_scheduled_mode", True, lambda module: _settings(module).scheduled, True),
    ("custom_protocol_namespace", "urn:example:20", lambda module: _namespaces(module)[-1], "urn:example:20"),
    ("negative_bidirectional_limits", True, lambda module: _settings(module).negative_discharge_limits, True),
    ("selecting_sap_based_on_energy_service", True, lambda module: _settings(module).energy_service_decides, True),
)
"""Each key of EVerest's Evse15118D20, a value, and where the module obeys it; `logging_path` does nothing there either.

That the sessions then do what they should is the subject of the tests of each: TLS in `tests/v2g/tls`, parameter sets
and limits in `tests/v2g/secc/test_iso20_*`, the name spaces below.
"""


@pytest.mark.parametrize(("key", "value", "look", "expected"), EVEREST, ids=lambda one: str(one)[:24])
def test_a_key_of_everest_is_obeyed(
    run: Any, assemble: Any, runtime: Any, key: str, value: Any, look: Any, expected: Any
) -> None:
    async def main() -> None:
        more = {"enable_tls_key_logging": True} if key == "tls_key_logging_path" else {}
        async with World(assemble, runtime, **{key: value, **more}) as world:
            assert look(world.v2g) == expected

    run(main())


def test_the_table_has_every_key_of_everest() -> None:
    ours = {
        *("tls_profile", "charge_loop_timeout_ms", "pricing", "price_key_file", "supported_service_renegotiation"),
        *("supported_standby", "power_tolerance_W", "reject_invalid_metering_confirmations"),
        *("mobility_needs_departure", "mobility_needs_target_soc", "mobility_needs_minimum_soc"),
        *("schedule_renegotiation",),
    }
    assert {key for key, *_ in EVEREST} == set(Evse15118D20Config.__struct_fields__) - ours


def test_keys_of_this_module_that_are_facts_reach_the_sessions(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        config: dict[str, Any] = {"mobility_needs_departure": "07:30", "mobility_needs_target_soc": 85}
        async with World(assemble, runtime, reject_invalid_metering_confirmations=True, **config) as world:
            known = world.v2g.engine.facts.iso20
            needs = (known.departure_of_day, known.target_soc_percent, known.minimum_soc_percent)
            assert needs == ("07:30", 85, None)
            assert world.v2g.engine.settings.reject_invalid_receipts

    run(main())


def test_the_selection_of_a_name_space_may_heed_the_energy_services() -> None:
    facts = dc20_facts("DC")
    for decides, expected in ((False, ["DC", "AC", "AC-DER-IEC"]), (True, ["DC"])):
        settings = Settings(iso20=Iso20Settings(energy_service_decides=decides))
        offered = [one for one in protocols("") if one.is_offered(facts, settings)]
        assert [one.app.namespace.rsplit(":", 1)[1] for one in offered] == expected


def test_a_further_name_space_may_be_configured() -> None:
    more = protocols("urn:example:20:DC")[-1]
    assert more.app.namespace == "urn:example:20:DC"
    settings = Settings(iso20=Iso20Settings(energy_service_decides=True))
    assert more.is_offered(dc20_facts("DC"), settings)
    assert not more.is_offered(dc20_facts("WPT"), settings)


@pytest.mark.parametrize("strategy", ["ENFORCE_TLS", "ACCEPT_CLIENT_OFFER", "ENFORCE_NO_TLS"])
def test_charging_without_tls_is_noticed(strategy: Any) -> None:
    issues = list(Evse15118D20.config_issues(Evse15118D20Config(tls_negotiation_strategy=strategy), {}))
    expected = [] if strategy == "ENFORCE_TLS" else [("tls_negotiation_strategy", "warning")]
    assert [(one.about, one.severity) for one in issues] == expected


class Prices(Module):
    """Knows what energy costs."""

    main = provides(EnergyPriceInformation)


def test_prices_reach_the_facts_and_what_has_no_time_is_left_out(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime, prices=Prices) as world:
            price = energy_price_information.PricePerkWh
            entries = [
                price(timestamp="2026-01-01T00:00:00Z", value=0.3, currency="EUR"),
                price(timestamp="noon", value=0.2, currency="EUR"),
            ]
            schedule = energy_price_information.EnergyPriceSchedule(schedule_import=entries, schedule_export=[])
            world.assembly.provider("prices", "main").energy_pricing.publish(schedule)
            await asyncio.sleep(0.1)
            assert world.v2g.engine.facts.prices == [Price(1_767_225_600, 0.3, "EUR")]

    run(main())


def test_directives_of_the_grid_have_no_service_that_obeys(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime) as world:
            grid = world.assembly.provider("v2g", "grid_support")
            none = grid_support.ActiveDirectiveSet(evse_id=1, directives=[])
            assert (await grid.set_active_directives(none)).accepted

    run(main())
