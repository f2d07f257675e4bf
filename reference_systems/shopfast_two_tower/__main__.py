"""``python -m reference_systems.shopfast_two_tower``."""

import sys

from reference_systems.shopfast_two_tower.cli import main

sys.exit(main())
