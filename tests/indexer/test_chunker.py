from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.article import Article
from indexer.chunker import ChunkSettings, chunk, embedded_text, embedded_title, passage_room

if TYPE_CHECKING:
    from indexer.chunker import Tokenizer
    from indexer.passage import Passage

OVERHEAD = 5


@dataclass(frozen=True)
class EveryFew:
    """A token for each `letters` characters of a word, and one for each word's rest."""

    letters: int

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        pieces = re.finditer(rf"\S{{1,{self.letters}}}", text)
        return np.fromiter((piece.start() for piece in pieces), np.int32)


class TwoEach:
    """Two tokens at the offset of every code point, as a normaliser that expands may give."""

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        return np.repeat(np.arange(len(text), dtype=np.int32), 2)


class CheaperInside:
    """Four characters a token, but two in a short text: a passage alone costs twice what it cost inside."""

    def token_starts(self, text: str) -> npt.NDArray[np.int32]:
        return np.arange(0, len(text), 2 if len(text) < 600 else 4, dtype=np.int32)


WORDS = EveryFew(10_000)
TOKENIZERS: list[Tokenizer] = [WORDS, EveryFew(4), EveryFew(1), TwoEach(), CheaperInside()]
SMALL = ChunkSettings(max_tokens=48, max_title_tokens=8)


def article(text: str, *, title: str = "") -> Article:
    return Article(
        id="a1", title=title, text=text, url=None, source=None, author=None, published=None, language="id",
        digest="0",
    )  # fmt: skip


def passages(
    text: str, *, title: str = "", config: ChunkSettings = SMALL, tokenizer: Tokenizer = WORDS
) -> list[Passage]:
    return chunk(article(text, title=title), tokenizer=tokenizer, settings=config, overhead_tokens=OVERHEAD)


def sentence(words: int, name: str = "kata") -> str:
    return " ".join(["Kalimat", *[name] * (words - 2), "selesai."])


def paragraph(*sizes: int) -> str:
    return " ".join(sentence(size) for size in sizes)


PIECES = st.sampled_from(
    [" ", "\n", "\n\n", ". ", "? ", "! ", "...", "…", ", ", "“", "”", '"', "kata", "Kata", "dr.", "No. 5", "S.H.",
     "3,5", "detik.com", "。", "é", "e\u0301", "\u0301", "👩\u200d🚀", "\u200b", "ﷺ", "漢字", "\t", "\r\n", "\u2028",
     "Judul Bagian", "- butir", "x" * 60, "panjang " * 12, "\x00", "\U0010ffff"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=150).map("".join))
SETTINGS = st.builds(
    ChunkSettings,
    max_tokens=st.sampled_from([40, 48, 64, 256]),
    overlap_sentences=st.integers(0, 3),
    overlap_across_paragraphs=st.booleans(),
    max_title_tokens=st.integers(0, 11),
)


@given(text=TEXTS, title=st.one_of(st.just(""), TEXTS), config=SETTINGS, tokenizer=st.sampled_from(TOKENIZERS))
@settings(max_examples=300, deadline=None)
def test_any_text_is_divided_within_the_budget_and_nothing_is_lost(
    text: str, title: str, config: ChunkSettings, tokenizer: Tokenizer
) -> None:
    found = passages(text, title=title, config=config, tokenizer=tokenizer)
    short = embedded_title(title, tokenizer=tokenizer, settings=config)
    covered = [False] * len(text)
    for place, passage in enumerate(found):
        assert passage.id == f"a1#{place}"
        assert passage.article_id == "a1"
        assert passage.text == text[passage.start : passage.end]
        assert passage.text.strip() == passage.text != ""
        tokens = len(tokenizer.token_starts(embedded_text(short, passage.text)))
        assert tokens + OVERHEAD <= config.max_tokens
        covered[passage.start : passage.end] = [True] * (passage.end - passage.start)
    assert all(seen or letter.isspace() for letter, seen in zip(text, covered, strict=True))
    starts = [passage.start for passage in found]
    assert starts == sorted(set(starts))
    assert found == passages(text, title=title, config=config, tokenizer=tokenizer)


def test_a_passage_dearer_alone_than_inside_its_article_is_divided_again() -> None:
    text = "\n\n".join(paragraph(20, 12) for _ in range(30))
    found = passages(text, tokenizer=CheaperInside())
    assert max(len(CheaperInside().token_starts(p.text)) for p in found) + OVERHEAD <= 48


def test_a_text_that_fits_is_one_passage_without_the_whitespace_around_it() -> None:
    assert [p.text for p in passages("\n Satu kalimat. Dua.\n\nTiga. \n")] == ["Satu kalimat. Dua.\n\nTiga."]


@pytest.mark.parametrize("text", ["", " ", "\n\n \t\u2003"])
def test_a_blank_article_has_no_passages(text: str) -> None:
    assert passages(text, title="Judul") == []


def test_small_paragraphs_share_a_passage_and_none_is_divided() -> None:
    paragraphs = [paragraph(10), paragraph(6, 6), paragraph(15), paragraph(9, 9), paragraph(12)]
    found = passages("\n\n".join(paragraphs))
    assert [p.text for p in found] == ["\n\n".join(paragraphs[:3]), "\n\n".join(paragraphs[3:])]


def test_a_paragraph_that_fits_is_kept_together_even_if_that_takes_more_passages() -> None:
    paragraphs = [paragraph(12, 12), paragraph(12, 12), paragraph(12, 12)]
    assert [p.text for p in passages("\n\n".join(paragraphs))] == paragraphs


def test_a_paragraph_that_does_not_fit_is_divided_into_even_parts_at_sentence_ends() -> None:
    config = ChunkSettings(max_tokens=48, max_title_tokens=0, overlap_sentences=0)
    text = paragraph(8, 8, 8, 8, 8, 8)  # 48 of 41: not 40 and 8
    assert [p.text for p in passages(text, config=config)] == [paragraph(8, 8, 8)] * 2


def test_the_last_passage_is_not_a_crumb() -> None:
    text = "\n\n".join([paragraph(10)] * 9)  # 90 of 41: not 40, 40 and 10
    assert [len(p.text.split()) for p in passages(text)] == [30, 30, 30]


def test_lines_are_kept_together_like_paragraphs_when_a_paragraph_does_not_fit() -> None:
    lines = [paragraph(12, 12), paragraph(12, 12), paragraph(12, 12)]
    assert [p.text for p in passages("\n".join(lines))] == lines


def test_a_heading_goes_with_the_paragraph_that_follows_it() -> None:
    first, second = paragraph(15, 15), paragraph(15, 15)
    found = passages(f"{first}\n\nDua Kata Judul\n\n{second}")
    assert [p.text for p in found] == [first, f"Dua Kata Judul\n\n{second}"]


@pytest.mark.parametrize("heading", ["Apa itu kecerdasan buatan?", "‘Rusak di semua sisi’", "Ia menulis:"])
def test_a_line_that_leads_to_the_next_is_a_heading_too(heading: str) -> None:
    first, second = paragraph(15, 15), paragraph(15, 15)
    assert [p.text for p in passages(f"{first}\n{heading}\n{second}")] == [first, f"{heading}\n{second}"]


@pytest.mark.parametrize("line", ["Ini kalimat pendek.", "- butir pendek", "“Sudah selesai.”"])
def test_a_short_sentence_or_list_item_is_no_heading(line: str) -> None:
    first, second = paragraph(15, 15), paragraph(19, 19)
    assert [p.text for p in passages(f"{first}\n\n{line}\n\n{second}")] == [f"{first}\n\n{line}", second]


def test_two_headings_go_with_the_paragraph_that_follows_them() -> None:
    first, second = paragraph(15, 15), paragraph(15, 15)
    found = passages(f"{first}\nJudul Besar\nJudul Kecil\n{second}")
    assert [p.text for p in found] == [first, f"Judul Besar\nJudul Kecil\n{second}"]


def test_a_heading_is_not_cut_from_a_sentence_too_long_for_one_passage() -> None:
    found = passages(f"{paragraph(15, 15)}\n\nJudul\n\n{sentence(90)}")
    assert found[1].text.startswith("Judul\n\nKalimat")


def test_a_divided_paragraph_repeats_its_last_sentence() -> None:
    text = " ".join(sentence(8, name) for name in ("a", "b", "c", "d", "e", "f", "g"))
    config = ChunkSettings(max_tokens=48, max_title_tokens=0)
    found = passages(text, config=config)
    assert [p.text.split()[1::8] for p in found] == [["a", "b", "c", "d"], ["d", "e", "f", "g"]]


def test_a_sentence_over_a_quarter_of_the_room_is_not_repeated() -> None:
    text = paragraph(14, 14, 14, 14)
    assert [len(p.text.split()) for p in passages(text)] == [28, 28]


def test_no_sentence_is_repeated_across_a_paragraph_unless_asked() -> None:
    text = "\n\n".join(sentence(9, name) for name in "abcdef")
    assert [p.text.split()[1::9] for p in passages(text)] == [["a", "b", "c"], ["d", "e", "f"]]
    config = ChunkSettings(max_tokens=48, max_title_tokens=0, overlap_across_paragraphs=True)
    assert [p.text.split()[1::9] for p in passages(text, config=config)] == [
        ["a", "b", "c"],
        ["c", "d", "e", "f"],
    ]


def test_a_long_sentence_is_cut_after_a_clause() -> None:
    clauses = ["satu " * 15 + "akhir,", "dua " * 15 + "akhir;", "tiga " * 15 + "selesai."]
    found = passages(" ".join(clauses), config=ChunkSettings(max_tokens=48, max_title_tokens=0))
    assert [p.text for p in found] == [clauses[0], f"{clauses[1]} {clauses[2]}"]


def test_a_long_sentence_without_clauses_is_cut_at_spaces_into_even_parts() -> None:
    found = passages("kata " * 99 + "selesai.", config=ChunkSettings(max_tokens=48, max_title_tokens=0))
    assert [len(p.text.split()) for p in found] == [34, 33, 33]


def test_a_long_word_is_cut_between_characters_but_not_before_an_accent_or_inside_an_emoji() -> None:
    for unit in ("e\u0301", "👩\u200d🚀"):
        found = passages(unit * 100, tokenizer=EveryFew(1))
        assert len(found) > 1
        assert "".join(p.text for p in found) == unit * 100
        assert {len(p.text) % len(unit) for p in found} == {0}


def test_ten_megabytes_without_a_full_stop_take_seconds() -> None:
    text = "kata lain lagi " * 666_667
    began = time.perf_counter()
    found = passages(text, config=ChunkSettings(), tokenizer=EveryFew(4))
    took_s = time.perf_counter() - began
    assert took_s < 60
    assert sum(len(p.text.split()) for p in found) == len(text.split())


def test_the_article_is_tokenised_in_slices_of_bounded_size() -> None:
    seen: list[int] = []

    class Watched(EveryFew):
        def token_starts(self, text: str) -> npt.NDArray[np.int32]:
            seen.append(len(text))
            return super().token_starts(text)

    assert passages("kata " * 100_000, tokenizer=Watched(10_000)) == passages("kata " * 100_000)
    assert max(seen) <= 200_000


def test_the_title_stands_before_the_passage_on_a_line_of_its_own() -> None:
    assert embedded_text("Judul", "Isi berita.") == "Judul\nIsi berita."


@pytest.mark.parametrize("title", ["", "  ", "Isi", "Isi berita"])
def test_only_the_passage_is_embedded_when_the_title_is_blank_or_begins_it(title: str) -> None:
    assert embedded_text(title, "Isi berita.") == "Isi berita."


def test_a_title_that_is_only_part_of_the_first_word_is_kept() -> None:
    assert embedded_text("In", "Indonesia maju.") == "In\nIndonesia maju."


def test_a_long_title_is_cut_at_a_word() -> None:
    config = ChunkSettings(max_tokens=64, max_title_tokens=4)
    assert embedded_title("Harga  beras\nnaik lagi", tokenizer=EveryFew(4), settings=config) == "Harga beras"
    assert embedded_title("Harga naik", tokenizer=EveryFew(4), settings=config) == "Harga naik"
    assert embedded_title("x" * 50, tokenizer=EveryFew(4), settings=config) == "x" * 16


def test_no_title_is_embedded_when_none_is_allowed() -> None:
    config = ChunkSettings(max_tokens=64, max_title_tokens=0)
    assert embedded_title("Harga beras", tokenizer=WORDS, settings=config) == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_tokens": 31}, "max_tokens is 31; expected at least 32"),
        ({"overlap_sentences": -1}, "overlap_sentences is -1; expected 0 or more"),
        ({"max_title_tokens": -2}, "max_title_tokens is -2; expected 0 or more"),
        ({"max_tokens": 64}, "leaves 16 tokens for a passage beside max_title_tokens=48"),
    ],
)
def test_settings_out_of_range_are_refused_with_what_was_expected(values: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ChunkSettings(**values)  # type: ignore[arg-type]


def test_an_overhead_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="21 of prompt; expected at least 24: raise max_tokens"):
        chunk(article("Isi."), tokenizer=WORDS, settings=SMALL, overhead_tokens=21)
    assert passage_room(SMALL, overhead_tokens=5) == 35
