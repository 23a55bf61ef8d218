"""What a build is asked to do, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from corpus import Rejection

    from .cache import VectorCache
    from .chunker import ChunkSettings
    from .encoder import Encoder
    from .room import Room
    from .wording import StorySettings


class Progress(Protocol):
    """Told how far a build is."""

    def articles(self, done: int) -> None:
        """So many articles are read and divided."""

    def passages(self, done: int, total: int) -> None:
        """So many passages have their vectors, of `total`."""


@dataclass(slots=True, kw_only=True)
class BuildReport:
    """What a build did. `generation` is the live one; `published` is false when it already was equal.

    `refusals` are what the disk would not do any more once that generation was live: nothing of it is lost.
    """

    generation: str = ""
    published: bool = False
    articles: int = 0
    passages: int = 0
    stories: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    embedded: int = 0
    reused: int = 0
    took_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    quarantined: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every step of one build needs."""

    encoder: Encoder
    settings: ChunkSettings
    late: bool
    exact_rows: int
    grouping: StorySettings
    cache: VectorCache
    room: Room
    progress: Progress
    report: BuildReport
