"""Prints an HCL file as JSON, for tests that have no parser of their own."""

import json
import sys
from pathlib import Path

import hcl2

with Path(sys.argv[1]).open() as file:
    json.dump(hcl2.load(file), sys.stdout)
