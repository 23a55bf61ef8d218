# The mapped vocabulary against the library's own tokenizer: the same pieces, in the same places, of any text.

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from indexer import ModelError
from indexer.tokenizer import PieceTokenizer
from indexer.unigram import UnigramTokenizer, write_unigram

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ODD = (
    "",
    " ",
    "\n\n",
    "  dua  spasi ",
    "a" * 1_000,
    "ha" * 40,
    "." * 77,
    "_" * 40,
    "!?" * 30,
    "1234567890" * 9,
    "x" * 4_000,
    "لا" * 50,
    "北京" * 30,
    "😀😀👩\u200d🚒🇮🇩",
    "\u0301",
    "e\u0301 é",
    "\ue000\ue001x\ue000",
    "\U000f0000\ufffd\ufffe",
    "batik\x00tulis\x07\x1b[31m",
    "bat\u200bik\u00adtulis \u202ebatik\u202c",
    "ﬁ ½ ﷺ ＡＢＣ１２３ 𝒜 𝔘",
    "\u00a0a\u3000b\u2028c",
    "▁▁a a▁b ▁",
    "<s> a</s>b <unk><pad> ＜s＞ <s",
    "Rp5.000,00 https://contoh.id/a?b=c&d=%20",
)
PARTS = [
    *"ab.-é字👍\t\n\x00Ａ한\ue123",
    " ",
    "  ",
    "aa",
    "..",
    "ke",
    "ng",
    "an",
    "00",
    "e\u0301",
    "ﬃ",
    "<s>",
    "＜s＞",
    "▁",
]


def drawn(count: int, *, seed: int) -> list[str]:
    """Texts of up to forty parts of a few kinds, so that long runs and ties are among them."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    texts = []
    for _ in range(count):
        kinds = PARTS if draw.random() < 0.5 else draw.sample(PARTS, 2)
        texts.append("".join(draw.choices(kinds, k=draw.randint(1, 40))))
    return texts


def assert_same_pieces(mapped: PieceTokenizer, library: PieceTokenizer, texts: Sequence[str]) -> None:
    for text, found, expected in zip(texts, mapped.pieces(texts), library.pieces(texts), strict=True):
        assert found.ids.tolist() == expected.ids.tolist(), text
        assert found.spans.tolist() == expected.spans.tolist(), text


@pytest.fixture(scope="module")
def both(embedded_folder: Path) -> tuple[UnigramTokenizer, PieceTokenizer]:
    return (
        UnigramTokenizer(embedded_folder / "pieces", max_tokens=512),
        PieceTokenizer(embedded_folder / "tokenizer.json", max_tokens=512),
    )


@pytest.mark.model
def test_odd_texts_have_the_librarys_pieces(both: tuple[UnigramTokenizer, PieceTokenizer]) -> None:
    assert_same_pieces(*both, [*ODD, *("query: " + text for text in ODD)])
    assert_same_pieces(*both, drawn(5_000, seed=1))


@pytest.mark.model
@pytest.mark.parametrize(
    "name",
    ["belebele-other/id-mixed", "facqa", "id-news-headline", "miracl-id-mini", "realtimeqa-news", "tydiqa-id"],
)
def test_real_texts_have_the_librarys_pieces(
    both: tuple[UnigramTokenizer, PieceTokenizer], shared: Callable[[str], Path], name: str
) -> None:
    texts = []
    for file in ("corpus.jsonl", "queries.jsonl"):
        with shared(f"eval/{name}/{file}").open(encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in islice(lines, 200)]

    assert_same_pieces(*both, texts)


@pytest.mark.model
def test_what_the_model_reads_is_the_same_from_both(both: tuple[UnigramTokenizer, PieceTokenizer]) -> None:
    mapped, library = both
    texts = ["query: " + text for text in ODD]

    for found, expected, text in zip(mapped.read(texts), library.read(texts), texts, strict=True):
        assert (found.ids, found.cut) == (expected.ids, expected.cut)
        assert found.to_end.tolist() == expected.to_end.tolist()
        assert len(found.ids) <= 512
        assert found.cut == (len(mapped.token_starts(text)) > 510)
    for prompt in ("query: ", "passage: ", ""):
        assert mapped.own_tokens(prompt) == library.own_tokens(prompt)
        assert mapped.count(prompt) == library.count(prompt)


def test_starts_are_counted_from_the_end_of_the_text_that_was_read(tmp_path: Path) -> None:
    folder = written(tmp_path, library())
    (read,) = UnigramTokenizer(folder, max_tokens=5).read(["ab ab ab ab"])

    # <s> ▁ab ▁ab ▁ab </s>, of a text of 11 code points; a piece begins with the space before it.
    assert read.ids == [1, 4, 4, 4, 2]
    assert read.to_end[1:4].tolist() == [11, 9, 6]
    assert read.cut


@pytest.mark.model
def test_the_vocabulary_takes_a_few_megabytes_and_no_second_of_a_process(embedded_folder: Path) -> None:
    # In a process of its own: this one has held other tokenizers.
    script = """
import re, sys, time
from pathlib import Path
from indexer.unigram import UnigramTokenizer
own = lambda: int(re.search(r"^Anonymous: +(\\d+)", Path("/proc/self/smaps_rollup").read_text(), re.M)[1]) / 1024
before, start = own(), time.process_time()
tokenizer = UnigramTokenizer(Path(sys.argv[1]), max_tokens=512)
tokenizer.read(["query: Berapa jumlah penduduk kota itu?"])
print(own() - before, time.process_time() - start)
"""
    command = [sys.executable, "-c", script, str(embedded_folder / "pieces")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    taken_mib, taken_s = map(float, done.stdout.split())

    assert taken_mib < 10
    assert taken_s < 0.3


def library(**changes: object) -> Tokenizer:
    """A small tokenizer as the library makes it; changes replace its parts."""
    vocabulary = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("▁", -2.0), ("▁ab", -3.0), ("a", -2.5), ("b", -2.5)]
    vocabulary += [("aa", -4.0), ("ba", -4.0), ("<mask>", 0.0)]
    made = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=False))
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    made.add_special_tokens(["<s>", "</s>"])
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def written(tmp_path: Path, made: Tokenizer) -> Path:
    made.save(str(tmp_path / "tokenizer.json"))
    folder = tmp_path / "pieces"
    assert write_unigram(tmp_path / "tokenizer.json", folder=folder) == folder.is_dir()
    return folder


def test_the_division_with_the_highest_sum_wins_and_neighbouring_unknowns_are_one(tmp_path: Path) -> None:
    made = library()
    tokenizer = UnigramTokenizer(written(tmp_path, made), max_tokens=16)
    (pieces,) = tokenizer.pieces(["ab aaxyb"])

    # -3 for ▁ab; then ▁ (-2), aa (-4, less than twice -2.5), x and y, which nothing has, and b.
    assert pieces.ids.tolist() == [4, 3, 7, 0, 6]
    assert pieces.spans.tolist() == [[0, 2], [2, 3], [3, 5], [5, 7], [7, 8]]
    assert pieces.ids.tolist() == made.encode("ab aaxyb", add_special_tokens=False).ids


@pytest.mark.parametrize("stripping", [{}, {"lstrip": True}, {"rstrip": True}, {"lstrip": True, "rstrip": True}])
def test_an_added_token_is_one_piece_with_the_blanks_that_it_strips(tmp_path: Path, stripping: dict[str, bool]) -> None:
    from tokenizers import AddedToken  # noqa: PLC0415

    made = library()
    made.add_special_tokens([AddedToken("<mask>", normalized=False, **stripping)])
    folder = written(tmp_path, made)
    texts = ["ab<mask>ab", "ab \t\u3000<mask> \n ab", "<mask>", " <mask><mask> ", "ab <s> ab</s>", "\x1c<mask>\x1c"]

    assert_same_pieces(
        UnigramTokenizer(folder, max_tokens=16), PieceTokenizer(tmp_path / "tokenizer.json", max_tokens=16), texts
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"model": models.BPE({"a": 0, "b": 1}, [])},
        {"model": models.Unigram([("<unk>", 0.0), ("a", -1.0), ("<0x41>", -2.0)], unk_id=0, byte_fallback=True)},
        {"model": models.Unigram([("<unk>", 0.0), ("a", -1.0), ("a", -2.0)], unk_id=0, byte_fallback=False)},
        {"pre_tokenizer": pre_tokenizers.Metaspace(prepend_scheme="first")},
        {"pre_tokenizer": pre_tokenizers.ByteLevel()},
    ],
    ids=["other model", "bytes", "twice the same piece", "first word alone", "other words"],
)
def test_tokenizers_of_other_kinds_stay_with_the_library(tmp_path: Path, changes: dict[str, object]) -> None:
    assert not written(tmp_path, library(**changes)).exists()


def test_a_vocabulary_whose_pieces_differ_from_the_librarys_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.unigram._UNKNOWN_PENALTY", -100.0)

    assert not written(tmp_path, library()).exists()


@pytest.mark.parametrize("name", ["facts.json", "pieces.marisa", "scores.npy", "rest.json"])
def test_a_damaged_vocabulary_says_to_prepare_the_model_again(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path, library())
    (folder / name).write_bytes(b"damaged")

    with pytest.raises(ModelError, match="prepare the model again"):
        UnigramTokenizer(folder, max_tokens=16)
