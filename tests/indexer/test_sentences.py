from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sentences import split_paragraphs, split_sentences

SHARED = Path(__file__).parents[3] / "shared"

# "¦" stands where the text divides; the space before it and after it are the text's own.
WHOLE = [
    "Pasien ditangani dr. Andi di rumah sakit.",
    "Menurut Prof. Sri, Dr. Ir. I Wayan Koster dan Drs. Budi hadir.",
    "Kantornya di Jl. Sudirman No. 5 Jakarta.",
    "Harganya Rp5.000 atau Rp. 12.500 per kilo.",
    "Lihat hlm. 12 dan hal. 7, Pasal 3 UU No. 8 Tahun 1999.",
    "Ayam, sapi, dll. dijual di sana, juga Messi dkk. yang menang.",
    "Rina Wijaya, S.H., M.H. mengajar bersama Tono, S.Pd. dan Ph.D. lain.",
    "Advokat Budi S.H. M.Kn. Hakim itu hadir.",
    "Ceramah H. Rizieq, Hj. Aminah, K.H. Ma'ruf dan KH. Zainuddin.",
    "Tn. Budi dan Ny. Sari datang a.n. Bapak Lurah, d.a. Jl. Mawar.",
    "Saham PT. Bank Maju Tbk. Persero naik, begitu CV. Jaya.",
    "Kombes Pol. Eko, Brigjen. Andi dan Letkol. Inf. Rahmat hadir.",
    "Barang yg. dibeli dgn. Uang itu s.d. Selasa.",
    "The U.S. Senate and the U.K. Parliament met U.N. envoys.",
    "Mr. Smith, Mrs. Jones, Ms. Lee and Dr. Brown met in St. Louis.",
    "In Roe vs. Wade and Roe v. Wade the court ruled.",
    "Some fruit, e.g. Apples, i.e. Malus domestica, sells.",
    "Apples, pears, etc. are sold.",
    "It opens at 8 p.m. Monday and 9 a.m. ET on weekdays.",
    "On Jan. 6 and Feb. 14, Mar. 3, Sept. 11, Oct. 7, Nov. 9, Dec. 25 they met.",
    "Apr. 1, Jun. 2, Jul. 4, Aug. 17, Agt. 17, Okt. 28 dan Des. 25 libur.",
    "J. K. Rowling and George W. Bush met B.J. Habibie and H. A. Salim.",
    "Angka 3.5 atau 3,5 pada pukul 10.30 WIB tanggal 2026.01.05 benar.",
    "JAKARTA, KOMPAS.com - Situs detik.com dan https://a.co/b.html?c=d. naik.",
    "Saya... tidak tahu, dia… juga tidak.",
    '"Apa?" tanya dia.',
    '"Saya siap." katanya.',
    "Yahoo! News dan Jeopardy! Masters tayang.",
    "1. Buka aplikasi Cari.",
    "a. Buka aplikasi.",
    "II. Tinjauan Pustaka.",
    "then-Sen. Joe Biden and a non-U.S. President spoke.",
    "Martin Luther King Jr. Day honors the Warner Bros. Discovery founder.",
    "JACKSON, Wyo. – A country band plays.",
    "Rear Adm. McPherson, Maj. Gen. Kremenetsky, Lt. Col. Shi and Rev. Warnock spoke.",
    "Mt. Hood and Ft. Worth, Fig. 3, vol. 2, p. 7, No. 10.",
    "... Kemudian ia pergi.",
    "「はい。」と答えた。",
    "Dr. (H.C.) Budi hadir.",
]

DIVIDED = [
    "Saya pergi. ¦Dia tinggal.",
    "“Saya siap.” ¦Ia pergi.",
    '"Saya siap." ¦Ia pergi.',
    "(Ini benar.) ¦Itu salah.",
    "Ia berkata. ¦“Saya siap.”",
    "Siapa dia? ¦Saya tidak tahu! ¦Sungguh.",
    '"Apa?!" ¦Tidak ada jawaban.',
    "Saya ragu... ¦Mungkin besok. ¦Entah… ¦Ya.",
    "Ayam, sapi, dll. ¦Semua dijual. ¦Messi dkk. ¦Argentina menang.",
    "Apples, pears, etc. ¦They are sold.",
    "He lives in the U.S. ¦He left the U.K. ¦The end.",
    'He moved "back to the U.S." ¦Biden agreed.',
    "It closed at 8 p.m. ¦Nobody came before 9 a.m. ¦We left.",
    "Ia bekerja di PT Maju Tbk. ¦Namun ia keluar.",
    "She works at Apple Inc. ¦The firm is big.",
    "Ia bergelar S.H. ¦Dia hakim.",
    "Ia masuk Grup K. ¦Inggris menang.",
    "Minum vitamin C. ¦Buah segar baik.",
    "Perdana Menteri Hun Sen. ¦Dan investor pergi.",
    "Kapal TNI AL. ¦Operasi berjalan.",
    "Kata Fariz RM. ¦Menanggapi itu ia diam.",
    "Harganya lima sen. ¦Budi membayar.",
    "Dia bilang no. ¦Kami pulang.",
    "In segala hal. ¦Kami siap.",
    "Terjadi pada 2025. ¦Angka itu naik 3,5. ¦Rp5.000. ¦Selesai.",
    "Baca di KOMPAS.com. ¦Situs lain detik.com. ¦Ya.",
    "Toko itu tutup. ¦iPhone terbaru habis. ¦e-KTP juga.",
    "ia datang sendiri. ¦lalu ia pergi lagi.",
    "Anaknya Robert Downey Jr. ¦The film is new.",
    "Ia lahir di Jan. ¦Bulan itu dingin.",
    "Buka aplikasi. ¦2. Klik tombol. ¦3. Selesai.",
    "Pernyataan itu benar.[1] ¦Kemudian ia pergi.",
    "你好。¦我走了！¦真的？¦是。",
    "यह सच है। ¦वह गया।",
    "Judul Bagian\n¦Isi berita dimulai. ¦Lanjut\n¦- butir satu\n¦- butir dua",
    "Ia bertemu dr.\n¦Andi kemarin.",
    "Satu baris\r\n¦dua baris\u2028¦tiga",
    "“Pergi!” katanya. ¦“sekarang juga.”",
    "Kata polisi. ¦– Selesai.",
]


def parts(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize("text", WHOLE)
def test_a_mark_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert parts(text) == [text]


@pytest.mark.parametrize("marked", DIVIDED)
def test_a_mark_at_the_end_of_a_sentence_ends_it(marked: str) -> None:
    assert parts(marked.replace("¦", "")) == [part.strip() for part in marked.split("¦")]


def test_a_sentence_after_whole_ones_begins_after_them() -> None:
    text = " ".join(f"{sentence} Ia pulang." for sentence in WHOLE[:4])
    assert parts(text) == [part for sentence in WHOLE[:4] for part in (sentence, "Ia pulang.")]


TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [".", "?", "!", "…", "...", "。", " ", "\n", "\n\n", "\r\n", "\u2029", "”", '"', ")", "[1]", "“", "- ",
             "dr", "U.S", "S.H", "A", "a", "No", "5", "2026", "The", "Ia", "kata", "iPhone", "p.m", "é", "e\u0301",
             "\u200b", "\x1c", "\u3000", "「", "」"]
        ),
        max_size=120,
    ).map("".join),
)  # fmt: skip


@pytest.mark.parametrize("split", [split_sentences, split_paragraphs])
@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_every_character_that_is_not_whitespace_lies_in_exactly_one_span(split, text: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    spans = split(text)
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())


def test_paragraphs_are_separated_by_blank_lines_only() -> None:
    text = "  Satu.\nMasih satu.\n \t\nDua.\r\n\r\nTiga.\n\n\n"
    assert [text[start:end] for start, end in split_paragraphs(text)] == ["Satu.\nMasih satu.", "Dua.", "Tiga."]


def test_no_sentence_crosses_a_blank_line() -> None:
    text = "Judul\n\nIsi dr.\n\nBudi. Ya"
    assert parts(text) == ["Judul", "Isi dr.", "Budi.", "Ya"]


@pytest.mark.parametrize(
    "unit",
    ["kata lain saja ", ".", "a.b.c.", " ", "\n", "\n ", '."', "[1", "。", ".[1]", "- ", "\u0301"],
)
def test_ten_megabytes_of_anything_take_linear_time(unit: str) -> None:
    text = unit * (10_000_000 // len(unit)) + "x"
    began = time.perf_counter()
    spans = split_sentences(text)
    assert time.perf_counter() - began < 15
    assert spans[-1][1] == len(text)


def test_real_articles_divide_into_sentences_of_plausible_length() -> None:
    path = SHARED / "eval" / "id-news-headline" / "corpus.jsonl"
    if not path.exists():
        pytest.skip("../shared/eval/id-news-headline is absent")
    with path.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(200), strict=False)]
    lengths = sorted(end - start for text in texts for start, end in split_sentences(text))
    assert 80 < lengths[len(lengths) // 2] < 160
    assert lengths[len(lengths) * 99 // 100] < 500
