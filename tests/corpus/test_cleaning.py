from __future__ import annotations

import pytest

from corpus.bylines import Found
from corpus.cleaning import clean

BODY = "Pemerintah kota menambah dua ratus bus listrik untuk melayani jalur timur mulai bulan depan."
MORE = "Tarifnya tidak berubah, dan kartu langganan yang lama tetap berlaku sampai akhir tahun."


def rules_of(*paragraphs: str) -> list[str]:
    return [removal.rule for removal in clean(list(paragraphs)).removals]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("link", "Baca Juga: Bus Listrik Pertama Tiba di Pelabuhan"),
        ("link", "Baca juga Bus Listrik Pertama Tiba di Pelabuhan"),
        ("link", "Baca Selengkapnya: Rute Baru Bus Listrik"),
        ("link", "Tonton: Wali Kota Mencoba Bus Baru"),
        ("link", 'Tonton juga video "Wali Kota Mencoba Bus Baru" di sini:'),
        ("link", "Simak juga: Daftar Halte yang Pindah"),
        ("link", "Lihat juga Video: Antrean di Halte Pusat"),
        ("link", "Simak selengkapnya di halaman selanjutnya."),
        ("link", "Read also: City orders more trams"),
        ("link", "READ MORE: City orders more trams"),
        ("link", "Read more."),
        ("link", "Also read: City orders more trams"),
        ("link", "Watch: the first ride"),
        ("link", "Read this story in English"),
        ("link", "RELATED: City orders more trams"),
        ("embed", "[Gambas:Video 20detik]"),
        ("advertisement", "ADVERTISEMENT"),
        ("advertisement", "SCROLL TO CONTINUE WITH CONTENT"),
        ("advertisement", "ADVERTISEMENT SCROLL TO RESUME"),
        ("advertisement", "Story continues below."),
        ("promotion", "Warta Kita juga menyajikan beragam berita terbaru lainnya. wartakita.co.id"),
        ("promotion", "Ikuti berita pilihan kami di Google News dengan mengeklik tautan ini."),
        ("promotion", "Follow Jane Roe on Twitter: @janeroe"),
        ("address", "redaksi@contoh.co.id"),
        ("address", "https://contoh.co.id/berita/1"),
        ("closing", "Copyright © 2025 Contoh Media. All rights reserved."),
        ("copyright", "© 2025 Contoh Media"),
        ("copyright", "Hak cipta dilindungi undang-undang 2024"),
        ("page", "Halaman 2 dari 3"),
        ("sharing", "Bagikan artikel ini:"),
        ("separator", "* * *"),
        ("byline", "Penulis: Ayu Lestari"),
        ("byline", "Sumber: Reuters | Editor: Ayu Lestari"),
    ],
)
def test_a_line_of_boilerplate_is_removed_and_the_article_around_it_stays(rule: str, line: str) -> None:
    cleaned = clean([BODY, line, MORE])
    assert cleaned.paragraphs == (BODY, MORE)
    assert [(removal.rule, removal.text) for removal in cleaned.removals] == [(rule, line)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Baca juga tulisan di papan itu sebelum naik, kata petugas.",
        "Watch how the driver leaves the stop.",
        "Watch: the committee will vote on Friday. Members said they would not delay it again.",
        "Tonton pertandingan itu ribuan orang datang dari luar kota.",
        "Related costs rose by four percent, the ministry said.",
        "More people than ever ride the bus.",
        "Editor's note: an earlier version gave the wrong date.",
        "Sumber air di desa itu mengering sejak Juli.",
        "Copyright law protects the drawings, the court ruled.",
        "Iklan rokok dilarang di sekitar sekolah.",
        "Share prices fell on Monday.",
        "By Monday, all stops had power again.",
        "Jakarta-Bandung dapat ditempuh dalam empat puluh menit.",
        "Jakarta - Bandung ditempuh dalam empat puluh menit dengan kereta itu.",
        "Ahok - sapaan akrabnya - datang lebih awal.",
        "NATO — The alliance was founded in 1949.",
        "CNN-News18 reported the figures first.",
        "Sutan Arif (25 Desember 1890 – 20 Maret 1950) adalah seorang guru.",
        "Wali kota (kiri) membuka jalur itu pada 3/4.",
    ],
)
def test_a_sentence_that_only_resembles_boilerplate_is_kept(sentence: str) -> None:
    assert clean([sentence, MORE]).paragraphs == (sentence, MORE)


def test_a_link_at_the_end_of_a_paragraph_is_cut_off() -> None:
    assert clean([f"{BODY} Baca juga: Bus Listrik Pertama Tiba", MORE]).paragraphs == (BODY, MORE)
    assert clean([f"{BODY} (Baca juga: Bus Listrik Pertama Tiba)", MORE]).paragraphs == (BODY, MORE)


def test_a_link_followed_by_a_sentence_is_left_alone_rather_than_losing_the_sentence() -> None:
    glued = f"{BODY} Baca juga: Bus Listrik Pertama Tiba {MORE}"
    assert clean([glued]).paragraphs == (glued,)


def test_initials_of_reporter_and_editor_are_cut_off() -> None:
    assert clean([f"{BODY} (abc/xyz)"]).paragraphs == (BODY,)
    assert clean([f"{BODY}[ab/xy]"]).paragraphs == (BODY,)


def test_a_repeated_paragraph_is_kept_once() -> None:
    assert clean([BODY, MORE, BODY.upper()]).paragraphs == (BODY, MORE)


def test_a_short_line_may_repeat_unless_it_follows_itself() -> None:
    assert clean(["Ya.", BODY, "Ya.", MORE]).paragraphs == ("Ya.", BODY, "Ya.", MORE)
    assert clean([BODY, "Ya.", "Ya.", MORE]).paragraphs == (BODY, "Ya.", MORE)


def test_a_section_label_above_a_date_is_removed_and_the_date_is_found() -> None:
    cleaned = clean(["Kebijakan", "2026.01.05", BODY, MORE])
    assert cleaned.paragraphs == (BODY, MORE)
    assert str(cleaned.found.published) == "2026-01-05"


def test_a_headline_above_a_date_is_kept() -> None:
    assert clean(["Bus Listrik Mulai Beroperasi", "2026.01.05", BODY]).paragraphs[0] == "Bus Listrik Mulai Beroperasi"


def test_a_stray_date_before_the_first_sentence_is_metadata() -> None:
    cleaned = clean([f"date 2026-01-20 {BODY}", MORE])
    assert cleaned.paragraphs == (BODY, MORE)
    assert str(cleaned.found.published) == "2026-01-20"


@pytest.mark.parametrize("heading", ["konten yang terkait", "Related content", "Berita Terkait:", "More from our desk"])
def test_a_list_of_other_articles_at_the_end_is_cut_off(heading: str) -> None:
    assert clean([BODY, MORE, heading, "Trem Baru Diuji", "Halte Pusat Dibuka"]).paragraphs == (BODY, MORE)


def test_a_tail_heading_followed_by_sentences_cuts_nothing_off() -> None:
    assert clean([BODY, "Terpopuler", MORE]).paragraphs == (BODY, "Terpopuler", MORE)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Penulis: Ayu Lestari", Found(author="Ayu Lestari")),
        ("Reporter: Ayu Lestari | Editor: B. Santoso", Found(author="Ayu Lestari", editor="B. Santoso")),
        ("Oleh: Ayu Lestari", Found(author="Ayu Lestari")),
        ("By Jane Roe and John Doe, City Times", Found(author="Jane Roe and John Doe")),
        ("Sumber: Reuters | Editor: B. Santoso", Found(source="Reuters", editor="B. Santoso")),
    ],
)
def test_a_byline_is_kept_as_metadata(line: str, found: Found) -> None:
    cleaned = clean([line, BODY, MORE])
    assert (cleaned.paragraphs, cleaned.found) == ((BODY, MORE), found)


def test_a_source_in_the_middle_credits_a_chart_and_is_not_the_articles() -> None:
    paragraphs = [BODY, *(f"{MORE} {number}" for number in range(8)), "Source: World Bank", MORE, "Akhir.", BODY + "!"]
    cleaned = clean(paragraphs)
    assert cleaned.found.source is None
    assert "Source: World Bank" in cleaned.paragraphs


def test_a_signature_and_copyright_glued_to_the_last_sentence_are_metadata() -> None:
    glued = (
        f"{BODY} Pewarta: Ayu Lestari Editor: B. Santoso Copyright © ANTARA 2025 Dilarang keras mengambil konten ini."
    )
    cleaned = clean([MORE, glued])
    assert cleaned.paragraphs == (MORE, BODY)
    assert cleaned.found == Found(author="Ayu Lestari", editor="B. Santoso")


@pytest.mark.parametrize(
    ("dateline", "source", "published"),
    [
        ("JAKARTA, KOMPAS.com - ", "KOMPAS.com", None),
        ("KONTAN.CO.ID - ", "KONTAN.CO.ID", None),
        ("TEMPO.CO,Jakarta-", "TEMPO.CO", None),
        ("Bisnis.com, JAKARTA — ", "Bisnis.com", None),
        ("Jakarta, Kompas-", "Kompas", None),
        ("Jakarta, 25 Maret 2024 - ", None, "2024-03-25"),
        ("Jakarta (25/3/2024) - ", None, "2024-03-25"),
        ("Jakarta (ANTARA) - ", "ANTARA", None),
        ("Jakarta, IDN Times - ", "IDN Times", None),
        ("LONDON, Jan 5 (Reuters) - ", "Reuters", None),
        ("WASHINGTON (AP) — ", "AP", None),
        ("(CNN) ", "CNN", None),
        ("CNN — ", "CNN", None),
        ("New York CNN Business — ", "CNN Business", None),
        ("WASHINGTON – ", None, None),
        ("ORLANDO, Fla. -- ", None, None),
        ("Medan - ", None, None),
    ],
)
def test_a_dateline_is_metadata(dateline: str, source: str | None, published: str | None) -> None:
    cleaned = clean([dateline + BODY, MORE])
    assert cleaned.paragraphs == (BODY, MORE)
    assert cleaned.found.source == source
    assert (str(cleaned.found.published) if cleaned.found.published else None) == published


def test_a_dateline_on_a_line_of_its_own_disappears() -> None:
    assert clean(["CNN —", BODY]).paragraphs == (BODY,)
    assert clean(["Moscow and Kyiv, Ukraine CNN —", BODY]).paragraphs == (BODY,)


def test_a_dateline_is_looked_for_below_headline_and_summary() -> None:
    headline, summary = "Bus Listrik Mulai Beroperasi", "Dua ratus bus melayani jalur timur."
    assert clean([headline, summary, f"Jakarta, 25 Maret 2024 - {BODY}"]).paragraphs == (headline, summary, BODY)


def test_plain_passages_are_untouched() -> None:
    assert rules_of(BODY) == []
    assert rules_of(BODY, MORE) == []
