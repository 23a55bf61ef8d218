"""Which articles are the same story: a report in two outlets, lightly edited, shortened, under another headline."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import IndexDamaged
from .wording import Wording, minima, same_story

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .wording import StorySettings

    Rows64 = npt.NDArray[np.int64]

SKETCHES_FILE = "sketches.npy"
STORIES_FILE = "stories.npy"
COMPARISONS_FILE = "comparisons.npy"

Sketches = npt.NDArray[np.void]
"""(a,) records of `sketch_type`, one an article."""

# An estimate from 126 minima errs by .045 (standard deviation); what is below this is not looked at closer.
_ESTIMATE_MARGIN = 0.15
# Of the stories that resemble an article, how many are compared word by word: a daily report resembles all of
# the days before, and its own reprint, which resembles it most, comes first.
_MAX_COMPARED = 32
_HELD_WORDINGS = 256


def sketch_type(settings: StorySettings) -> np.dtype[np.void]:
    """How an article is sketched: its words counted, their name (see `Wording.equal`), its minima."""
    return np.dtype([("n_words", "<u4"), ("equal", "<u8"), ("minima", "<u4", settings.bands * settings.band_rows)])


def sketch(wording: Wording, *, settings: StorySettings) -> Sketches:
    """The sketch of one article, one record."""
    made = np.zeros((), sketch_type(settings))
    made["n_words"], made["equal"] = wording.n_words, wording.equal
    made["minima"] = minima(wording.shingles, settings=settings)
    return made


def find_stories(
    sketches: Sketches,
    *,
    id_rank: Rows64,
    same: Callable[[int, int], bool],
    settings: StorySettings,
) -> npt.NDArray[np.int32]:
    """The story of each article, (a,) int32: the row of the longest text in it, which stands for the story.

    Articles are taken from the longest to the shortest. Each joins, of the stories found so far, the one whose
    longest text it resembles most and is the same story as, or begins its own. So every article of a story has been
    compared with one and the same text: a chain, where each resembles the next and the ends nothing of each other,
    is no story. Which articles make a story depends on their ids and texts, not on their order.

    Args:
        sketches: (a,) of all articles.
        id_rank: (a,) the place of each article among all, by id.
        same: Whether the articles of two rows are the same story, compared word by word (see `Comparisons`).
        settings: When two articles are the same story.
    """
    order = np.lexsort((id_rank, -sketches["n_words"].astype(np.int64)))
    _, first, name = np.unique(sketches["equal"][order], return_index=True, return_inverse=True)
    story = np.empty(len(sketches), np.int32)
    story[order] = order[first[name]]
    distinct = order[(story[order] == order) & (sketches["n_words"][order] >= settings.min_words)]
    buckets = _buckets(sketches["minima"][distinct], settings=settings)
    begun: dict[int, list[int]] = {}
    for place in np.flatnonzero((buckets >= 0).any(axis=1)):
        keys = [int(key) for key in buckets[place] if key >= 0]
        near = np.unique([other for key in keys for other in begun.get(key, ())]).astype(np.int64)
        row = int(distinct[place])
        for other in distinct[_most_alike(sketches["minima"], row, near, distinct=distinct, settings=settings)]:
            if same(row, int(other)):
                story[row] = other
                break
        else:
            for key in keys:
                begun.setdefault(key, []).append(int(place))
    # What equals an article goes where that article went.
    return story[story]


class Comparisons:
    """Compares articles word by word, and remembers what came of it for builds to come.

    Args:
        read: The wording of the article of a row.
        settings: When two articles are the same story.
        known: What came of it before, by pairs of rows.
    """

    def __init__(
        self,
        read: Callable[[int], Wording],
        *,
        settings: StorySettings,
        known: Mapping[tuple[int, int], bool] | None = None,
    ) -> None:
        self._read = lru_cache(maxsize=_HELD_WORDINGS)(read)
        self._settings = settings
        self._known = known or {}
        self._asked: dict[tuple[int, int], bool] = {}

    def same(self, row: int, other: int) -> bool:
        """Whether the articles of these rows are the same story."""
        pair = row, other
        if pair not in self._asked:
            known = self._known.get(pair)
            self._asked[pair] = (
                same_story(self._read(row), self._read(other), settings=self._settings) if known is None else known
            )
        return self._asked[pair]

    def asked(self) -> npt.NDArray[np.int32]:
        """All that was asked, (n, 3) int32: two rows, and 1 for the same story or 0."""
        return np.array(sorted((*pair, same) for pair, same in self._asked.items()), np.int32).reshape(-1, 3)


def _most_alike(
    values: npt.NDArray[np.uint32], row: int, near: Rows64, *, distinct: Rows64, settings: StorySettings
) -> Rows64:
    """Of the places `near` in `distinct`, those whose texts seem to resemble that of `row`, the most alike first."""
    estimates = (values[distinct[near]] == values[row]).mean(axis=1)
    likely = estimates >= settings.resemblance - _ESTIMATE_MARGIN
    near, estimates = near[likely], estimates[likely]
    return near[np.lexsort((near, -estimates))][:_MAX_COMPARED]


def _buckets(values: npt.NDArray[np.uint32], *, settings: StorySettings) -> Rows64:
    """For each text and band a number that it shares with the texts of equal minima there, -1 where it is alone."""
    buckets = np.full((len(values), settings.bands), -1, np.int64)
    for band in range(settings.bands):
        rows = np.ascontiguousarray(values[:, band * settings.band_rows : (band + 1) * settings.band_rows])
        whole = rows.view(np.dtype((np.void, rows.itemsize * settings.band_rows))).ravel()
        _, number, counts = np.unique(whole, return_inverse=True, return_counts=True)
        shared = counts[number] > 1
        buckets[shared, band] = number[shared] + band * len(values)
    return buckets


class Stories:
    """The stories of a generation. Thread-safe.

    Args:
        of: (a,) the story of each article, by row: equal numbers, the same story.
    """

    def __init__(self, of: npt.NDArray[np.int32]) -> None:
        self.of = of
        self._rows = np.argsort(of, kind="stable")
        self._sorted = of[self._rows]

    def __len__(self) -> int:
        """How many articles it tells the story of."""
        return len(self.of)

    def articles(self, row: int) -> Rows64:
        """The rows of all articles of the story that the article of this row is in, that one among them."""
        start, end = np.searchsorted(self._sorted, self.of[row] + np.arange(2))
        return self._rows[start:end]


def write_stories(
    sketches: Sketches, story: npt.NDArray[np.int32], *, comparisons: npt.NDArray[np.int32], folder: Path
) -> None:
    """Write each as a file of `folder`."""
    np.save(folder / COMPARISONS_FILE, comparisons, allow_pickle=False)
    np.save(folder / SKETCHES_FILE, sketches, allow_pickle=False)
    np.save(folder / STORIES_FILE, story, allow_pickle=False)


def read_stories(folder: Path) -> Stories:
    """Read the stories that `write_stories` wrote.

    Raises:
        IndexDamaged: missing, or not such a file.
    """
    of = _load(folder / STORIES_FILE)
    if of.dtype != np.int32 or of.ndim != 1:
        raise IndexDamaged(f"{folder / STORIES_FILE} holds {of.dtype} {of.shape}, expected int32; run: cari verify")
    return Stories(np.asarray(of))


def read_sketches(folder: Path) -> Sketches:
    """Map the sketches that `write_stories` wrote into memory.

    Raises:
        IndexDamaged: missing, or not such a file.
    """
    return _load(folder / SKETCHES_FILE)


def read_comparisons(folder: Path) -> npt.NDArray[np.int32]:
    """Map what came of comparing articles (see `Comparisons.asked`) into memory.

    Raises:
        IndexDamaged: missing, or not such a file.
    """
    return _load(folder / COMPARISONS_FILE)


def _load(path: Path) -> npt.NDArray[Any]:
    try:
        loaded: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise IndexDamaged(f"{path} does not open ({error}); run: cari verify") from error
    return loaded
