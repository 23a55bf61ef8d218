"""How an article is worded, apart from how it is laid out: what near-duplicates are told by."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint32]
"""(n,) uint32, sorted, each value once."""

_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,:]\d+)*")
_SEPARATORS = str.maketrans("", "", ".,:")
# The multipliers of SplitMix64 (Steele et al. 2014): what is multiplied by them differs in its high bits.
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9))
_BLOCK_SHINGLES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class StorySettings:
    """When two articles count as one story; shares are of the shorter text, 0 to 1.

    Two texts are the same story when at least `resemblance` of all their shingles (runs of `shingle_words` words)
    are in both, `containment` of the shorter text's, `lead` of those in its first `lead_words` words, and
    `numbers` of the numbers of the text that has fewer. Texts of less than `min_words` words must be equal, their
    titles too. Measured in `bench/stories`: the lead tells apart reports that share only a long background, the
    numbers tell apart a daily report from that of the day before.

    `bands` groups of `band_rows` minima are compared to find candidates: a pair that resembles by .5 is found with
    a probability of 1 - (1 - .5 ** 3) ** 42 = .996, one by .1 with .04.
    """

    shingle_words: int = 3
    bands: int = 42
    band_rows: int = 3
    min_words: int = 30
    resemblance: float = 0.45
    containment: float = 0.65
    lead_words: int = 100
    lead: float = 0.5
    numbers: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of a text as sets of hashes. `equal` names the whole of it: equal words, equal names."""

    n_words: int
    equal: int
    shingles: Hashes
    lead: Hashes
    numbers: Hashes


def wording_of(title: str, text: str, *, settings: StorySettings) -> Wording:
    """The wording of an article: case, punctuation, layout and the title of a text that is not short do not matter."""
    words = _words(text)
    named = words if len(words) >= settings.min_words else [*words, "\n", *_words(title)]
    digest = hashlib.blake2b("\0".join(named).encode(), digest_size=8).digest()
    hashes = np.fromiter((zlib.crc32(one.encode()) for one in words), np.uint64, len(words))
    return Wording(
        n_words=len(words),
        equal=int.from_bytes(digest, "little"),
        shingles=_shingles(hashes, size=settings.shingle_words),
        lead=_shingles(hashes[: settings.lead_words], size=settings.shingle_words),
        numbers=np.unique(hashes[[one[0].isdigit() for one in words]]).astype(np.uint32),
    )


def same_story(one: Wording, other: Wording, *, settings: StorySettings) -> bool:
    """Whether two articles are the same story; see `StorySettings`. The order of the two does not matter."""
    if one.equal == other.equal:
        return True
    # Names break a tie of lengths, or the verdict would depend on which text is named first.
    short, long = sorted((one, other), key=lambda text: (text.n_words, text.equal))
    if short.n_words < settings.min_words:
        return False
    common = _common(short.shingles, long.shingles)
    resemblance = common / (len(short.shingles) + len(long.shingles) - common)
    numbers = min(len(short.numbers), len(long.numbers))
    return (
        resemblance >= settings.resemblance
        and common >= settings.containment * min(len(short.shingles), len(long.shingles))
        and _common(short.lead, long.shingles) >= settings.lead * len(short.lead)
        and _common(short.numbers, long.numbers) >= settings.numbers * numbers
    )


def minima(shingles: Hashes, *, settings: StorySettings) -> Hashes:
    """The MinHash of a set (Broder 1997), (bands * band_rows,) uint32, in the order of the permutations.

    Two sets have the same value at a place with the probability of their resemblance. A permutation is
    h -> a * h + b modulo 2 ** 32 with an odd a; the numbers a and b are the same on every machine.
    """
    places = settings.bands * settings.band_rows
    drawn = np.frombuffer(hashlib.shake_128(b"stories").digest(8 * places), "<u4").astype(np.uint32)
    factors, terms = drawn[:places] | np.uint32(1), drawn[places:]
    lowest = np.full(places, np.iinfo(np.uint32).max, np.uint32)
    # In blocks, so that an article of a million words takes no more memory than one of thousands.
    for at in range(0, len(shingles), _BLOCK_SHINGLES):
        permuted = shingles[at : at + _BLOCK_SHINGLES, None] * factors + terms
        np.minimum(lowest, permuted.min(axis=0), out=lowest)
    return lowest


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [one.translate(_SEPARATORS) if one[0].isdigit() else one for one in _WORD.findall(folded)]


def _shingles(hashes: npt.NDArray[np.uint64], *, size: int) -> Hashes:
    """The hashes of all runs of `size` words; none when there are fewer words."""
    count = max(len(hashes) - size + 1, 0)
    mixed = np.zeros(count, np.uint64)
    for place in range(size):
        mixed = (mixed ^ (mixed >> np.uint64(30)) ^ hashes[place : place + count]) * _MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[1]
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def _common(one: Hashes, other: Hashes) -> int:
    return len(np.intersect1d(one, other, assume_unique=True))
