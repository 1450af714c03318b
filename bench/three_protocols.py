"""`secc run` with every protocol and TLS: from the start to ready, and the memory once everything is loaded.

The shipped DC configuration with ISO 15118-20, on a store with the certificates of the test PKI; the codecs of every
protocol are compiled before the memory is measured, as they are before a car comes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from bench.bus import mosquitto
from bench.rows import Row, at_most, info
from bench.startup import charger, memory_MB

STARTS = 3
PASSWORD = "123456"
"""Of the shipped configuration."""
COMPILED_S = 12.0
"""By then the codecs are compiled."""
READY_S, MEMORY_MB = 1.5, 60
CODECS = """
import time
from chargebyte_fw.modules.v2g import signatures
from chargebyte_fw.modules.v2g.exi import codec
longest = whole = 0.0
for name in ("sap", "din", "iso2", "iso20_common", "iso20_dc", "iso20_ac", "iso20_ac_der_iec"):
    made = codec(name)
    for steps in (made.generate(), signatures.generate(name)):
        began = time.perf_counter()
        for _ in steps:
            took = time.perf_counter() - began
            longest, whole, began = max(longest, took), whole + took, time.perf_counter()
print(longest, whole)
"""
PKI = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from chargebyte_fw.modules.security.test_pki import make_test_pki
make_test_pki(Path(sys.argv[1]), now=datetime.now(UTC), password=sys.argv[2])
"""


def every_protocol(root: Path, pki: Path) -> None:
    """Give the charger below `root` ISO 15118-20 and certificates."""
    file = root / "etc/everest/bsp-only-dc.yaml"
    configuration = yaml.safe_load(file.read_text())
    configuration["active_modules"]["iso15118_charger"]["config_module"]["supported_ISO15118_20"] = True
    file.write_text(yaml.safe_dump(configuration, sort_keys=False))
    shutil.copytree(pki / "certs", root / "etc/everest/certs", dirs_exist_ok=True)


def of_second_openssl_MB(pid: int) -> float:
    """Return what the libraries of a second OpenSSL take: on a target Python and cryptography share one."""
    own: dict[str, int] = {}
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-", line):
            name = Path(line.split(maxsplit=5)[5]).name if len(line.split(maxsplit=5)) == 6 else ""
        elif line.startswith("Rss:"):
            own[name] = own.get(name, 0) + int(line.split()[1])
    if not any(name.startswith("_rust.") for name in own):
        raise RuntimeError("the charger has not loaded cryptography")
    libraries = [size for name, size in own.items() if name.startswith(("libcrypto.so", "libssl.so"))]
    # Without a wheel its module is small, and these libraries are the only ones.
    has_wheel = sum(size for name, size in own.items() if name.startswith("_rust.")) > max(libraries, default=0)
    return sum(libraries) / 1024 if has_wheel else 0.0


def rows() -> list[Row]:
    """Measure starts with byte code; let the last one load everything."""
    with mosquitto() as port, tempfile.TemporaryDirectory() as byte_code, tempfile.TemporaryDirectory() as made:
        pki = Path(made) / "pki"
        subprocess.run([sys.executable, "-c", PKI, str(pki), PASSWORD], check=True)

        def prepare(root: Path) -> None:
            every_protocol(root, pki)

        ready = []
        for _ in range(STARTS + 1):
            with charger(port, byte_code, prepare) as (_, seconds, _):
                ready.append(seconds)
        with charger(port, byte_code, prepare) as (process, *_):
            time.sleep(COMPILED_S)
            resident, proportional = (memory_MB(process.pid, kind) for kind in ("Rss", "Pss"))
            second_MB = of_second_openssl_MB(process.pid)
    done = subprocess.run([sys.executable, "-c", CODECS], check=True, capture_output=True, text=True)
    longest_s, whole_s = map(float, done.stdout.split())
    return [
        at_most(f"every protocol and TLS: process start to ready (best of {STARTS})", min(ready[1:]), "s", READY_S),
        at_most(
            "every protocol and TLS: resident memory, codecs compiled, one OpenSSL",
            resident - second_MB,
            "MB",
            MEMORY_MB,
            f"with Python's own and the one in the wheel of cryptography, as on a desk: {resident:.1f} MB",
        ),
        info("the same, proportional (PSS)", proportional, "MB"),
        info(
            "codecs compiled while no car is there: CPU", whole_s, "s", f"in steps of {longest_s * 1000:.0f} ms at most"
        ),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
