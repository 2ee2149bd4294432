"""Settings of the deployment, read once from the deployer's environment.

Modal imports app.py again inside every container, where the deployer's environment is not. Each function is therefore
given `env=settings.environment()`: the same names with the values that were read here, so that the second reading ends
in the same settings, and in the same objects.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields


class SettingError(Exception):
    """A reason not to deploy that a person can mend: one sentence, which names the setting."""


def _matching(pattern: str, rule: str) -> Callable[[str, str], str]:
    def check(name: str, value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise SettingError(f"{name} {rule}.")
        return value

    return check


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def check(name: str, value: str) -> int:
        if re.fullmatch(r"\d{1,9}", value) is None or not least <= int(value) <= most:
            raise SettingError(f"{name} must be a whole number from {least} to {most}.")
        return int(value)

    return check


def _share(name: str, value: str) -> float:
    if re.fullmatch(r"0\.\d{1,3}", value) is None or not 0.1 <= float(value) <= 0.98:
        raise SettingError(f"{name} must be a share from 0.1 to 0.98.")
    return float(value)


def _one_of(*choices: str) -> Callable[[str, str], str]:
    def check(name: str, value: str) -> str:
        if value not in choices:
            raise SettingError(f"{name} must be one of {', '.join(choices)}.")
        return value

    return check


def _optional(check: Callable[[str, str], str]) -> Callable[[str, str], str]:
    return lambda name, value: "" if value == "" else check(name, value)


_name = _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "must be a name of letters, digits, dots and dashes")
_repository = _matching(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}",
    "must be a Hugging Face repository, owner/name",
)
_revision = _matching(
    r"[0-9a-f]{40}", "must be a commit of the repository, 40 hex digits: a branch can be changed under you"
)
_regions = _matching(r"[a-z0-9-]{2,24}(,[a-z0-9-]{2,24})*", "must be regions of Modal, separated by commas")

# Name, default and check of each setting; the field is the name without SOTTO_, in lower case. README.md explains them.
_known: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "SOTTO_APP": ("sotto", _name),
    "SOTTO_MODEL": ("Qwen/Qwen3.5-9B", _repository),
    "SOTTO_MODEL_REVISION": ("c202236235762e1c871ad0ccb60c8ee5ba337b9a", _revision),
    "SOTTO_ADAPTER": ("", _optional(_repository)),
    "SOTTO_ADAPTER_REVISION": ("", _optional(_revision)),
    "SOTTO_MODEL_NAME": (
        "",
        _optional(_matching(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}", "must be a name of at most 128 plain characters")),
    ),
    "SOTTO_MODEL_DIGEST": (
        "",
        _optional(_matching(r"[A-Za-z0-9_-]{43}", "must be the digest that `download` printed")),
    ),
    "SOTTO_VOLUME": ("sotto-weights", _name),
    "SOTTO_HUGGINGFACE_SECRET": ("sotto-huggingface", _name),
    "SOTTO_ENCLAVE_SECRET": ("sotto-enclave", _name),
    "SOTTO_EVIDENCE": ("modal", _one_of("modal", "development")),
    "SOTTO_REGISTRAR_URL": (
        "",
        _optional(_matching(r"https://[^\s?#@]{1,200}|http://127\.0\.0\.1:\d{1,5}", "must be an https address")),
    ),
    "SOTTO_GPU": (
        "L40S",
        _matching(r"[A-Za-z0-9][A-Za-z0-9-]{0,31}!?(:[1-8])?", "must be a GPU of Modal, such as L40S or H100:2"),
    ),
    "SOTTO_CPU": ("4", _whole(1, 64)),
    "SOTTO_MEMORY_MIB": ("16384", _whole(1024, 1_048_576)),
    "SOTTO_ROUTING_REGION": (
        "us-east",
        _matching(r"[a-z]{2}-[a-z]{2,12}", "must be a routing region of Modal, such as eu-west"),
    ),
    "SOTTO_COMPUTE_REGION": ("", _optional(_regions)),
    "SOTTO_MIN_CONTAINERS": ("0", _whole(0, 100)),
    "SOTTO_MAX_CONTAINERS": ("2", _whole(1, 100)),
    "SOTTO_BUFFER_CONTAINERS": ("0", _whole(0, 100)),
    "SOTTO_SCALEDOWN_SECONDS": ("300", _whole(2, 1200)),
    "SOTTO_TARGET_CONCURRENCY": ("32", _whole(1, 1000)),
    "SOTTO_DRAIN_SECONDS": ("300", _whole(10, 3580)),
    "SOTTO_CONTEXT_TOKENS": ("16384", _whole(512, 1_048_576)),
    "SOTTO_GPU_MEMORY_SHARE": ("0.90", _share),
    "SOTTO_REASONING_PARSER": ("qwen3", _optional(_name)),
    "SOTTO_FAST_BOOT": ("yes", _one_of("yes", "no")),
    "SOTTO_ENGINE_LOG": ("quiet", _one_of("quiet", "show")),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What app.py and finetune.py are deployed with."""

    app: str
    model: str
    model_revision: str
    adapter: str
    adapter_revision: str
    model_name: str
    model_digest: str
    volume: str
    huggingface_secret: str
    enclave_secret: str
    evidence: str
    registrar_url: str
    gpu: str
    cpu: int
    memory_mib: int
    routing_region: str
    compute_region: str
    min_containers: int
    max_containers: int
    buffer_containers: int
    scaledown_seconds: int
    target_concurrency: int
    drain_seconds: int
    context_tokens: int
    gpu_memory_share: float
    reasoning_parser: str
    fast_boot: str
    engine_log: str

    def environment(self) -> dict[str, str]:
        """The settings as `env=` takes them; reading them gives these settings again."""
        return {f"SOTTO_{field.name.upper()}": str(getattr(self, field.name)) for field in fields(self)}

    @property
    def served_name(self) -> str:
        """What people see and the relay asks for."""
        return self.model_name or self.adapter or self.model

    @property
    def gpu_count(self) -> int:
        """GPUs of a container; the model is split over them."""
        return int(self.gpu.rpartition(":")[2]) if ":" in self.gpu else 1

    @property
    def compute_regions(self) -> list[str] | None:
        """Where containers may run; None leaves it to Modal."""
        return self.compute_region.split(",") if self.compute_region else None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Reads SOTTO_… settings; raises SettingError for a wrong value or for a name that nobody reads."""
    for name in environment:
        if name.startswith("SOTTO_") and name not in _known:
            raise SettingError(f"There is no setting {name}: modal/README.md lists them.")
    values: dict[str, object] = {}
    for name, (default, check) in _known.items():
        given = environment.get(name, "").strip()
        values[name.removeprefix("SOTTO_").lower()] = check(name, given or default)
    settings = Settings(**values)
    if settings.min_containers > settings.max_containers:
        raise SettingError("SOTTO_MIN_CONTAINERS is above SOTTO_MAX_CONTAINERS.")
    if (settings.adapter == "") != (settings.adapter_revision == ""):
        raise SettingError("SOTTO_ADAPTER and SOTTO_ADAPTER_REVISION go together: the repository and its commit.")
    if settings.adapter and settings.adapter == settings.model:
        raise SettingError("SOTTO_ADAPTER is the model itself: name the repository that finetune.py wrote.")
    return settings


def check_evidence(settings: Settings) -> None:
    """Asked before a deployment only: the weights can be downloaded before there is a registrar."""
    if settings.evidence == "modal" and settings.registrar_url == "":
        raise SettingError(
            "SOTTO_REGISTRAR_URL is not set: name your registrar, or set SOTTO_EVIDENCE=development to try it without."
        )
