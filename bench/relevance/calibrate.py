"""Fits the two numbers of `search/calibration.py` for each arm, and says how well they hold on sets left out.

python bench/relevance/calibrate.py             (about eight minutes on two cores)
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from ablation import Late, dense_scores, late_scores
from pools import Pool, open_embedded, read_pool
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from search.fusion import meaning

_SETS = (
    *(f"belebele-other/{d}" for d in ("id-id", "en-en", "id-en", "en-id", "id-mixed", "en-mixed")),
    *(f"xquad-mt/{d}" for d in ("id-id", "en-en", "id-en", "en-id")),
    "facqa",
    "tydiqa-id",
)
_BINS = 10


def examples(scores: np.ndarray, pool: Pool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores and labels of passages, and the best score of each question with and without its answers."""
    values, labels, best, best_without = [], [], [], []
    for row, relevant in zip(scores, pool.relevant, strict=True):
        top = np.argsort(-row, kind="stable")[:10]
        without = np.sort(row[~relevant])[::-1]
        values += [*row[top], *without[:3]]
        labels += [*relevant[top], False, False, False]
        best.append(row.max())
        best_without.append(without[0])
    return np.array(values), np.array(labels), np.array(best), np.array(best_without)


def fit(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """Slope and intercept; every set weighs the same."""
    values, labels = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    weights = np.concatenate([np.full(len(part[0]), 1000 / len(part[0])) for part in parts])
    model = LogisticRegression(C=1e6).fit(values[:, None], labels, weights)
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
    encoder = open_embedded()
    arms: dict[str, dict[str, tuple[np.ndarray, ...]]] = {"dense": {}, "hybrid": {}}
    for name in _SETS:
        pool = read_pool(name, encoder=encoder, most_questions=200, most_passages=450)
        dense = dense_scores(pool, offsets=True)
        arms["dense"][name] = examples(dense, pool)
        arms["hybrid"][name] = examples(meaning(dense=dense, late=late_scores(pool, Late())), pool)
        print(f"embedded {name}", flush=True)
    for arm, by_set in arms.items():
        slope, intercept = fit([by_set[name][:2] for name in _SETS])
        print(f"\n{arm}: slope {slope:.1f}, intercept {intercept:.1f}")
        print(f"{'left out':<28}{'calibration error':>18}{'AUC answerable':>16}")
        for family, names in groupby(_SETS, key=lambda name: name.partition("/")[0]):
            slope, intercept = fit([by_set[name][:2] for name in _SETS if name.partition("/")[0] != family])
            for name in names:
                values, labels, best, without = by_set[name]
                error = calibration_error(1 / (1 + np.exp(-(slope * values + intercept))), labels)
                auc = roc_auc_score([1] * len(best) + [0] * len(without), [*best, *without])
                print(f"{name:<28}{error:18.3f}{auc:16.3f}", flush=True)


if __name__ == "__main__":
    main()
