"""`secc car`: let the virtual car charge at any charger on a network interface, another make's on a bench included."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import not_negative, percent, positive
from chargebyte_fw.cli.table import pairs, paragraph
from chargebyte_fw.cli.text import existing_folder

if TYPE_CHECKING:
    from chargebyte_fw.sim.car_at_charger import Course
    from chargebyte_fw.sim.car_models import Model
    from chargebyte_fw.sim.pilot import Pilot

EPILOG = """examples:
  secc car --interface plc0 --protocol iso20-dc --rig my-bench.yaml        SLAC, pilot by the rig's inlet box
  secc car --interface eth0 --no-slac --protocol iso2 --charge-s 60        over Ethernet, pilot by hand
  secc car --interface eth0 --no-slac --protocol iso20-dc --tls require --keys pki --payment contract
  secc car --interface eth0 --no-slac --keys pki --tls require --wrong expired --expect refused
  secc car --interface eth0 --no-slac --misbehave late:PowerDeliveryReq:3

exit status: 0 the car charged and the session ended as agreed (with --expect refused: the charger refused it);
1 it did not, or the interface cannot be used; 2 called wrongly. Test keys: secc certs make-test-pki DIR."""
LOOPS = ("CurrentDemand", "ChargingStatus", "ChargeLoop")
"""Messages of charge loops: the first of each is printed, and how many there were."""
GROUP = "chargebyte_fw.commands"
START_S = 90.0
"""What a session may take beside the charge loop and a pause."""
SLOWEST = 5


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "car",
        help="let the virtual car charge at a charger on a network interface",
        description=__doc__.partition(": ")[2],
        epilog=EPILOG,
    )
    parser.add_argument("--interface", required=True, metavar="IF", help="where the charger is")
    parser.add_argument("--no-slac", action="store_true", help="no powerline modem: SDP at once")
    pilot = parser.add_mutually_exclusive_group()
    pilot.add_argument("--rig", metavar="RIG", help="the rig file whose inlet box is the car's pilot (docs/hil.md)")
    pilot.add_argument(
        "--duty-percent", type=percent, default=5.0, metavar="P", help="pilot by hand: what the charger drives (5)"
    )
    car = parser.add_argument_group("the car")
    car.add_argument(
        "--protocol", default="iso2", metavar="NAME", help="iso2, iso2-ac, din, iso20-dc, iso20-ac-der, ..."
    )
    car.add_argument("--control-mode", choices=("Scheduled", "Dynamic"), default="", help="of ISO 15118-20")
    car.add_argument(
        "--parking", choices=("in", "out", "both"), default="", help="check in and out (ISO 15118-20, parking status)"
    )
    car.add_argument("--battery-kWh", type=positive, default=60.0, metavar="E", help="capacity (60)")
    car.add_argument("--soc-percent", type=percent, default=30.0, metavar="P", help="where it begins (30)")
    car.add_argument(
        "--battery-V", type=positive, default=None, metavar="V", help="voltage of the battery, or of the load"
    )
    keys = parser.add_argument_group("TLS and Plug and Charge")
    keys.add_argument("--tls", choices=("none", "offer", "require"), default="none", help="default: none")
    keys.add_argument(
        "--keys", type=existing_folder, metavar="DIR", help="the car's certificates, or what make-test-pki has made"
    )
    keys.add_argument("--wrong", default="", metavar="KIND", help="expired, revoked, early, wrong, oversized contract")
    keys.add_argument("--payment", choices=("auto", "external", "contract"), default="auto", help="how it pays (auto)")
    keys.add_argument(
        "--contract", choices=("missing", "always", "update", "never"), default="missing", help="when to ask for one"
    )
    what = parser.add_argument_group("what it does")
    what.add_argument("--charge-s", type=not_negative, default=30.0, metavar="S", help="in the charge loop (30)")
    what.add_argument(
        "--pause-s", type=not_negative, default=0.0, metavar="S", help="pause in between and take the session up"
    )
    what.add_argument("--script", metavar="COMMANDS", help="EvManager's command language in place of all that")
    what.add_argument(
        "--misbehave", action="append", default=[], metavar="KIND:REQUEST", help="break a rule on purpose"
    )
    what.add_argument("--expect", choices=("charged", "refused"), default="charged", help="what is the good verdict")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run one session; exit status 0 where the verdict is the expected one."""
    import asyncio

    from chargebyte_fw.sim.script import ScriptError

    try:
        model = _model(arguments)
        return asyncio.run(_drive(arguments, model))
    except (ScriptError, ValueError) as error:
        print(f"secc car: {error}", file=sys.stderr)
        return 2


def _model(arguments: argparse.Namespace) -> Model:
    """Return the car that the command line describes; raises ValueError, Unavailable."""
    from chargebyte_fw.kernel.names import nearest
    from chargebyte_fw.modules.v2g.evcc import KeyStore, misbehaviour
    from chargebyte_fw.sim.car_keys import read_keys
    from chargebyte_fw.sim.car_models import PROTOCOLS, Model

    if not PROTOCOLS.get(arguments.protocol):
        spoken = [name for name, protocols in PROTOCOLS.items() if protocols]
        hint = nearest(arguments.protocol, spoken) or f"known: {', '.join(spoken)}"
        raise ValueError(f"--protocol {arguments.protocol} is no protocol of the car ({hint})")
    if arguments.wrong and arguments.keys is None:
        raise ValueError("--wrong chooses among the cars of --keys")
    wrong = tuple(misbehaviour.read(text) for text in arguments.misbehave)
    for one in wrong:
        _require_request(one.request)
    if arguments.payment == "contract" and arguments.tls == "none":
        raise ValueError("--payment contract needs --tls offer or require")
    return Model(
        arguments.protocol,
        arguments.battery_kWh,
        arguments.soc_percent,
        100.0,
        tls=arguments.tls,
        payment=arguments.payment,
        install_contract=arguments.contract,
        control_mode=arguments.control_mode,
        parking=arguments.parking,
        keys=KeyStore() if arguments.keys is None else read_keys(arguments.keys, arguments.wrong),
        misbehaviours=wrong,
        battery_V=arguments.battery_V,
    )


def _require_request(name: str) -> None:
    """Raise ValueError for the name of a request that no protocol has: the rule would hold for none."""
    if not name:
        return
    from chargebyte_fw.kernel.names import nearest
    from chargebyte_fw.modules.v2g.messages import din, iso2, iso20_ac, iso20_ac_der_iec, iso20_common, iso20_dc

    sets = (din, iso2, iso20_common, iso20_dc, iso20_ac, iso20_ac_der_iec)
    known = sorted({one for messages in sets for one in vars(messages) if one.endswith("Req")})
    if name.casefold() not in {one.casefold() for one in known}:
        hint = nearest(name, known)
        raise ValueError(f"there is no request {name}" + (f" ({hint})" if hint else ""))


async def _drive(arguments: argparse.Namespace, model: Model) -> int:
    from chargebyte_fw.cli.interfaces import require_interface
    from chargebyte_fw.sim.car_at_charger import Drive, script
    from chargebyte_fw.sim.net_sockets import PacketPort, SocketNet

    printer = Printer()
    require_interface(arguments.interface)
    port = None if arguments.no_slac else PacketPort(arguments.interface)
    net = SocketNet(arguments.interface)
    pilot, leave = await _pilot(arguments, printer)
    commands = arguments.script
    if commands is None:
        commands = script(model, slac=not arguments.no_slac, charge_s=arguments.charge_s, pause_s=arguments.pause_s)
    limit_s = START_S * (2 if arguments.pause_s else 1) + 2 * arguments.charge_s + arguments.pause_s
    drive = Drive(model, pilot, port, net, printer)
    try:
        course = await drive.run(commands, limit_s)
    finally:
        await leave()
        net.close()
        if port is not None:
            port.close()
    printer.summary(course)
    return 0 if verdict(course, arguments.expect) else 1


async def _pilot(arguments: argparse.Namespace, printer: Printer) -> tuple[Pilot, Any]:
    """Return the pilot and what lets it go: of a rig, or worked by hand."""
    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.sim.car_at_charger import HandPilot

    async def nothing() -> None:
        return

    if arguments.rig is None:
        return HandPilot(arguments.duty_percent, printer.ask), nothing
    from importlib.metadata import entry_points

    found = entry_points(group=GROUP, name="inlet")
    if not found:
        raise Unavailable("--rig needs the rig's package (hil), which is not installed beside chargebyte_fw")
    pilot, leave = await next(iter(found)).load()(arguments.rig)
    return pilot, leave


def verdict(course: Course, expected: str) -> bool:
    """Return whether the course is what was expected: a charge that ended as agreed, or a refusal."""
    if expected == "refused":
        return bool(course.failure)
    return course.charged and bool(course.ended) and not course.failure


class Printer:
    """Prints the course, a line an event, and the verdict."""

    def __init__(self) -> None:
        import time

        self._time = time.monotonic
        self._began_s = time.monotonic()
        self._loops: set[str] = set()

    def __call__(self, message: str) -> None:
        """Print one message; of a charge loop only the first of each kind."""
        if any(loop in message for loop in LOOPS):
            name = " ".join(message.split()[:3])
            if name in self._loops:
                return
            self._loops.add(name)
        print(paragraph(f"{self._time() - self._began_s:8.2f}  {message}"), flush=True)

    def ask(self, what: str) -> None:
        """Ask the person at the pilot for something."""
        self(f"▶ by hand: {what}")

    def summary(self, course: Course) -> None:
        """Print what was agreed, the slowest responses, and the verdict."""
        numbers = course.numbers
        speaks = numbers.get("speaks") or "no protocol"
        tls = f"TLS {numbers['tls_version']}" if numbers.get("tls_version") else "no TLS"
        back = f", {numbers['discharged_Wh']:.1f} Wh of it back" if numbers.get("discharged_Wh") else ""
        rows = [
            ("agreed", f"{speaks}, {tls}, {numbers.get('service') or 'no service by name'}"),
            ("paid by", f"{numbers.get('identity') or 'not authorized'}{_price(numbers)}"),
            ("energy", f"{numbers.get('energy_Wh', 0.0):.1f} Wh into the car{back}"),
        ]
        slowest = sorted(course.responses.items(), key=lambda one: -one[1].slowest_s)[:SLOWEST]
        if slowest:
            times = ", ".join(f"{name} {one.slowest_s * 1000:.0f} ms" for name, one in slowest)
            rows.append(("slowest", times))
        if course.failure:
            verdict = f"failed at '{course.step}': {course.failure}"
        elif not course.charged:
            verdict = f"did not charge: got to '{course.step}'"
        else:
            verdict = f"charged; session {course.ended or 'not ended'}"
        print()
        print(pairs([*rows, ("verdict", verdict)]))


def _price(numbers: dict[str, Any]) -> str:
    if numbers.get("price_per_kWh") is not None:
        return f", {numbers['price_per_kWh']:g} {numbers['currency']}/kWh"
    return "" if numbers.get("price_level") is None else f", price level {numbers['price_level']}"
