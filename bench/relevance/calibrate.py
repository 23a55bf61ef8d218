"""Fits the numbers of `search/calibration.py` for each arm, and says how well they hold on sets left out.

python bench/relevance/calibrate.py             (about eight minutes on two cores)
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from ablation import Late, dense_scores, late_scores
from pools import Pool, open_embedded, read_pool
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from indexer.lexical import LexicalIndex, write_lexical
from search.calibration import ANSWERABLE, background_of
from search.fusion import meaning

_SETS = (
    *(f"belebele-other/{d}" for d in ("id-id", "en-en", "id-en", "en-id", "id-mixed", "en-mixed")),
    *(f"xquad-mt/{d}" for d in ("id-id", "en-en", "id-en", "en-id")),
    "facqa",
    "tydiqa-id",
    "miracl-id-mini",
)
_FITTED = ("belebele-other", "tydiqa-id")
"""What the numbers are fitted on. The model was trained on all of the others, and is too sure of their answers."""
_ARMS = ("hybrid", "dense", "lexical")
_BINS = 10
_COHORT = 64
_OTHER_TOPICS = 60


@dataclass(frozen=True, slots=True)
class Examples:
    """Passages of one pool: (n, 2) score and spreads above the background; (n,) whether they answer.

    `answered` and `unanswered` are (questions, 2): the best passage's, with and without the answers in the pool;
    `elsewhere` likewise for questions of other sets.
    """

    values: np.ndarray
    labels: np.ndarray
    answered: np.ndarray
    unanswered: np.ndarray
    elsewhere: np.ndarray


def examples(scores: np.ndarray, relevant: np.ndarray, strange: np.ndarray) -> Examples:
    """From (questions, passages) scores; `strange` are those of questions that nothing in the pool answers."""
    cohort = np.unique(np.linspace(0, scores.shape[1] - 1, min(_COHORT, scores.shape[1])).astype(int))

    def valued(row: np.ndarray, chosen: np.ndarray) -> list[tuple[float, float]]:
        background = background_of(row[cohort])
        return [(score, (score - background.mean) / background.spread) for score in chosen]

    values, labels, answered, unanswered = [], [], [], []
    for row, answers in zip(scores, relevant, strict=True):
        top = np.argsort(-row, kind="stable")[:10]
        without = np.sort(row[~answers])[::-1]
        values += valued(row, [*row[top], *without[:3]])
        labels += [*answers[top], False, False, False]
        answered += valued(row, row[top[:1]])
        unanswered += valued(row, without[:1])
    elsewhere = [pair for row in strange for pair in valued(row, [row.max()])]
    return Examples(*(np.array(x) for x in (values, labels, answered, unanswered, elsewhere)))


def fit(some: list[Examples], *, columns: int) -> tuple[np.ndarray, float]:
    """Slopes and intercept; every set weighs the same."""
    values = np.concatenate([one.values[:, :columns] for one in some])
    labels = np.concatenate([one.labels for one in some])
    weights = np.concatenate([np.full(len(one.labels), 1000 / len(one.labels)) for one in some])
    centre, scale = values.mean(axis=0), values.std(axis=0)
    model = LogisticRegression(C=1e6).fit((values - centre) / scale, labels, weights)
    slopes = model.coef_[0] / scale
    return slopes, float(model.intercept_[0] - slopes @ centre)


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error over ten equal bins: mean |mean probability - share relevant|."""
    bins = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    gaps = [
        np.mean(bins == b) * abs(probabilities[bins == b].mean() - labels[bins == b].mean()) for b in np.unique(bins)
    ]
    return float(np.sum(gaps))


def read_arms(pool: Pool, *, strangers: Pool) -> dict[str, Examples]:
    """The examples of a pool for every arm."""
    found = {}
    asked = {"own": pool, "strange": replace(pool, questions=strangers.questions)}
    dense = {key: dense_scores(some, offsets=True) for key, some in asked.items()}
    late = {key: late_scores(some, Late()) for key, some in asked.items()}
    both = {key: meaning(dense=dense[key], late=late[key]) for key in asked}
    with tempfile.TemporaryDirectory() as folder:
        write_lexical(pool.passage_texts, languages=pool.languages, folder=Path(folder))
        index = LexicalIndex(Path(folder), languages=pool.languages)
        texts = {"own": pool.question_texts, "strange": strangers.question_texts}
        words = {key: np.array([index.shares(text) for text in some]) for key, some in texts.items()}
    for arm, scores in (("hybrid", both), ("dense", dense), ("lexical", words)):
        found[arm] = examples(scores["own"], pool.relevant, scores["strange"])
    return found


def main() -> None:
    """Print fit, calibration error on sets left out, and AUC of answerable against unanswerable."""
    encoder = open_embedded()
    pools = {}
    for name in _SETS:
        pools[name] = read_pool(name, encoder=encoder, most_questions=200, most_passages=450)
        print(f"embedded {name}", flush=True)
    arms: dict[str, dict[str, Examples]] = {arm: {} for arm in _ARMS}
    for name, pool in pools.items():
        for arm, found in read_arms(pool, strangers=pools[_stranger(name)].first(_OTHER_TOPICS)).items():
            arms[arm][name] = found
    for arm, by_set in arms.items():
        columns = 1 if arm == "lexical" else 2
        names = [name for name in _SETS if arm != "lexical" or name.rpartition("/")[2] not in ("id-en", "en-id")]
        fitted = [name for name in names if name.partition("/")[0] in _FITTED]
        slopes, intercept = fit([by_set[name] for name in fitted], columns=columns)
        shown = ", ".join(f"{slope:.3f}" for slope in slopes)
        print(f'\n{arm}: {shown}, intercept {intercept:.2f}; "answerable" is said of the share')
        print(f"{'left out':<24}{'calibration error':>18}{'AUC removed':>13}{'other topic':>13}", end="")
        print(f"{'answered':>11}{'removed':>11}{'other':>11}")
        for family, members in groupby(names, key=lambda name: name.partition("/")[0]):
            others = [by_set[name] for name in fitted if name.partition("/")[0] != family]
            slopes, intercept = fit(others, columns=columns)
            for name in members:
                print(_line(name, by_set[name], slopes=slopes, intercept=intercept, columns=columns), flush=True)


def _stranger(name: str) -> str:
    """A set whose questions, in the same language, have nothing to do with this one's passages."""
    family, _, direction = name.partition("/")
    if direction.startswith("en"):
        return "xquad-mt/en-en" if family != "xquad-mt" else "belebele-other/en-en"
    return "facqa" if family != "facqa" else "belebele-other/id-id"


def _line(name: str, some: Examples, *, slopes: np.ndarray, intercept: float, columns: int) -> str:
    def probability(values: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(values[:, :columns] @ slopes + intercept)))

    answered, unanswered, elsewhere = (
        probability(values) for values in (some.answered, some.unanswered, some.elsewhere)
    )
    removed = _auc(answered, unanswered)
    other = _auc(answered, elsewhere)
    said = "".join(f"{(some >= ANSWERABLE).mean():11.2f}" for some in (answered, unanswered, elsewhere))
    error = calibration_error(probability(some.values), some.labels)
    return f"{name:<24}{error:18.3f}{removed:13.3f}{other:13.3f}{said}"


def _auc(answered: np.ndarray, unanswered: np.ndarray) -> float:
    return float(roc_auc_score([1] * len(answered) + [0] * len(unanswered), [*answered, *unanswered]))


if __name__ == "__main__":
    main()
