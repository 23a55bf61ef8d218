"""What edits of an article remain the same story, and what only looks like it: `python bench/stories/variants.py`.

Reads 300 articles of each of two sets of `../shared/eval`, edits them, and prints the share that `same_story` takes
for the same story, and that MinHash banding would have found as a candidate. Then the cost an article.
"""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from indexer import StorySettings
from indexer.wording import Wording, minima, same_story, wording_of

if TYPE_CHECKING:
    from collections.abc import Callable

SETS = Path(__file__).parents[3] / "shared" / "eval"
SETTINGS = StorySettings()
_SHORT = 3
_MANY_NUMBERS = 6
_CHANGED = 0.1


def read(name: str) -> list[str]:
    """The texts of a set that are long enough to be edited."""
    with (SETS / name / "corpus.jsonl").open(encoding="utf-8") as lines:
        texts = [re.sub(r"\n+", "\n\n", json.loads(line)["text"]) for line in lines]
    return [text for text in texts if len(text.split()) >= 2 * SETTINGS.min_words]


def edits(texts: list[str], *, draw: random.Random) -> dict[str, Callable[[str], str]]:
    """The edits by name; those that make another story are named in capitals."""
    words = [word for text in draw.sample(texts, 200) for word in text.split()]

    def without_one(text: str) -> str:
        parts = text.split("\n\n")
        parts = parts if len(parts) >= _SHORT else text.split(". ")
        place = draw.randrange(len(parts))
        return "\n\n".join(parts[:place] + parts[place + 1 :])

    def first_half(text: str) -> str:
        sentences = text.split(". ")
        return ". ".join(sentences[: max(1, len(sentences) // 2)])

    def a_tenth_changed(text: str) -> str:
        return re.sub(r"\S+", lambda word: draw.choice(words) if draw.random() < _CHANGED else word[0], text)

    def other_numbers(text: str) -> str:
        return re.sub(r"\d", lambda _: str(draw.randrange(10)), text)

    return {
        "a paragraph cut": without_one,
        "a paragraph added": lambda text: f"{text}\n\n{' '.join(draw.choice(texts).split()[:60])}",
        "a paragraph put before": lambda text: f"{' '.join(draw.choice(texts).split()[:40])}\n\n{text}",
        "a dateline": lambda text: f"JAKARTA, KOMPAS.com - Senin (23/11/2026) pukul 14.30 WIB. {text}",
        "a tenth of the words changed": a_tenth_changed,
        "a paragraph cut, a tenth changed": lambda text: a_tenth_changed(without_one(text)),
        "the first half": first_half,
        "OTHER NUMBERS (six or more)": other_numbers,
    }


def main() -> None:
    """Print the table."""
    for name in ("id-news-headline", "realtimeqa-news"):
        draw = random.Random(7)  # noqa: S311 - a benchmark's sample is no secret
        texts = read(name)
        sample = draw.sample(texts, 300)
        print(f"{name}: {len(sample)} articles")
        began = time.process_time()
        wordings = [wording_of("", text, settings=SETTINGS) for text in sample]
        sketches = [minima(wording.shingles, settings=SETTINGS) for wording in wordings]
        cost_ms = (time.process_time() - began) / len(sample) * 1000
        print(f"  {cost_ms:.2f} ms of processor time an article to read and sketch")
        for edit, change in edits(texts, draw=draw).items():
            pairs: list[tuple[Wording, Wording, bool]] = []
            for text, wording, sketch in zip(sample, wordings, sketches, strict=True):
                if "OTHER" in edit and len(wording.numbers) < _MANY_NUMBERS:
                    continue
                edited = wording_of("", change(text), settings=SETTINGS)
                bands = minima(edited.shingles, settings=SETTINGS) == sketch
                pairs.append((wording, edited, bool(bands.reshape(SETTINGS.bands, -1).all(axis=1).any())))
            same = sum(same_story(one, other, settings=SETTINGS) for one, other, _ in pairs) / len(pairs)
            print(f"  {edit:34} same story {same:.3f}  candidate {sum(pair[2] for pair in pairs) / len(pairs):.3f}")


if __name__ == "__main__":
    main()
