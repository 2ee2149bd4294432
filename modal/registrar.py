"""The registrar on Modal: `modal deploy modal/registrar.py`. One container, always there, with its log on a volume.

Another host is better: `npm run registrar` runs anywhere. Here Modal and whoever owns the workspace hold its private
key too, so its statements say nothing that those two could not have written. The public log is the same in both places,
and `npm run registrar:audit` reads it.

Two containers overlap while a deployment replaces one, so a keeper is asked before a checkpoint is shown
(sotto_keeper.py): the container with the older history ends instead of signing a second one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import modal

from sotto_keeper import Keeper, read_deployment
from sotto_processes import Program
from sotto_settings import SettingError

try:
    deployment = read_deployment(os.environ)
except SettingError as error:
    sys.exit(f"sotto: {error}")

node_image = "node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6"
project = Path(__file__).resolve().parent.parent
port = 8789
keeper_port = 8790

app = modal.App("sotto-registrar")
volume = modal.Volume.from_name("sotto-registrar", create_if_missing=True)
roots = modal.Dict.from_name("sotto-registrar-roots", create_if_missing=True)
image = (
    modal.Image.from_registry(node_image, add_python="3.12")
    .workdir("/sotto")
    .add_local_file(project / "package.json", "/sotto/package.json", copy=True)
    .add_local_file(project / "package-lock.json", "/sotto/package-lock.json", copy=True)
    .add_local_dir(project / "pinned-node", "/sotto/pinned-node", copy=True)
    # Without node-llama-cpp's and pinned-node's scripts: Node is the image's, and there is no model here.
    .run_commands("npm ci --omit=dev --ignore-scripts")
    .add_local_dir(project / "crypto", "/sotto/crypto", copy=True)
    .add_local_dir(project / "process", "/sotto/process", copy=True)
    .add_local_dir(project / "registrar", "/sotto/registrar", copy=True)
    .add_local_python_source("sotto_keeper", "sotto_processes", "sotto_settings")
)


@app.server(
    image=image,
    env={"REGISTRAR_DEPLOYMENT": json.dumps(deployment, sort_keys=True)},
    secrets=[modal.Secret.from_name("sotto-registrar", required_keys=["REGISTRAR_KEYS"])],
    volumes={"/data": volume},
    cpu=0.5,
    memory=512,
    port=port,
    # Workers register with an identity token of Modal, and the log is public.
    unauthenticated=True,
    min_containers=1,
    max_containers=1,
    startup_timeout=120,
    exit_grace_period=10,
    enable_memory_snapshot=False,
)
class Registrar:
    """`node registrar/main.ts`, with a keeper beside it."""

    @modal.enter()
    def start(self) -> None:
        self.keeper = Keeper(
            commit=volume.commit,
            put=lambda size, root: roots.put(size, root, skip_if_exists=True),
            get=roots.get,
        ).listen(keeper_port)
        self.process = Program(
            command=["node", "--disable-sigusr1", "registrar/main.ts"],
            environment={
                "PATH": os.environ["PATH"],
                "NODE_ENV": "production",
                "REGISTRAR_HOST": "0.0.0.0",
                "REGISTRAR_PORT": str(port),
                # Modal ends TLS in front of the container.
                "REGISTRAR_BEHIND_PROXY": "yes",
                "REGISTRAR_DATA_DIR": "/data/registrar",
                "REGISTRAR_COMMIT_URL": f"http://127.0.0.1:{keeper_port}/",
                "REGISTRAR_KEYS": os.environ["REGISTRAR_KEYS"],
                **deployment,
            },
            folder="/sotto",
        ).start()

    @modal.exit()
    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.keeper.shutdown()
        # Every checkpoint that was shown is on the volume already; what a registrar leaves that ended by itself, as
        # after a fork, must not be written over it.
        if self.process.returncode == 0:
            volume.commit()
