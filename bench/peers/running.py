"""The other side of `worker.py`: a running engine, and what it said when it failed."""

from __future__ import annotations

import json
import select
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from engines import Choice

_HERE = Path(__file__).resolve().parent


class EngineFailed(Exception):  # noqa: N818 - what happened, as errors are named here
    """An engine ended or stood still; the message is its last word."""


class Running(AbstractContextManager["Running"]):
    """A worker process with its model loaded, ended on leaving.

    Raises:
        EngineFailed: it does not start.
    """

    def __init__(self, choice: Choice, *, python: Path, model: Path, log: Path, limit_s: float) -> None:
        self._name, self._log, self._limit_s = choice.name, log, limit_s
        began = time.perf_counter()
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [python, _HERE / "worker.py", choice.module, model, *choice.packages],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
            )
        try:
            said = self._read()
        except EngineFailed:
            self.__exit__(None, None, None)
            raise
        self.start_s = time.perf_counter() - began
        self.modes: tuple[str, ...] = tuple(said["modes"])
        self.versions: dict[str, str] = said["versions"]

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, at once."""
        self._process.kill()
        self._process.communicate()

    def __call__(self, do: str, **command: object) -> dict[str, Any]:
        """Have it do something.

        Raises:
            EngineFailed: it ended, or took longer than the limit.
        """
        try:
            print(json.dumps({"do": do} | command), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise EngineFailed(self._last_word()) from None
        return self._read()

    def _read(self) -> dict[str, Any]:
        output = self._process.stdout
        if output is None or not select.select([output], [], [], self._limit_s)[0]:
            raise EngineFailed(f"nothing for {self._limit_s:.0f} s")
        line = output.readline()
        if not line:
            self._process.wait()
            raise EngineFailed(self._last_word())
        said: dict[str, Any] = json.loads(line)
        return said

    def _last_word(self) -> str:
        lines = [line.strip() for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), f"ended with {self._process.returncode}")[:200]
