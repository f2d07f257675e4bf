"""``python -m reference_systems.factory_edge_qc``."""

import sys

from reference_systems.factory_edge_qc.cli import main

sys.exit(main())
