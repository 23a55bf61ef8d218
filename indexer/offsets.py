"""Removes what a vector says of its language rather than of its subject.

Vectors of one language share an offset from those of another. In a pool of both, passages in the language of
the question therefore win unfairly; without the offsets they do not. Measured with multilingual-e5-small on
Belebele's Wikibooks and Wikivoyage part, nDCG@10 in a pool of both languages: Indonesian questions .736 -> .873,
English .867 -> .934, while no single-language direction moves by more than .006 (`make bench`).
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .encoder import unit_rows
from .errors import IndexDamaged
from .token_store import TokenStore, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .encoder import Rows

Offsets = dict[str, npt.NDArray[np.float32]]
"""By language, (dim,) float32: what its passages have and the average language's have not."""

OFFSETS_FILE = "vector-offsets.json"
"""What the stored vectors have lost; kept for the record, since questions lose nothing."""
LATE_OFFSETS_FILE = "token-offsets.json"

_SAMPLED_PASSAGES = 2_000
_UNPACKED_PASSAGES = 16
_PRIOR_PASSAGES = 16
"""Passages of a language that weigh as much as the assumption that it has no offset."""


def language_offsets(vectors: Rows, languages: Sequence[str] | npt.NDArray[np.str_]) -> Offsets:
    """Estimate each language's offset from the corpus itself.

    The offset of language l with n passages is n / (n + 16) * (mean of l - mean over the languages' means): an
    estimate from few passages, which would say more of their subjects than of their language, is shrunk. A
    corpus of one language has the offset 0.

    Args:
        vectors: (n, dim) float32, unit rows, of the passages.
        languages: (n,) the language of each.
    """
    return offsets_of([(vectors, np.asarray(languages))])


def offsets_of(blocks: Iterable[tuple[Rows, npt.NDArray[np.str_]]]) -> Offsets:
    """`language_offsets` of vectors and languages that come block by block, one of which is held at a time."""
    sums: dict[str, npt.NDArray[np.float64]] = {}
    counts: Counter[str] = Counter()
    for vectors, languages in blocks:
        for language in np.unique(languages):
            # In double precision, or the order of the articles would show in the offsets' last digits.
            own = vectors[languages == language]
            sums[str(language)] = sums.get(str(language), 0) + own.sum(axis=0, dtype=np.float64)
            counts[str(language)] += len(own)
    if not sums:
        return {}
    named = sorted(sums)
    number = np.array([counts[name] for name in named])[:, None]
    means = np.stack([sums[name] for name in named]) / number
    trust = number / (number + _PRIOR_PASSAGES)
    # Rare languages must not move the common point that all are brought to.
    centre = (means * trust).sum(axis=0) / trust.sum()
    shrunk = ((means - centre) * trust).astype(np.float32)
    return dict(zip(named, shrunk, strict=True))


def token_offsets(store: TokenStore, languages: npt.NDArray[np.str_]) -> Offsets:
    """The same of token vectors, estimated from at most 2,000 passages of a language, evenly spread.

    Args:
        store: The tokens of all passages.
        languages: (passages,) the language of each.
    """
    means: list[Rows] = []
    of: list[str] = []
    for language in np.unique(languages):
        rows = np.flatnonzero(languages == language)
        sample = rows[:: -(-len(rows) // _SAMPLED_PASSAGES)]
        for some in np.array_split(sample, -(-len(sample) // _UNPACKED_PASSAGES)):
            packed, bounds = store.tokens(some)
            unpacked = unpack(packed)
            for start, end in pairwise(bounds.tolist()):
                if end > start:
                    means.append(unpacked[start:end].mean(axis=0))
                    of.append(str(language))
    return language_offsets(np.array(means, np.float32), of)


def without_offsets(vectors: Rows, languages: Sequence[str] | npt.NDArray[np.str_], offsets: Offsets) -> Rows:
    """The vectors less their language's offset, unit rows again."""
    named, codes = np.unique(np.asarray(languages), return_inverse=True)
    return unit_rows(vectors - np.stack([offsets[str(name)] for name in named])[codes])


def write_offsets(offsets: Offsets, *, path: Path) -> None:
    """Write offsets as JSON: by language, a list of numbers."""
    content = {language: [round(float(number), 7) for number in offset] for language, offset in offsets.items()}
    path.write_text(json.dumps(content, sort_keys=True) + "\n", encoding="utf-8")


def read_offsets(path: Path) -> Offsets:
    """Read what `write_offsets` wrote.

    Raises:
        IndexDamaged: missing, or not such a file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {language: np.array(numbers, np.float32) for language, numbers in content.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise IndexDamaged(f"{path} does not open ({error}); run: cari verify") from error
