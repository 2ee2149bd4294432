"""Worker and model as one: started together, stopped in order, and the container ends when either ends by itself.

The worker's keys are made by the worker after it starts, so they are born in this container and gone with it.
"""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


# What the drain does not cover: the worker's last frames, then the end of both programs.
worker_end_seconds = 5
engine_end_seconds = 10


def exit_grace_seconds(drain_seconds: int) -> int:
    """How long Modal must leave a container that drains, so that an answer cut by the drain still gets its end."""
    return drain_seconds + worker_end_seconds + engine_end_seconds + 5


def read_identity_token(environment: Mapping[str, str]) -> str:
    """Modal's identity token. The file is rewritten when the token is renewed, the variable is of the start."""
    path = environment.get("MODAL_IDENTITY_TOKEN_FILE", "")
    try:
        token = Path(path).read_text().strip() if path else ""
    except OSError:
        token = ""
    return token or environment.get("MODAL_IDENTITY_TOKEN", "")


@dataclass(frozen=True, kw_only=True)
class Program:
    """One process: `user` None keeps the user that runs this, and `is_quiet` throws its output away."""

    command: Sequence[str]
    environment: Mapping[str, str]
    user: str | None = None
    is_quiet: bool = False
    folder: str = "/"

    def start(self) -> subprocess.Popen[bytes]:
        output = subprocess.DEVNULL if self.is_quiet else None
        identity = {} if self.user is None else _identity_of(self.user)
        # A group of its own: a signal to the container's first process does not cut an answer before the worker drains.
        return subprocess.Popen(
            list(self.command),
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self.folder,
            start_new_session=True,
            **identity,
        )


def _identity_of(user: str) -> dict[str, object]:
    import pwd

    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Pair:
    """The worker and the model beside it."""

    def __init__(
        self,
        *,
        worker: Program,
        engine: Program,
        drain_seconds: float,
        end_container: Callable[[int], None] = os._exit,
        say: Callable[[str], None] = print,
    ) -> None:
        self._drain_seconds = drain_seconds
        self._end_container = end_container
        self._say = say
        self._stopping = threading.Lock()
        self._is_stopped = False
        # The worker listens within a second or two and says `loading` while the model loads.
        self.worker = worker.start()
        try:
            self.engine = engine.start()
        except BaseException:
            self.worker.kill()
            raise
        for name, process in (("worker", self.worker), ("model server", self.engine)):
            threading.Thread(target=self._watch, args=(name, process), daemon=True).start()

    def _watch(self, name: str, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        if self._stopping.locked() or self._is_stopped:
            return
        # An identity token registers one key once, and a model server that fell may leave the GPU broken: neither is
        # started again in the same container. Modal starts another; the relay asks the client to seal again.
        self._say(
            f"The {name} ended with {code}: this container ends. SOTTO_ENGINE_LOG=show tells more of a model server."
        )
        self.stop()
        self._end_container(1)

    def stop(self) -> None:
        """Lets the worker finish what it answers, then stops the model. Safe to call twice."""
        with self._stopping:
            if self._is_stopped:
                return
            _end(self.worker, self._drain_seconds + worker_end_seconds)
            _end(self.engine, engine_end_seconds)
            self._is_stopped = True


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """SIGTERM, and SIGKILL for what is still there after `seconds`."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
