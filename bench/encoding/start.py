"""How long `cari serve` takes to be ready, and what its memory is, with the model and 30,000 passages.

python bench/encoding/start.py --out bench/encoding/start.txt         (5 minutes, most of it the index)
python bench/encoding/start.py --passages 300 --starts 1 --questions 5

The passages are those of realtimeqa-news. Their vectors are drawn, for a model would take half an hour, and neither
time nor memory depend on what vectors say; all else of the index, and the model that embeds the questions, is real.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median
from urllib.parse import quote
from urllib.request import urlopen

import numpy as np
import platformdirs
from passages import EVAL

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "service"))

from process import mapped, memory, service

from corpus import read_articles
from indexer import DEFAULT_MODEL, ChunkSettings, build, open_encoder, prepare_model, unit_rows

DIM = 384
_PASSAGES_AN_ARTICLE = 11


class Quiet:
    """A `Progress` that nobody watches."""

    def articles(self, done: int) -> None:
        """Nothing."""

    def passages(self, done: int, total: int) -> None:
        """Nothing."""


def main() -> None:
    """Print times of several starts, and the memory of the last after questions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=30_000)
    parser.add_argument("--index", type=Path, help="an index that is there, instead of one made of so many passages")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--questions", type=int, default=300, help="asked before memory is looked at")
    parser.add_argument("--out", type=Path, help="write the figures there too")
    options = parser.parse_args()
    took, busy, lines = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        index = options.index or make_index(Path(temporary), passages=options.passages)
        log = Path(temporary) / "service.log"
        for number in range(options.starts):
            start = time.perf_counter()
            with service(index, hashing=False, log=log) as (url, pid):
                took.append(time.perf_counter() - start)
                busy.append(processor_s(pid))
                if number + 1 == options.starts:
                    lines = [f"ready  {_memory(pid)}"]
                    ask(url, count=options.questions)
                    lines.append(f"after {options.questions} questions  {_memory(pid)}")
                    files = sorted(mapped(pid).items(), key=lambda item: -item[1][0])
                    lines += [f"  {name:<28} {rss:7.1f} MiB mapped and read" for name, (rss, _) in files if rss >= 1]
                    lines.append(f"  torch in the process: {'yes' if has_torch(pid) else 'no'}")
                    with urlopen(f"{url}/v1/index", timeout=30) as answer:  # noqa: S310 - our own process
                        served = json.load(answer)
    cores = len(os.sched_getaffinity(0))
    head = [
        f"{served['passages']:,} passages of {served['articles']:,} articles, {served['model']}, {cores} cores",
        f"start to ready: median {median(took):.1f} s of {', '.join(f'{one:.1f}' for one in took)}",
        f"processor time till then: median {median(busy):.1f} s",
    ]
    text = "\n".join([*head, *lines, ""])
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")


def make_index(folder: Path, *, passages: int) -> Path:
    """An index of about so many passages of news."""
    corpus = EVAL / "realtimeqa-news" / "corpus.jsonl"
    if not corpus.is_file():
        sys.exit("skipped: ../shared/eval/realtimeqa-news is absent")
    few = folder / "articles.jsonl"
    with corpus.open(encoding="utf-8") as lines:
        few.write_text("".join(islice(lines, -(-passages // _PASSAGES_AN_ARTICLE))), encoding="utf-8")
    cache = Path(os.environ.get("CARI_MODEL_CACHE") or platformdirs.user_cache_path("cari"))
    encoder = open_encoder(prepare_model(DEFAULT_MODEL, cache=cache))
    # All of the encoder but its graph: pieces and their places are the model's own.
    vars(encoder)["_infer"] = _drawn
    index = folder / "index"
    build([few], index=index, encoder=encoder, settings=ChunkSettings(), progress=Quiet())
    return index


def _drawn(ids: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(len(ids))
    by_token = draw.standard_normal((len(ids), len(ids[-1]), DIM), np.float32)
    return unit_rows(by_token[:, 0]), by_token


def ask(url: str, *, count: int) -> None:
    """Questions with words of many articles, so that much of index and vocabulary is read."""
    sentences = (
        article.text[:100] for article in read_articles([EVAL / "facqa" / "corpus.jsonl"], quarantine=lambda _: None)
    )
    for sentence in islice(sentences, count):
        with urlopen(f"{url}/v1/search?q={quote(sentence)}", timeout=30) as answer:  # noqa: S310
            answer.read()


def processor_s(pid: int) -> float:
    """Processor time that the process has taken, in seconds."""
    # The name, in brackets, may hold blanks; user and system time are the 12th and 13th field behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def has_torch(pid: int) -> bool:
    """Whether the process has mapped torch's library."""
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()


def _memory(pid: int) -> str:
    one = memory(pid)[0]
    return f"RSS {one.rss:.0f} MiB, PSS {one.pss:.0f}, of files {one.file:.0f}, anonymous {one.anonymous:.0f}"


if __name__ == "__main__":
    main()
