"""AdditionalRootCertificateCheck (M05): one root of the CSMS, signed by the one before it, which stays as fallback."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_security as security
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station2 import Station2

KINDS, VERDICTS = security.CertificateType, security.CertificateValidationResult
DELETED, FAILED = security.DeleteCertificateResult.Accepted, security.DeleteCertificateResult.Failed


def name(which: str) -> security.CertificateHashData:
    algorithm = security.HashAlgorithm.SHA256
    return security.CertificateHashData(
        hash_algorithm=algorithm, issuer_name_hash="n", issuer_key_hash="k", serial_number=which
    )


class Store(dict[str, Any]):
    """What the stack answers: a store of roots that takes each one under its PEM as the name."""

    csms: list[str]
    below: tuple[str, ...] = ()
    """Sub-CAs of the first root."""
    v2g: tuple[str, ...] = ()
    verdict: security.CertificateValidationResult = VERDICTS.Valid

    def chains(self) -> Any:
        def chain(kind: security.CertificateType, root: str, children: tuple[str, ...] = ()) -> Any:
            below = [name(one) for one in children] or None
            return security.CertificateHashDataChain(
                certificate_type=kind, certificate_hash_data=name(root), child_certificate_hash_data=below
            )

        found = [chain(KINDS.CSMSRootCertificate, one, () if n else self.below) for n, one in enumerate(self.csms)]
        found += [chain(KINDS.V2GRootCertificate, one) for one in self.v2g]
        status = security.GetInstalledCertificatesStatus.Accepted
        return security.GetInstalledCertificatesResult(status=status, certificate_hash_data_chain=found)


class Station(Station2):
    """A station whose store has one root of the CSMS, unless `roots` are others."""

    def __init__(self, *roots: str, checks: bool = True, **how: Any) -> None:
        super().__init__(AdditionalRootCertificateCheck=checks, **how)
        self.store = self.results = Store(self.results)
        self.store.csms = list(roots)
        self.deletes = True
        self.requests()
        self.other.clear()

    def carried_out(self, command: do.Command) -> list[Any]:
        args = command.call.args
        match command.call.command:
            case "install_ca_certificate":
                self.store.csms += [args[0]] if args[0] not in self.store.csms else []
                self.results[command.call.command] = security.InstallCertificateResult.Accepted
            case "get_installed_certificates":
                self.results[command.call.command] = self.store.chains()
            case "verify_certificate":
                self.results[command.call.command] = self.store.verdict
            case "delete_certificate":
                if self.deletes:
                    self.store.csms = [one for one in self.store.csms if one != args[0].serial_number]
                self.results[command.call.command] = DELETED if self.deletes else FAILED
        return super().carried_out(command)

    def install(self, pem: str) -> str:
        request = {"certificateType": "CSMSRootCertificate", "certificate": pem}
        status: str = self.ask("InstallCertificate", request)["status"]
        return status

    def tries(self) -> list[str]:
        """Return which new roots the connection is to try since the last call."""
        found = [one.new_root for one in self.other if isinstance(one, do.TryRoot)]
        self.other.clear()
        return found

    def deleted(self) -> list[str]:
        return [args[0].serial_number for _, _, args in self.commanded("delete_certificate")]


@pytest.mark.ocpp("M05.FR.10", "M05.FR.11")
def test_a_root_that_the_one_before_has_not_signed_is_rejected() -> None:
    station = Station("old")
    station.store.verdict = VERDICTS.IssuerNotFound
    assert station.install("new") == "Rejected"
    assert station.store.csms == ["old"] and station.tries() == []
    assert station.commanded("install_ca_certificate") == []


@pytest.mark.ocpp("M05.FR.09", "M05.FR.10", "M05.FR.12", "M05.FR.13")
def test_the_former_root_stays_until_the_new_one_has_connected() -> None:
    station = Station("old")
    station.store.below = ("sub2", "sub1")
    assert station.install("new") == "Accepted"
    assert station.store.csms == ["old", "new"] and station.tries() == ["new"]
    assert station.deleted() == []
    station.feed(events.CsmsRootProven(former=False))
    assert station.deleted() == ["sub1", "sub2", "old"], "what has its name by the root goes first"
    assert station.store.csms == ["new"] and station.tries() == [""]
    station.feed(events.CsmsRootProven(former=False))
    assert station.deleted() == []


@pytest.mark.ocpp("M05.FR.13")
def test_a_connection_by_the_former_root_deletes_nothing() -> None:
    station = Station("old")
    station.install("new")
    station.feed(events.CsmsRootProven(former=True))
    assert station.deleted() == [] and station.store.csms == ["old", "new"]
    station.feed(events.CsmsRootProven(former=False))
    assert station.store.csms == ["new"]


@pytest.mark.ocpp("M05.FR.09")
def test_a_root_that_has_not_connected_gives_way_to_a_further_one() -> None:
    station = Station("old")
    station.install("bad")
    assert station.install("good") == "Accepted"
    assert station.store.csms == ["old", "good"], "one, and one as the fallback"
    assert station.tries() == ["bad", "good"]
    station.feed(events.CsmsRootProven(former=False))
    assert station.store.csms == ["good"]


def test_the_first_root_of_all_has_none_before_it() -> None:
    station = Station()
    station.store.verdict = VERDICTS.IssuerNotFound
    assert station.install("first") == "Accepted" and station.tries() == []


def test_the_same_root_again_is_no_successor() -> None:
    station = Station("old")
    assert station.install("old") == "Accepted" and station.tries() == []
    station.feed(events.CsmsRootProven(former=False))
    assert station.deleted() == []


def test_a_root_that_cars_need_as_well_is_not_deleted() -> None:
    station = Station("shared")
    station.store.v2g = ("shared",)
    station.install("new")
    station.feed(events.CsmsRootProven(former=False))
    assert station.deleted() == [] and station.tries() == ["new", ""]


def test_what_could_not_be_deleted_is_with_the_next_connection() -> None:
    station = Station("old")
    station.install("new")
    station.deletes = False
    station.feed(events.CsmsRootProven(former=False))
    assert station.tries() == ["new"]
    station.deletes = True
    station.feed(events.CsmsRootProven(former=False))
    assert station.store.csms == ["new"] and station.tries() == [""]


def test_a_new_root_outlives_a_restart() -> None:
    station = Station("old")
    station.install("new")
    again = Station2(saved={key: dict(rows) for key, rows in station.tables.items()}, connects=False)
    assert [one.new_root for one in again.other if isinstance(one, do.TryRoot)] == ["new"]


def test_without_the_check_roots_stand_side_by_side() -> None:
    station = Station("old", checks=False)
    station.store.verdict = VERDICTS.IssuerNotFound
    assert station.install("new") == "Accepted" and station.tries() == []
    assert station.commanded("verify_certificate") == []
