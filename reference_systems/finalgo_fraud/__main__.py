"""``python -m reference_systems.finalgo_fraud``: see ``cli``."""

import sys

from reference_systems.finalgo_fraud.cli import main

if __name__ == "__main__":
    sys.exit(main())
