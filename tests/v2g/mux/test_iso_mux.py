"""IsoMux with EvseV2G and Evse15118D20 in one process: hand-over, commands to both, variables of one."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import authorization, iso15118
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import End
from chargebyte_fw.modules.v2g import handshake, sdp
from chargebyte_fw.modules.v2g.evse15118_d20 import Evse15118D20Config
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.iso_mux import TCP_PORT, TLS_PORT, IsoMux, IsoMuxConfig
from chargebyte_fw.modules.v2g.replay import replay
from chargebyte_fw.modules.v2g.transport.tls import policy
from chargebyte_fw.modules.v2g.v2gtp import Frame, Receiver
from tests.v2g.mux.world import World, charge
from tests.v2g.tls.world import TlsCar, settings

App = iso15118.SupportedAppProtocol


def test_three_cars_one_after_the_other(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            securities = []
            for protocols, tls in (
                (("DIN70121",), "none"),
                (("ISO15118D2", "DIN70121"), "require"),
                (("ISO15118D20", "ISO15118D2"), "require"),
                (("ISO15118D2", "ISO15118D20"), "require"),
            ):
                car = world.car(*protocols, tls=tls)
                await charge(car)
                securities.append("" if car.line is None else car.security.tls_version)
            assert world.selected == ["DIN70121", "ISO15118-2-2013", "ISO15118-20:DC", "ISO15118-2-2013"]
            # A car of ISO 15118-2 alone has TLS 1.2; who has both gets TLS 1.3, whatever it prefers then.
            assert securities == ["", "1.2", "1.3", "1.3"]
            names = world.manager.names()
            assert names.count("dlink_terminate") == names.count("start_cable_check") == 4
            assert "dlink_error" not in names and "hlc_session_failed" not in names
            assert world.old.engine.link.available is world.new.engine.link.available is False

    run(main())


def test_a_connection_is_handed_over_as_it_is(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            car = world.car("ISO15118D20", "ISO15118D2", tls="require")
            await car.until("charging")
            transport = world.new.engine._session[1]
            assert transport.security.tls_version == "1.3"
            assert transport is world.mux.multiplexer._connection[1] and world.mux.multiplexer._relay is None
            assert not world.old.engine.is_connected()
            with pytest.raises(ConnectionRefusedError):
                world.host.connect(50_000)
            second = world.host.connect(TCP_PORT)
            gone = asyncio.get_running_loop().create_future()
            second.closed = lambda: gone.set_result(None)
            await asyncio.wait_for(gone, 1)

    run(main())


def test_the_protocols_are_those_of_both(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            (*_, last) = (value for name, value in world.manager.heard if name == "supported_app_protocols_secc")
            assert last.app_protocols == [App.DIN70121, App.ISO15118D2, App.ISO15118D20]

    run(main())


async def shake(world: World, *apps: handshake.AppProtocol) -> str:
    """Shake hands without TLS; return the name of what was chosen, or the response code."""
    stream = world.host.connect(TCP_PORT)
    frames: asyncio.Queue[Frame] = asyncio.Queue()
    receiver = Receiver()

    def received(data: bytes) -> None:
        for frame in receiver.feed(data):
            frames.put_nowait(frame)

    stream.receive = received
    stream.send(Frame(0x8001, codec("sap").encode(handshake.offer(apps))).to_bytes())
    response: Any = codec("sap").decode((await asyncio.wait_for(frames.get(), 2)).payload)
    chosen = handshake.accepted(response, apps)
    stream.close()
    await asyncio.sleep(0.1)
    return response.ResponseCode if chosen is None else chosen.name


D2, D20, DIN = handshake.ISO15118D2, handshake.ISO15118D20_DC, handshake.DIN70121


def test_what_may_be_selected_is_restricted(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            update = world.manager.hlc.update_supported_app_protocols
            assert await shake(world, D20, D2) == "ISO15118D20"
            assert await update(iso15118.SupportedAppProtocols(app_protocols=[App.DIN70121, App.ISO15118D2]))
            assert await shake(world, D20, D2) == "ISO15118D2"
            assert await shake(world, D20) == "Failed_NoNegotiation"
            assert world.mux.endpoints.server.policy is policy.ISO2
            assert await update(iso15118.SupportedAppProtocols(app_protocols=[App.ISO15118D20]))
            assert await shake(world, D2, D20) == "ISO15118D20"
            assert await shake(world, D2, DIN) == "Failed_NoNegotiation"
            assert world.mux.endpoints.server.policy.versions == ("1.3", "1.2")
            assert not await update(iso15118.SupportedAppProtocols(app_protocols=[]))
            assert await shake(world, D2, D20) == "ISO15118D20"

    run(main())


def test_iso_20_without_tls_only_where_its_module_allows_it(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    """Field case 3."""

    async def main() -> None:
        async with World(assemble, runtime, tmp_path, new={"tls_negotiation_strategy": "ENFORCE_TLS"}) as world:
            assert await shake(world, D20, D2) == "ISO15118D2"
            assert await shake(world, D20) == "Failed_NoNegotiation"

    run(main())


@pytest.mark.parametrize(("filtered", "chosen"), [(True, "ISO15118D2"), (False, "ISO15118D20")])
def test_a_name_space_without_an_energy_service_is_no_offer_of_ours(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, filtered: bool, chosen: str
) -> None:
    """Field case 2: a station with DC alone."""

    async def main() -> None:
        values = {"selecting_sap_based_on_energy_service": filtered}
        async with World(assemble, runtime, tmp_path, new=values) as world:
            assert await shake(world, handshake.ISO15118D20_AC, D2) == chosen

    run(main())


def test_commands_go_to_both_and_the_answer_is_of_the_one_with_the_car(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            hlc = world.manager.hlc
            await hlc.send_error(iso15118.EvseError.Error_Contactor)
            await asyncio.sleep(0.01)
            assert world.old.engine.facts.error == world.new.engine.facts.error == "Error_Contactor"
            await hlc.reset_error()

            async def fail(*_: Any, **__: Any) -> None:
                raise ValueError("not here")

            world.new.charger.receipt_is_required = fail
            await hlc.receipt_is_required(True)
            await asyncio.sleep(0.01)
            assert world.old.engine.facts.receipt_required
            assert "receipt_is_required failed at new: HandlerException: not here" in caplog.messages
            world.old.charger.receipt_is_required = fail
            with pytest.raises(CommandError, match="not here"):
                await hlc.receipt_is_required(False)

    run(main())


def test_a_back_end_that_hangs_keeps_no_command_of_the_other(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:

            async def hang(*_: Any, **__: Any) -> None:
                await asyncio.sleep(3600)

            world.new.charger.stop_charging = hang
            async with asyncio.timeout(1):
                await world.manager.hlc.stop_charging(True)
            assert world.old.engine.facts.stop_requested
            await asyncio.sleep(40)

    run(main())


def test_every_command_and_variable_is_forwarded() -> None:
    for contract, implementation in (
        (Iso15118Charger, IsoMux.provisions["charger"].implementation),
        (Iso15118Extensions, IsoMux.provisions["extensions"].implementation),
    ):
        for name in contract.commands:
            assert name in vars(implementation), name
        assert not implementation.__abstractmethods__


def test_variables_are_those_of_the_back_end_with_the_car(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            renegotiation: list[bool] = []
            world.mux.extensions.service_renegotiation_supported.subscribe(renegotiation.append)
            world.new.charger.evcc_id.publish("00:11:22:33:44:55")
            await asyncio.sleep(0.01)
            assert "evcc_id" not in world.manager.names() and renegotiation == [False]
            car = world.car("ISO15118D20")
            await car.until("charging")
            world.old.charger.ac_eamount.publish(1.0)
            asked = iso15118.RequestExiStreamSchema(
                exi_request="gA==",
                iso15118_schema_version="urn:iso:std:iso:15118:-20:CommonMessages",
                certificate_action=iso15118.CertificateActionEnum.Install,
            )
            world.new.extensions.iso15118_certificate_request.publish(asked)
            await asyncio.sleep(0.01)
            assert "ac_eamount" not in world.manager.names() and renegotiation[-1] is True
            assert world.mux.extensions.iso15118_certificate_request.value == asked

    run(main())


def test_nothing_of_a_session_stays_at_the_other_back_end(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    """A cable check that was passed in ISO 15118-20 is none for the next session in ISO 15118-2."""

    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
            assert world.old.engine.facts.session.cable_check is True
            await charge(car)
            for module in (world.old, world.new):
                assert module.engine.facts.session.cable_check is None
                assert module.engine.facts.session.authorized is None
            await charge(world.car("ISO15118D2"))
            assert world.manager.names().count("start_cable_check") == 2

    run(main())


def test_an_authorization_is_for_the_back_end_with_the_car(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
            accepted = authorization.AuthorizationStatus.Accepted
            await world.manager.hlc.authorization_response(accepted, authorization.CertificateStatus.Accepted)
            assert world.new.engine.facts.session.authorized and world.old.engine.facts.session.authorized is None

    run(main())


async def pause(car: Any) -> Any:
    await car.until("charging")
    car.wish(pause=True)
    stopped = await car.ended
    assert stopped.outcome == "paused"
    await asyncio.sleep(8)
    return stopped


async def resume(world: World, protocol: str, **values: Any) -> str:
    """Charge in another session; return how it began."""
    world.manager.heard.clear()
    car = TlsCar(world.host, settings(protocols=(protocol,), **values))
    car.start()
    await charge(car)
    setup = next(v for n, v in world.manager.heard if n == "v2g_messages" and v.id == "SessionSetupRes")
    content: Any = json.loads(setup.v2g_json)
    body = content.get("Body", content)
    return str(body["ResponseCode"])


def test_a_paused_session_goes_on(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            stopped = await pause(world.car("ISO15118D2", tls="require"))
            assert "dlink_pause" in world.manager.names()
            code = await resume(world, "ISO15118D2", session_id=stopped.session_id)
            assert code == "OK_OldSessionJoined"
            stopped = await pause(world.car("ISO15118D20", tls="require"))
            assert await resume(world, "ISO15118D20", paused=stopped.paused) == "OK_OldSessionJoined"

    run(main())


def test_a_paused_session_is_over_when_the_car_has_one_of_another_protocol(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            stopped = await pause(world.car("ISO15118D2", tls="require"))
            await charge(world.car("ISO15118D20", tls="require"))
            code = await resume(world, "ISO15118D2", session_id=stopped.session_id)
            assert code == "OK_NewSessionEstablished"

    run(main())


def test_the_recording_of_a_connection_plays_again(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    runtime.trace.contracts = True

    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            await charge(world.car("DIN70121"))
            await charge(world.car("ISO15118D20", tls="require"))

    run(main())
    outcomes = replay(runtime.trace.entries())
    assert [(one.what, one.difference) for one in outcomes] == [
        ("old, connection 1 of 2", None),
        ("new, connection 2 of 2", None),
    ]


# -- ends


def test_the_data_link_takes_the_session_away(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
            await world.manager.hlc.dlink_ready(False)
            await asyncio.sleep(0.1)
            assert not world.new.engine.is_connected() and world.mux.multiplexer._connection is None
            names = world.manager.names()
            assert names.count("dlink_error") == 1 and "dc_open_contactor" in names
            with pytest.raises(TimeoutError):
                await shake(world, D2)
            await world.manager.hlc.dlink_ready(True)
            await charge(world.car("ISO15118D2"))

    run(main())


def test_a_car_that_says_nothing_and_one_that_hangs_up(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            stream = world.host.connect(TCP_PORT)
            await asyncio.sleep(59)
            assert "dlink_error" not in world.manager.names()
            await asyncio.sleep(2)
            assert not stream._open
            assert world.manager.names()[-2:] == ["dlink_error", "hlc_session_failed"]
            world.host.connect(TCP_PORT).close()
            await asyncio.sleep(0.1)
            assert world.manager.names()[-4:] == ["dlink_error", "hlc_session_failed"] * 2
            assert await shake(world, D2) == "ISO15118D2"

    run(main())


def test_no_car_comes(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            await asyncio.sleep(60)
            assert world.manager.names().count("dlink_error") == 1

    run(main())


def test_the_charger_stops_with_a_car(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            car = world.car("ISO15118D20")
            await car.until("charging")
        assert not world.new.engine.is_connected()

    run(main())


# -- configuration


def end(module_id: str, **config: Any) -> list[End]:
    return [End(module_id, Evse15118D20Config(**config))]


CONNECTED = {"iso2": end("old"), "ext2": end("old"), "iso20": end("new"), "ext20": end("new")}


@pytest.mark.parametrize(
    ("config", "ends", "told"),
    [
        ({"tls_security": "force"}, {}, []),
        ({}, {"iso20": end("new", tls_negotiation_strategy="ENFORCE_TLS")}, []),
        ({}, {}, ["tls_security: cars may charge without TLS, which ISO 15118-20 forbids outside of laboratories"]),
        (
            {"tls_security": "force"},
            {"iso2": end("new"), "ext2": end("new")},
            ["iso20: iso2 and iso20 are one module (new)"],
        ),
        ({"tls_security": "force"}, {"ext20": end("old")}, ["ext20: ext20 is old, iso20 is new"]),
        (
            {"tls_security": "force", "proxy_port_iso2": 50_000},
            {},
            ["proxy_port_iso20: both back ends have port 50000"],
        ),
    ],
)
def test_what_cannot_work(config: dict[str, Any], ends: dict[str, Any], told: list[str]) -> None:
    issues = IsoMux.config_issues(IsoMuxConfig(**config), CONNECTED | ends)
    assert [f"{one.about}: {one.what}" for one in issues] == told


@pytest.mark.parametrize(
    ("security", "wanted", "answer"),
    [
        ("allow", sdp.SECURITY_NONE, (TCP_PORT, sdp.SECURITY_NONE)),
        ("allow", sdp.SECURITY_TLS, (TLS_PORT, sdp.SECURITY_TLS)),
        ("force", sdp.SECURITY_NONE, (TLS_PORT, sdp.SECURITY_TLS)),
        ("prohibit", sdp.SECURITY_TLS, (TCP_PORT, sdp.SECURITY_NONE)),
    ],
)
def test_sdp_names_the_ports_of_the_multiplexer(
    run: Any, assemble: Any, runtime: Any, tmp_path: Path, security: str, wanted: int, answer: Any
) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path, tls_security=security) as world:
            answers: list[bytes] = []
            port = world.host.bind(lambda data, _: answers.append(data))
            world.host.send_datagram(sdp.Request(wanted).to_bytes(), sdp.PORT, port)
            await asyncio.sleep(1)
            (response,) = map(sdp.parse_response, answers)
            assert (response.port, response.security) == answer

    run(main())


def test_the_profile_of_the_module_for_iso_20_counts(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        values = {"tls_profile": "strict", "enforce_tls_1_3": True}
        async with World(assemble, runtime, tmp_path, new=values) as world:
            assert world.mux.endpoints.server.policy == policy.iso20(profile="strict")

    run(main())


def test_session_keys_are_written_where_wanted(run: Any, assemble: Any, runtime: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path, tls_key_logging=True) as world:
            await charge(world.car("ISO15118D2", tls="require"))
        assert (tmp_path / "tmp/tls_session_keys.log").read_text().startswith("CLIENT_RANDOM ")

    run(main())


def test_one_line_for_a_car(run: Any, assemble: Any, runtime: Any, tmp_path: Path, caplog: Any) -> None:
    async def main() -> None:
        async with World(assemble, runtime, tmp_path) as world:
            await charge(world.car("ISO15118D20"))

    caplog.set_level(logging.INFO, "secc")
    run(main())
    lines = [record.getMessage() for record in caplog.records if record.name == "secc.mux"]
    assert [one for one in lines if "is for" in one] == ["the car at fe80::2 is for new"]
