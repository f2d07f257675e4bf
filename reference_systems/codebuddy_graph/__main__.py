"""``python -m reference_systems.codebuddy_graph COMMAND …``."""

from __future__ import annotations

import sys

from reference_systems.codebuddy_graph.cli import main

if __name__ == "__main__":
    sys.exit(main())
