"""Command lines and environments of the two processes of a container: the worker, and vLLM beside it.

Both environments are lists of what is let through, not of what is taken out: Modal's identity token and the relay's
token reach the worker and nobody else.
"""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from sotto_settings import Settings

worker_port = 8788
engine_port = 8000
worker_file = "/sotto/worker.mjs"
weights_mount = PurePosixPath("/weights")

# vLLM's image has this user since 0.2x (UID 2000, group 0); the image of app.py adds the other. Neither can read what
# the other, or Modal's own process, was started with.
engine_user = "vllm"
engine_home = "/home/vllm"
worker_user = "sotto"

_for_both = ("PATH", "LANG", "LC_ALL", "TZ")
_for_engine = (*_for_both, "LD_LIBRARY_PATH", "LIBRARY_PATH")
_engine_prefixes = ("CUDA_", "NVIDIA_", "NCCL_")
# LoRA ranks that vLLM has kernels for (vllm/config/lora.py of 0.30.0).
lora_ranks = (8, 16, 32, 64, 128)


def read_adapter_rank(folder: Path) -> int:
    """The least rank of vLLM's that holds the adapter's: memory is set aside for it. 0 where there is no adapter."""
    try:
        rank = json.loads((folder / "adapter" / "adapter_config.json").read_text())["r"]
    except FileNotFoundError:
        return 0
    fitting = [known for known in lora_ranks if known >= rank]
    if not fitting:
        raise ValueError(f"The adapter's rank is {rank}: vLLM is started for {max(lora_ranks)} at most.")
    return fitting[0]


def engine_command(settings: Settings, folder: PurePosixPath, adapter_rank: int = max(lora_ranks)) -> list[str]:
    """`vllm serve` for the weights in `folder`, on loopback alone. Flags are those of vLLM 0.30.0."""
    name = settings.served_name
    base_name = "base" if settings.adapter else name
    command = [
        "vllm",
        "serve",
        str(folder / "base"),
        f"--served-model-name={base_name}",
        "--host=127.0.0.1",
        f"--port={engine_port}",
        # Pickled weights and a repository's own Python are code.
        "--load-format=safetensors",
        "--no-trust-remote-code",
        f"--max-model-len={settings.context_tokens}",
        f"--gpu-memory-utilization={settings.gpu_memory_share}",
        f"--tensor-parallel-size={settings.gpu_count}",
        # Requests are not logged, at any level, nor are access lines, counters or error stacks.
        "--no-enable-log-requests",
        "--no-enable-log-outputs",
        "--no-log-error-stack",
        "--disable-uvicorn-access-log",
        "--disable-log-stats",
        "--uvicorn-log-level=warning",
        "--disable-fastapi-docs",
        "--no-trust-request-chat-template",
        # Sotto sends text only; a picture's address in a request would be a way out.
        "--language-model-only",
    ]
    if settings.reasoning_parser:
        command.append(f"--reasoning-parser={settings.reasoning_parser}")
    if settings.fast_boot == "yes":
        command.append("--enforce-eager")
    if settings.adapter:
        command += [
            "--enable-lora",
            f"--max-lora-rank={adapter_rank}",
            f"--lora-modules={name}={folder / 'adapter'}",
        ]
    return command


def engine_environment(environment: Mapping[str, str], engine_log: str) -> dict[str, str]:
    """What vLLM may know: where CUDA is, and that it phones nobody."""
    kept = {
        name: value for name, value in environment.items() if name in _for_engine or name.startswith(_engine_prefixes)
    }
    return kept | {
        "HOME": engine_home,
        "USER": engine_user,
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_DO_NOT_TRACK": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_SERVER_DEV_MODE": "0",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "0",
        # DEBUG would print prompts; never offered.
        "VLLM_LOGGING_LEVEL": "INFO" if engine_log == "show" else "ERROR",
    }


def worker_command() -> list[str]:
    # No debugger by a signal: it would show the keys.
    return ["node", "--disable-sigusr1", worker_file]


def worker_environment(
    settings: Settings, environment: Mapping[str, str], folder: PurePosixPath, identity_token: str
) -> dict[str, str]:
    """The settings of enclave-worker/settings.ts, and the two secrets."""
    given = {name: environment[name] for name in _for_both if name in environment}
    given |= {
        "NODE_ENV": "production",
        "WORKER_HOST": "0.0.0.0",
        "WORKER_PORT": str(worker_port),
        "ENCLAVE_TOKEN": environment.get("ENCLAVE_TOKEN", ""),
        "ENGINE": "openai",
        "LLM_BASE_URL": f"http://127.0.0.1:{engine_port}/v1",
        "LLM_MODEL": settings.served_name,
        "LLM_WEIGHTS_MANIFEST": str(folder / ".sotto-weights.json"),
        "EVIDENCE": settings.evidence,
        "DRAIN_SECONDS": str(settings.drain_seconds),
        "DATA_DIR": "/tmp/worker",
    }
    if settings.model_digest:
        given["MODEL_DIGEST"] = settings.model_digest
    if settings.evidence == "modal":
        given |= {"REGISTRAR_URL": settings.registrar_url, "MODAL_IDENTITY_TOKEN": identity_token}
    return given
