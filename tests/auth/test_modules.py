"""Auth, DummyTokenProvider and DummyTokenValidator on the bus, with an EVSE that behaves like one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types import authorization, evse_manager, reservation
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ValidationResult
from chargebyte_fw.kernel.bus import run_command
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Unavailable
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.auth.auth import Auth
from chargebyte_fw.modules.auth.dummy_token_provider import DummyTokenProvider
from chargebyte_fw.modules.auth.dummy_token_validator import DummyTokenValidator
from chargebyte_fw.modules.system.persistent_store import PersistentStore
from tests.auth.helpers import id_token, plugged_in, provided, session_event, transaction_started


class Side(EvseManager):
    """As much of an EVSE as authorization sees; what is not its business is not here."""

    module: Connector

    async def get_evse(self) -> evse_manager.Evse:
        if self.module.silent:
            raise Unavailable("not yet")
        connector = evse_manager.Connector(id=1, type=evse_manager.ConnectorTypeEnum.cCCS2)
        return evse_manager.Evse(id=self.module.number, connectors=[connector])

    async def authorize_response(
        self, provided_token: authorization.ProvidedIdToken, validation_result: ValidationResult
    ) -> None:
        self.module.answers.append((provided_token, validation_result))
        if validation_result.authorization_status is AuthorizationStatus.Accepted and self.module.plugged:
            self.session_event.publish(session_event("Authorized"))
            self.session_event.publish(transaction_started(provided_token))

    async def stop_transaction(self, request: evse_manager.StopTransactionRequest) -> bool:
        self.module.stops.append(request)
        self.session_event.publish(session_event("TransactionFinished"))
        return True

    async def withdraw_authorization(self) -> None:
        self.module.withdrawn += 1
        self.session_event.publish(session_event("Deauthorized"))

    async def reserve(self, reservation_id: int) -> bool:
        self.module.reserved = reservation_id
        return True

    async def cancel_reservation(self) -> None:
        self.module.reserved = None
        self.session_event.publish(session_event("ReservationEnd"))

    async def _other(self, *_args: Any) -> Any:
        raise AssertionError("authorization has no business here")

    enable_disable: Any = _other
    pause_charging = resume_charging = external_ready_to_start_charging = _other
    force_unlock: Any = _other
    set_plug_and_charge_configuration: Any = _other
    update_allowed_energy_transfer_modes: Any = _other
    set_der_available: Any = _other


class Connector(Module):
    """An EVSE."""

    evse = provides(Side)
    number = 1
    silent = False
    plugged = False

    async def init(self) -> None:
        self.answers: list[Any] = []
        self.stops: list[Any] = []
        self.withdrawn = 0
        self.reserved: int | None = None

    async def ready(self) -> None:
        self.evse.session_event.publish(session_event("Enabled"))

    def plug_in(self) -> None:
        self.plugged = True
        self.evse.session_event.publish(plugged_in())
        self.evse.session_event.publish(session_event("AuthRequired"))

    def unplug(self) -> None:
        self.plugged = False
        self.evse.session_event.publish(session_event("SessionFinished"))


class Connector2(Connector):
    """The EVSE beside it."""

    number = 2


class Reader(Module):
    """Somebody with cards."""

    main = provides(AuthTokenProvider)

    def swipe(self, value: str, **more: Any) -> None:
        self.main.provided_token.publish(provided(value, **more))


class Broken(AuthTokenValidator):
    """Is never able to say anything."""

    async def validate_token(self, provided_token: authorization.ProvidedIdToken) -> ValidationResult:
        raise Unavailable("the backend is away")


class BrokenValidator(Module):
    """A validator without its backend."""

    main = provides(Broken)


SHIPPED = {"connection_timeout": 10, "selection_algorithm": authorization.SelectionAlgorithm.PlugEvents}


def free_charging(assemble: Callable[..., Any], *, provider: Any = None, validator: Any = None, **auth: Any) -> Any:
    """The part of the shipped configuration around Auth."""
    return assemble(
        connector=(Connector,),
        auth=(
            Auth,
            {**SHIPPED, **auth},
            {
                "token_provider": "token_provider.main",
                "token_validator": "token_validator.main",
                "evse_manager": "connector.evse",
                "kvs": "persistent_store.main",
            },
        ),
        persistent_store=(PersistentStore,),
        token_provider=(DummyTokenProvider, {}, {"evse": "connector.evse"}, {"main": provider or {}}),
        token_validator=(DummyTokenValidator, {}, {}, {"main": validator or {"sleep": 0.25}}),
    )


def with_reader(assemble: Callable[..., Any], *, evses: int = 1, **auth: Any) -> Any:
    names = [("connector", Connector), ("connector_2", Connector2)][:evses]
    return assemble(
        **{name: (cls,) for name, cls in names},
        auth=(
            Auth,
            {**SHIPPED, **auth},
            {
                "token_provider": "reader.main",
                "token_validator": "validator.main",
                "evse_manager": [f"{name}.evse" for name, _ in names],
                "kvs": "store.main",
            },
        ),
        store=(PersistentStore,),
        reader=(Reader,),
        validator=(DummyTokenValidator, {}, {}, {"main": {"sleep": 0.1}}),
    )


def listen(world: Any) -> list[tuple[float, Any]]:
    heard: list[tuple[float, Any]] = []
    loop = asyncio.get_running_loop()
    world.provider("auth", "main").token_validation_status.subscribe(lambda value: heard.append((loop.time(), value)))
    return heard


def statuses(heard: list[tuple[float, Any]]) -> list[str]:
    return [value.status.value for _, value in heard]


def test_free_charging_goes_as_recorded(run: Any, assemble: Any) -> None:
    """Plug in: the dummy token is validated in 250 ms and used (recording of EVerest, DC session)."""

    async def main() -> None:
        world = free_charging(assemble, provider={"token": "TOKEN1"})
        await world.start()
        await asyncio.sleep(1)
        heard = listen(world)
        world.modules["connector"].plug_in()
        await asyncio.sleep(1)
        assert statuses(heard) == ["Processing", "Accepted", "UsedToStart"]
        assert [round(at, 3) for at, _ in heard] == [1.0, 1.25, 1.25]
        token = {
            "authorization_type": "RFID",
            "id_token": {"type": "ISO14443", "value": "TOKEN1"},
            "parent_id_token": {"type": "ISO14443", "value": "TOKEN1"},
        }
        built = [msgspec.to_builtins(value) for _, value in heard]
        assert built[0] == {"messages": [], "status": "Processing", "token": token}
        assert built[2] == {"messages": [], "status": "UsedToStart", "token": {**token, "connectors": [1]}}
        ((used, result),) = world.modules["connector"].answers
        assert msgspec.to_builtins(used) == {**token, "connectors": [1]}
        assert msgspec.to_builtins(result) == {"authorization_status": "Accepted", "tariff_messages": []}
        await world.stop()

    run(main())


def test_a_car_that_is_plugged_in_while_the_modules_start_charges_too(run: Any, assemble: Any, mocker: Any) -> None:
    mocker.patch.object(Connector, "silent", True)

    async def main() -> None:
        world = free_charging(assemble)
        await world.start()
        world.modules["connector"].plug_in()
        await asyncio.sleep(3)
        assert world.modules["connector"].answers == []
        Connector.silent = False
        await asyncio.sleep(2)
        assert len(world.modules["connector"].answers) == 1
        await world.stop()

    run(main())


def test_session_after_session(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = free_charging(assemble)
        await world.start()
        connector = world.modules["connector"]
        for _ in range(5):
            connector.plug_in()
            await asyncio.sleep(60)
            connector.evse.session_event.publish(session_event("TransactionFinished"))
            connector.unplug()
            await asyncio.sleep(1)
        assert len(connector.answers) == 5
        assert connector.withdrawn == 0
        await world.stop()

    run(main())


@pytest.mark.parametrize(
    ("verdict", "status"), [("Accepted", "UsedToStart"), ("Blocked", "Rejected"), ("Expired", "Rejected")]
)
def test_the_validators_answer_and_its_delay_are_configured(
    run: Any, assemble: Any, verdict: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    from chargebyte_fw.modules.auth.dummy_token_validator import Verdict

    caplog.set_level("INFO")
    config = {"validation_result": Verdict(verdict), "validation_reason": "because of the test", "sleep": 2.0}

    async def main() -> None:
        world = free_charging(assemble, provider={"timeout": 0.0}, validator=config)
        await world.start()
        heard = listen(world)
        world.modules["connector"].plug_in()
        await asyncio.sleep(5)
        assert (statuses(heard)[-1], round(heard[-1][0], 3)) == (status, 2.0)
        await world.stop()

    run(main())
    assert any("because of the test" in record.getMessage() for record in caplog.records)
    assert not any("DEADBEEF" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("config", "token"),
    [
        ({}, {"authorization_type": "RFID", "id_token": {"type": "ISO14443", "value": "DEADBEEF"}}),
        ({"token": "X", "type": authorization.AuthorizationType.Autocharge, "connector_id": 3},
         {"authorization_type": "Autocharge", "id_token": {"type": "MacAddress", "value": "X"}, "connectors": [3]}),
    ],
)  # fmt: skip
def test_the_token_is_configured(run: Any, assemble: Any, config: Any, token: dict[str, Any]) -> None:
    async def main() -> None:
        world = assemble(
            connector=(Connector,),
            token_provider=(DummyTokenProvider, {}, {"evse": "connector.evse"}, {"main": config}),
        )
        await world.start()
        world.modules["connector"].plug_in()
        await asyncio.sleep(0)
        told = msgspec.to_builtins(world.provider("token_provider", "main").provided_token.value)
        assert told == {**token, "parent_id_token": token["id_token"]}
        await world.stop()

    run(main())


@pytest.mark.parametrize(("timeout", "times"), [(10.0, [0, 10, 20, 30]), (0.0, [0])])
def test_a_token_is_presented_again_while_the_car_waits(
    run: Any, assemble: Any, timeout: float, times: list[int]
) -> None:
    async def main() -> None:
        world = assemble(
            connector=(Connector,),
            token_provider=(DummyTokenProvider, {}, {"evse": "connector.evse"}, {"main": {"timeout": timeout}}),
        )
        await world.start()
        heard: list[float] = []
        loop = asyncio.get_running_loop()
        world.provider("token_provider", "main").provided_token.subscribe(lambda _: heard.append(round(loop.time())))
        world.modules["connector"].plug_in()
        await asyncio.sleep(35)
        world.modules["connector"].evse.session_event.publish(session_event("Authorized"))
        await asyncio.sleep(100)
        assert heard == times
        await world.stop()

    run(main())


def test_a_session_that_begins_again_has_one_repetition(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = assemble(connector=(Connector,), token_provider=(DummyTokenProvider, {}, {"evse": "connector.evse"}))
        await world.start()
        times: list[float] = []
        loop = asyncio.get_running_loop()
        world.provider("token_provider", "main").provided_token.subscribe(lambda _: times.append(round(loop.time())))
        world.modules["connector"].plug_in()
        await asyncio.sleep(4)
        world.modules["connector"].plug_in()
        await asyncio.sleep(21)
        assert times == [0, 4, 14, 24]
        await world.stop()

    run(main())


def test_a_session_that_began_with_a_token_needs_none(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = assemble(connector=(Connector,), token_provider=(DummyTokenProvider, {}, {"evse": "connector.evse"}))
        await world.start()
        world.modules["connector"].evse.session_event.publish(plugged_in("Authorized"))
        await asyncio.sleep(60)
        assert not world.provider("token_provider", "main").provided_token.known
        await world.stop()

    run(main())


def test_a_card_starts_and_stops(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        heard, connector, reader = listen(world), world.modules["connector"], world.modules["reader"]
        connector.plug_in()
        reader.swipe("CARD")
        await asyncio.sleep(30)
        reader.swipe("card")
        await asyncio.sleep(1)
        assert statuses(heard) == ["Processing", "Accepted", "UsedToStart", "Processing", "UsedToStop"]
        (request,) = connector.stops
        assert request.reason is evse_manager.StopTransactionReason.Local
        assert request.id_tag.connectors == [1]
        await world.stop()

    run(main())


def test_a_grant_without_a_car_is_taken_back(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        heard = listen(world)
        world.modules["reader"].swipe("CARD")
        await asyncio.sleep(11)
        assert statuses(heard) == ["Processing", "Accepted", "UsedToStart", "TimedOut"]
        assert world.modules["connector"].withdrawn == 1
        await world.stop()

    run(main())


def test_two_evses_each_get_their_own(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble, evses=2)
        await world.start()
        world.modules["reader"].swipe("A")
        await asyncio.sleep(1)
        world.modules["connector_2"].plug_in()
        await asyncio.sleep(1)
        world.modules["connector"].plug_in()
        world.modules["reader"].swipe("B")
        await asyncio.sleep(1)
        assert [token.id_token.value for token, _ in world.modules["connector_2"].answers] == ["A"]
        assert [token.id_token.value for token, _ in world.modules["connector"].answers] == ["B"]
        await world.stop()

    run(main())


def test_an_inoperative_evse_is_left_alone(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        await asyncio.sleep(0.1)
        heard = listen(world)
        faults = world.provider("connector", "evse").faults
        faults.raise_fault("evse_manager/Inoperative", "no power")
        world.modules["reader"].swipe("A")
        await asyncio.sleep(1)
        faults.clear("evse_manager/Inoperative")
        world.modules["reader"].swipe("A")
        await asyncio.sleep(1)
        assert statuses(heard)[:2] == ["Processing", "Rejected"]
        assert statuses(heard)[-1] == "UsedToStart"
        await world.stop()

    run(main())


def test_a_validator_that_fails_does_not_keep_the_other_from_granting(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = assemble(
            connector=(Connector,),
            reader=(Reader,),
            broken=(BrokenValidator,),
            validator=(DummyTokenValidator,),
            auth=(
                Auth,
                SHIPPED,
                {
                    "token_provider": "reader.main",
                    "token_validator": ["broken.main", "validator.main"],
                    "evse_manager": "connector.evse",
                },
            ),
        )
        await world.start()
        heard = listen(world)
        world.modules["reader"].swipe("A")
        await asyncio.sleep(1)
        assert statuses(heard)[-1] == "UsedToStart"
        assert not world.modules["auth"].failed.done()
        await world.stop()

    run(main())


def test_the_interface_sets_withdraws_and_refuses(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        auth = world.provider("auth", "main")
        for command, args in [
            ("set_connection_timeout", (9,)),
            ("set_connection_timeout", (301,)),
            ("set_master_pass_group_id", ("x" * 37,)),
        ]:
            with pytest.raises(CommandError):
                await run_command(auth, command, args, {})
        await run_command(auth, "set_connection_timeout", (60,), {})
        world.modules["reader"].swipe("A")
        await asyncio.sleep(50)
        assert world.modules["connector"].withdrawn == 0
        request = authorization.WithdrawAuthorizationRequest(evse_id=1, id_token=id_token("a"))
        assert await run_command(auth, "withdraw_authorization", (request,), {}) == "Accepted"
        await asyncio.sleep(0)
        assert world.modules["connector"].withdrawn == 1
        assert await run_command(auth, "withdraw_authorization", (request,), {}) == "AuthorizationNotFound"
        await world.stop()

    run(main())


def test_the_configured_master_pass_ends_a_transaction(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble, master_pass_group_id="BOSS")
        await world.start()
        world.modules["connector"].plug_in()
        world.modules["reader"].swipe("A")
        await asyncio.sleep(1)
        world.modules["reader"].swipe("M", prevalidated=True, parent="boss")
        await asyncio.sleep(1)
        (request,) = world.modules["connector"].stops
        assert request.reason is evse_manager.StopTransactionReason.MasterPass
        await world.stop()

    run(main())


def in_an_hour(number: int, **more: Any) -> reservation.Reservation:
    at = rfc3339(utc_now()).replace("T00:", "T01:")
    return reservation.Reservation(reservation_id=number, id_token="R", expiry_time=at, **more)


@pytest.mark.ocpp("B01.FR.13", "B11.FR.05")
def test_a_reservation_is_made_kept_over_a_restart_and_used(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble, evses=2)
        await world.start()
        booking = world.provider("auth", "reservation")
        assert await run_command(booking, "reserve_now", (in_an_hour(7, evse_id=2),), {}) == "Accepted"
        assert world.modules["connector_2"].reserved == 7
        assert booking.reservation_update.value.reservation_status == "Placed"
        await asyncio.sleep(0)
        stored = await world.provider("store", "main").load("reservation_auth")
        assert [(entry["evse_id"], entry["reservation"]["reservation_id"]) for entry in stored] == [(2, 7)]
        # Killed; the next process finds it.
        again = with_reader(assemble, evses=2)
        await again.start()
        await asyncio.sleep(0.1)
        assert again.modules["connector_2"].reserved == 7
        again.modules["connector_2"].plug_in()
        again.modules["reader"].swipe("R")
        await asyncio.sleep(1)
        ((_, result),) = again.modules["connector_2"].answers
        assert result.reservation_id == 7
        assert await again.provider("store", "main").load("reservation_auth") == []
        await again.stop()
        await world.stop()

    run(main())


YEARS = timedelta(days=6 * 365)


@pytest.mark.parametrize("by", [YEARS, -YEARS, timedelta(minutes=30), timedelta(minutes=-30)], ids=str)
def test_a_reservation_ends_by_the_wall_clock_when_ntp_sets_it(run: Any, assemble: Any, by: timedelta) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        world = with_reader(assemble)
        await world.start()
        booking = world.provider("auth", "reservation")
        at = utc_now() + by + timedelta(hours=1) if by > timedelta() else utc_now() + timedelta(hours=1)
        wanted = reservation.Reservation(reservation_id=1, id_token="R", expiry_time=rfc3339(at), evse_id=1)
        assert await run_command(booking, "reserve_now", (wanted,), {}) == "Accepted"
        await asyncio.sleep(60)
        loop.set_wall(utc_now() + by)
        if by == -YEARS:
            await asyncio.sleep(7200)
            assert world.modules["connector"].reserved == 1
            loop.set_wall(at - timedelta(minutes=5))
        await asyncio.sleep((at - utc_now()).total_seconds() - 1)
        assert world.modules["connector"].reserved == 1
        assert booking.reservation_update.value.reservation_status == "Placed"
        await asyncio.sleep(2)
        assert booking.reservation_update.value.reservation_status == "Expired"
        assert world.modules["connector"].reserved is None
        await world.stop()

    run(main())


@pytest.mark.parametrize("ntp_after_s", [20.0, None])
def test_a_kept_reservation_outlives_a_boot_with_a_clock_that_is_years_ahead(
    run: Any, assemble: Any, ntp_after_s: float | None
) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        world = with_reader(assemble)
        await world.start()
        booking = world.provider("auth", "reservation")
        assert await run_command(booking, "reserve_now", (in_an_hour(1, evse_id=1),), {}) == "Accepted"
        await asyncio.sleep(1)
        await world.stop()
        right_at = utc_now()
        loop.set_wall(right_at + YEARS)
        again = with_reader(assemble)
        await again.start()
        update = again.provider("auth", "reservation").reservation_update
        if ntp_after_s is not None:
            await asyncio.sleep(ntp_after_s)
            assert again.modules["connector"].reserved is None
            loop.set_wall(right_at + timedelta(seconds=ntp_after_s))
            await asyncio.sleep(1)
            assert (again.modules["connector"].reserved, update.value.reservation_status) == (1, "Placed")
            await asyncio.sleep(1000)
            assert again.modules["connector"].reserved == 1
        else:
            await asyncio.sleep(299)
            stored = await again.provider("store", "main").load("reservation_auth")
            assert len(stored) == 1 and again.modules["connector"].reserved is None
            await asyncio.sleep(2)
            assert update.value.reservation_status == "Expired"
            assert await again.provider("store", "main").load("reservation_auth") == []
        await again.stop()

    run(main())


def test_a_reservation_expires_and_is_cancelled(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.start()
        booking = world.provider("auth", "reservation")
        assert await run_command(booking, "reserve_now", (in_an_hour(1, evse_id=1),), {}) == "Accepted"
        check = reservation.ReservationCheck(id_token="R", evse_id=1)
        assert await run_command(booking, "exists_reservation", (check,), {}) == "ReservedForToken"
        assert await run_command(booking, "cancel_reservation", (1,), {}) is True
        assert await run_command(booking, "cancel_reservation", (1,), {}) is False
        await asyncio.sleep(0.1)
        assert await run_command(booking, "reserve_now", (in_an_hour(2, evse_id=1),), {}) == "Accepted"
        await asyncio.sleep(3601)
        assert booking.reservation_update.value.reservation_status == "Expired"
        assert world.modules["connector"].reserved is None
        never = reservation.Reservation(reservation_id=3, id_token="R", expiry_time="soon")
        assert await run_command(booking, "reserve_now", (never,), {}) == "Rejected"
        await world.stop()

    run(main())


@pytest.mark.parametrize("content", ["text", [1], [{"reservation": {"id_token": "x"}}], {"a": 1}])
def test_what_is_unreadable_in_the_store_is_told_and_left_behind(
    run: Any, assemble: Any, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        world = with_reader(assemble)
        await world.modules["store"].init()
        await world.provider("store", "main").store("reservation_auth", content)
        await world.start()
        heard = listen(world)
        world.modules["reader"].swipe("A")
        await asyncio.sleep(1)
        assert statuses(heard)[-1] == "UsedToStart"
        await world.stop()

    run(main())
    assert any("the reservations of the last run are lost" in record.getMessage() for record in caplog.records)


def test_two_evses_with_one_number_are_a_mistake_of_the_configuration(run: Any, assemble: Any, mocker: Any) -> None:
    mocker.patch.object(Connector2, "number", 1)

    async def main() -> None:
        world = with_reader(assemble, evses=2)
        await world.start()
        _, error = await world.failure()
        assert isinstance(error, ConfigError)
        assert "connector and connector_2 are both EVSE 1" in str(error)
        await world.stop()

    run(main())


def test_a_store_that_keeps_nothing_costs_the_memory_of_reservations_but_not_the_charging(
    run: Any, assemble: Any, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "everest_persistent_store.db").mkdir()

    async def main() -> None:
        world = with_reader(assemble, evses=2)
        await world.start()
        booking = world.provider("auth", "reservation")
        assert await run_command(booking, "reserve_now", (in_an_hour(7, evse_id=2),), {}) == "Accepted"
        world.modules["connector_2"].plug_in()
        world.modules["reader"].swipe("R")
        await asyncio.sleep(1)
        assert len(world.modules["connector_2"].answers) == 1
        assert not world.modules["auth"].failed.done()
        await world.stop()

    run(main())
    told = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert any("not kept over a restart" in record.getMessage() for record in told)
    assert [record.exc_info for record in told] == [None] * len(told)
