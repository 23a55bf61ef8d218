"""Whether leaving out stop words helps BM25: nDCG@10 with and without them, on every set of one language.

python bench/lexical/stop_words.py              (about two minutes)
"""

from __future__ import annotations

import bm25s
import numpy as np
from bm25s.stopwords import STOPWORDS_EN
from engines import top
from passages import judged, records

from indexer.terms import terms

SETS = {
    "belebele-other/id-id": "id",
    "xquad-mt/id-id": "id",
    "facqa": "id",
    "tydiqa-id": "id",
    "miracl-id-mini": "id",
    "id-news-headline": "id",
    "belebele-other/en-en": "en",
    "xquad-mt/en-en": "en",
    "realtimeqa-news": "en",
}
# Written for this measurement, but for the English function words, which are bm25s's.
_FUNCTION_WORDS = {
    "id": """
    yang dan di ke dari pada untuk dengan dalam oleh sebagai adalah ialah merupakan itu ini tersebut atau juga akan
    telah sudah sedang masih belum tidak bukan jangan agar supaya karena sebab jika kalau bila ketika saat sejak sampai
    hingga antara tentang terhadap bagi para sang si ia dia mereka kami kita saya aku anda kamu maka namun tetapi tapi
    sedangkan serta bahwa seperti lebih sangat paling dapat bisa harus secara ada hal lain
    """,
    "en": " ".join(STOPWORDS_EN),
}
_QUESTION_WORDS = {
    "id": "apa siapa mana dimana kapan mengapa kenapa bagaimana berapa apakah siapakah manakah kapankah berapakah",
    "en": "what who whom whose when where why how which do does did",
}
LISTS = {
    "question": _QUESTION_WORDS,
    "function": _FUNCTION_WORDS,
    "both": {name: f"{words} {_QUESTION_WORDS[name]}" for name, words in _FUNCTION_WORDS.items()},
}
_MOST_QUESTIONS = 800


def ndcg10(name: str, language: str, stopped: str) -> list[float]:
    """nDCG@10 of each question; the terms of `stopped` are in neither passages nor questions."""
    left_out = {term.stem for term in terms(stopped, language=language)}

    def kept(text: str) -> list[str]:
        return [term.stem for term in terms(text, language=language) if term.stem not in left_out]

    corpus = records(name, "corpus.jsonl")
    index = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    index.index([kept(f"{p['title']}\n{p['text']}") for p in corpus], create_empty_token=False, show_progress=False)
    relevant = judged(name)
    discounts = 1 / np.log2(np.arange(2, 12))
    gains = []
    asked = [record for record in records(name, "queries.jsonl") if record["_id"] in relevant]
    for record in asked[:: -(-len(asked) // _MOST_QUESTIONS)]:
        wanted = relevant[record["_id"]]
        words = [word for word in dict.fromkeys(kept(record["text"])) if word in index.vocab_dict]
        rows = [row for row, _ in top(index.get_scores(words), 10)] if words else []
        hits = np.array([corpus[row]["_id"] in wanted for row in rows], float)
        gains.append(float(hits @ discounts[: len(hits)]) / discounts[: len(wanted)].sum())
    return gains


def interval(gaps: np.ndarray) -> tuple[float, float]:
    """The mean's 95 % interval over 2,000 bootstrap samples of questions."""
    rng = np.random.default_rng(0)
    means = [gaps[rng.integers(0, len(gaps), len(gaps))].mean() for _ in range(2_000)]
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def main() -> None:
    """Print a line a set and list."""
    print(f"{'nDCG@10 of BM25':<24}{'all words':>10}{'left out':>11}{'without':>9}{'difference (95 %)':>28}")
    for name, language in SETS.items():
        every = np.array(ndcg10(name, language, ""))
        for label, words in LISTS.items():
            fewer = np.array(ndcg10(name, language, words[language]))
            low, high = interval(fewer - every)
            gap = f"{(fewer - every).mean():+.4f} ({low:+.4f} to {high:+.4f})"
            print(f"{name:<24}{every.mean():10.4f}{label:>11}{fewer.mean():9.4f}{gap:>28}", flush=True)


if __name__ == "__main__":
    main()
