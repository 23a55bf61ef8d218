"""The words of a text as the lexical index knows them. The only file that knows the stemmer."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import Stemmer

# An apostrophe parts words: "bank's" must be found by "bank" (nDCG@10 of BM25, en->en: .911 -> .921).
_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,:]\d+)*")
_SEPARATORS = str.maketrans("", "", ".,:")
_STEMMERS = {"id": "indonesian", "en": "english"}
OTHER = "other"
"""The language of texts that are indexed without a stemmer."""
ANALYSED = (*_STEMMERS, OTHER)


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a text: its stem, and where it stands, `text[start:end]`."""

    stem: str
    start: int
    end: int


def analysed_as(language: str) -> str:
    """Which of the three analyses a text of this language gets: "id", "en" or "other"."""
    return language if language in _STEMMERS else OTHER


def terms(text: str, *, language: str) -> list[Term]:
    """The words of `text`, in order, each a run of letters or a number.

    Stems are those of Snowball's stemmer of the language (Tala 2003 for Indonesian, which takes off -nya, -kah,
    -lah, ku- and the like; Porter for English). Numbers lose their separators, so that 1.200 and 1,200 are one
    term. The second half of a reduplication counts no more than the first: "anak-anak" is one "anak".
    """
    found: list[Term] = []
    previous_end = -1
    words = list(_WORD.finditer(text))
    folded = [unicodedata.normalize("NFKC", word[0]).casefold().translate(_SEPARATORS) for word in words]
    # A stemmer keeps state between calls; one is made for each, which costs a microsecond.
    stems = Stemmer.Stemmer(_STEMMERS[language]).stemWords(folded) if language in _STEMMERS else folded
    for word, stem in zip(words, stems, strict=True):
        repeated = previous_end + 1 == word.start() and text[previous_end] == "-" and found and found[-1].stem == stem
        if not repeated and stem:
            found.append(Term(stem, word.start(), word.end()))
        previous_end = word.end()
    return found
