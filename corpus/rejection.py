"""What is reported about a record that did not become an article."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record left out. `place` is "file:line" ("file:row" in parquet, "file" where nothing finer is known)."""

    place: str
    reason: str
