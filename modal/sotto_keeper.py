"""Asked by the registrar before it shows a checkpoint: makes it durable, and refuses a second history of the log."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sotto_settings import SettingError

_names = ("MODAL_WORKSPACE_ID", "MODAL_ENVIRONMENT_ID", "MODAL_APP_ID", "MODAL_FUNCTION_ID", "REGISTRAR_LOG_ORIGIN")
_longest_request = 16_384


def read_deployment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the registrar checks, from the deployer's environment or from what was passed on to the container."""
    passed_on = environment.get("REGISTRAR_DEPLOYMENT")
    given = json.loads(passed_on) if passed_on else {name: environment.get(name, "").strip() for name in _names}
    for name in _names:
        if re.fullmatch(r"[!-~]{1,256}", given.get(name, "")) is None:
            raise SettingError(
                f"{name} is not set: `python modal/print_ids.py` prints the ids, the log's name is yours."
            )
    return given


class Keeper:
    """Confirms checkpoints, one at a time. `put` stores a root where there is none and says whether it did."""

    def __init__(
        self, *, commit: Callable[[], None], put: Callable[[int, str], bool], get: Callable[[int], str | None]
    ) -> None:
        self._commit = commit
        self._put = put
        self._get = get
        self._turn = threading.Lock()

    def confirm(self, body: bytes) -> int:
        """The status of the answer: 204 for durable and of one history, 409 for another root at that size."""
        try:
            asked = json.loads(body)
            size, root = asked["size"], asked["rootHash"]
            is_sound = (
                asked["format"] == 1
                and type(size) is int
                and 0 <= size < 2**53
                and isinstance(root, str)
                and re.fullmatch(r"[A-Za-z0-9+/=_-]{43,44}", root) is not None
            )
        except (ValueError, KeyError, TypeError):
            is_sound = False
        if not is_sound:
            return 400
        with self._turn:
            try:
                # Asked first: a container with the older history would write it over the newer one of the volume.
                if self._get(size) not in (None, root):
                    return 409
                self._commit()
                if self._put(size, root) or self._get(size) == root:
                    return 204
                return 409
            except Exception:
                # Not confirmed: the registrar shows nothing, and tries again.
                return 503

    def listen(self, port: int) -> ThreadingHTTPServer:
        """Serves on loopback until it is shut down."""
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = self.headers.get("content-length", "")
                is_short = length.isdigit() and int(length) <= _longest_request
                status = keeper.confirm(self.rfile.read(int(length))) if is_short else 413
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server
