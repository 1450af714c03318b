"""What a fleet is to do: the command line, and the same as data for the processes that have the stations."""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import msgspec

from chargebyte_fw.modules.ocpp.version import Version

VERSIONS = {"1.6": Version.V16, "2.0.1": Version.V201, "2.1": Version.V21}
MOST_STATIONS = 20_000
STATIONS_A_PROCESS = 500
POWER_W = 11_000.0


class PowerStep(msgspec.Struct, frozen=True):
    """From this second of charging on the car draws so much."""

    from_s: float
    power_W: float


class Outage(msgspec.Struct, frozen=True):
    """All stations lose their connections at once, and all connect again at once."""

    at_s: float
    """After the last station has begun to connect."""
    for_s: float


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it."""

    version: Version = Version.V201
    url: str = ""
    """Of the CSMS, without the identity."""
    count: int = 10
    ramp: float = 50.0
    """Stations that begin to connect in a second; 0: all at once."""
    identity: str = "fleet-{n:05d}"
    security_profile: int = 0
    password: str = ""
    root: str = ""
    certificate: str = ""
    key: str = ""
    duration_s: float = 60.0
    """From when the last station has begun to connect; then the cars leave."""
    charging_s: float = 30.0
    """How long a car charges; 0: no car comes but for a remote start."""
    pause_s: float = 5.0
    """The longest time until the next car comes."""
    sample_s: int = 10
    power: tuple[PowerStep, ...] = (PowerStep(0.0, POWER_W),)
    outages: tuple[Outage, ...] = ()
    token: str = "FLEET{n:05d}"
    seed: int = 1

    @property
    def whole_s(self) -> float:
        """How long all of it takes, until the cars leave."""
        return self.duration_s + (self.count / self.ramp if self.ramp > 0 else 0.0)

    def power_W(self, charged_s: float) -> float:
        """Return what a car draws that has charged so long."""
        return next((step.power_W for step in reversed(self.power) if step.from_s <= charged_s), 0.0)

    def named(self, pattern: str, number: int) -> str:
        """Return a pattern with the number, and the identity, of a station."""
        identity = self.identity.format(n=number)
        return pattern.format(n=number, identity=identity)


def _power(text: str) -> tuple[PowerStep, ...]:
    try:
        if ":" not in text:
            return (PowerStep(0.0, float(text)),)
        steps = tuple(PowerStep(*map(float, part.split(":"))) for part in text.split(","))
    except (ValueError, TypeError):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a power in W nor S:W,S:W,...") from None
    if any(a.from_s >= b.from_s for a, b in pairwise(steps)):
        raise argparse.ArgumentTypeError(f"{text!r}: each step begins later than the one before")
    return steps


def _outage(text: str) -> Outage:
    try:
        at_s, for_s = map(float, text.split(":"))
        return Outage(at_s, for_s)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not AT:FOR, two times in s") from None


def _pattern(text: str) -> str:
    try:
        text.format(n=1, identity="x")
    except (LookupError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r}: only {{n}} and {{identity}} can be put in ({error})") from None
    return text


def _file(text: str) -> str:
    if "{" not in text and not Path(text).exists():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return _pattern(text)


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(
        prog="python -m chargebyte_fw.sim.fleet",
        description="Simulated charging stations that load a CSMS: they connect, boot and charge.",
        epilog="Exit status: 0 every station connected, booted and charged, and every message was answered; 1 not so; "
        "2 a wrong command line; 3 the fleet could not be started. In patterns, {n} is the number of a station and "
        "{identity} its identity.",
    )
    add, default = result.add_argument, Options()
    add("url", nargs="?", default="", help="of the CSMS, without the identity; without it a small CSMS is started")
    add("--ocpp", choices=tuple(VERSIONS), default="2.0.1", help="version (default 2.0.1)")
    add("--count", type=int, default=default.count, metavar="N", help=f"stations (default {default.count})")
    add("--ramp", type=float, default=default.ramp, metavar="N", help="stations a second (default 50; 0: all at once)")
    add("--identity", type=_pattern, default=default.identity, help="pattern (default fleet-{n:05d})")
    add("--profile", type=int, choices=(0, 1, 2, 3), default=None, help="security profile (default 0, with wss:// 2)")
    add("--password", type=_pattern, default="", help="pattern, for the profiles 1 and 2")
    add("--root", type=_file, default="", metavar="FILE", help="root of the CSMS (default: those of the system)")
    add("--certificate", type=_file, default="", metavar="FILE", help="pattern: the chain of a station, for profile 3")
    add("--key", type=_file, default="", metavar="FILE", help="pattern: its key")
    add("--duration-s", type=float, default=default.duration_s, metavar="S", help="after the ramp (default 60)")
    add("--charging-s", type=float, default=default.charging_s, metavar="S", help="default 30; 0: remote starts only")
    add("--pause-s", type=float, default=default.pause_s, metavar="S", help="longest time between two cars (default 5)")
    add("--sample-s", type=int, default=default.sample_s, metavar="S", help="time between meter values (default 10)")
    add("--power", type=_power, default=default.power, metavar="W", help="in W, or steps S:W,S:W (default 11000)")
    add("--token", type=_pattern, default=default.token, help="pattern (default FLEET{n:05d})")
    add(
        "--outage",
        type=_outage,
        action="append",
        default=[],
        metavar="AT:FOR",
        help="no network from AT s after the ramp, FOR s",
    )
    add("--processes", type=int, default=0, metavar="N", help=f"default: one for {STATIONS_A_PROCESS} stations")
    add("--seed", type=int, default=1, help="of the times at which cars come")
    add("--json", action="store_true", help="print the summary as JSON, and nothing else")
    return result


def parse(words: list[str] | None = None) -> tuple[argparse.Namespace, Options]:
    """Read the command line; ends the process with status 2 where it is wrong."""
    description = parser()
    given = description.parse_args(words)
    profile = given.profile if given.profile is not None else (2 if given.url.startswith("wss://") else 0)
    for wrong, text in (
        (not 1 <= given.count <= MOST_STATIONS, f"--count is 1 to {MOST_STATIONS}"),
        (given.duration_s <= 0 or given.charging_s < 0 or given.pause_s < 0, "times are not negative"),
        (given.sample_s < 1, "--sample-s is 1 at least"),
        (bool(given.url) and not given.url.startswith(("ws://", "wss://")), "the URL begins with ws:// or wss://"),
        (profile in (1, 2) and not given.password, f"security profile {profile} needs --password"),
        (profile == 3 and not (given.certificate and given.key), "security profile 3 needs --certificate and --key"),
        (not given.url and profile > 0, "the small CSMS has security profile 0 only: give a URL"),
        (given.count > 1 and "{n" not in given.identity, "--identity needs {n}: stations are known by it"),
    ):
        if wrong:
            description.error(text)
    return given, Options(
        version=VERSIONS[given.ocpp],
        url=given.url,
        count=given.count,
        ramp=given.ramp,
        identity=given.identity,
        security_profile=profile,
        password=given.password,
        root=given.root,
        certificate=given.certificate,
        key=given.key,
        duration_s=given.duration_s,
        charging_s=given.charging_s,
        pause_s=given.pause_s,
        sample_s=given.sample_s,
        power=given.power,
        outages=tuple(given.outage),
        token=given.token,
        seed=given.seed,
    )
