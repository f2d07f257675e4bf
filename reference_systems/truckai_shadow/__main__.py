"""``python -m reference_systems.truckai_shadow``."""

import sys

from reference_systems.truckai_shadow.cli import main

sys.exit(main())
