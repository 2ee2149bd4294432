"""The keeper of a registrar on Modal: what it confirms, and what it refuses to see twice."""

import json
import sys
import threading
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "modal"))

from sotto_keeper import Keeper, read_deployment  # noqa: E402
from sotto_settings import SettingError  # noqa: E402

ids = {
    "MODAL_WORKSPACE_ID": "ac-1", "MODAL_ENVIRONMENT_ID": "en-1", "MODAL_APP_ID": "ap-1", "MODAL_FUNCTION_ID": "fu-1",
    "REGISTRAR_LOG_ORIGIN": "registrar.example.org/log-1",
}  # fmt: skip
root, other = "A" * 43, "B" * 43


class Deployment(unittest.TestCase):
    def test_what_is_passed_on_reads_as_the_same(self):
        given = read_deployment({**ids, "PATH": "/bin"})
        self.assertEqual(given, ids)
        self.assertEqual(read_deployment({"REGISTRAR_DEPLOYMENT": json.dumps(given)}), ids)

    def test_each_id_is_needed(self):
        for name in ids:
            with self.subTest(name), self.assertRaises(SettingError) as caught:
                read_deployment({**ids, name: " "})
            self.assertIn(name, str(caught.exception))


class Confirmations(unittest.TestCase):
    def setUp(self):
        self.roots: dict[int, str] = {}
        self.commits = 0
        self.is_down = False

    def commit(self):
        if self.is_down:
            raise OSError("no volume")
        self.commits += 1

    def keeper(self) -> Keeper:
        return Keeper(
            commit=self.commit,
            put=lambda size, value: self.roots.setdefault(size, value) is value,
            get=self.roots.get,
        )

    def ask(self, size: object, value: object, **more: object) -> int:
        return self.keeper().confirm(json.dumps({"format": 1, "size": size, "rootHash": value, **more}).encode())

    def test_one_history_is_confirmed_as_often_as_it_is_asked_and_made_durable_first(self):
        self.assertEqual(self.ask(0, root), 204)
        self.assertEqual(self.ask(1, other), 204)
        self.assertEqual(self.ask(1, other, checkpoint="a note"), 204)
        self.assertEqual(self.commits, 3)

    def test_a_second_root_for_a_size_is_refused(self):
        self.assertEqual(self.ask(5, root), 204)
        self.assertEqual(self.ask(5, other), 409)
        # Nor is it written over the volume of whoever was first.
        self.assertEqual(self.commits, 1)
        self.assertEqual(self.ask(5, root), 204)

    def test_nothing_is_confirmed_that_is_not_durable(self):
        self.is_down = True
        self.assertEqual(self.ask(5, root), 503)
        self.assertEqual(self.roots, {})
        self.is_down = False
        self.assertEqual(self.ask(5, root), 204)

    def test_what_is_no_checkpoint_is_refused(self):
        for size, value in ((-1, root), (1.5, root), (True, root), ("1", root), (2**53, root), (1, "short"), (1, None)):
            with self.subTest(size=size, value=value):
                self.assertEqual(self.ask(size, value), 400)
        self.assertEqual(self.keeper().confirm(b"{"), 400)
        self.assertEqual(self.keeper().confirm(b"[]"), 400)
        self.assertEqual(self.keeper().confirm(json.dumps({"format": 2, "size": 1, "rootHash": root}).encode()), 400)

    def test_over_http_on_loopback(self):
        server = self.keeper().listen(0)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.assertEqual(server.server_address[0], "127.0.0.1")

        def post(body: bytes) -> int:
            request = urllib.request.Request(f"http://127.0.0.1:{server.server_address[1]}/", data=body, method="POST")
            try:
                return urllib.request.urlopen(request, timeout=5).status
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        self.assertEqual(post(json.dumps({"format": 1, "size": 7, "rootHash": root}).encode()), 204)
        self.assertEqual(post(json.dumps({"format": 1, "size": 7, "rootHash": other}).encode()), 409)
        self.assertEqual(post(b"x" * 20_000), 413)

    def test_two_at_once_end_in_one_history(self):
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda value=value: answers.append(self.ask(9, value))) for value in (root, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answers), [204, 409])


if __name__ == "__main__":
    unittest.main()
