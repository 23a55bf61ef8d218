from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tokenizers

from indexer.tokenizer import PieceTokenizer

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = (
    "query: apa itu batik?",
    "query: " + "kata yang panjang sekali " * 40,
    "",
    "a",
    "query: " + "x" * 4_000,
    "passage: 😀 naïve\u200b test\n\nbaru 北京",
)


@pytest.mark.model
@pytest.mark.parametrize("max_tokens", [8, 16, 512])
def test_texts_are_cut_as_the_library_cuts_them(embedded_folder: Path, max_tokens: int) -> None:
    path = embedded_folder / "tokenizer.json"
    library = tokenizers.Tokenizer.from_file(str(path))
    library.enable_truncation(max_tokens)
    library.no_padding()

    expected = [encoding.ids for encoding in library.encode_batch(list(TEXTS))]
    assert [read.ids for read in PieceTokenizer(path, max_tokens=max_tokens).read(TEXTS)] == expected
    assert max(map(len, expected)) == max_tokens
