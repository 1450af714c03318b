"""What goes into a log archive: files and folders of the root, and commands whose output shows the machine's state."""

from __future__ import annotations

FILES = (
    "/etc/everest/config.yaml",
    "/etc/everest/user-config/config.yaml",
    "/etc/everest/charger_info.yaml",
    "/etc/everest/ocpp-config.json",
    "/usr/share/secc/VERSION",
    "/etc/os-release",
)
FOLDERS = ("/tmp/everest_ocpp_logs", "/var/lib/everest/ocpp16", "/var/lib/secc/traces", "/var/log/everest")
"""Logs: their files count only when they changed within the time that is asked for."""

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("date", "--iso-8601=seconds"),
    ("uptime",),
    ("uname", "-a"),
    ("timedatectl", "status", "--no-pager"),
    ("df", "-h"),
    ("free", "-k"),
    ("cat", "/proc/meminfo"),
    ("ps", "-ef"),
    ("dmesg",),
    ("lsmod",),
    ("lsblk", "-a"),
    ("blkid",),
    ("lsusb",),
    ("ip", "address"),
    ("ip", "route"),
    ("ip", "-statistics", "link"),
    ("ss", "-tulpn"),
    ("cat", "/etc/resolv.conf"),
    ("ethtool", "eth1"),
    ("ethtool", "-S", "eth1"),
    ("ethtool", "eth2"),
    ("plctool", "-i", "eth1", "-r"),
    ("plcstat", "-i", "eth1", "-t"),
    ("fw_printenv",),
    ("rauc", "status", "--detailed"),
    ("gpioinfo",),
    ("cat", "/sys/kernel/debug/gpio"),
    ("cat", "/sys/kernel/debug/pwm"),
    ("ls", "-l", "/dev/serial", "/sys/class/tty", "/sys/bus/iio/devices"),
    ("cat", "/proc/tty/driver/fsl-lpuart"),
    ("ls", "-lR", "/etc/everest/certs", "/usr/libexec/everest/modules"),
    ("md5sum", "/sys/firmware/fdt"),
    ("i2cdetect", "-l"),
    ("mmc", "extcsd", "read", "/dev/mmcblk0"),
    ("systemctl", "status", "--no-pager", "--all"),
    # Before NTP a clock may be years off: the lines of this boot then lie outside of the time that is asked for.
    ("journalctl", "--no-pager", "--utc", "--boot", "--lines=2000"),
    ("mosquitto_sub", "-h", "localhost", "-t", "#", "-v", "-W", "1"),
)

JOURNAL = ("journalctl", "--no-pager", "--utc", "--lines=50000")
"""Gets `--since` and `--until` of the request."""
