"""`python -m hil.drivers.far_cable PID`: lay the virtual cable from the namespace that this runs in to that of PID."""

from __future__ import annotations

import sys

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.sim.net_cable import lay_cable


def main() -> int:
    """Lay it; exit status 1 with the reason when it is refused."""
    try:
        lay_cable(int(sys.argv[1]))
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
