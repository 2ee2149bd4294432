"""Prints a YAML or HCL file as JSON, for tests that have no parser of their own."""

import json
import sys
from pathlib import Path


def read(path: Path) -> object:
    if path.suffix == ".tf":
        import hcl2

        with path.open() as file:
            return hcl2.load(file)
    import yaml

    return yaml.safe_load(path.read_text())


json.dump(read(Path(sys.argv[1])), sys.stdout)
