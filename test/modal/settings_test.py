"""Settings and the two command lines that are made of them."""

import json
import re
import sys
import unittest
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "modal"))

from sotto_engine import (  # noqa: E402
    engine_command,
    engine_environment,
    read_adapter_rank,
    worker_command,
    worker_environment,
)
from sotto_processes import read_identity_token  # noqa: E402
from sotto_settings import SettingError, check_evidence, read_settings  # noqa: E402

commit = "0123456789abcdef0123456789abcdef01234567"
vllm = json.loads((Path(__file__).parent / "vllm-flags.json").read_text())
folder = PurePosixPath("/weights/model@commit")


class Settings(unittest.TestCase):
    def test_the_readme_names_each_setting_and_no_other(self) -> None:
        readme = (Path(__file__).resolve().parents[2] / "modal" / "README.md").read_text()
        rows = [line for line in readme.splitlines() if line.startswith("| `SOTTO_")]
        named = [name for row in rows for name in re.findall(r"`(SOTTO_[A-Z_]+)`", row.split("|")[1])]
        usual = read_settings({}).environment()
        self.assertEqual(sorted(named), sorted(usual))
        for row in rows:
            names, shown = re.findall(r"`(SOTTO_[A-Z_]+)`", row), row.split("|")[2].strip()
            if len(names) == 1 and shown not in ("", "the repository"):
                self.assertEqual((names[0], usual[names[0]]), (names[0], shown))

    def refuses(self, environment: dict[str, str], word: str) -> None:
        with self.assertRaises(SettingError) as caught:
            read_settings(environment)
        self.assertIn(word, str(caught.exception))
        self.assertTrue(str(caught.exception).endswith("."))

    def test_nothing_is_needed_but_a_registrar(self):
        settings = read_settings({"PATH": "/bin", "MODAL_TASK_ID": "ta-1"})
        with self.assertRaises(SettingError):
            check_evidence(settings)
        check_evidence(read_settings({"SOTTO_EVIDENCE": "development"}))
        check_evidence(read_settings({"SOTTO_REGISTRAR_URL": "https://registrar.example.org"}))

    def test_what_is_passed_on_reads_as_the_same(self):
        for given in (
            {},
            {
                "SOTTO_GPU": "H100:2",
                "SOTTO_MIN_CONTAINERS": "1",
                "SOTTO_GPU_MEMORY_SHARE": "0.85",
                "SOTTO_COMPUTE_REGION": "eu,us-east",
            },
            {"SOTTO_ADAPTER": "me/adapter", "SOTTO_ADAPTER_REVISION": commit, "SOTTO_MODEL_NAME": "mine"},
        ):
            settings = read_settings(given)
            self.assertEqual(read_settings(settings.environment()), settings)
            self.assertEqual(read_settings(settings.environment()).environment(), settings.environment())

    def test_each_wrong_value_names_its_setting(self):
        for name, values in {
            "SOTTO_MODEL": ["/models/mine", "name", "a/b/c", "../x/y"],
            "SOTTO_MODEL_REVISION": ["main", commit[:-1], commit.upper()],
            "SOTTO_REGISTRAR_URL": ["http://registrar.example.org", "registrar", "https://me@host"],
            "SOTTO_EVIDENCE": ["sev-snp", "none"],
            "SOTTO_GPU": ["two L40S", "H100:9", "H100:0"],
            "SOTTO_MIN_CONTAINERS": ["-1", "many", "1.5"],
            "SOTTO_MAX_CONTAINERS": ["0"],
            "SOTTO_SCALEDOWN_SECONDS": ["1", "1201"],
            "SOTTO_DRAIN_SECONDS": ["3581", "0"],
            "SOTTO_ROUTING_REGION": ["Europe", "eu"],
            "SOTTO_GPU_MEMORY_SHARE": ["1.0", "90", "0.05"],
            "SOTTO_MODEL_DIGEST": ["abc", "=" * 43],
            "SOTTO_ENGINE_LOG": ["debug"],
            "SOTTO_FAST_BOOT": ["true"],
            "SOTTO_APP": ["my app", "-x", "x" * 65],
        }.items():
            for value in values:
                with self.subTest(name=name, value=value):
                    self.refuses({name: value}, name)

    def test_unknown_names_and_pairs_that_do_not_fit(self):
        self.refuses({"SOTTO_MODELL": "x"}, "SOTTO_MODELL")
        self.refuses({"SOTTO_ADAPTER": "me/adapter"}, "SOTTO_ADAPTER_REVISION")
        self.refuses({"SOTTO_ADAPTER_REVISION": commit}, "SOTTO_ADAPTER")
        self.refuses({"SOTTO_MIN_CONTAINERS": "3"}, "SOTTO_MAX_CONTAINERS")
        self.assertEqual(read_settings({"SOTTO_MIN_CONTAINERS": "3", "SOTTO_MAX_CONTAINERS": "3"}).min_containers, 3)


class Engine(unittest.TestCase):
    def flags(self, **given: str) -> list[str]:
        return engine_command(read_settings({f"SOTTO_{name}": value for name, value in given.items()}), folder)

    def test_every_flag_is_one_of_this_version(self):
        pin = (Path(__file__).resolve().parents[2] / "modal" / "app.py").read_text()
        self.assertIn(f"vllm-openai:v{vllm['vllm']}@sha256:", pin)
        given = self.flags(ADAPTER="me/adapter", ADAPTER_REVISION=commit, FAST_BOOT="yes")
        self.assertEqual(given[:3], ["vllm", "serve", "/weights/model@commit/base"])
        for flag in given[3:]:
            name = flag.split("=")[0]
            with self.subTest(flag):
                if name.startswith("--no-"):
                    self.assertIn("--" + name.removeprefix("--no-"), vllm["switches"])
                else:
                    self.assertIn(name, vllm["flags"])
                    self.assertEqual("=" not in flag, name in vllm["switches"])

    def test_loopback_and_nothing_logged(self):
        flags = self.flags()
        self.assertIn("--host=127.0.0.1", flags)
        self.assertIn("--no-enable-log-requests", flags)
        for removed in ("--disable-log-requests", "--trust-remote-code", "--enable-log-requests", "--api-key"):
            self.assertFalse([flag for flag in flags if flag.split("=")[0] == removed], removed)

    def test_the_model_goes_by_the_name_that_people_see(self):
        self.assertIn("--served-model-name=Qwen/Qwen3.5-9B", self.flags())
        self.assertIn("--served-model-name=mine", self.flags(MODEL_NAME="mine"))
        self.assertNotIn("--enable-lora", self.flags())
        with_adapter = self.flags(ADAPTER="me/adapter", ADAPTER_REVISION=commit)
        self.assertIn("--lora-modules=me/adapter=/weights/model@commit/adapter", with_adapter)
        self.assertIn("--served-model-name=base", with_adapter)

    def test_room_for_the_adapter_and_no_more(self):
        import tempfile

        with tempfile.TemporaryDirectory() as place:
            self.assertEqual(read_adapter_rank(Path(place)), 0)
            Path(place, "adapter").mkdir()
            for rank, room in ((1, 8), (16, 16), (17, 32), (128, 128)):
                Path(place, "adapter", "adapter_config.json").write_text(json.dumps({"r": rank}))
                self.assertEqual(read_adapter_rank(Path(place)), room)
            Path(place, "adapter", "adapter_config.json").write_text(json.dumps({"r": 129}))
            with self.assertRaises(ValueError):
                read_adapter_rank(Path(place))

    def test_gpus_share_the_model(self):
        self.assertIn("--tensor-parallel-size=1", self.flags())
        self.assertIn("--tensor-parallel-size=4", self.flags(GPU="H100:4"))


class Environments(unittest.TestCase):
    container = {
        "PATH": "/usr/local/bin:/bin",
        "CUDA_VISIBLE_DEVICES": "0",
        "NVIDIA_DRIVER_CAPABILITIES": "all",
        "LD_LIBRARY_PATH": "/usr/lib64",
        "PYTHONPATH": "/root",
        "HOME": "/root",
        "MODAL_IDENTITY_TOKEN": "the.identity.token",
        "MODAL_TASK_ID": "ta-1",
        "MODAL_TASK_SECRET": "secret",
        "ENCLAVE_TOKEN": "the-token-of-the-relay",
        "HF_TOKEN": "hf_x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "LLM_API_KEY": "y",
    }

    def test_the_model_server_gets_no_secret(self):
        given = engine_environment(self.container, "quiet")
        for value in ("the.identity.token", "the-token-of-the-relay", "hf_x", "secret", "ta-1", "x", "y"):
            self.assertNotIn(value, given.values())
        self.assertFalse(
            [name for name in given if name.startswith(("MODAL_", "ENCLAVE_", "SOTTO_", "AWS_", "PYTHON"))]
        )
        self.assertEqual(given["CUDA_VISIBLE_DEVICES"], "0")
        self.assertEqual(given["VLLM_NO_USAGE_STATS"], "1")
        self.assertEqual(given["HF_HUB_OFFLINE"], "1")
        self.assertEqual(given["VLLM_LOGGING_LEVEL"], "ERROR")
        self.assertEqual(engine_environment(self.container, "show")["VLLM_LOGGING_LEVEL"], "INFO")

    def test_the_worker_gets_its_two_and_no_other(self):
        settings = read_settings(
            {"SOTTO_REGISTRAR_URL": "https://registrar.example.org", "SOTTO_MODEL_DIGEST": "A" * 43}
        )
        given = worker_environment(settings, self.container, folder, "the.identity.token")
        self.assertEqual(given["MODAL_IDENTITY_TOKEN"], "the.identity.token")
        self.assertEqual(given["ENCLAVE_TOKEN"], "the-token-of-the-relay")
        self.assertEqual(given["EVIDENCE"], "modal")
        self.assertEqual(given["LLM_BASE_URL"], "http://127.0.0.1:8000/v1")
        self.assertEqual(given["MODEL_DIGEST"], "A" * 43)
        self.assertEqual(given["DRAIN_SECONDS"], "300")
        self.assertEqual(worker_command(), ["node", "--disable-sigusr1", "/sotto/worker.mjs"])
        for value in ("hf_x", "secret", "x", "y"):
            self.assertNotIn(value, given.values())

    def test_no_token_is_handed_on_without_a_registrar(self):
        settings = read_settings({"SOTTO_EVIDENCE": "development"})
        given = worker_environment(settings, self.container, folder, "the.identity.token")
        self.assertNotIn("MODAL_IDENTITY_TOKEN", given)
        self.assertNotIn("REGISTRAR_URL", given)

    def test_the_newest_token_is_taken(self):
        import tempfile

        self.assertEqual(read_identity_token(self.container), "the.identity.token")
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("a.newer.one\n")
            file.flush()
            self.assertEqual(
                read_identity_token({**self.container, "MODAL_IDENTITY_TOKEN_FILE": file.name}), "a.newer.one"
            )
        self.assertEqual(
            read_identity_token({**self.container, "MODAL_IDENTITY_TOKEN_FILE": "/nowhere"}), "the.identity.token"
        )
        self.assertEqual(read_identity_token({}), "")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--print-worker-environment":
        settings = read_settings({"SOTTO_REGISTRAR_URL": "https://registrar.example.org"})
        container = Environments.container | {"ENCLAVE_TOKEN": "a" * 32}
        print(json.dumps(worker_environment(settings, container, folder, "the.identity.token")))
    else:
        unittest.main()
