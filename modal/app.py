"""Sotto's enclave on Modal: the worker and vLLM in one container, from none to many of them.

    npm run build:worker
    modal run modal/download.py      # fills the weights volume, and alone holds the Hugging Face token
    modal deploy modal/app.py

modal/README.md has the account, the secrets, every setting and what it costs. Written against Modal SDK 1.6.4, in which
@app.server() and @modal.sessioned() are: a session's token always reaches the same container, so the relay can bring a
request to the very enclave that it was sealed to.
"""

import os
import sys
from pathlib import Path

import modal

from sotto_engine import (
    engine_command,
    engine_environment,
    engine_user,
    read_adapter_rank,
    weights_mount,
    worker_command,
    worker_environment,
    worker_file,
    worker_port,
    worker_user,
)
from sotto_processes import Pair, Program, exit_grace_seconds, read_identity_token
from sotto_settings import SettingError, check_evidence, read_settings
from sotto_weights import folder_name, manifest_name

# vLLM 0.30.0, and the Node that the worker is built with. By digest: a tag can be moved.
vllm_image = "vllm/vllm-openai:v0.30.0@sha256:8a69ffad015f138d7170c4ddc429e230a3bc1c1719f67e14324749df200a4b90"
node_image = "node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6"
# In a container this file lies alone beside the sotto_ files: only a deployer has the project around it.
built_worker = Path(__file__).resolve().parent.parent / "enclave-worker" / "dist" / "worker.mjs"
own_modules = ("sotto_engine", "sotto_processes", "sotto_settings", "sotto_weights")

try:
    settings = read_settings(os.environ)
    check_evidence(settings)
    if modal.is_local() and not built_worker.is_file():
        raise SettingError("enclave-worker/dist/worker.mjs is not there: run `npm run build:worker` first.")
except SettingError as error:
    sys.exit(f"sotto: {error}")

app = modal.App(settings.app)
# One dict for every function: a container reads the same settings again, and so declares the same objects.
environment = settings.environment()
folder = weights_mount / folder_name(
    settings.model, settings.model_revision, settings.adapter, settings.adapter_revision
)
volume = modal.Volume.from_name(settings.volume, create_if_missing=True)

enclave_image = (
    modal.Image.from_registry(vllm_image, add_python="3.12")
    # The image's own entry point is `vllm serve`.
    .entrypoint([])
    .dockerfile_commands(
        f"COPY --from={node_image} /usr/local/bin/node /usr/local/bin/node",
        f"RUN useradd --uid 2001 --no-create-home --shell /usr/sbin/nologin {worker_user} && node --version",
    )
    .add_local_file(built_worker, worker_file, copy=True)
    .add_local_python_source(*own_modules)
)


@app.function(
    image=modal.Image.debian_slim(python_version="3.12").add_local_python_source(*own_modules),
    env=environment,
    cpu=0.25,
    memory=256,
    timeout=60,
    retries=0,
)
def where() -> dict[str, str]:
    """The ids that a registrar checks, out of this container's own identity token; the token itself stays here."""
    import base64
    import json

    claims = read_identity_token(os.environ).split(".")[1]
    read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return {name: str(read[name]) for name in ("workspace_id", "environment_id", "app_id")}


@app.server(
    image=enclave_image,
    env=environment,
    secrets=[modal.Secret.from_name(settings.enclave_secret, required_keys=["ENCLAVE_TOKEN"])],
    volumes={str(weights_mount): volume.with_mount_options(read_only=True)},
    gpu=settings.gpu,
    cpu=float(settings.cpu),
    memory=settings.memory_mib,
    port=worker_port,
    # Only who holds a proxy token of this workspace gets in; the relay does, and has no other credential of Modal.
    unauthenticated=False,
    routing_region=settings.routing_region,
    compute_region=settings.compute_regions,
    min_containers=settings.min_containers,
    max_containers=settings.max_containers,
    buffer_containers=settings.buffer_containers,
    scaledown_window=settings.scaledown_seconds,
    target_concurrency=settings.target_concurrency,
    # Until the worker listens, not until the model is loaded: it says `loading` meanwhile.
    startup_timeout=120,
    exit_grace_period=exit_grace_seconds(settings.drain_seconds),
    # A snapshot keeps memory and clones it into every container that is restored: keys would be shared.
    enable_memory_snapshot=False,
)
@modal.sessioned()
class Enclave:
    """One container: a worker with keys of its own, and vLLM on loopback."""

    # Without snap=True, so after any snapshot, had there been one.
    @modal.enter()
    def start(self) -> None:
        if not Path(folder, manifest_name).is_file():
            raise RuntimeError("The weights are not on the volume: run `modal run modal/download.py` first.")
        self.pair = Pair(
            worker=Program(
                command=worker_command(),
                environment=worker_environment(settings, os.environ, folder, read_identity_token(os.environ)),
                user=worker_user,
            ),
            engine=Program(
                command=engine_command(settings, folder, read_adapter_rank(Path(folder))),
                environment=engine_environment(os.environ, settings.engine_log),
                user=engine_user,
                # Standard output is readable by everybody of the workspace.
                is_quiet=settings.engine_log == "quiet",
                folder="/tmp",
            ),
            drain_seconds=settings.drain_seconds,
        )

    @modal.exit()
    def stop(self) -> None:
        self.pair.stop()
