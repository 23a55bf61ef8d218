from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import BadRecordError
from corpus.decoding import decode

TEXT = "“Harga naik,” kata menteri – sebesar 5 €. Café di Bogotá tetap buka.\n" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_the_text_comes_out_right_in(encoding: str) -> None:
    assert decode(TEXT.encode(encoding)) == TEXT


def test_big_endian_utf_16_with_a_mark_is_read() -> None:
    assert decode(b"\xfe\xff" + TEXT.encode("utf-16-be")) == TEXT


def test_one_damaged_character_does_not_turn_utf_8_into_mojibake() -> None:
    raw = TEXT.encode()
    assert decode(raw[:40] + b"\xff" + raw[40:]).count("�") >= 1
    assert "Café di Bogotá" in decode(raw + b"\xe2\x80")


@pytest.mark.parametrize(
    "raw", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, bytes(4096), os.urandom(4096)], ids=["png", "zeros", "noise"]
)
def test_binary_data_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRecordError, match=r"not text|neither UTF-8"):
        decode(raw)


def test_text_in_another_encoding_is_refused_rather_than_garbled() -> None:
    with pytest.raises(BadRecordError, match="convert the file to UTF-8"):
        decode("Правительство объявило о новых мерах".encode("cp1251"))


@given(st.binary())
def test_any_bytes_are_text_or_refused(raw: bytes) -> None:
    try:
        assert isinstance(decode(raw), str)
    except BadRecordError as error:
        assert str(error)  # noqa: PT017 - refusing is one of the two allowed outcomes


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_utf_8_text_is_read_back(text: str) -> None:
    raw = text.encode()
    if raw.startswith((b"\xff", b"\xfe", b"\xef\xbb\xbf")):
        return
    assert decode(raw) == text
