"""The words for ERROR_MESSAGE: module and reason by number, as each firmware generation counts them.

Reasons belong to a module's name, numbers to a generation: plug-lock firmware put a module in between and shifted
the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

_COMMON = ("DEFAULT", "APP_TASK", "APP_COMM", "APP_SAFETY", "APP_CP_PP", "APP_TEMP", "APP_SYSTEM")
_MIDDLEWARE = ("MW_ADC", "MW_I2C", "MW_PIN", "MW_PWM", "MW_UART", "MW_PARAM")

MODULES_BEFORE_HVSWITCH: tuple[str, ...] = (*_COMMON, *_MIDDLEWARE)
MODULES_HVSWITCH: tuple[str, ...] = (*_COMMON, "APP_HVSWITCH", *_MIDDLEWARE)
MODULES_INLET: tuple[str, ...] = (*_COMMON, "APP_HVSWITCH", "APP_INLET", *_MIDDLEWARE)

_REASONS: dict[str, Sequence[str]] = {
    "APP_TASK": ("task missed its slot",),
    "APP_COMM": ("safety message timed out",),
    "APP_SAFETY": (
        "redundant state mismatch",
        "control pilot fault",
        "state C while ID is not connected",
        "CE voltage mismatch",
        "ID voltage mismatch",
    ),
    "APP_CP_PP": ("control pilot voltages", "proximity pilot voltage"),
    "APP_TEMP": (
        "short to battery",
        "short to ground",
        "open load",
        "over limit",
        "under limit",
        "resistance too high",
        "resistance negative",
        "bad evaluation state",
    ),
    "APP_SYSTEM": (
        "watchdog",
        "start-up self-tests",
        "application CRC",
        "start-up ADC test",
        "CPU",
        "RAM",
        "clock",
        "clock stop",
        "ROM",
        "ADC",
        "voltage",
        "temperature",
        "other",
    ),
    "APP_HVSWITCH": (
        "feedback wrong while open",
        "not closed in time",
        "feedback wrong while closed",
        "not opened in time",
        "code location",
    ),
    "APP_INLET": (
        "bad feedback at init",
        "bad feedback while open",
        "close time exceeded",
        "bad feedback while closed",
        "open time exceeded",
        "invalid parameter",
        "motor driver fault",
        "software error",
    ),
    "MW_ADC": (
        "ELC init",
        "ADC init",
        "scan config",
        "ELC enable",
        "scan start",
        "GPT init",
        "GPT start",
        "read failed",
        "bad parameter",
    ),
    "MW_PWM": ("GPT init", "GPT start", "set duty"),
    "MW_UART": ("init", "RX overflow", "TX overflow", "TX failed", "nothing to send"),
    "MW_PARAM": (
        "parameter block missing, defaults used",
        "parameter block CRC wrong, defaults used",
        "index out of range",
        "limit temperature out of range",
        "resistance offset beyond 50 ohm",
        "version mismatch between parameter block and firmware",
        "value not allowed",
        "value not allowed",
        "null pointer",
        "invalid inlet type",
    ),
}
"""Texts of the reasons from 1 on; reason 0 is the default in every module."""


def module_name(modules: Sequence[str], number: int) -> str:
    """Return the name of module `number`, or its number in words."""
    return modules[number] if number < len(modules) else f"module {number}"


def reason_text(module: str, reason: int) -> str:
    """Return what `reason` means in `module`."""
    texts = _REASONS.get(module, ())
    if reason == 0:
        return "default"
    return texts[reason - 1] if reason <= len(texts) else f"reason {reason}"


def module_number(modules: Sequence[str], name: str) -> int:
    """Return the number of module `name` in this generation (0, DEFAULT, when it has none)."""
    return modules.index(name) if name in modules else 0
