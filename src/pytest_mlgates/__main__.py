"""``python -m pytest_mlgates`` is the ``mlgates`` command."""

import sys

from pytest_mlgates.cli import main

sys.exit(main())
