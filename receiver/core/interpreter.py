"""How child processes start our own modules."""

import sys

OUR_PYTHON = (sys.executable, "-P", "-m")
"""Append a module. -P keeps the current folder from standing first on the path: a user's own folder `workers`
must not be taken for ours. The workers add the current folder themselves, for handlers."""
