"""Runs the Enclave of app.py as a container would, on this machine: `start`, then `stop` when standard input ends.

What a container has and this machine has not is replaced: the users, the place of the files, and the port of the model.
"""

import sys
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "modal"))

worker_file, weights, worker_port, engine_port = sys.argv[1:5]

import sotto_engine  # noqa: E402

sotto_engine.worker_file = worker_file
sotto_engine.worker_port = int(worker_port)
sotto_engine.engine_port = int(engine_port)

import app  # noqa: E402

app.folder = PurePosixPath(weights)
app.worker_user = None
app.engine_user = None

user_class = app.Enclave._get_user_cls()
enclave = user_class.__new__(user_class)
# The decorated methods are the SDK's; what it calls in a container is below them.
from modal._partial_function import _find_callables_for_obj, _PartialFunctionFlags  # noqa: E402

for hook in _find_callables_for_obj(enclave, _PartialFunctionFlags.ENTER_POST_SNAPSHOT).values():
    hook()
print("started", flush=True)
sys.stdin.read()
for hook in _find_callables_for_obj(enclave, _PartialFunctionFlags.EXIT).values():
    hook()
print("stopped", flush=True)
