"""Faults of the plug lock and of the residual current monitor: `connector_lock` and `ac_rcd`."""

from __future__ import annotations

from chargebyte_fw.contracts.fault_advice.advice import Help, Row, row

_LOCK, _RCD = "connector_lock/", "ac_rcd/"
UNPLUG, WAIT, SERVICE = Help.UNPLUG, Help.WAIT, Help.SERVICE

ROWS: tuple[Row, ...] = (
    row(
        f"{_LOCK}ConnectorLockFailedLock",
        "the plug lock did not reach its closed position",
        "push the plug in as far as it goes, or unplug and plug in again; then check motor and feedback",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_LOCK}ConnectorLockFailedUnlock",
        "the plug lock did not reach its open position: the plug is stuck",
        "push the plug in while it unlocks; unlock again by `force_unlock` or OCPP; then open it by hand",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_LOCK}ConnectorLockUnexpectedOpen",
        "the plug lock has opened without an order",
        "plug in again; then check motor and feedback",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_LOCK}ConnectorLockUnexpectedClose",
        "the plug lock has closed without an order",
        "check motor and feedback",
        SERVICE,
    ),
    row(
        f"{_LOCK}ConnectorLockCapNotCharged",
        "the capacitor that opens the lock at a power failure is not charged",
        "wait a minute; then check the supply of the lock",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_LOCK}MREC1ConnectorLockFailure",
        "the position of the plug lock cannot be read",
        "check the lock's wiring and the type of the lock in the parameter block",
        SERVICE,
    ),
    row(
        f"{_LOCK}VendorWarning",
        "the motor driver of the plug lock reports a fault",
        "charging goes on; check the lock's wiring",
        WAIT,
        SERVICE,
        sub_type="APP_INLET",
    ),
    row(
        f"{_LOCK}VendorError",
        "the safety controller reports an error of the plug lock, which the message names",
        "check the lock's wiring and the type of the lock in the parameter block",
        SERVICE,
        sub_type="APP_INLET",
    ),
    row(
        f"{_RCD}DC",
        "the residual current monitor has seen a direct residual current",
        "unplug the car; if it happens with another car, have the installation measured",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_RCD}AC",
        "the residual current monitor has seen an alternating residual current",
        "unplug the car; if it happens with another car, have the installation measured",
        UNPLUG,
        SERVICE,
    ),
    row(
        f"{_RCD}Selftest",
        "the residual current monitor failed its self-test, or does not run it",
        "wait for the next attempt; then check sensor and wiring",
        WAIT,
        SERVICE,
    ),
    row(
        f"{_RCD}MREC2GroundFailure",
        "the protective conductor is interrupted, or current flows to earth",
        "unplug the car; have the installation measured if it happens with another car",
        UNPLUG,
        SERVICE,
    ),
)
