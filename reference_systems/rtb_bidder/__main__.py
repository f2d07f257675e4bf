"""``python -m reference_systems.rtb_bidder``."""

import sys

from reference_systems.rtb_bidder.cli import main

sys.exit(main())
