"""`secc decode`: the messages of cars and chargers, from frames in hex, JSON lines or capture files."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from chargebyte_fw.cli.outputs import output_file, write_text
from chargebyte_fw.cli.text import counted

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.capture.sniffed import Decrypted
    from chargebyte_fw.modules.v2g.capture.traffic import Item

EXAMPLES = """examples:
  secc decode 01fe80010000000480400040
  tcpdump -i any -w - | secc decode -
  secc decode session.pcapng --json | jq .message
  secc decode --check frames.jsonl
  secc decode session.pcap --picture session.svg
  secc decode session.pcapng --keys tls.keys      # TLS, with the key log of the charger or the car
"""
STDIN = "-"
PROTOCOLS = (
    "auto",
    "sap",
    "din",
    "iso2",
    "iso20_common",
    "iso20_ac",
    "iso20_ac_der_iec",
    "iso20_ac_der_sae",
    "iso20_dc",
    "iso20_wpt",
    "iso20_acdp",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "decode",
        help="decode V2G and SLAC messages",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "source",
        metavar="WHAT",
        nargs="?",
        default=STDIN,
        help="a frame in hex, or a file: pcap, pcapng, JSON lines with a `frame` each, lines of hex; each of them also "
        "compressed by gzip (default: stdin)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a message")
    parser.add_argument("--full", action="store_true", help="print every field on a line of its own")
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        default="auto",
        metavar="PROTOCOL",
        help="what the messages are of (default: as payload type and handshake say, or as they look); a set of "
        f"ISO 15118-20 is for payloads without a V2GTP header: {', '.join(PROTOCOLS)}",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="decode and encode again, tell each frame that is not the same then; exit status 1 if there is one",
    )
    parser.add_argument(
        "--picture", type=output_file, metavar="OUT.svg", help="draw the messages as a sequence between car and charger"
    )
    parser.add_argument(
        "--keys",
        metavar="FILE",
        help="key log of the TLS connections in a capture, as `tls_key_logging` writes it; tshark decrypts with it",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the messages; exit status 1 when something could not be read or is not the same again."""
    from chargebyte_fw.modules.v2g.capture.files import CaptureError
    from chargebyte_fw.modules.v2g.capture.reading import Reader

    reader = Reader(arguments.protocol)
    try:
        items = _items(arguments.source, arguments.keys)
        items = _counted(items, found := [0])
        if arguments.check:
            status = _check(items, reader)
        elif arguments.picture is not None:
            status = _draw(items, reader, arguments)
        else:
            status = _show(items, reader, arguments)
        if found[0] or status:
            return status
        name = "stdin" if arguments.source == STDIN else arguments.source
        print(f"secc decode: {name}: there is no V2G and no SLAC message in it", file=sys.stderr)
    except CaptureError as error:
        sys.stdout.flush()
        print(f"secc decode: {error}", file=sys.stderr)
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"secc decode: {error.filename or arguments.source}: {error.strerror}", file=sys.stderr)
    return 1


def _counted(items: Iterator[Item], found: list[int]) -> Iterator[Item]:
    for item in items:
        found[0] += 1
        yield item


def _show(items: Iterator[Item], reader: Any, arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.decode_view import JsonLines, Table

    view = JsonLines(reader) if arguments.json else Table(reader, arguments.full)
    for item in items:
        for line in view.lines(item):
            # A pipe from a running capture is read while it is written.
            print(line, flush=arguments.source == STDIN)
    return 1 if view.errors else 0


def _draw(items: Iterator[Item], reader: Any, arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.decode_picture import Picture

    picture = Picture(reader)
    try:
        for item in items:
            picture.take(item)
    finally:
        # Of a capture that breaks off, what came before.
        if picture.messages:
            name = "stdin" if arguments.source == STDIN else Path(arguments.source[:200]).name
            write_text(arguments.picture, picture.svg(name))
            print(f"{arguments.picture}: {counted(picture.messages, 'message')}")
    return 1 if picture.errors else 0


def _check(items: Iterator[Item], reader: Any) -> int:
    from chargebyte_fw.modules.v2g.capture.checking import Tally, check

    tally = Tally()
    try:
        for line in check(items, reader, tally):
            print(line)
    finally:
        print(f"{counted(tally.frames, 'frame')}, {counted(tally.mismatches, 'mismatch')}")
    return 1 if tally.mismatches else 0


def _items(source: str, keys: str | None) -> Iterator[Item]:
    """Return what an argument is; one that is no file is a frame in hex."""
    from chargebyte_fw.modules.v2g.capture.traffic import of_hex

    if keys is not None:
        yield from _of_tls(source, keys)
        return
    if source == STDIN:
        yield from _of_file(sys.stdin.buffer, "stdin")
        return
    # A long frame in hex cannot be the name of a file.
    if len(source) < 1024 and Path(source).exists():
        with Path(source).open("rb") as file:
            yield from _of_file(file, source)
        return
    if any(character not in "0123456789abcdefABCDEFxX:,;- \t\n" for character in source):
        raise FileNotFoundError(2, "is neither a file nor a frame in hex", source)
    yield of_hex(source, "argument")


def _of_tls(source: str, keys: str) -> Iterator[Item]:
    from chargebyte_fw.cli.decode_tls import decrypt

    decrypted = decrypt(source, keys)
    with Path(source).open("rb") as file:
        yield from _of_file(file, source, decrypted)


def _of_file(file: BinaryIO, name: str, decrypted: Decrypted | None = None) -> Iterator[Item]:
    from chargebyte_fw.modules.v2g.capture import compressed, files, sniffed, traffic

    stream = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", file))
    beginning = stream.peek(16)
    if beginning.startswith(compressed.MAGIC):
        unzipped = compressed.Unzipped(stream)
        yield from _of_file(cast("BinaryIO", io.BufferedReader(unzipped)), name, decrypted)
        if unzipped.damage:
            raise files.CaptureError(name, unzipped.damage)
        return
    if files.is_capture(beginning):
        yield from sniffed.of_capture(stream, name, decrypted)
        return
    if decrypted is not None:
        raise files.CaptureError(name, "this is no capture, which a key log needs")
    if beginning.strip()[:1] and not beginning.strip()[:1].isascii():
        raise files.CaptureError(f"{name}: octet 0", "this is no capture, no JSON and no hex")
    lines = io.TextIOWrapper(stream, "utf-8", errors="replace")
    if beginning.lstrip().startswith(b"{"):
        yield from traffic.of_json_lines(lines, name)
    else:
        yield from traffic.of_hex_lines(lines, name)
