"""``python -m reference_systems.model_registry``."""

import sys

from reference_systems.model_registry.cli import main

sys.exit(main())
