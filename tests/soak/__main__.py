from __future__ import annotations

import sys

from tests.soak.command import main

sys.exit(main())
