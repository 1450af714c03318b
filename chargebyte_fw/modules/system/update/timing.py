"""How long the parts of an update may take, and how often they are tried."""

from __future__ import annotations

REPLY_FIRST_S = 0.1
"""The work begins this long after the answer, so that no status overtakes it."""
CLOCK_LOOK_S = 60.0
"""While a time of day is awaited the clock is looked at this often, because it may be set."""
RESUME_PAUSE_S = 1.0
"""The least pause between two tries."""
PROGRESS_BYTES = 64 << 10
"""A try that came less further than this has failed."""
DOWNLOAD_LIMIT_S = 24 * 3600.0
"""All tries together, in one run of the process."""
INSTALL_PAUSE_S = 5.0
"""The pause before an interrupted installation begins again."""
INSTALL_TRIES = 3
"""An installation that was interrupted (RAUC gone, power cut) is begun this often in all."""
REBOOT_DELAY_S = 5.0
"""Between `InstallRebooting` and the reboot, so that the status gets out."""
REBOOT_LIMIT_S = 120.0
"""A reboot that has not come by then has failed."""
BOOT_LOOK_S = 5.0
"""While RAUC does not answer after a start, it is asked this often..."""
BOOT_LIMIT_S = 600.0
"""...and this long; then the update counts as failed."""
IDLE_LOOK_S = 1.0
"""While another program installs (a USB stick), RAUC is asked this often whether it is free."""
INSTALL_LIMIT_S = 3600.0
"""RAUC may work this long on one bundle."""
