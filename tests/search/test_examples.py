from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

from corpus import Article
from search import draw_examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from search import Query, Searcher


def article(key: str, *, title: str = "Judul", text: str = "Sebuah kalimat.", language: str = "id") -> Article:
    return Article(
        id=key,
        title=title,
        text=text,
        url=None,
        source=None,
        author=None,
        published=None,
        language=language,
        digest=key,
    )


@dataclass
class Archive:
    """Answers everything but what it is told not to."""

    articles: list[Article]
    unanswered: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def drawn(self, *, most: int) -> list[Article]:
        return self.articles[:most]

    def search(self, query: Query) -> SimpleNamespace:
        self.asked.append(query.text)
        return SimpleNamespace(answerable=query.text not in self.unanswered)


def test_questions_come_before_titles_and_titles_that_ask_before_those_that_do_not() -> None:
    archive = Archive(
        [
            article("a", title="Pelabuhan lama kembali dibuka"),
            article("b", title="Mengapa pelabuhan lama ditutup"),
            article("c", text="Kapal tiba.\n\nBagaimana kapal surya berlayar malam hari?\n\nBaterai."),
            article("d", title="Siapa pemilik pelabuhan lama?"),
        ]
    )
    assert draw_examples(archive, most=4)["id"] == (
        "Siapa pemilik pelabuhan lama?",
        "Bagaimana kapal surya berlayar malam hari?",
        "Mengapa pelabuhan lama ditutup",
        "Pelabuhan lama kembali dibuka",
    )


def test_a_question_that_points_elsewhere_or_is_too_short_or_long_is_no_example() -> None:
    texts = (
        "Mengapa dia tidak pulang ke rumah?",
        "Mengapa tidak?",
        "Benarkah begitu kabar dari pelabuhan lama?",
        f"Mengapa {'kapal ' * 30}tenggelam?",
    )
    archive = Archive([article(str(at), title="Pendek", text=text) for at, text in enumerate(texts)])

    assert draw_examples(archive) == {}


def test_what_something_is_may_be_asked() -> None:
    archive = Archive([article("a", text="Apa itu ekonomi biru?"), article("b", text="Siapa orang itu sebenarnya?")])

    assert draw_examples(archive) == {"id": ("Apa itu ekonomi biru?",)}


def test_only_what_the_index_answers_is_kept_and_few_searches_are_made() -> None:
    titles = [f"Why was harbour number {at} closed?" for at in range(50)]
    archive = Archive([article(title, title=title, language="en") for title in titles], unanswered=set(titles[:3]))

    assert draw_examples(archive) == {"en": tuple(titles[3:5])}
    assert archive.asked == titles[:5]
    archive.unanswered, archive.asked = set(titles), []
    assert draw_examples(archive) == {}
    assert len(archive.asked) == 6


def test_examples_are_the_same_whatever_the_order_the_articles_were_read_in(
    make_searcher: Callable[..., Searcher],
) -> None:
    rows = [
        {
            "id": str(at),
            "title": f"Mengapa pelabuhan {name} ditutup?",
            "text": f"Pelabuhan {name} ditutup.",
            "lang": "id",
        }
        for at, name in enumerate(("Muara", "Karang", "Selat", "Tanjung"))
    ]
    one, other = make_searcher(*rows), make_searcher(*rows[::-1])

    assert [found.id for found in one.drawn(most=3)] == [found.id for found in other.drawn(most=3)] == ["0", "1", "3"]
    assert [found.id for found in one.drawn(most=9)] == ["0", "1", "2", "3"]
    assert draw_examples(one) == draw_examples(other)
