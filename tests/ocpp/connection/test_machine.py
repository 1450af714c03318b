"""The connection as a machine: slots, pauses, pings, confirmation, the switch of security profiles (ocpp.md 4.1)."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.modules.ocpp.connection import effects as fx
from chargebyte_fw.modules.ocpp.connection import events as ev
from chargebyte_fw.modules.ocpp.connection.machine import Connection, S, connection
from chargebyte_fw.modules.ocpp.connection.settings import (
    ConnectionSettings,
    Credentials,
    Profile,
    TlsSettings,
    address,
    password_of_2,
    password_of_16,
    shortcoming,
)
from chargebyte_fw.modules.ocpp.version import Version

V16, V201, V21 = Version


def profile(slot: int, security_profile: int = 1, **how: Any) -> Profile:
    return Profile(slot, f"ws://csms{slot}:9000", "cp001", security_profile, **{"password": b"secret", **how})


class Bench:
    """A connection with a clock."""

    def __init__(self, *profiles: Profile, last: int | None = None, security_profile: int = 0, **how: Any) -> None:
        found = {one.slot: one for one in profiles or (profile(1),)}
        defaults: dict[str, Any] = {"priority": tuple(found), "pause_random_s": 0.0, "ping_interval_s": 0.0}
        self.settings = ConnectionSettings(**{"profiles": found, **defaults, **how})
        self.machine: Connection = connection(self.settings, last, security_profile, random.Random(1))
        self.machine.feed(ev.CredentialsChanged(Credentials(True, True)), 0.0)
        self.now = 0.0
        self.found: list[Any] = []

    def feed(self, event: Any) -> list[Any]:
        self.found = self.machine.feed(event, self.now)
        return self.found

    def wait(self, seconds: float) -> list[Any]:
        end, self.found = self.now + seconds, []
        while (at_s := self.machine.deadline) is not None and at_s <= end:
            self.now = at_s
            self.found += self.machine.wake(self.now)
        self.now = end
        return self.found

    @property
    def attempt(self) -> int:
        return self.machine.attempt

    def opened(self, subprotocol: str | None = "ocpp1.6") -> list[Any]:
        return self.feed(ev.Opened(self.attempt, subprotocol))

    def fail(self, reason: str = "refused", event: str = "") -> list[Any]:
        return self.feed(ev.OpenFailed(self.attempt, reason, event))

    def closed(self, code: int = 1006) -> list[Any]:
        return self.feed(ev.SocketClosed(self.attempt, code, ""))

    def slots(self, attempts: int) -> list[tuple[float, int]]:
        """Fail so many attempts; the time and the slot of each."""
        found: list[tuple[float, int]] = []
        while len(found) < attempts:
            for effect in self.found:
                if isinstance(effect, fx.OpenSocket):
                    found.append((self.now, effect.profile.slot))
            if self.machine.state is S.OPENING:
                self.fail()
            assert self.machine.deadline is not None
            self.wait(self.machine.deadline - self.now)
        return found[:attempts]


def of(kind: type, effects: list[Any]) -> list[Any]:
    return [one for one in effects if isinstance(one, kind)]


def test_the_url_has_the_identity_and_the_scheme_of_the_security_profile() -> None:
    assert address(Profile(1, "ws://h:1/ocpp/", "cp", 1)) == "ws://h:1/ocpp/cp"
    assert address(Profile(1, "ws://h:1/ocpp", "cp", 2)) == "wss://h:1/ocpp/cp"
    assert address(Profile(1, "wss://h", "cp", 0)) == "ws://h/cp"
    assert address(Profile(1, "h/x", "cp", 3)) == "wss://h/x/cp"
    # EVerest's configurations have it in the URL.
    assert address(Profile(1, "h/x/cp", "cp", 1)) == "ws://h/x/cp"
    assert address(Profile(1, "ws://cp", "cp", 1)) == "ws://cp/cp"
    assert address(Profile(1, "ws://h", "a b/c|1@x\n", 1)) == "ws://h/a%20b%2Fc|1@x%0A"


def test_passwords() -> None:
    """Field case 17; 1.6 decodes a key that is hexadecimal."""
    assert password_of_2("00FF112233445566778899AABBCCDDEEFF001020") == b"00FF112233445566778899AABBCCDDEEFF001020"
    assert password_of_2("pa:ss wörter 16+") == "pa:ss wörter 16+".encode()
    assert password_of_16("DEADBEEF") == b"\xde\xad\xbe\xef"
    for key in ("DEADBEE", "no hex at all", "DE AD BE EF", "wörter"):
        assert password_of_16(key) == key.encode()


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"url": ""}, "URL"),
        ({"identity": ""}, "identity"),
        ({"security_profile": 4}, "profile 4"),
        ({"security_profile": -1}, "profile -1"),
        ({"transport": "SOAP"}, "SOAP"),
        ({"security_profile": 0}, "AllowSecurityLevelZero"),
        ({"password": None}, "password"),
        ({"security_profile": 2, "password": b""}, "password"),
        ({"security_profile": 3}, "root"),
    ],
)
def test_why_a_profile_cannot_be_used(how: dict[str, Any], word: str) -> None:
    one = Profile(**{"slot": 1, "url": "ws://h", "identity": "cp", "security_profile": 1, "password": b"x", **how})
    settings = ConnectionSettings(profiles={}, versions=(V201,), tls=TlsSettings(system_roots=False))
    assert word in shortcoming(one, settings, Credentials())
    assert shortcoming(Profile(1, "ws://h", "cp", 3), settings, Credentials(True, True)) == ""
    assert "client certificate" in shortcoming(Profile(1, "ws://h", "cp", 3), settings, Credentials(True))
    assert shortcoming(Profile(1, "ws://h", "cp", 0), ConnectionSettings(profiles={}), Credentials()) == ""


def test_an_attempt_offers_every_version_and_takes_the_one_selected() -> None:
    it = Bench(versions=(V21, V201))
    (order,) = it.feed(ev.Start())
    assert order.subprotocols == ("ocpp2.1", "ocpp2.0.1") and order.url == "ws://csms1:9000/cp001"
    (established,) = it.opened("ocpp2.0.1")
    assert established.version is V201


@pytest.mark.ocpp("1.6J §3.2")
@pytest.mark.parametrize("selected", [None, "", "ocpp1.6", "ocpp2.2", "soap"])
def test_without_a_version_that_was_offered_it_is_no_connection(selected: str | None) -> None:
    """Field case 10."""
    it = Bench(versions=(V21, V201))
    it.feed(ev.Start())
    close, unreachable = it.opened(selected)
    assert isinstance(close, fx.CloseSocket) and "sub-protocol" in unreachable.reason
    assert unreachable.next_s >= 1.0
    assert of(fx.OpenSocket, it.wait(unreachable.next_s))


@pytest.mark.ocpp("1.6J §5.3")
def test_pauses_double_up_to_a_number_of_times() -> None:
    it = Bench(pause_minimum_s=3.0, doublings=2, attempts=-1)
    it.feed(ev.Start())
    times = [at_s for at_s, _ in it.slots(6)]
    assert [b - a for a, b in itertools.pairwise(times)] == [3.0, 6.0, 12.0, 12.0, 12.0]


def test_each_further_pause_has_a_random_part_of_its_own() -> None:
    it = Bench(pause_minimum_s=3.0, pause_random_s=10.0, doublings=2, attempts=-1)
    it.feed(ev.Start())
    times = [at_s for at_s, _ in it.slots(6)]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert 3.0 <= gaps[0] <= 13.0
    for before, after in itertools.pairwise(gaps[:3]):
        assert 2 * before <= after <= 2 * before + 10.0
    assert gaps[2:] == pytest.approx([gaps[2]] * 3)


def test_no_pause_is_shorter_than_a_second() -> None:
    it = Bench(pause_minimum_s=0.0, attempts=-1)
    it.feed(ev.Start())
    times = [at_s for at_s, _ in it.slots(4)]
    assert times == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.ocpp("B10", "B10.FR.03", "B10.FR.04", "B10.FR.07", "B10.FR.09")
def test_each_slot_has_its_attempts_and_the_last_success_is_where_it_stays() -> None:
    """Field case 14."""
    it = Bench(profile(1), profile(2), last=2, attempts=3, pause_minimum_s=2.0, doublings=1)
    it.feed(ev.Start())
    found = it.slots(9)
    assert [slot for _, slot in found] == [1, 1, 1, 2, 2, 2, 2, 2, 2]
    times = [at_s for at_s, _ in found]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert gaps[:4] == [2.0, 4.0, 4.0, 4.0], "on every redial, and no shorter with another slot"


@pytest.mark.ocpp("B10.FR.08")
def test_without_a_last_success_the_slots_take_turns() -> None:
    it = Bench(profile(1), profile(2), attempts=2, pause_minimum_s=0.0)
    it.feed(ev.Start())
    found = it.slots(6)
    assert [slot for _, slot in found] == [1, 1, 2, 2, 1, 1]
    assert found[2][0] - found[1][0] == 2.0, "another slot is tried after 2 s at the earliest"


def test_a_slot_that_cannot_be_used_gives_way_to_the_next() -> None:
    it = Bench(profile(1, password=None), profile(2))
    (unreachable,) = it.feed(ev.Start())
    assert "password" in unreachable.reason and unreachable.next_s == 2.0
    assert of(fx.OpenSocket, it.wait(2.0))[0].profile.slot == 2


@pytest.mark.ocpp("A00.FR.004")
def test_without_any_slot_it_waits() -> None:
    it = Bench(priority=())
    (unreachable,) = it.feed(ev.Start())
    assert unreachable.reason == "no slot can be used" and unreachable.profile is None
    it.wait(100.0)
    it.feed(ev.Configure(ConnectionSettings(profiles={1: profile(1)})))
    assert of(fx.OpenSocket, it.wait(2.0))


def test_a_lost_connection_is_opened_again_after_a_short_pause() -> None:
    it = Bench(pause_minimum_s=5.0)
    it.feed(ev.Start())
    it.fail()
    it.wait(5.0)
    it.opened()
    lost, unreachable = it.closed()
    assert isinstance(lost, fx.Lost) and unreachable.next_s == 5.0
    it.wait(5.0)
    it.opened()
    assert it.closed(code=1012)[1].next_s == 2.0, "service restart"


def test_the_slot_is_confirmed_by_an_accepted_boot_and_lower_ones_are_out() -> None:
    it = Bench(profile(1, 1), profile(2, 2), attempts=1, pause_minimum_s=0.0)
    it.feed(ev.Start())
    it.fail()
    it.wait(2.0)
    assert it.machine.profile is not None and it.machine.profile.slot == 2
    it.opened()
    assert it.feed(ev.BootAccepted()) == [fx.Confirmed(2, 2)]
    assert it.feed(ev.BootAccepted()) == []
    it.closed()
    it.wait(1.0)
    assert [slot for _, slot in it.slots(4)] == [2, 2, 2, 2]


def test_an_accepted_boot_of_a_connection_that_is_gone_confirms_nothing() -> None:
    it = Bench()
    it.feed(ev.Start())
    assert it.feed(ev.BootAccepted()) == []


@pytest.mark.ocpp("1.6J §5.2")
def test_pings() -> None:
    it = Bench(ping_interval_s=20.0, pong_timeout_s=5.0)
    it.feed(ev.Start())
    it.opened()
    assert it.wait(19.0) == []
    (ping,) = it.wait(1.0)
    assert (ping.payload, ping.attempt) == ("hello there", 1)
    it.feed(ev.PongReceived(1))
    assert len(it.wait(20.0)) == 1
    close, lost, unreachable = it.wait(5.0)
    assert close.code == 1012 and "no pong" in lost.reason == unreachable.reason
    assert it.machine.state is S.WAITING


def test_pings_have_a_live_interval() -> None:
    """Field case 13: from 0 to 20 on the same connection."""
    it = Bench()
    it.feed(ev.Start())
    it.opened()
    assert it.machine.deadline is None
    it.now = 100.0
    how: dict[str, Any] = {"profiles": it.settings.profiles}
    it.feed(ev.Configure(ConnectionSettings(**how, ping_interval_s=20.0)))
    assert it.wait(19.9) == [] and len(it.wait(0.2)) == 1
    it.feed(ev.PongReceived(1))
    it.feed(ev.Configure(ConnectionSettings(**how, ping_interval_s=0.0)))
    assert it.machine.deadline is None


def test_one_ping_at_a_time() -> None:
    it = Bench(ping_interval_s=1.0, pong_timeout_s=5.0)
    it.feed(ev.Start())
    it.opened()
    assert len(of(fx.SendPing, it.wait(5.5))) == 1


def test_stop_and_start() -> None:
    it = Bench()
    assert it.feed(ev.Restart("x")) == []
    it.feed(ev.Start())
    assert it.feed(ev.Start()) == []
    it.opened()
    close, lost = it.feed(ev.Stop("disconnect"))
    assert (close.code, lost.reason) == (1000, "disconnect")
    assert it.machine.deadline is None and it.wait(1000.0) == []
    assert of(fx.OpenSocket, it.feed(ev.Start()))
    (close,) = it.feed(ev.Stop("x"))
    assert isinstance(close, fx.CloseSocket)


@pytest.mark.ocpp("B10.FR.06")
def test_a_restart_begins_with_the_first_slot() -> None:
    it = Bench(profile(1), profile(2), attempts=1)
    it.feed(ev.Start())
    it.fail()
    it.wait(2.0)
    it.opened()
    close, lost, order = it.feed(ev.Restart("a new password"))
    assert close.code == 1012 and isinstance(lost, fx.Lost)
    assert order.profile.slot == 1 and order.attempt == 3


def test_events_of_an_earlier_attempt_change_nothing() -> None:
    it = Bench()
    it.feed(ev.Start())
    it.fail()
    it.wait(10.0)
    for event in (
        ev.Opened(1, "ocpp1.6"),
        ev.OpenFailed(1, "late"),
        ev.SocketClosed(1, 1000, ""),
        ev.PongReceived(1),
        ev.NetworkReady(1),
        ev.NetworkFailed(1, ""),
    ):
        assert it.feed(event) == [] and it.machine.state is S.OPENING
    it.opened()
    for event in (ev.Opened(1, "x"), ev.OpenFailed(1, ""), ev.SocketClosed(1, 1000, ""), ev.NetworkReady(2)):
        assert it.feed(event) == [] and it.machine.state is S.OPEN


def test_an_attempt_that_does_not_end_is_given_up() -> None:
    it = Bench()
    it.feed(ev.Start())
    close, unreachable = it.wait(60.0)
    assert isinstance(close, fx.CloseSocket) and "no connection within" in unreachable.reason


def test_the_network_is_set_up_first() -> None:
    it = Bench(profile(1), profile(2), uses_configure_network=True, network_timeout_s=60.0)
    (prepare,) = it.feed(ev.Start())
    assert isinstance(prepare, fx.PrepareNetwork) and prepare.profile.slot == 1
    assert it.feed(ev.NetworkFailed(1, "no modem"))[0].next_s == 2.0
    (prepare,) = it.wait(2.0)
    assert prepare.profile.slot == 2
    (order,) = it.feed(ev.NetworkReady(2, "192.0.2.1"))
    assert order.local_address == "192.0.2.1"
    it.fail()
    it.wait(100.0)
    it.feed(ev.Stop(""))
    it.feed(ev.Start())
    found = it.wait(60.0)
    assert "within 60 s" in of(fx.Unreachable, found)[0].reason


def test_a_security_event_once_an_outage() -> None:
    it = Bench(attempts=-1)
    it.feed(ev.Start())
    events = []
    for _ in range(4):
        events.append(it.fail("bad", "InvalidCsmsCertificate")[0].event)
        it.wait(60.0)
    assert events == ["InvalidCsmsCertificate", "", "", ""]
    it.opened()
    it.closed()
    it.wait(60.0)
    assert it.fail("bad", "InvalidCsmsCertificate")[0].event == "InvalidCsmsCertificate"


@pytest.mark.ocpp("1.6 security §A05")
def test_another_security_profile_is_used_if_it_connects() -> None:
    it = Bench(profile(1, 0))
    it.feed(ev.Start())
    it.opened()
    close, lost, order = it.feed(ev.SwitchProfile(2, 20.0))
    assert close.code == 1012 and isinstance(lost, fx.Lost)
    assert order.url == "wss://csms1:9000/cp001" and order.profile.security_profile == 2
    established, switched = it.opened()
    assert established.profile.security_profile == 2 and switched == fx.ProfileSwitched(2, succeeded=True)
    it.wait(100.0)
    assert it.feed(ev.BootAccepted()) == [fx.Confirmed(1, 2)]


@pytest.mark.ocpp("1.6 security §A05")
def test_otherwise_the_former_one_is_used_again() -> None:
    it = Bench(profile(1, 0), attempts=-1)
    it.feed(ev.Start())
    it.opened()
    it.feed(ev.SwitchProfile(2, 20.0))
    it.fail("certificate")
    found = it.wait(20.0)
    switched = of(fx.ProfileSwitched, found)
    assert switched == [fx.ProfileSwitched(0, succeeded=False)]
    assert it.machine.profile is not None and it.machine.profile.security_profile == 0
    assert it.machine.state is S.OPENING


@pytest.mark.ocpp("A01.FR.12")
def test_what_is_logged_of_a_profile_has_no_password() -> None:
    assert "secret" not in repr(profile(1)) and "secret" not in str(fx.Lost(profile(1), "x"))


EVENTS = st.sampled_from(
    [
        ev.Start(),
        ev.Stop("x"),
        ev.Restart("x"),
        ev.SwitchProfile(2, 20.0),
        ev.SwitchProfile(0, 0.0),
        ev.BootAccepted(),
        ev.CredentialsChanged(Credentials()),
        ev.CredentialsChanged(Credentials(True, True)),
        "opened",
        "no version",
        "failed",
        "closed",
        "restarts",
        "pong",
        "ready",
        "not ready",
        "old",
        "other settings",
        "no slots",
    ]
)


@given(st.lists(st.tuples(EVENTS, st.floats(0.0, 100.0)), max_size=40), st.booleans(), st.integers(-1, 3))
def test_any_order_of_events_leads_somewhere(
    events: list[tuple[Any, float]], uses_network: bool, attempts: int
) -> None:
    it = Bench(profile(1), profile(2, 2), attempts=attempts, uses_configure_network=uses_network, ping_interval_s=7.0)
    for event, seconds in events:
        number = it.attempt
        made: dict[str, Any] = {
            "opened": ev.Opened(number, "ocpp1.6"),
            "no version": ev.Opened(number, None),
            "failed": ev.OpenFailed(number, "x", "InvalidCsmsCertificate"),
            "closed": ev.SocketClosed(number, 1006, ""),
            "restarts": ev.SocketClosed(number, 1012, ""),
            "pong": ev.PongReceived(number),
            "ready": ev.NetworkReady(number),
            "not ready": ev.NetworkFailed(number, "x"),
            "old": ev.Opened(number - 1, "ocpp1.6"),
            "other settings": ev.Configure(it.settings),
            "no slots": ev.Configure(ConnectionSettings(profiles={}, priority=())),
        }
        found = it.feed(made[event] if isinstance(event, str) else event)
        assert not of(Unexpected, found)
        it.wait(seconds)
        state = it.machine.state
        assert it.machine.deadline is not None or state in (S.IDLE, S.OPEN), "no way out"
        assert state is not S.OPEN or it.machine.profile is not None
