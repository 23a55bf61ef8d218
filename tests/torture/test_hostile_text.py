# Texts made to harm: every step from the file to the passage takes time in proportion, and loses nothing.

from __future__ import annotations

import re
import time
from datetime import date
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Article, boilerplate, bylines, datelines, dates, detect_query_language, metadata
from corpus.cleaning import clean
from corpus.language import detect_article_language
from corpus.markdown import plain_text
from corpus.paragraphs import normalise, split_paragraphs
from indexer import ChunkSettings, HashingEncoder, split_sentences
from indexer.chunker import chunk
from indexer.terms import terms

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

PIECES = [
    "A-",
    "A ",
    "A.",
    "Aa-a",
    "a",
    " ",
    "  ",
    "\n",
    "1",
    "12 ",
    "12/",
    "-",
    " - ",
    "--",
    ".",
    "...",
    ". A",
    ".)",
    '"',
    "“",
    "(",
    "(a",
    "[gambas:",
    "[",
    ")",
    ",",
    ", ",
    "A,",
    ":",
    ": ",
    "|",
    "Baca juga: ",
    "Baca juga: A.",
    "baca selengkapnya",
    "read more: ",
    "JAKARTA ",
    "JAKARTA, ",
    "Jakarta ",
    "Reuters",
    "(Reuters) ",
    "CNN ",
    "kompas.com",
    "a.com ",
    "www.",
    "a@",
    "a@b.",
    "copyright © ",
    "copyright 2024 ",
    "pewarta: ",
    "editor: ",
    "sumber: A ",
    "By A ",
    "By A A, ",
    " dan A",
    "Senin, ",
    "Senin (",
    "1 Januari ",
    "Jan 1, ",
    "2024-01-01 ",
    "1/1/",
    "published ",
    "pukul 1:00 ",
    "iklan ",
    "iklan: ",
    "menyajikan artikel ",
    "ikuti telegram ",
    "follow a on x ",
    "subscribe to newsletter ",
    "may not be published ",
    "home > ",
    "> a ",
    "more from a ",
    "e.g. ",
    "U.S. ",
    "dr. ",
    "。",
    "」",
    "!?",
    "\u0300",
    "\u0316\u0300",
    "\u200d",
    "\u200c",
    "\u202e",
    "\ufffd",
    "\ufdfa",
    "🌊",
    "\U00012000",
    "\ue000",
    "é",
    "ﷺ",
    "<a ",
    "![",
    "[a](",
    "*a **b ",
    "`",
    "_a",
    "~~",
    "> ",
]
SECONDS = 0.004
"""Below this, a clock's steps and the garbage collector are most of what is measured."""


def patterns() -> list[tuple[str, Callable[[str], object]]]:
    """Every compiled pattern that articles meet, as they meet it or worse: searched, matched and matched whole."""
    found: list[tuple[str, re.Pattern[str]]] = []
    for module in (boilerplate, bylines, datelines, dates, metadata):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found.append((f"{module.__name__}.{name}", value))
            elif isinstance(value, tuple):
                for place, part in enumerate(value):
                    inner = getattr(part, "pattern", None)
                    if isinstance(part, re.Pattern):
                        found.append((f"{module.__name__}.{name}[{place}]", part))
                    elif isinstance(inner, re.Pattern):
                        found.append((f"{module.__name__}.{part.name}", inner))
    return [(name, pattern.match) for name, pattern in found] + [
        (f"{name}, whole", pattern.fullmatch) for name, pattern in found
    ]


def chunked(text: str) -> object:
    return passages_of(text, HashingEncoder())


STEPS: dict[str, Callable[[str], object]] = {
    "normalise": normalise,
    "paragraphs": split_paragraphs,
    "cleaning": lambda text: clean(split_paragraphs(normalise(text))),
    "dateline": datelines.split_dateline,
    "closing": bylines.split_closing,
    "date": dates.find_date,
    "reported date": dates.find_reported_date,
    "published": partial(metadata.given_published, language="id"),
    "title": lambda text: metadata.find_title([text[:120], text, text]),
    "address": metadata.web_address,
    "language of an article": detect_article_language,
    "language of a question": detect_query_language,
    "sentences": split_sentences,
    "words": partial(terms, language="id"),
    "English words": partial(terms, language="en"),
}


def seconds(step: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    step(text)
    return time.process_time() - began


def assert_in_proportion(step: Callable[[str], object], unit: str, *, chars: int, steps: int = 3) -> None:
    """Twice the text may not take much more than twice the time, `steps` times over."""
    sizes = [max(2, chars // len(unit)) << doubling for doubling in range(steps + 1)]
    took = [min(seconds(step, unit * size) for _ in range(2)) for size in sizes]
    # Quadratic time is 4, 16, 64 times; a third more than linear at each doubling is the caches'.
    assert took[-1] < max(SECONDS, took[0]) * 2.7**steps, f"{unit!r} * {sizes}: {took}"


@pytest.mark.parametrize("name", STEPS)
def test_every_step_takes_time_in_proportion_to_any_repeated_text(name: str, rounds: Callable[..., int]) -> None:
    for unit in PIECES[:: rounds(small=10, full=1)]:
        assert_in_proportion(STEPS[name], unit, chars=rounds(small=500, full=5_000))


def test_every_pattern_takes_little_time_for_the_texts_it_may_meet(rounds: Callable[..., int]) -> None:
    # Rules and bylines meet paragraphs of at most 450 characters; what meets longer ones is among the steps above.
    rng = np.random.default_rng(7)
    texts = [(piece * 450)[:450] for piece in PIECES]
    for _ in range(rounds(small=5, full=2_000)):
        cycle = "".join(rng.choice(PIECES, size=int(rng.integers(2, 5))))
        texts.append((cycle * 450)[:450])
    for name, meets in patterns():
        for text in texts:
            assert seconds(meets, text) < 0.25, f"{name} on {text[:40]!r}"


@pytest.mark.parametrize("unit", ["![", "[a](", "*a **b ", "<a ", "`a``b", "- a\n", "> a\n\n", "[a]: b\n", "a\n"])
def test_markdown_takes_time_in_proportion(unit: str, rounds: Callable[..., int]) -> None:
    assert_in_proportion(plain_text, unit, chars=rounds(small=400, full=8_000))


def passages_of(text: str, encoder: HashingEncoder | Fused) -> list[tuple[int, int]]:
    article = Article(
        id="a",
        title="",
        text=text,
        url=None,
        source=None,
        author=None,
        published=date(2024, 1, 1),
        language="id",
        digest="",
    )
    settings = ChunkSettings(max_tokens=64, max_title_tokens=16)
    passages = chunk(article, tokenizer=encoder, settings=settings, overhead_tokens=1)
    assert all(passage.text == text[passage.start : passage.end] for passage in passages)
    return [(passage.start, passage.end) for passage in passages]


class Fused:
    """A tokenizer that takes a run of unknown characters for one token, and some characters for none."""

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        return np.fromiter((run.start() for run in re.finditer(r"[^\s\ufffd]+", text)), np.int32)


def assert_nothing_is_lost(text: str, spans: list[tuple[int, int]]) -> None:
    covered = np.zeros(len(text) + 1, bool)
    for start, end in spans:
        covered[start:end] = True
    lost = [place for place, letter in enumerate(text) if not letter.isspace() and not covered[place]]
    assert not lost, ascii(text[lost[0] - 5 : lost[0] + 5])


@pytest.mark.parametrize("encoder", [HashingEncoder(), Fused()], ids=["words", "runs"])
def test_passages_of_any_repeated_text_hold_all_of_it_and_take_time_in_proportion(
    encoder: HashingEncoder | Fused, rounds: Callable[..., int]
) -> None:
    for unit in [*PIECES[:: rounds(small=12, full=1)], "\ufffd\n\n\ufffd\ufffd\n\n", "x. ", "\U00012000" * 50]:
        text = unit * (rounds(small=2_000, full=40_000) // len(unit))
        assert_nothing_is_lost(text, passages_of(text, encoder))
        assert_in_proportion(partial(passages_of, encoder=encoder), unit, chars=rounds(small=500, full=5_000), steps=2)


def test_a_passage_of_characters_the_model_does_not_know_ends_somewhere() -> None:
    text = "\U00012000" * 100_000
    spans = passages_of(text, Fused())
    assert_nothing_is_lost(text, spans)
    assert max(end - start for start, end in spans) <= 64 * 64


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=60), times=st.integers(1, 20))
def test_sentences_and_passages_of_any_text_are_exact_and_whole(pieces: list[str], times: int) -> None:
    text = "".join(pieces) * times
    spans = split_sentences(text)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert_nothing_is_lost(text, spans)
    assert_nothing_is_lost(text, passages_of(text, HashingEncoder()))


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec=None), max_size=400))
def test_the_language_of_any_text_is_a_code(text: str) -> None:
    assert re.fullmatch(r"[a-z]{2,3}", detect_article_language(normalise(text)))
    assert detect_query_language(text).language in {"id", "en", "und"}


def test_marks_stacked_on_a_letter_are_kept_up_to_thirty() -> None:
    assert normalise("a" + "\u0316" * 500 + "b") == "a" + "\u0316" * 30 + "b"
    assert normalise("e\u0301\u0323") == "ẹ\u0301"


@pytest.mark.parametrize(
    "paragraph",
    [
        "JAKARTA-Polisi",
        "Baden-Baden (AP) - A",
        "Kulon Progo-Wates, ANTARA - A",
        "TEMPO.CO,Jakarta-Polisi",
        "A-A-A-A, Jan 5 - B",
    ],
)
def test_places_with_hyphens_are_still_read(paragraph: str) -> None:
    _, rest = datelines.split_dateline(paragraph)
    assert rest in {"A", "B", "Polisi", "JAKARTA-Polisi"}
