"""What is on the weights volume, and the manifest that says which bytes it is.

A folder holds the model in `base/`, an adapter in `adapter/`, and `.sotto-weights.json`, written last: a folder without
it is a download that was cut. The worker's weights digest is SHA-256 over the lines `path NUL sha256-hex LF` of all
files, sorted by path; this file computes the same, so that `download` can print what a client's policy may name.
"""

import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

manifest_name = ".sotto-weights.json"
manifest_format = "sotto-weights/1"

# Data only. A repository's own Python files and pickled weights can run code; neither is fetched, nor is trusted.
allowed_patterns = ["*.safetensors", "*.json", "*.txt", "*.model", "*.tiktoken", "*.jinja"]
refused_patterns = ["*.py", "*.bin", "*.pt", "*.pth", "*.pkl", "*.gguf", "*.onnx", "original/*", ".*"]


class WeightsError(Exception):
    """The repository or the volume does not hold what it should; nothing was marked as whole."""


def folder_name(model: str, revision: str, adapter: str, adapter_revision: str) -> str:
    """One folder for each pair of model and adapter, so that a deployment never changes the files of another."""
    name = f"{model.replace('/', '--')}@{revision}"
    return name if adapter == "" else f"{name}+{adapter.replace('/', '--')}@{adapter_revision}"


def list_files(folder: Path) -> list[Path]:
    """Relative paths of all files but hidden ones, sorted by the bytes of the path. Links and the like are refused."""
    found: list[Path] = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts):
            continue
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise WeightsError("The folder holds something that is neither a file nor a folder.")
        if path.is_file():
            found.append(relative)
    return sorted(found, key=lambda path: path.as_posix().encode())


def hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_manifest(folder: Path, model: str, revision: str) -> dict[str, object]:
    """Reads every byte of the folder. `model` and `revision` may name two, joined by ` + `."""
    files = [
        {"path": path.as_posix(), "length": (folder / path).stat().st_size, "sha256": hash_file(folder / path)}
        for path in list_files(folder)
    ]
    if not any(str(file["path"]).endswith(".safetensors") for file in files):
        raise WeightsError("The repository holds no .safetensors file: other formats are not loaded.")
    return {"format": manifest_format, "model": model, "revision": revision, "files": files}


def weights_digest(manifest: dict[str, object]) -> str:
    """The digest of the key statement and of policies: base64url without padding."""
    lines = b"".join(f"{file['path']}\0{file['sha256']}\n".encode() for file in manifest["files"])
    return base64.urlsafe_b64encode(hashlib.sha256(lines).digest()).rstrip(b"=").decode()


def write_manifest(folder: Path, manifest: dict[str, object]) -> None:
    (folder / manifest_name).write_text(json.dumps(manifest, sort_keys=True, separators=(",", ":")))


def check_against_hub(folder: Path, siblings: Iterable[object]) -> None:
    """Compares large files with the SHA-256 that the Hub states for the commit; a difference is a WeightsError."""
    for sibling in siblings:
        expected = getattr(getattr(sibling, "lfs", None), "sha256", None)
        path = folder / sibling.rfilename
        if expected is not None and path.is_file() and hash_file(path) != expected:
            raise WeightsError("A file is not what the Hub states for this commit: it was removed.")


def is_whole(target: Path, model: str, revision: str) -> bool:
    """Whether an earlier download ended here with these; lengths are compared, bytes are the worker's to hash."""
    try:
        manifest = json.loads((target / manifest_name).read_text())
        return (
            (manifest["format"], manifest["model"], manifest["revision"]) == (manifest_format, model, revision)
            and len(manifest["files"]) == len(list_files(target))
            and all((target / file["path"]).stat().st_size == file["length"] for file in manifest["files"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def fetch(
    target: Path,
    repositories: list[tuple[str, str, str]],
    *,
    snapshot: Callable[..., object],
    describe: Callable[..., object],
) -> dict[str, object]:
    """Fills `target` and writes its manifest.

    `repositories` holds (folder, repository, commit); `snapshot` and `describe` are `huggingface_hub.snapshot_download`
    and `HfApi.model_info`, which read HF_TOKEN by themselves.
    """
    for folder, repository, revision in repositories:
        place = target / folder
        place.mkdir(parents=True, exist_ok=True)
        snapshot(
            repo_id=repository,
            revision=revision,
            local_dir=place,
            allow_patterns=allowed_patterns,
            ignore_patterns=refused_patterns,
        )
        try:
            check_against_hub(place, describe(repository, revision=revision, files_metadata=True).siblings)
        except WeightsError:
            for path in list_files(place):
                (place / path).unlink()
            raise
    manifest = make_manifest(
        target,
        " + ".join(repository for _, repository, _ in repositories),
        " + ".join(revision for _, _, revision in repositories),
    )
    write_manifest(target, manifest)
    return manifest


def main(target: Path, model: str, revision: str) -> None:
    """For machines of one's own: `python3 sotto_weights.py FOLDER REPOSITORY COMMIT`, HF_TOKEN where it is needed."""
    if not is_whole(target, model, revision):
        from huggingface_hub import HfApi, snapshot_download

        (target / manifest_name).unlink(missing_ok=True)
        fetch(target, [("base", model, revision)], snapshot=snapshot_download, describe=HfApi().model_info)
    digest = weights_digest(json.loads((target / manifest_name).read_text()))
    print(f"The weights of {model} are whole. Their digest, for the policy of a client: {digest}")


if __name__ == "__main__":
    if len(sys.argv) != 4 or re.fullmatch(r"[0-9a-f]{40}", sys.argv[3]) is None:
        sys.exit("Give a folder, a repository of the Hugging Face Hub, and a commit of it: 40 hex digits.")
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
