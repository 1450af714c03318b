"""Installed profiles: replacement, removal, and what a restart keeps."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chargebyte_fw.modules.ocpp.messages.v2.types import charging_profile as v2
from chargebyte_fw.modules.ocpp.smart_charging.from_v2 import profile_of
from chargebyte_fw.modules.ocpp.smart_charging.profile import Installed, Profile, Purpose
from chargebyte_fw.modules.ocpp.smart_charging.rules import Situation, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.store import TABLE, Document, Filter, ProfileStore
from tests.ocpp.smart_charging.helpers import (
    NOW_S,
    RULES_16,
    RULES_21,
    STATION_MAX,
    TX,
    TX_DEFAULT,
    changed,
    compute,
    installed,
    profile,
    steps,
)


class Disk:
    """What was saved."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}

    def save(self, table: str, key: str, document: Document | None) -> None:
        assert table == TABLE
        if document is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = msgspec.json.encode(document)


def store(rules: SmartChargingRules = RULES_21) -> tuple[ProfileStore, Disk]:
    disk = Disk()
    return ProfileStore(disk.save, lambda: rules), disk


def one(*arguments: Any, evse_id: int = 1, **rest: Any) -> Installed:
    return installed(profile(*arguments, **rest), evse_id, wire=b"{}")


@pytest.mark.ocpp("1.6 §3.13.2")
def test_same_purpose_level_and_connector_replaces() -> None:
    """Field case 51: only the second one remains, and the row of the first is gone."""
    profiles, disk = store(RULES_16)
    profiles.install(one(TX_DEFAULT, (0, 20.0), id=101, level=30))
    profiles.install(one(TX_DEFAULT, (0, 30.0), id=102, level=30))
    assert [each.profile.id for each in profiles] == [102] and list(disk.rows) == ["102"]
    profiles.install(one(TX_DEFAULT, (0, 30.0), id=103, level=30, evse_id=2))
    profiles.install(one(TX_DEFAULT, (0, 30.0), id=104, level=31))
    assert len(profiles) == 3
    profiles.remove(profiles.select(Filter(ids=frozenset({102}))))
    assert steps(compute([each for each in profiles if each.profile.id != 104])) == [(0, 48.0)]
    assert "102" not in disk.rows


@pytest.mark.ocpp("K01.FR.05")
@pytest.mark.parametrize("rules", [RULES_16, RULES_21])
def test_same_id_replaces_wherever_it_is(rules: SmartChargingRules) -> None:
    profiles, disk = store(rules)
    profiles.install(one(STATION_MAX, (0, 20.0), evse_id=0))
    profiles.install(one(TX_DEFAULT, (0, 30.0), evse_id=2))
    (only,) = profiles
    assert (only.evse_id, only.profile.purpose, list(disk.rows)) == (2, TX_DEFAULT, ["1"])


def test_profiles_beside_a_new_one() -> None:
    """In OCPP 2.x the same purpose and level stays, and is then a reason to refuse."""
    for rules, stay in ((RULES_16, [3]), (RULES_21, [2, 3])):
        profiles, _ = store(rules)
        for number, level in ((1, 5), (2, 0), (3, 1)):
            profiles.install(one(TX_DEFAULT, (0, 20.0), id=number, level=level))
        beside = profiles.beside(profile(TX_DEFAULT, (0, 10.0), id=1), 1)
        assert [each.profile.id for each in beside] == stay


@pytest.mark.ocpp("K02.FR.05")
def test_end_of_a_transaction_takes_its_profiles_away() -> None:
    profiles, disk = store()
    profiles.install(one(TX, (0, 6.0), id=1))
    profiles.install(one(TX, (0, 6.0), id=2, transaction_id="other", evse_id=2))
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=3))
    assert profiles.end_transaction("tx-1", 1) == 1
    assert [each.profile.id for each in profiles] == [2, 3] and sorted(disk.rows) == ["2", "3"]
    assert profiles.end_transaction("tx-1", 1) == 0


def test_profiles_that_are_over_are_purged() -> None:
    profiles, disk = store()
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=1, valid_to_s=NOW_S))
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=2, valid_to_s=NOW_S + 1))
    assert profiles.purge(NOW_S) == 1
    assert list(disk.rows) == ["2"]


@pytest.mark.ocpp("K01.FR.102")
def test_profile_that_ends_offline() -> None:
    """Field case 67: gone for good after maxOfflineDuration with invalidAfterOfflineDuration."""
    profiles, disk = store()
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=1, max_offline_s=60, ends_offline=True))
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=2, max_offline_s=60))
    for after_s, left in ((0, 2), (60, 2), (61, 1)):
        profiles.end_offline(Situation(now_s=NOW_S + after_s, evses={}, offline_since_s=NOW_S))
        assert len(profiles) == left
    assert profiles.end_offline(Situation(now_s=NOW_S, evses={})) == 0
    assert list(disk.rows) == ["2"]


def test_filters() -> None:
    profiles, _ = store()
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=1, level=1))
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=2, level=2, evse_id=2))
    profiles.install(installed(profile(Purpose.EXTERNAL, (0, 6.0), id=-1), 0, source="EMS"))

    def ids(**wanted: Any) -> list[int]:
        return [each.profile.id for each in profiles.select(Filter(**wanted))]

    assert ids() == [1, 2, -1]
    assert ids(ids=frozenset({2, 9})) == [2]
    assert ids(evse_id=1) == [1] and ids(evse_id=0) == [-1]
    assert ids(purpose=TX_DEFAULT, stack_level=2) == [2]
    assert ids(sources=frozenset({"EMS"})) == [-1]


WIRE = v2.ChargingProfileType(
    id=5,
    stack_level=0,
    charging_profile_purpose=v2.ChargingProfilePurposeEnumType.TxDefaultProfile,
    charging_profile_kind=v2.ChargingProfileKindEnumType.Relative,
    charging_schedule=[
        v2.ChargingScheduleType(
            id=1,
            charging_rate_unit=v2.ChargingRateUnitEnumType.A,
            charging_schedule_period=[v2.ChargingSchedulePeriodType(start_period_s=0, limit=16.0)],
        )
    ],
)


def decode(text: bytes) -> Profile:
    return profile_of(msgspec.json.decode(text, type=v2.ChargingProfileType))


def test_restart_keeps_profiles_as_they_came() -> None:
    profiles, disk = store()
    wire = msgspec.json.encode(WIRE)
    there = Installed(profile=profile_of(WIRE), evse_id=2, installed_s=NOW_S, source="CSO", wire=wire)
    profiles.install(there)
    again, _ = store()
    assert again.load(disk.rows, decode, lambda each: each.profile) == []
    assert again.all() == [there]


def test_restart_drops_what_is_not_valid_any_more() -> None:
    """Broken rows, and profiles that the present configuration refuses, are deleted with their reason."""
    profiles, disk = store()
    good = msgspec.json.encode(Document(evse_id=1, installed_s=NOW_S, profile=msgspec.Raw(msgspec.json.encode(WIRE))))
    disk.rows = {"1": b"\xff", "2": b"{}", "3": good.replace(b"Relative", b"Sometimes"), "5": good}

    def refuse(each: Installed) -> Profile:
        raise ValueError("refused")

    dropped = profiles.load(dict(disk.rows), decode, refuse)
    assert [key for key, _ in dropped] == ["1", "2", "3", "5"]
    assert dropped[-1][1] == "refused"
    assert disk.rows == {} and len(profiles) == 0


def test_purposes_that_are_not_kept() -> None:
    """ChargingProfilePersistence."""
    profiles, disk = store(changed(RULES_21, persisted=frozenset({TX_DEFAULT})))
    profiles.install(one(TX, (0, 6.0), id=1))
    profiles.install(one(TX_DEFAULT, (0, 6.0), id=2))
    assert len(profiles) == 2 and list(disk.rows) == ["2"]
    assert profiles.last_update_s(TX) == NOW_S and profiles.last_update_s(STATION_MAX) is None
    assert profiles.get(1) is not None and profiles.get(9) is None
