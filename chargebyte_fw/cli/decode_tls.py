"""Has tshark decrypt the TLS connections in a capture: for `secc decode --keys`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.modules.v2g.capture.files import CaptureError
from chargebyte_fw.modules.v2g.capture.packets import endpoint
from chargebyte_fw.modules.v2g.capture.sniffed import Decrypted

FIELDS = (
    "frame.number",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "data.data",
)
LIMIT_S = 300.0
"""Longest run of tshark; a capture of a day takes seconds."""


def decrypt(source: str, keys: str) -> Decrypted:
    """Return what tshark decrypts of a capture file with a key log; raises CaptureError, OSError."""
    program = shutil.which("tshark")
    if program is None:
        raise CaptureError(source, "tshark is needed to decrypt TLS, and is not installed (Debian: apt install tshark)")
    for path in (source, keys):
        # A name that begins with a hyphen is no file for tshark, and none that is there can be meant otherwise.
        with Path(path).open("rb"):
            pass
    command = [program, "-n", "-r", str(Path(source).absolute()), "-o", f"tls.keylog_file:{Path(keys).absolute()}"]
    command += ["-Y", "tls && data.data", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    command += [part for field in FIELDS for part in ("-e", field)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, errors="replace")
    except subprocess.TimeoutExpired:
        raise CaptureError(source, f"tshark did not end within {LIMIT_S:.0f} s") from None
    found = _parse(done.stdout)
    if done.returncode and not found.octets:
        reason = text_lines(done.stderr.strip())[-1:] or [f"exit status {done.returncode}"]
        raise CaptureError(source, f"tshark cannot read it: {reason[0]}")
    return found


def _parse(output: str) -> Decrypted:
    octets: dict[int, bytes] = {}
    connections = set()
    for line in text_lines(output):
        fields = line.split("\t")
        if len(fields) != len(FIELDS):
            continue
        number, ip4, ip6, port, to_ip4, to_ip6, to_port, data = fields
        try:
            octets[int(number)] = bytes.fromhex(data.replace(",", "").replace(":", ""))
            ends = endpoint(ip4 or ip6, int(port)), endpoint(to_ip4 or to_ip6, int(to_port))
        except ValueError:
            continue  # packets in packets have several addresses: no car does this
        connections.add(frozenset(ends))
    return Decrypted(octets, frozenset(connections))
