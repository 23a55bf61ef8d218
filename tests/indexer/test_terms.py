from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.terms import ANALYSED, analysed_as, asked_terms, terms, terms_among


def stems(text: str, language: str = "id") -> list[str]:
    return [term.stem for term in terms(text, language=language)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anak-anak bermain", ["anak", "main"]),
        ("undang-undang", ["undang"]),
        ("harganya", ["harga"]),
        ("bukuku, bukumu", ["buku", "buku"]),
        ("siapakah dia", ["siapa", "dia"]),
        ("Rp1.200", ["rp", "1200"]),
        ("pukul 10.30", ["pukul", "1030"]),
    ],
)
def test_indonesian_words_lose_their_affixes_and_doubling(text: str, expected: list[str]) -> None:
    assert stems(text) == expected


def test_english_words_are_stemmed_as_english() -> None:
    assert stems("The Cats were running", "en") == ["the", "cat", "were", "run"]


@pytest.mark.parametrize("text", ["the bank's boats", "the bank’s boats"])
def test_a_possessive_is_found_by_its_word(text: str) -> None:
    assert stems(text, "en") == ["the", "bank", "s", "boat"]


def test_other_languages_are_only_folded() -> None:
    assert stems("Les CHATS Straße", "other") == ["les", "chats", "strasse"]


def test_numbers_written_in_either_way_are_one_term() -> None:
    assert stems("1.200.000") == stems("1,200,000", "en") == ["1200000"]


@pytest.mark.parametrize(
    ("question", "language", "about"),
    [
        ("Siapakah yang menulis buku itu?", "id", ["yang", "ulis", "buku", "itu"]),
        ("Di mana dan kapan rapatnya?", "id", ["di", "dan", "rapat"]),
        ("Which river did they cross?", "en", ["river", "they", "cross"]),
        ("Apa?", "id", ["apa"]),
        ("who did what", "en", ["who", "did", "what"]),
        ("Qui a fait quoi?", "other", ["qui", "a", "fait", "quoi"]),
    ],
)
def test_a_question_is_about_all_but_the_words_it_asks_with(question: str, language: str, about: list[str]) -> None:
    assert [term.stem for term in asked_terms(question, language=language)] == about


def test_equal_words_without_a_hyphen_both_count() -> None:
    assert stems("anak anak") == ["anak", "anak"]


@given(
    words=st.lists(st.sampled_from(["anak", "Anak-", "-", "anak-anak", "-anak", "main", "1.2", "ﬁ", "’", " ", "x"])),
    stems_wanted=st.sets(st.sampled_from(["anak", "main", "12", "fi", "x"])),
)
def test_terms_among_some_are_those_of_all(words: list[str], stems_wanted: set[str]) -> None:
    text = "".join(words)

    found = terms_among(stems_wanted, text, language="id")

    assert found == [term for term in terms(text, language="id") if term.stem in stems_wanted]


def test_stems_stay_right_however_many_words_were_met() -> None:
    before = stems("harganya bermain " + "z" * 100, "id")

    # More than are remembered.
    stems(" ".join("".join(letters) for letters in product("abcdefghijklmnopqrstuvwxyz", repeat=3)))

    assert stems("harganya bermain " + "z" * 100, "id") == before == ["harga", "main", "z" * 100]


@pytest.mark.parametrize(("language", "name"), [("id", "id"), ("en", "en"), ("fr", "other"), ("und", "other")])
def test_a_language_without_a_stemmer_shares_one_index(language: str, name: str) -> None:
    assert analysed_as(language) == name


@given(st.text(max_size=200), st.sampled_from(ANALYSED))
def test_a_term_stands_where_it_says(text: str, language: str) -> None:
    found = terms(text, language=language)

    assert all(term.stem and text[term.start : term.end].strip() for term in found)
    assert [term.start for term in found] == sorted({term.start for term in found})
