"""The words of a text as the lexical index knows them. The only file that knows the stemmer."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import Stemmer

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
