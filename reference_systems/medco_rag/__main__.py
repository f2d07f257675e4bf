"""Run the command line."""

import sys

from reference_systems.medco_rag.cli import main

sys.exit(main())
