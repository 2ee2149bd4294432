"""The weights volume: what is fetched, what is refused, and the digest of it."""

import base64
import hashlib
import inspect
import json
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "modal"))

from sotto_weights import WeightsError, fetch, folder_name, make_manifest, manifest_name, weights_digest  # noqa: E402

commit = "0123456789abcdef0123456789abcdef01234567"
files = {
    "base/config.json": b"{}",
    "base/model-00001-of-00002.safetensors": b"one",
    "base/model-00002-of-00002.safetensors": b"two",
    "base/sub/tokenizer.json": b"{}",
}


def lay(folder: Path, given: dict[str, bytes]) -> None:
    for name, content in given.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class Manifest(unittest.TestCase):
    def digest_of(self, given: dict[str, bytes]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            lay(Path(folder), given)
            return weights_digest(make_manifest(Path(folder), "a/b", commit))

    def test_the_digest_is_over_paths_and_hashes_in_order(self):
        lines = b"".join(
            name.encode() + b"\0" + hashlib.sha256(files[name]).hexdigest().encode() + b"\n" for name in sorted(files)
        )
        expected = base64.urlsafe_b64encode(hashlib.sha256(lines).digest()).rstrip(b"=").decode()
        self.assertEqual(self.digest_of(files), expected)

    def test_any_change_changes_it_and_hidden_files_do_not(self):
        digest = self.digest_of(files)
        self.assertEqual(
            self.digest_of({**files, "base/.cache/huggingface/x": b"y", ".sotto-weights.json": b"z"}), digest
        )
        for change in ({"base/config.json": b"{ }"}, {"base/more.json": b""}, {"base/sub/model.safetensors": b"one"}):
            self.assertNotEqual(self.digest_of({**files, **change}), digest)
        renamed = {name.replace("00001", "00003"): content for name, content in files.items()}
        self.assertNotEqual(self.digest_of(renamed), digest)

    def test_links_and_a_model_without_weights_are_refused(self):
        with self.assertRaises(WeightsError):
            self.digest_of({"base/config.json": b"{}"})
        with tempfile.TemporaryDirectory() as folder:
            lay(Path(folder), files)
            Path(folder, "base", "link.json").symlink_to("/etc/passwd")
            with self.assertRaises(WeightsError):
                make_manifest(Path(folder), "a/b", commit)

    def test_each_pair_has_a_folder_of_its_own(self):
        names = {
            folder_name("a/b", commit, "", ""),
            folder_name("a/b", commit[::-1], "", ""),
            folder_name("a/b", commit, "c/d", commit),
            folder_name("a/b", commit, "c/d", commit[::-1]),
        }
        self.assertEqual(len(names), 4)
        self.assertFalse([name for name in names if "/" in name])


class Fetch(unittest.TestCase):
    """With a double of the Hub that is called with the real one's parameters."""

    def hub(self, content: dict[str, bytes], stated: dict[str, bytes]):
        from huggingface_hub import HfApi, snapshot_download

        calls = []

        def snapshot(**given):
            inspect.signature(snapshot_download).bind(**given)
            calls.append(given)
            lay(Path(given["local_dir"]), content)

        def describe(repository, **given):
            inspect.signature(HfApi.model_info).bind(None, repository, **given)
            return SimpleNamespace(
                siblings=[
                    SimpleNamespace(rfilename=name, lfs=SimpleNamespace(sha256=hashlib.sha256(value).hexdigest()))
                    for name, value in stated.items()
                ]
                + [SimpleNamespace(rfilename="config.json", lfs=None), SimpleNamespace(rfilename="gone.bin", lfs=None)]
            )

        return snapshot, describe, calls

    content = {"config.json": b"{}", "model.safetensors": b"weights"}

    def test_a_whole_download_ends_with_its_manifest(self):
        snapshot, describe, calls = self.hub(self.content, {"model.safetensors": b"weights"})
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "target")
            manifest = fetch(
                target,
                [("base", "a/b", commit), ("adapter", "c/d", commit[::-1])],
                snapshot=snapshot,
                describe=describe,
            )
            self.assertEqual(json.loads((target / manifest_name).read_text()), manifest)
        self.assertEqual(manifest["format"], "sotto-weights/1")
        self.assertEqual(
            [file["path"] for file in manifest["files"]],
            ["adapter/config.json", "adapter/model.safetensors", "base/config.json", "base/model.safetensors"],
        )
        self.assertEqual([call["revision"] for call in calls], [commit, commit[::-1]])
        for call in calls:
            self.assertIn("*.py", call["ignore_patterns"])
            self.assertIn("*.bin", call["ignore_patterns"])
            self.assertNotIn("token", call)

    def test_bytes_that_the_hub_does_not_state_are_removed(self):
        snapshot, describe, _ = self.hub(self.content, {"model.safetensors": b"other weights"})
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(WeightsError):
                fetch(Path(folder), [("base", "a/b", commit)], snapshot=snapshot, describe=describe)
            self.assertFalse(Path(folder, manifest_name).exists())
            self.assertFalse(Path(folder, "base", "model.safetensors").exists())


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--lay":
        # For the test that compares with the worker: the files, their manifest, and the digest on standard output.
        place = Path(sys.argv[2])
        lay(place, files)
        written = make_manifest(place, "a/b", commit)
        (place / manifest_name).write_text(json.dumps(written))
        print(weights_digest(written))
    else:
        unittest.main()
