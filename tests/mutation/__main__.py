from __future__ import annotations

import sys

from tests.mutation.command import main

sys.exit(main())
