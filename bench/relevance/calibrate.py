"""Fits the numbers of `search/calibration.py` for each arm, and says how well they hold on sets left out.

python bench/relevance/calibrate.py             (about fifteen minutes on two cores the first time)

Everything is asked of the engine itself, over indexes of parts of the sets: what a probability is made of
(`search.calibration.standing`) is read from its rankings. A question is made unanswerable by leaving its answers out of
the ranking, and by asking about other topics.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
from pools import eval_folder, open_embedded
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from indexer import Embedding, Encoder, Generation, open_current
from search import Mode
from search.calibration import ANSWERABLE
from search.eval_command import index_of
from search.evaluation import EvaluationSet, read_evaluation_set
from search.grouping import first_of_each
from search.ranking import Ranker

if TYPE_CHECKING:
    from pathlib import Path

_SETS = (
    *(f"belebele-other/{d}" for d in ("id-id", "en-en", "id-en", "en-id", "id-mixed", "en-mixed")),
    *(f"xquad-mt/{d}" for d in ("id-id", "en-en", "id-en", "en-id")),
    "facqa",
    "tydiqa-id",
    "miracl-id-mini",
    "id-news-headline",
    "realtimeqa-news",
)
_FITTED = ("belebele-other", "id-news-headline", "realtimeqa-news")
"""What the numbers are fitted on. The model was trained on all of the others, and is too sure of their answers."""
_BINS = 10
_QUESTIONS = 200
_ARTICLES = 450
_OTHER_TOPICS = 60
_SHOWN = 10
_ACROSS = ("id-en", "en-id")


@dataclass(frozen=True, slots=True)
class Asked:
    """A part of a set: its index, its questions, embedded, and the rows of the articles that answer each."""

    name: str
    generation: Generation
    ranker: Ranker
    texts: list[str]
    embeddings: list[Embedding]
    answers: list[np.ndarray]


@dataclass(frozen=True, slots=True)
class Examples:
    """Standings of the best articles for questions of one set, (n,), and (n,) whether they answer.

    `answered` and `unanswered` are (questions,): the best article's, with and without the answers in the ranking;
    `elsewhere` likewise for questions of other sets.
    """

    values: np.ndarray
    labels: np.ndarray
    answered: np.ndarray
    unanswered: np.ndarray
    elsewhere: np.ndarray


def read_asked(name: str, *, encoder: Encoder, cache: Path) -> Asked:
    """Index a part of a set: questions drawn evenly, the articles that answer them, and others up to a number."""
    questions = read_evaluation_set(eval_folder(name))
    keys = list(questions.queries)
    keys = keys[:: max(1, len(keys) // _QUESTIONS)][:_QUESTIONS]
    generation = open_current(index_of(_part(questions, keys, folder=cache), encoder=encoder, model_cache=cache))
    rows = {article: generation.store.article_row(article) for key in keys for article in questions.qrels[key]}
    return Asked(
        name,
        generation,
        Ranker(generation),
        [questions.queries[key] for key in keys],
        [encoder.embed_queries([questions.queries[key]]) for key in keys],
        [np.array([rows[article] for article in questions.qrels[key] if rows[article] is not None]) for key in keys],
    )


def _part(questions: EvaluationSet, keys: list[str], *, folder: Path) -> Path:
    """The articles that answer these questions and the first others, as a corpus of their own."""
    wanted = {article for key in keys for article in questions.qrels[key]}
    lines = [line for line in questions.corpus.read_text(encoding="utf-8").split("\n") if line.strip()]
    relevant = [json.loads(line)["_id"] in wanted for line in lines]
    spare = max(0, _ARTICLES - sum(relevant))
    others = [line for line, kept in zip(lines, relevant, strict=True) if not kept][:spare]
    chosen = "\n".join([*(line for line, kept in zip(lines, relevant, strict=True) if kept), *others])
    path = folder / "calibrate" / f"{hashlib.sha256(chosen.encode()).hexdigest()[:16]}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(chosen, encoding="utf-8")
    return path


def examples(asked: Asked, *, strangers: Asked, arm: Mode) -> Examples:
    """What the engine says of a set's questions, and of those of another topic."""
    passages = asked.generation.store.passage_article
    values, labels, answered, unanswered = [], [], [], []
    for text, embedding, answers in zip(asked.texts, asked.embeddings, asked.answers, strict=True):
        rows, found = _best(asked, text, embedding, arm=arm, allowed=None)
        _, without = _best(asked, text, embedding, arm=arm, allowed=~np.isin(passages, answers))
        values += [*found[:_SHOWN], *without[:3]]
        labels += [*np.isin(passages[rows[:_SHOWN]], answers), *([False] * len(without[:3]))]
        answered += [*found[:1]]
        unanswered += [*without[:1]]
    elsewhere = []
    for text, embedding in list(zip(strangers.texts, strangers.embeddings, strict=True))[:_OTHER_TOPICS]:
        elsewhere += [*_best(asked, text, embedding, arm=arm, allowed=None)[1][:1]]
    return Examples(*(np.array(x) for x in (values, labels, answered, unanswered, elsewhere)))


def _best(
    asked: Asked, text: str, embedding: Embedding, *, arm: Mode, allowed: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and standings of the best passage of each article, best first; none above one before it, as in a score."""
    ranking = asked.ranker.rank(text, embedding, mode=arm, allowed=allowed)
    shown = first_of_each(asked.generation.store.passage_article[ranking.rows])
    return ranking.rows[shown], np.minimum.accumulate(ranking.standing)[shown]


def fit(some: list[Examples]) -> tuple[float, float]:
    """Slope and intercept; every set weighs the same."""
    values = np.concatenate([one.values for one in some])[:, None]
    labels = np.concatenate([one.labels for one in some])
    weights = np.concatenate([np.full(len(one.labels), 1000 / len(one.labels)) for one in some])
    model = LogisticRegression(C=1e6).fit(values, labels, weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error over ten equal bins: mean |mean probability - share relevant|."""
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    gaps = [
        np.mean(bins == b) * abs(probabilities[bins == b].mean() - labels[bins == b].mean()) for b in np.unique(bins)
    ]
    return float(np.sum(gaps))


def main() -> None:
    """Print fit, calibration error on sets left out, and AUC of answerable against unanswerable."""
    cache = platformdirs.user_cache_path("cari")
    encoder = open_embedded()
    asked = {}
    for name in _SETS:
        asked[name] = read_asked(name, encoder=encoder, cache=cache)
        print(f"{name}: {asked[name].generation.manifest.passages} passages", flush=True)
    for arm in Mode:
        names = [name for name in _SETS if arm is not Mode.LEXICAL or not name.endswith(_ACROSS)]
        by_set = {name: examples(asked[name], strangers=asked[_stranger(name)], arm=arm) for name in names}
        _report(arm, by_set)


def _report(arm: Mode, by_set: dict[str, Examples]) -> None:
    fitted = [name for name in by_set if name.partition("/")[0] in _FITTED]
    slope, intercept = fit([by_set[name] for name in fitted])
    print(f'\n{arm}: {slope:.3f}, {intercept:.3f}; "answerable" is said of the share')
    print(f"{'left out':<24}{'calibration error':>18}{'AUC removed':>13}{'other topic':>13}", end="")
    print(f"{'answered':>11}{'removed':>11}{'other':>11}")
    lines = []
    for family, members in groupby(by_set, key=lambda name: name.partition("/")[0]):
        numbers = fit([by_set[name] for name in fitted if name.partition("/")[0] != family])
        for name in members:
            lines.append(_figures(by_set[name], numbers=numbers))
            print(_line(name, lines[-1]), flush=True)
    print(_line("mean", np.mean(lines, axis=0).tolist()), flush=True)


def _line(name: str, figures: list[float]) -> str:
    error, *areas_and_shares = figures
    areas = "".join(f"{area:13.3f}" for area in areas_and_shares[:2])
    return f"{name:<24}{error:18.3f}{areas}" + "".join(f"{share:11.2f}" for share in areas_and_shares[2:])


def _stranger(name: str) -> str:
    """A set whose questions, in the same language, have nothing to do with this one's passages."""
    family, _, direction = name.partition("/")
    if direction.startswith("en") or family == "realtimeqa-news":
        return "xquad-mt/en-en" if family != "xquad-mt" else "belebele-other/en-en"
    return "facqa" if family not in ("facqa", "id-news-headline") else "belebele-other/id-id"


def _figures(some: Examples, *, numbers: tuple[float, float]) -> list[float]:
    """Calibration error; AUC against answers removed, against other topics; the three shares called answerable."""

    def probability(values: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(values * numbers[0] + numbers[1])))

    answered, *others = (probability(values) for values in (some.answered, some.unanswered, some.elsewhere))
    return [
        calibration_error(probability(some.values), some.labels),
        *(_auc(answered, other) for other in others),
        *(float((one >= ANSWERABLE).mean()) for one in (answered, *others)),
    ]


def _auc(answered: np.ndarray, unanswered: np.ndarray) -> float:
    return float(roc_auc_score([1] * len(answered) + [0] * len(unanswered), [*answered, *unanswered]))


if __name__ == "__main__":
    main()
