"""Worker and model beside each other: real processes, started and stopped as in a container."""

import os
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "modal"))

from sotto_processes import Pair, Program  # noqa: E402

# Writes its name to the log when SIGTERM came and `argv[3]` seconds later it ends.
script = """
import os, signal, sys, time
log, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
def write(text):
    with open(log, "a") as file:
        file.write(f"{name} {text}\\n")
def stop(*_):
    write("asked")
    time.sleep(seconds)
    write("ended")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
write(f"started {os.getuid()} {os.environ.get('MODAL_IDENTITY_TOKEN', '-')}")
while True:
    time.sleep(0.05)
"""


class Processes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.log = Path(self.folder.name, "log")
        self.log.write_text("")
        Path(self.folder.name).chmod(0o777)
        self.log.chmod(0o666)
        self.ended = threading.Event()
        self.codes: list[int] = []

    def tearDown(self):
        self.folder.cleanup()

    def pair(self, *, worker_seconds=0.0, drain_seconds=20.0, user=None, engine=script, worker_token="token"):
        def program(name: str, text: str, seconds: float, environment: dict[str, str]) -> Program:
            return Program(
                command=[sys.executable, "-c", text, str(self.log), name, str(seconds)],
                environment=environment,
                user=user,
            )

        pair = Pair(
            worker=program("worker", script, worker_seconds, {"MODAL_IDENTITY_TOKEN": worker_token}),
            engine=program("engine", engine, 0, {"PATH": "/bin"}),
            drain_seconds=drain_seconds,
            end_container=lambda code: (self.codes.append(code), self.ended.set()),
            say=lambda _: None,
        )
        self.addCleanup(lambda: [process.kill() for process in (pair.worker, pair.engine) if process.poll() is None])
        return pair

    def wait_for(self, *parts: str) -> list[str]:
        for _ in range(400):
            lines = self.log.read_text().splitlines()
            if all(any(line.startswith(part) for line in lines) for part in parts):
                return lines
            time.sleep(0.05)
        self.fail(f"{parts} did not come: {lines}")

    def test_the_worker_drains_before_the_model_is_stopped(self):
        pair = self.pair(worker_seconds=0.5)
        self.wait_for("worker started", "engine started")
        pair.stop()
        pair.stop()
        lines = [line for line in self.log.read_text().splitlines() if "started" not in line]
        self.assertEqual(lines, ["worker asked", "worker ended", "engine asked", "engine ended"])
        self.assertEqual(self.codes, [])

    def test_a_worker_that_does_not_end_is_ended(self):
        pair = self.pair(worker_seconds=3600, drain_seconds=-4.5)
        self.wait_for("worker started", "engine started")
        pair.stop()
        self.assertEqual(pair.worker.returncode, -signal.SIGKILL)
        self.assertEqual(pair.engine.returncode, 0)

    def test_the_container_ends_with_the_worker(self):
        pair = self.pair()
        self.wait_for("worker started", "engine started")
        os.kill(pair.worker.pid, signal.SIGKILL)
        self.assertTrue(self.ended.wait(20))
        self.assertEqual(self.codes, [1])
        self.assertIsNotNone(pair.engine.poll())

    def test_the_container_ends_with_the_model_after_the_worker_drained(self):
        pair = self.pair(worker_seconds=0.3)
        self.wait_for("worker started", "engine started")
        os.kill(pair.engine.pid, signal.SIGKILL)
        self.assertTrue(self.ended.wait(20))
        self.assertEqual(self.codes, [1])
        self.wait_for("worker ended")

    def test_the_token_reaches_the_worker_alone(self):
        self.pair(worker_token="the.token.itself")
        lines = self.wait_for("worker started", "engine started")
        started = {line.split()[0]: line.split()[3] for line in lines}
        self.assertEqual(started, {"worker": "the.token.itself", "engine": "-"})

    @unittest.skipUnless(os.getuid() == 0, "only root can start a process as another user")
    def test_another_user_runs_it_and_cannot_read_what_root_was_started_with(self):
        reader = script.replace(
            'write(f"started',
            'write("reads " + str(os.access(f"/proc/{os.getppid()}/environ", os.R_OK)))\nwrite(f"started',
        )
        # An interpreter that others may read is not a given: /usr/bin has one, or a shell does.
        python = next((path for path in ("/usr/bin/python3",) if Path(path).exists()), None)
        if python is None:
            self.skipTest("no python3 in /usr/bin")
        program = Program(command=[python, "-c", reader, str(self.log), "engine", "0"], environment={}, user="nobody")
        process = program.start()
        self.addCleanup(process.kill)
        lines = self.wait_for("engine reads", "engine started")
        self.assertIn("engine reads False", lines)
        self.assertFalse([line for line in lines if line.startswith("engine started 0 ")])


if __name__ == "__main__":
    unittest.main()
