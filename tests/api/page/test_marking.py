from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.page.marking import marked_runs, paragraphs
from search import Highlight

highlights = st.builds(Highlight, st.integers(-2, 40), st.integers(-2, 40), st.sampled_from(["sentence", "term"]))


def shown(text: str, marks: list[Highlight], *, start: int = 0) -> str:
    """The runs written out: [sentence], *term*."""
    runs = marked_runs(text, marks, start=start)
    pieces = (
        ("[" if run.marked else "")
        + "".join(f"*{part.text}*" if part.term else part.text for part in run.segments)
        + ("]" if run.marked else "")
        for run in runs
    )
    return "".join(pieces)


def test_a_term_inside_a_sentence_is_marked_inside_it() -> None:
    marks = [Highlight(0, 12, "sentence"), Highlight(2, 6, "term")]

    assert shown("A ship sank. Later.", marks) == "[A *ship* sank.] Later."


def test_a_term_across_the_end_of_a_sentence_is_cut_there() -> None:
    marks = [Highlight(0, 4, "sentence"), Highlight(2, 6, "term")]

    assert shown("abcdefgh", marks) == "[ab*cd*]*ef*gh"


def test_offsets_are_code_points() -> None:
    assert shown("🌊🌊 air", [Highlight(3, 6, "term")]) == "🌊🌊 *air*"


def test_stretches_outside_of_the_text_are_left_out() -> None:
    assert shown("abc", [Highlight(5, 9, "term"), Highlight(2, 99, "sentence")]) == "ab[c]"


def test_a_piece_is_marked_by_offsets_of_the_whole() -> None:
    assert shown("world", [Highlight(6, 8, "sentence")], start=6) == "[wo]rld"


def test_an_empty_text_has_no_runs() -> None:
    assert marked_runs("", [Highlight(0, 1, "term")]) == ()


@given(st.text(max_size=30), st.lists(highlights, max_size=6), st.integers(0, 5))
def test_the_segments_joined_are_the_text_and_marked_where_they_should_be(
    text: str, marks: list[Highlight], start: int
) -> None:
    runs = marked_runs(text, marks, start=start)

    assert "".join(part.text for run in runs for part in run.segments) == text
    at = start
    for run in runs:
        for part in run.segments:
            for offset in range(at, at + len(part.text)):
                kinds = {one.kind for one in marks if one.start <= offset < one.end}
                assert run.marked == ("sentence" in kinds)
                assert part.term == ("term" in kinds)
            at += len(part.text)


@given(st.text(alphabet="ab \n", max_size=30))
def test_paragraphs_stand_where_their_offsets_say(text: str) -> None:
    for start, paragraph in paragraphs(text):
        assert text[start : start + len(paragraph)] == paragraph
