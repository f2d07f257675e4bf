"""``python -m reference_systems.resume_screener``."""

from __future__ import annotations

import sys

from reference_systems.resume_screener.cli import main

if __name__ == "__main__":
    sys.exit(main())
