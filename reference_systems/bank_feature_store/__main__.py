"""``python -m reference_systems.bank_feature_store``."""

import sys

from reference_systems.bank_feature_store.cli import main

sys.exit(main())
