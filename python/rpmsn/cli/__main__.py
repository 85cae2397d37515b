# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m rpmsn.cli`."""

import sys

from .main import main

sys.exit(main())
