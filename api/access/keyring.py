"""The keys as a running service sees them: commands change the file, and the service follows."""

from __future__ import annotations

import hmac
import logging
import time
from typing import TYPE_CHECKING

from ..errors import BadKeys
from .keys import digest, read_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .keys import Key

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
_MAX_SECRET_CHARS = 200


class Keyring:
    """Finds the key that a request carries.

    It looks at the file at most once in `look_every_s`. A file that became unreadable leaves the keys as they
    were, and says so in the log once; a file that is gone leaves none.
    """

    def __init__(
        self, path: Path, *, look_every_s: float = _LOOK_EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Reads the file.

        Raises:
            BadKeys: it is there and cannot be read.
        """
        self._path = path
        self._look_every_s = look_every_s
        self._clock = clock
        self._looked_at = clock()
        self._seen = self._state()
        self._keys = read_keys(path)

    def find(self, secret: str) -> Key | None:
        """The key, if it is one of ours.

        Hashes are compared, all of them, each in constant time: how long that takes tells nothing.
        """
        if len(secret) > _MAX_SECRET_CHARS:
            return None
        self._follow()
        given = digest(secret)
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, given):
                found = key
        return found

    def _follow(self) -> None:
        now = self._clock()
        if now - self._looked_at < self._look_every_s:
            return
        self._looked_at = now
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._keys = read_keys(self._path)
        except BadKeys as error:
            _log.error("keys stay as they were: %s", error)
        else:
            _log.info("%d keys read again", len(self._keys))

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
