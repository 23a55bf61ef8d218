"""The words of a text as the lexical index knows them. The only file that knows the stemmer."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import Stemmer

if TYPE_CHECKING:
    from collections.abc import Container

# An apostrophe parts words: "bank's" must be found by "bank" (nDCG@10 of BM25, en->en: .911 -> .921).
_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,:]\d+)*")
_SEPARATORS = str.maketrans("", "", ".,:")
_STEMMERS = {"id": "indonesian", "en": "english"}
# What a question asks with says nothing of what it asks about, and is rare enough in articles to weigh a lot. Left
# out of questions, not of passages: what it is worth is measured in `bench/lexical`.
_ASKING = {
    "id": "apa siapa mana dimana kemana darimana kapan mengapa kenapa bagaimana gimana berapa seberapa apakah siapakah "
    "manakah dimanakah kapankah mengapakah bagaimanakah berapakah",
    "en": "what who whom whose when where why how which do does did",
}
_MOST_KNOWN = 2**14
_LONGEST_KNOWN = 32
OTHER = "other"
"""The language of texts that are indexed without a stemmer."""
ANALYSED = (*_STEMMERS, OTHER)


class Term(NamedTuple):
    """A word of a text: its stem, and where it stands, `text[start:end]`. Made by the million, so a tuple."""

    stem: str
    start: int
    end: int


def analysed_as(language: str) -> str:
    """Which of the three analyses a text of this language gets: "id", "en" or "other"."""
    return language if language in _STEMMERS else OTHER


def asked_terms(text: str, *, language: str) -> list[Term]:
    """The words of a question that say what it is about: all but those it asks with; all, if there are no others."""
    found = terms(text, language=language)
    asking = _asking_stems(language)
    return [term for term in found if term.stem not in asking] or found


@lru_cache(maxsize=len(ANALYSED))
def _asking_stems(language: str) -> frozenset[str]:
    return frozenset(term.stem for term in terms(_ASKING.get(language, ""), language=language))


def terms(text: str, *, language: str) -> list[Term]:
    """The words of `text`, in order, each a run of letters or a number.

    Stems are those of Snowball's stemmer of the language (Tala 2003 for Indonesian, which takes off -nya, -kah,
    -lah, ku- and the like; Porter for English). Numbers lose their separators, so that 1.200 and 1,200 are one
    term. The second half of a reduplication counts no more than the first: "anak-anak" is one "anak".
    """
    stem_of = _known_stems(language)
    return _without_repetitions([(stem_of[word[0]], word) for word in _WORD.finditer(text)], text)


def terms_among(stems: Container[str], text: str, *, language: str) -> list[Term]:
    """Those of `terms(text)` that have one of these stems."""
    stem_of = _known_stems(language)
    # A repetition stands right behind a word of its own stem, which is among these too.
    found = [(stem, word) for word in _WORD.finditer(text) if (stem := stem_of[word[0]]) in stems]
    return _without_repetitions(found, text)


def _without_repetitions(words: list[tuple[str, re.Match[str]]], text: str) -> list[Term]:
    found: list[Term] = []
    last, previous_end = "", -1
    for stem, word in words:
        start, end = word.span()
        repeated = stem == last and previous_end + 1 == start and text[previous_end] == "-"
        if not repeated and stem:
            found.append(Term(stem, start, end))
            last = stem
        previous_end = end
    return found


class _KnownStems(dict[str, str]):
    """The stems of a language's words, found once each: few words make up most of any text.

    Bounded in number and in length, a few megabytes when full.
    """

    def __init__(self, language: str) -> None:
        super().__init__()
        self._algorithm = _STEMMERS.get(language)

    def __missing__(self, word: str) -> str:
        stem = unicodedata.normalize("NFKC", word).casefold().translate(_SEPARATORS)
        if self._algorithm is not None:
            # A stemmer keeps state between calls; one is made for each, which costs a microsecond.
            stem = Stemmer.Stemmer(self._algorithm).stemWord(stem)
        if len(word) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[word] = stem
        return stem


@lru_cache(maxsize=len(ANALYSED))
def _known_stems(language: str) -> _KnownStems:
    return _KnownStems(language)
