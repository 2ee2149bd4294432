"""Fills the weights volume: `modal run modal/download.py`, once for every change of SOTTO_MODEL or SOTTO_ADAPTER.

An app of its own, because it alone holds the Hugging Face token: the deployed enclave has no function with it. Private
and gated repositories work when the token may read them. What is fetched is data only, at pinned commits, compared with
what the Hub states; the digest that is printed is the one that the enclave states to browsers.
"""

import os
import sys
from pathlib import Path

import modal

from sotto_engine import weights_mount
from sotto_settings import SettingError, read_settings
from sotto_weights import fetch, folder_name, weights_digest

try:
    settings = read_settings(os.environ)
except SettingError as error:
    sys.exit(f"sotto: {error}")

app = modal.App(f"{settings.app}-download")
volume = modal.Volume.from_name(settings.volume, create_if_missing=True)
image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install("huggingface_hub==2.4.0", "hf-xet==1.8.0")
    .add_local_python_source("sotto_engine", "sotto_settings", "sotto_weights")
)


@app.function(
    image=image,
    env=settings.environment(),
    secrets=[modal.Secret.from_name(settings.huggingface_secret, required_keys=["HF_TOKEN"])],
    volumes={str(weights_mount): volume},
    cpu=4.0,
    memory=8192,
    timeout=6 * 3600,
    retries=0,
    max_containers=1,
)
def download() -> str:
    """Fetches the model, and the adapter if there is one; returns the weights digest."""
    from huggingface_hub import HfApi, snapshot_download

    repositories = [("base", settings.model, settings.model_revision)]
    if settings.adapter:
        repositories.append(("adapter", settings.adapter, settings.adapter_revision))
    target = Path(
        weights_mount
        / folder_name(settings.model, settings.model_revision, settings.adapter, settings.adapter_revision)
    )
    manifest = fetch(target, repositories, snapshot=snapshot_download, describe=HfApi().model_info)
    volume.commit()
    return weights_digest(manifest)


@app.local_entrypoint()
def main() -> None:
    digest = download.remote()
    print(f"The weights of {settings.served_name} are whole on the volume {settings.volume}.")
    print(f"Their digest, for SOTTO_MODEL_DIGEST and for the policy of a client: {digest}")
