"""Which language a query or an article is in: the only file that imports langdetect.

langdetect's own detector draws n-grams at random until one language wins, so that its answer on a short text
depends on the draw. Here every n-gram of langdetect's profiles counts, once: naive Bayes (Nakatani Shuyo 2010),
evaluated exactly. There is no random number, hence no seed, and nothing that threads share but read-only tables.

Two limits are langdetect's: it has no Malay profile, so Malay is taken for Indonesian; and Serbian or Bosnian
are taken for Croatian.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.utils.ngram import NGram

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

UNDETERMINED: Final = "und"

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NOT_PROSE: Final = re.compile(r"https?://\S+|\S+@\S+|\d+")

_MAX_QUERY_CHARS: Final = 300
_QUERY_SMOOTHING: Final = 5e-5
# A name is no evidence of the language that a question is asked in: "Kapan Snow White dirilis?" is Indonesian.
_NAME_WEIGHT: Final = 0.25
# Overlapping trigrams are not independent: unscaled, their sum would claim certainty after two words.
_QUERY_SCALE: Final = 0.5

_SAMPLE_CHARS: Final = 400
_MIN_LETTERS: Final = 12
_ARTICLE_SMOOTHING: Final = 5e-5
_ARTICLE_SCALE: Final = 1 / 3
# The share of articles expected in neither language; it matters only while a text is short.
_THIRD_LANGUAGE_PRIOR: Final = 0.05
_MIN_POSTERIOR: Final = 0.5
# Their profiles hold Chinese characters too, and so frequent ones that plain Chinese would be taken for Korean.
# langdetect writes every Hangul syllable, every hiragana and every katakana letter as one.
_OWN_LETTERS: Final = {"ko": "\uac00", "ja": "\u3042\u30a2"}


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """A language, ISO 639-1 or "und", and how sure that is, from 0 to 1."""

    language: str
    confidence: float


def detect_query_language(text: str) -> LanguageGuess:
    """Whether a question is Indonesian ("id") or English ("en"); ("und", 0.0) without any letter to judge by."""
    evidence = 0.0
    known = False
    weights = _query_weights()
    for place, word in enumerate(_WORD.findall(text[:_MAX_QUERY_CHARS])):
        weight = _NAME_WEIGHT if place and word[0].isupper() else 1.0
        padded = f" {word.lower()} "
        for start in range(len(padded) - 2):
            ratio = weights.get(padded[start : start + 3])
            if ratio is not None:
                evidence += weight * ratio
                known = True
    if not known:
        return LanguageGuess(UNDETERMINED, 0.0)
    confidence = 1 / (1 + math.exp(-min(_QUERY_SCALE * abs(evidence), 50.0)))
    return LanguageGuess("id" if evidence > 0 else "en", confidence)


@cache
def _query_weights() -> Mapping[str, float]:
    """The log-likelihood ratio of Indonesian over English of each trigram that either profile has."""
    ngrams = _profiles(("id", "en")).word_lang_prob_map
    return {
        ngram: math.log((indonesian + _QUERY_SMOOTHING) / (english + _QUERY_SMOOTHING))
        for ngram, (indonesian, english) in ngrams.items()
        if len(ngram) == NGram.N_GRAM
    }


def detect_article_language(text: str) -> str:
    """The language of an article among all that langdetect knows, ISO 639-1, or "und" for too little text.

    Judged on samples of the start, the middle and the end, so that its cost does not grow with the article.
    """
    prose = _NOT_PROSE.sub(" ", _samples(text))
    sample = _normalised(prose.lower() if prose.isupper() else prose)
    if sum(map(str.isalpha, sample)) < _MIN_LETTERS:
        return UNDETERMINED
    model = _article_model()
    rows = [row for row in map(model.row_of.get, _ngrams(sample)) if row is not None]
    if not rows:
        return UNDETERMINED
    scores = model.log_prior + _ARTICLE_SCALE * model.log_likelihood[rows].sum(axis=0, dtype=np.float64)
    for language, letters in _OWN_LETTERS.items():
        if not any(letter in sample for letter in letters):
            scores[model.languages.index(language)] = -np.inf
    posterior = np.exp(scores - scores.max())
    best = int(posterior.argmax())
    if posterior[best] / posterior.sum() < _MIN_POSTERIOR:
        return UNDETERMINED
    return model.languages[best].partition("-")[0]  # zh-cn and zh-tw are zh


def _samples(text: str) -> str:
    if len(text) <= 3 * _SAMPLE_CHARS:
        return text
    middle = len(text) // 2
    return f"{text[:_SAMPLE_CHARS]} {text[middle : middle + _SAMPLE_CHARS]} {text[-_SAMPLE_CHARS:]}"


def _normalised(text: str) -> str:
    """The text in the alphabet of the profiles: punctuation to spaces, one character for all Hangul, ..."""
    return " ".join(NGram.normalize_vi(text).translate(_ALPHABET).split())


class _Alphabet(dict[int, str]):
    """langdetect's normal form of each character, found once."""

    def __missing__(self, code: int) -> str:
        normal = str(NGram.normalize(chr(code)))
        self[code] = normal
        return normal


_ALPHABET: Final = _Alphabet()


def _ngrams(sample: str) -> Iterable[str]:
    padded = f" {sample} "
    for size in range(1, NGram.N_GRAM + 1):
        for start in range(len(padded) - size + 1):
            yield padded[start : start + size]


class _Model(NamedTuple):
    """`log_likelihood`: (ngrams, languages) float32; `log_prior`: (languages,) float64."""

    languages: list[str]
    row_of: dict[str, int]
    log_likelihood: npt.NDArray[np.float32]
    log_prior: npt.NDArray[np.float64]


@cache
def _article_model() -> _Model:
    names = sorted(path.name for path in Path(PROFILES_DIRECTORY).iterdir() if path.is_file())
    factory = _profiles(tuple(names))
    ngrams = factory.word_lang_prob_map
    likelihood = np.array(list(ngrams.values()), dtype=np.float32)
    languages = list(factory.langlist)
    third = _THIRD_LANGUAGE_PRIOR / (len(languages) - 2)
    expected = (1 - _THIRD_LANGUAGE_PRIOR) / 2
    prior = [expected if language in ("id", "en") else third for language in languages]
    return _Model(
        languages,
        {ngram: row for row, ngram in enumerate(ngrams)},
        np.log(likelihood + np.float32(_ARTICLE_SMOOTHING)),
        np.log(prior),
    )


def _profiles(names: tuple[str, ...]) -> DetectorFactory:
    factory = DetectorFactory()
    factory.load_json_profile([Path(PROFILES_DIRECTORY, name).read_text(encoding="utf-8") for name in names])
    return factory
