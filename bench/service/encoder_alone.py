"""What the model can do with nothing around it: the measure of the service."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from indexer import HashingEncoder, find_prepared, open_current, open_encoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer import Encoder

BATCHES = (1, 2, 4, 8, 16)


def model_cache() -> Path:
    """Where prepared models are."""
    given = os.environ.get("CARI_MODEL_CACHE")
    return Path(given) if given else platformdirs.user_cache_path("cari")


def prepared_of(index: Path) -> Path | None:
    """The folder of the model that made an index."""
    return find_prepared(open_current(index).manifest.model.fingerprint, cache=model_cache())


def encoder_of(prepared: Path | None) -> Encoder:
    """A prepared model over all cores, as the service opens it; the hashing encoder for none."""
    return HashingEncoder() if prepared is None else open_encoder(prepared)


@dataclass(slots=True)
class EncoderAlone:
    """Times of runs in ms by how many questions they had, from as many `measure` as were done."""

    encoder: Encoder
    took_ms: dict[int, list[float]] = field(default_factory=lambda: {size: [] for size in BATCHES})

    def measure(self, questions: Iterator[str], *, seconds: float) -> None:
        """Runs of every size in turns, so that a busy moment of the machine falls on all of them."""
        until = time.perf_counter() + seconds
        for size in itertools.cycle(BATCHES):
            texts = list(itertools.islice(questions, size))
            began = time.perf_counter()
            self.encoder.embed_queries(texts)
            ended = time.perf_counter()
            self.took_ms[size].append((ended - began) * 1000)
            if ended > until and all(self.took_ms.values()):
                return

    @property
    def bare_ms(self) -> float:
        """p50 of one question."""
        return float(np.median(self.took_ms[1]))

    def per_second(self, size: int) -> float:
        """Questions a second in runs of this size, by their median time."""
        return 1000 * size / float(np.median(self.took_ms[size]))

    @property
    def best(self) -> tuple[int, float]:
        """The size of runs by which it does most, and how many questions a second that are."""
        return max(((size, self.per_second(size)) for size in BATCHES), key=lambda pair: pair[1])
