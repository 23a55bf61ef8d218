from __future__ import annotations

import textwrap
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from corpus.paragraphs import normalise, split_paragraphs

PROSE = (
    "The harbour reopened on Tuesday after divers had cleared the last of the wreck from the channel, and the "
    "first ferry left before noon with three hundred people aboard who had waited on the pier since dawn."
)


@given(st.text())
def test_normal_text_is_nfc_without_controls(text: str) -> None:
    normal = normalise(text)
    assert unicodedata.is_normalized("NFC", normal)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in normal if character != "\n")


@given(st.text())
def test_normalising_again_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(alphabet=st.sampled_from("ab .\n")))
def test_no_word_is_lost_and_no_paragraph_is_blank(text: str) -> None:
    paragraphs = split_paragraphs(normalise(text))
    assert " ".join(paragraphs).split() == text.split()
    assert all(paragraph.strip() for paragraph in paragraphs)


def test_invisible_characters_do_not_split_words() -> None:
    assert normalise("Ja\u200bkar\u00adta\ufeff \u202aitu\u202c\x00") == "Jakarta itu"


def test_a_joiner_is_kept_where_it_is_spelling() -> None:
    persian, family = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f468\u200d\U0001f469"
    assert normalise(persian) == persian
    assert normalise(family) == family
    assert normalise("Ja\u200ckar\u200dta") == "Jakarta"


def test_runs_of_spaces_become_one_and_line_ends_newlines() -> None:
    assert normalise("a\u00a0 \t b\r\nc\rd\u2028e") == "a b\nc\nd\ne"


def test_each_line_of_news_is_a_paragraph() -> None:
    assert split_paragraphs(f"{PROSE}\n{PROSE}\n\nKesimpulan\n{PROSE}") == [PROSE, PROSE, "Kesimpulan", PROSE]


def test_hard_wrapped_lines_are_joined() -> None:
    wrapped = "\n\n".join(textwrap.fill(PROSE, 72) for _ in range(3))
    assert split_paragraphs(wrapped) == [PROSE] * 3


def test_short_lines_of_a_list_are_not_joined() -> None:
    lines = ["Hasil lengkap", "Garuda 2", "Rajawali 1", "Elang 0", "Merpati 3", "Cendrawasih 1"]
    assert split_paragraphs("\n".join(lines)) == lines
