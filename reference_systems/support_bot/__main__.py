"""``python -m reference_systems.support_bot``."""

import sys

from reference_systems.support_bot.cli import main

sys.exit(main())
