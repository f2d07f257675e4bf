"""``python -m reference_systems.cloud_bill``."""

import sys

from reference_systems.cloud_bill.cli import main

sys.exit(main())
