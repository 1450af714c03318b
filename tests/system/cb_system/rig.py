"""A private D-Bus and a real RAUC with slots that are files; keys and bundles made on the spot."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

COMPATIBLE = "Charge SOM of the tests"
SLOT_BYTES = 2 << 20
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PROGRAMS = ("rauc", "dbus-daemon", "mksquashfs", "mkfs.ext4")


def missing() -> str:
    """What this machine lacks for a real installation, empty when it has everything."""
    lacking = [name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    if os.geteuid() != 0:
        return "RAUC mounts the bundle: root is needed"
    return "" if Path("/dev/loop-control").exists() else "RAUC mounts the bundle: there are no loop devices"


class Authority:
    """A self-signed authority and one certificate of it."""

    def __init__(
        self, folder: Path, name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None
    ) -> None:
        ca_key = ec.generate_private_key(ec.SECP256R1())
        self.key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA")])
        leaf_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        ca = certificate(ca_name, ca_name, ca_key.public_key(), ca_key, is_ca=True)
        leaf = certificate(leaf_name, ca_name, self.key.public_key(), ca_key)
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_path, self.certificate_path, self.key_path = (
            folder / f"{name}.{part}" for part in ("ca", "crt", "key")
        )
        self.pem = leaf.public_bytes(serialization.Encoding.PEM).decode()
        self.ca_path.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        self.certificate_path.write_text(self.pem)
        self.key_path.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def sign(self, data: bytes, salt_length: int = 32) -> bytes:
        """The signature that an OCPP request carries."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length)
            return self.key.sign(data, pss, hashes.SHA256())
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


def certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    is_ca: bool = False,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> x509.Certificate:
    """Make a certificate, valid from yesterday for a year unless told otherwise."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or now - timedelta(days=1))
        .not_valid_after(ends or now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def make_bundle(folder: Path, name: str, signer: Authority, compatible: str = COMPATIBLE, version: str = "9.9") -> Path:
    """Make a signed plain bundle with one ext4 image (verity needs a device mapper, which not every machine has)."""
    content, files = folder / f"{name}-content", folder / f"{name}-files"
    for each in (content, files):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir(parents=True)
    (files / "firmware").write_bytes(os.urandom(300_000))
    image = content / "rootfs.ext4"
    run("mkfs.ext4", "-q", "-F", "-d", str(files), str(image), f"{SLOT_BYTES // 1024}k")
    (content / "manifest.raucm").write_text(
        f"[update]\ncompatible={compatible}\nversion={version}\n[bundle]\nformat=plain\n"
        "[image.rootfs]\nfilename=rootfs.ext4\n"
    )
    bundle = folder / f"{name}.image"
    bundle.unlink(missing_ok=True)
    signing = ("--cert", str(signer.certificate_path), "--key", str(signer.key_path))
    run("rauc", *signing, "--keyring", str(signer.ca_path), "bundle", str(content), str(bundle))
    return bundle


def image_of(bundle: Path) -> bytes:
    """The image that `make_bundle` put into the bundle."""
    return (bundle.parent / f"{bundle.stem}-content" / "rootfs.ext4").read_bytes()


def run(*command: str) -> str:
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


BACKEND = """#!/bin/sh
# A boot loader whose environment is a folder: `primary`, `state.A`, `state.B`.
cd "{folder}" || exit 1
case "$1" in
get-primary) cat primary ;;
set-primary)
  # By now the bundle's hook has copied /var/lib/everest into the new slot.
  rm -rf copied; cp -a "{state}/var/lib/everest" copied
  touch reached-activate; while [ -e gate-activate ]; do sleep 0.02; done
  echo "$2" > primary; echo good > "state.$2" ;;
get-state) cat "state.$2" ;;
set-state) echo "$3" > "state.$2" ;;
get-current) cat booted ;;
esac
"""

HANDLER = """#!/bin/sh
# Installing stops here as long as the gate is closed; the first line tells that it has come here.
touch "{folder}/reached-{name}"
while [ -e "{folder}/gate-{name}" ]; do sleep 0.02; done
"""


class Board:
    """Two slots, the boot loader's environment, the bus and RAUC. `state` is the root of the charger's files."""

    def __init__(self, folder: Path, keyring: Path, state: Path) -> None:
        self.folder, self.state = folder, state
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={folder}/bus"}
        self._bus: subprocess.Popen[bytes] | None = None
        self._rauc: subprocess.Popen[bytes] | None = None
        for slot in "AB":
            (folder / f"slot.{slot}").write_bytes(bytes(SLOT_BYTES))
            (folder / f"state.{slot}").write_text("good\n")
        (folder / "primary").write_text("A\n")
        (folder / "booted").write_text("A\n")
        (folder / "mount").mkdir(exist_ok=True)
        self._script("backend", BACKEND.format(folder=folder, state=state))
        for name in ("pre", "post"):
            self._script(f"{name}-install", HANDLER.format(folder=folder, name=name))
        (folder / "system.conf").write_text(
            f"[system]\ncompatible={COMPATIBLE}\nbootloader=custom\nstatusfile={folder}/status\n"
            f"mountprefix={folder}/mount\n[keyring]\npath={keyring}\n"
            f"[handlers]\nbootloader-custom-backend={folder}/backend\n"
            f"pre-install={folder}/pre-install\npost-install={folder}/post-install\n"
            f"[slot.rootfs.0]\ndevice={folder}/slot.A\ntype=ext4\nbootname=A\n"
            f"[slot.rootfs.1]\ndevice={folder}/slot.B\ntype=ext4\nbootname=B\n"
        )
        (folder / "bus.conf").write_text(
            '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"'
            ' "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">\n'
            f"<busconfig><type>system</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth>"
            '<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>'
            '<allow user="*"/></policy></busconfig>\n'
        )

    def _script(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    # --- services

    def start_bus(self) -> None:
        command = ["dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork", "--nopidfile"]
        self._bus = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until(lambda: (self.folder / "bus").exists())

    def start_rauc(self) -> None:
        log = (self.folder / "rauc.log").open("ab")
        slot = (self.folder / "booted").read_text().strip()
        command = ["rauc", "-c", f"{self.folder}/system.conf", f"--override-boot-slot={slot}", "service"]
        self._rauc = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment, start_new_session=True)
        log.close()
        ask = ["rauc", "status", "--output-format=json"]
        self._wait_until(
            lambda: subprocess.run(ask, capture_output=True, env=self.environment, check=False).returncode == 0
        )

    def stop_bus(self) -> None:
        assert self._bus is not None
        self._bus.kill()
        self._bus.wait()
        self._bus = None

    def kill_rauc(self) -> None:
        assert self._rauc is not None
        os.killpg(self._rauc.pid, signal.SIGKILL)
        self._rauc.wait()
        self._rauc = None
        self.unmount()

    def unmount(self) -> None:
        """A killed RAUC leaves the bundle mounted; the next boot would begin without it."""
        for line in Path("/proc/mounts").read_text().splitlines():
            if line.split()[1].startswith(f"{self.folder}/mount"):
                subprocess.run(["umount", "-l", line.split()[1]], check=False)

    def stop(self) -> None:
        for gate in self.folder.glob("gate-*"):
            gate.unlink()
        for process in (self._rauc, self._bus):
            if process is not None:
                process.terminate()
                process.wait(10)
        self.unmount()

    # --- what happens to the board

    def close_gate(self, name: str) -> None:
        (self.folder / f"gate-{name}").touch()

    def open_gate(self, name: str) -> None:
        (self.folder / f"gate-{name}").unlink()

    def reached(self, name: str) -> bool:
        return (self.folder / f"reached-{name}").exists()

    def boot(self, slot: str | None = None) -> None:
        """Power off and on: the boot loader takes the primary slot (or the one that is given, as after a fall-back)."""
        if self._rauc is not None:
            self._rauc.terminate()
            self._rauc.wait(10)
        self.unmount()
        primary = slot or self.primary
        old = (self.folder / "booted").read_text().strip()
        (self.folder / "booted").write_text(f"{primary}\n")
        boots = self.state / "proc/sys/kernel/random"
        boots.mkdir(parents=True, exist_ok=True)
        (boots / "boot_id").write_text(os.urandom(8).hex())
        if primary != old:
            # The other slot has its own /var/lib/everest.
            shutil.rmtree(self.state / "var/lib/everest")
            shutil.copytree(self.folder / "copied", self.state / "var/lib/everest")
        self.start_rauc()

    @property
    def primary(self) -> str:
        return (self.folder / "primary").read_text().strip()

    def slot(self, name: str) -> bytes:
        return (self.folder / f"slot.{name}").read_bytes()

    def _wait_until(self, ready: object) -> None:
        for _ in range(200):
            if ready():  # type: ignore[operator]
                return
            time.sleep(0.05)
        raise AssertionError(f"did not come up: {(self.folder / 'rauc.log').read_text()[-2000:]}")


@contextmanager
def board(folder: Path, keyring: Path, state: Path) -> Iterator[Board]:
    """A board that runs, and is taken down at the end."""
    it = Board(folder, keyring, state)
    try:
        it.start_bus()
        it.start_rauc()
        yield it
    finally:
        it.stop()
