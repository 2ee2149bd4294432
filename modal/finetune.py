"""Fine-tunes an adapter (LoRA, with TRL and PEFT) on Modal, into a private repository, which app.py then serves.

    modal run modal/finetune.py --dataset owner/data --dataset-revision COMMIT --output owner/adapter

Only a data set of the Hugging Face Hub at a commit is taken, every record of it is read before a GPU works, and
anything that Sotto exported from chats is refused (sotto_training_data.py). Set SOTTO_ADAPTER and
SOTTO_ADAPTER_REVISION to what this prints, run download.py, deploy app.py.
"""

import os
import sys

import modal

from sotto_engine import lora_ranks
from sotto_settings import SettingError, read_settings
from sotto_training_data import RefusedData, check_files, check_names, find_data_files

try:
    settings = read_settings(os.environ)
except SettingError as error:
    sys.exit(f"sotto: {error}")

app = modal.App(f"{settings.app}-finetune")
# What vLLM can apply beside every layer: attention and feed-forward projections.
target_modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
hub_packages = ("huggingface_hub==2.4.0", "hf-xet==1.8.0", "pyarrow==26.0.1")
own_modules = ("sotto_engine", "sotto_settings", "sotto_training_data")
hub_image = (
    modal.Image.debian_slim(python_version="3.12").pip_install(*hub_packages).add_local_python_source(*own_modules)
)
training_image = (
    modal.Image.debian_slim(python_version="3.12")
    .pip_install(
        "torch==2.15.0",
        "transformers==5.23.0",
        "trl==1.16.0",
        "peft==0.21.2",
        "datasets==5.2.0",
        "accelerate==1.15.0",
        *hub_packages,
    )
    .env({"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TRL_EXPERIMENTAL_SILENCE": "1"})
    .add_local_python_source(*own_modules)
)
environment = settings.environment()
huggingface = modal.Secret.from_name(settings.huggingface_secret, required_keys=["HF_TOKEN"])


def read_dataset(dataset: str, revision: str) -> list[dict[str, object]]:
    """Fetches the data set and checks all of it; what is returned is what was checked. Raises RefusedData."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from huggingface_hub import HfApi, snapshot_download

    siblings = HfApi().dataset_info(dataset, revision=revision).siblings or []
    names = [sibling.rfilename for sibling in siblings]
    find_data_files(names)
    with TemporaryDirectory() as folder:
        snapshot_download(dataset, repo_type="dataset", revision=revision, local_dir=folder)
        return check_files(Path(folder), names)


def make_private_repository(output: str) -> None:
    """Raises RefusedData where the repository is there and public."""
    from huggingface_hub import HfApi

    hub = HfApi()
    hub.create_repo(output, private=True, exist_ok=True)
    if not hub.model_info(output).private:
        raise RefusedData("The repository of --output is public: name a new one, or make it private first.")


@app.function(image=hub_image, env=environment, secrets=[huggingface], cpu=2.0, memory=8192, timeout=3600, retries=0)
def check(dataset: str, revision: str, output: str) -> tuple[str, int]:
    """Asks for all that can be refused before a GPU works; returns the reason, or no text, and how many records."""
    try:
        check_names(dataset, revision, output)
        make_private_repository(output)
        return "", len(read_dataset(dataset, revision))
    except RefusedData as refusal:
        return str(refusal), 0


@app.function(
    image=training_image,
    env=environment,
    secrets=[huggingface],
    gpu=settings.gpu,
    cpu=float(settings.cpu),
    memory=settings.memory_mib,
    region=settings.compute_regions,
    timeout=24 * 3600,
    retries=0,
    max_containers=1,
)
def train(dataset: str, revision: str, output: str, rank: int, epochs: float, learning_rate: float) -> str:
    """Trains and uploads the adapter; returns the commit that holds it. Nothing is kept on Modal."""
    from tempfile import TemporaryDirectory

    import torch
    from datasets import Dataset
    from huggingface_hub import HfApi
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    # Again, here: what is trained on is what was checked.
    check_names(dataset, revision, output)
    records = read_dataset(dataset, revision)
    make_private_repository(output)

    source = {"revision": settings.model_revision, "trust_remote_code": False}
    model = AutoModelForCausalLM.from_pretrained(
        settings.model, dtype=torch.bfloat16, device_map="auto", use_safetensors=True, **source
    )
    with TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=model,
            processing_class=AutoTokenizer.from_pretrained(settings.model, **source),
            train_dataset=Dataset.from_list(records),
            peft_config=LoraConfig(
                r=rank,
                lora_alpha=2 * rank,
                lora_dropout=0.05,
                target_modules=target_modules,
                task_type="CAUSAL_LM",
                base_model_name_or_path=settings.model,
                revision=settings.model_revision,
            ),
            args=SFTConfig(
                output_dir=folder,
                num_train_epochs=epochs,
                learning_rate=learning_rate,
                per_device_train_batch_size=1,
                gradient_accumulation_steps=16,
                gradient_checkpointing=True,
                max_length=min(settings.context_tokens, 8192),
                bf16=True,
                seed=17,
                save_strategy="no",
                # Figures only, to standard output; no service, no samples.
                report_to="none",
                push_to_hub=False,
            ),
        )
        trainer.train()
        trainer.model.save_pretrained(folder, safe_serialization=True)
        commit = HfApi().upload_folder(
            repo_id=output,
            folder_path=folder,
            allow_patterns=["adapter_config.json", "adapter_model.safetensors"],
            commit_message="Adapter",
        )
    return commit.oid


@app.local_entrypoint()
def main(
    dataset: str, dataset_revision: str, output: str, rank: int = 16, epochs: float = 1.0, learning_rate: float = 1e-4
) -> None:
    try:
        check_names(dataset, dataset_revision, output)
        if rank not in lora_ranks:
            raise RefusedData(f"--rank must be one of {', '.join(map(str, lora_ranks))}, as vLLM has them.")
    except RefusedData as refusal:
        sys.exit(f"sotto: {refusal}")
    refusal, records = check.remote(dataset, dataset_revision, output)
    if refusal:
        sys.exit(f"sotto: {refusal}")
    print(f"{records} records read, none of them of Sotto. Training on {settings.gpu}.")
    commit = train.remote(dataset, dataset_revision, output, rank, epochs, learning_rate)
    print(f"SOTTO_ADAPTER={output}\nSOTTO_ADAPTER_REVISION={commit}")
