from __future__ import annotations

import csv
import gzip
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import Article, CorpusError, PathError, Rejection, read_articles

BODY = "Pemerintah kota menambah dua ratus bus listrik untuk melayani jalur timur mulai bulan depan."
MORE = "Tarifnya tidak berubah, dan kartu langganan yang lama tetap berlaku sampai akhir tahun."
PAGE = f"""<html lang="id"><head><title>Bus Listrik Datang - Warta</title>
<meta property="og:title" content="Bus Listrik Datang"><meta property="og:site_name" content="Warta Kota">
<meta name="author" content="Ayu Lestari"><meta property="article:published_time" content="2024-03-25T10:00:00+07:00">
<link rel="canonical" href="https://warta.example/bus"></head><body><nav><a href="/">Beranda</a></nav>
<article><h1>Bus Listrik Datang</h1><p>{BODY}</p><p>{MORE}</p></article><footer>Hak cipta</footer></body></html>"""


def read(*paths: Path) -> tuple[list[Article], list[Rejection]]:
    rejections: list[Rejection] = []
    return list(read_articles(paths, quarantine=rejections.append)), rejections


def write_lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def write_all_formats(folder: Path) -> None:
    row = {"title": "Bus", "text": f"{BODY}\n{MORE}", "source": "Warta", "date": "25 Maret 2024", "lang": "id"}
    (folder / "a.txt").write_text(f"{BODY}\n{MORE}\n", encoding="utf-8")
    head = "title: Bus\nsource: Warta\ndate: 2024-03-25\nlang: id\n"
    (folder / "b.md").write_text(f"---\n{head}---\n\n{BODY}\n\n{MORE}\n", encoding="utf-8")
    (folder / "c.html").write_text(PAGE, encoding="utf-8")
    write_lines(folder / "d.jsonl", {"id": "d", **row})
    with (folder / "e.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["_id", *row])
        writer.writeheader()
        writer.writerow({"_id": "e", **row})
    pq.write_table(pa.Table.from_pylist([{"id": "f", **row}]), folder / "f.parquet")


def test_every_format_and_its_gzip_hold_the_same_article(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.mkdir()
    packed.mkdir()
    write_all_formats(plain)
    for file in plain.iterdir():
        (packed / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    for folder in (plain, packed):
        articles, rejections = read(folder)
        assert rejections == []
        assert [article.text for article in articles] == [f"{BODY}\n\n{MORE}"] * 6
        assert {article.language for article in articles} == {"id"}
        assert [article.id.removesuffix(".gz") for article in articles] == ["a.txt", "b.md", "c.html", "d", "e", "f"]
        assert [article.published for article in articles] == [None, *[date(2024, 3, 25)] * 5]
        assert [article.source for article in articles[3:]] == ["Warta"] * 3
        assert len({article.digest for article in articles}) == 6


def test_a_web_page_gives_title_author_source_url_and_date(tmp_path: Path) -> None:
    (tmp_path / "bus.html").write_text(PAGE, encoding="utf-8")
    (article,), _ = read(tmp_path)
    assert (article.title, article.author, article.source) == ("Bus Listrik Datang", "Ayu Lestari", "Warta Kota")
    assert (article.url, article.published) == ("https://warta.example/bus", date(2024, 3, 25))


def test_a_web_page_is_read_in_the_encoding_that_it_declares(tmp_path: Path) -> None:
    page = PAGE.replace("<head>", '<head><meta charset="windows-1252">').replace(
        "kota menambah", "kota “Bogotá” menambah"
    )
    (tmp_path / "bus.html").write_bytes(page.encode("cp1252"))
    (article,), _ = read(tmp_path)
    assert "kota “Bogotá” menambah" in article.text


def test_markdown_becomes_plain_text(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        f"# Bus Listrik\n\n![foto](x.jpg)\n\n**{BODY}**\n\n## Tarif\n\n{MORE[:20]}\n{MORE[20:]} [tautan](https://a.example)"
        "\n\n- satu\n",
        encoding="utf-8",
    )
    (article,), _ = read(tmp_path)
    assert article.title == "Bus Listrik"
    assert article.text.split("\n\n") == [BODY, "Tarif", f"{MORE[:20].strip()} {MORE[20:].strip()} tautan", "satu"]


def test_markdown_between_two_rules_is_not_front_matter(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"---\n\n{BODY}\n\n---\n\n{MORE}\n", encoding="utf-8")
    (article,), _ = read(tmp_path)
    assert article.text == f"{BODY}\n\n{MORE}"


def test_a_headline_of_a_text_file_becomes_the_title_and_leaves_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"Bus Listrik Mulai Beroperasi\n{BODY}\n{MORE}\n", encoding="utf-8")
    (article,), _ = read(tmp_path)
    assert (article.title, article.text) == ("Bus Listrik Mulai Beroperasi", f"{BODY}\n\n{MORE}")


def test_a_sentence_never_becomes_a_title_and_an_empty_title_is_respected(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl",
        {"id": 1, "text": f"Bus itu datang.\n{BODY}"},
        {"id": 2, "title": "", "text": f"Bus Listrik Mulai Beroperasi\n{BODY}"},
    )
    articles, _ = read(path)
    assert [article.title for article in articles] == ["", ""]
    assert articles[1].text.startswith("Bus Listrik Mulai Beroperasi\n\n")


def test_given_metadata_wins_over_what_the_text_shows(tmp_path: Path) -> None:
    text = f"Penulis: Ayu Lestari\nJAKARTA, KOMPAS.com - {BODY}\nKata dia, Rabu (19/11/2025). {MORE}"
    path = write_lines(
        tmp_path / "a.jsonl",
        {"id": "found", "text": text, "url": "https://www.warta.example/1"},
        {"id": "given", "text": text, "author": "B", "source": "C", "date": "2020-01-02", "language": "en-GB"},
    )
    found, given_ = read(path)[0]
    assert (found.author, found.source, found.published) == ("Ayu Lestari", "KOMPAS.com", date(2025, 11, 19))
    assert (given_.author, given_.source, given_.published) == ("B", "C", date(2020, 1, 2))
    assert (found.language, given_.language) == ("id", "en")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://warta.example/1", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("http://[", False),
    ],
)
def test_only_web_addresses_are_kept(tmp_path: Path, url: str, kept: bool) -> None:  # noqa: FBT001 - a parameter
    (article,), _ = read(write_lines(tmp_path / "a.jsonl", {"id": "a", "text": BODY, "url": url}))
    assert article.url == (url if kept else None)
    assert article.source == ("warta.example" if kept else None)


def test_files_are_read_in_a_stable_order_with_hidden_and_foreign_ones_passed_over(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/b/c.txt", ".hidden.txt", ".git/x.txt", "README.md", "questions.tsv", "x.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BODY, encoding="utf-8")
    articles, rejections = read(tmp_path)
    assert [article.id for article in articles] == ["a/b/c.txt", "a/z.txt", "b.txt"]
    assert rejections == []


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text(BODY, encoding="utf-8")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    articles, rejections = read(tmp_path)
    assert [article.id for article in articles] == ["a/x.txt"]
    assert [rejection.reason for rejection in rejections] == ["already read under another path; left out this time"]


def test_two_files_of_one_name_under_two_paths_are_both_kept(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(BODY, encoding="utf-8")
    articles, rejections = read(tmp_path / "a", tmp_path / "b")
    assert articles[0].id == "x.txt"
    assert articles[1].id.startswith("x.txt~")
    assert articles[0].digest != articles[1].digest
    assert rejections == []


def test_a_given_id_that_is_taken_is_quarantined(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"id": "x", "text": BODY}, {"_id": "x", "text": MORE})
    articles, rejections = read(path)
    assert [article.text for article in articles] == [BODY]
    assert rejections == [Rejection(f"{path}:2", f"duplicate id 'x', first seen at {path}:1")]


def test_records_without_id_are_named_by_url_or_content(tmp_path: Path) -> None:
    url = "https://warta.example/1"
    path = write_lines(
        tmp_path / "a.jsonl", {"text": BODY}, {"text": BODY}, {"text": BODY, "url": url}, {"text": MORE, "url": url}
    )
    articles, rejections = read(path)
    assert len(articles[0].id) == 16
    assert articles[1].id == url
    assert articles[2].id.startswith(f"{url}~")
    assert rejections == [Rejection(f"{path}:2", f"duplicate of a record without id, first seen at {path}:1")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"text": "a"', "not valid JSON"),
        ("[1, 2]]", "not valid JSON|JSON array"),
        ('"a string"', "a JSON str; expected an object"),
        ({"title": "a"}, 'no "text" field'),
        ({"text": "  "}, 'no "text" field'),
        ({"text": 7}, 'field "text" holds int 7; expected text'),
        ({"text": BODY, "date": 1700000000}, 'field "date" holds int 1700000000; expected a date'),
        ({"text": BODY, "id": ["a"]}, 'field "id" holds list; expected text or a whole number'),
        ({"text": BODY, "id": "a\nb"}, "is not usable"),
        ({"text": BODY, "id": "x" * 513}, "is not usable"),
        ({"text": BODY, "id": "\ud800"}, "is not usable"),
        ({"text": "Baca juga: Bus Listrik Tiba"}, "nothing but boilerplate"),
        ("[" * 100_000, "JSON"),
        ('{"text": "a", "id": ' + "9" * 5000 + "}", "not usable JSON"),
    ],
)
def test_a_bad_line_in_the_middle_loses_nothing_else(tmp_path: Path, row: object, reason: str) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"id": "1", "text": BODY}, row, {"id": "3", "text": MORE})
    articles, (rejection,) = read(path)
    assert [article.id for article in articles] == ["1", "3"]
    assert rejection.place == f"{path}:2"
    assert any(part in rejection.reason for part in reason.split("|"))


def test_surrogates_and_nul_do_not_survive(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"id": "1", "title": "A\u0000\ud83d", "text": f"\ud83d{BODY}\u0000"})
    (article,), _ = read(path)
    assert (article.title, article.text) == ("A\ufffd", f"\ufffd{BODY}")


def test_lines_in_utf_16_and_cp1252_come_out_right(tmp_path: Path) -> None:
    text = f"“Café” {BODY}"
    lines = "".join(json.dumps({"id": number, "text": text}, ensure_ascii=False) + "\n" for number in range(3))
    for encoding in ("utf-16", "cp1252", "utf-8-sig"):
        path = tmp_path / f"{encoding}.jsonl"
        path.write_bytes(lines.encode(encoding))
        articles, rejections = read(path)
        assert [article.text for article in articles] == [text] * 3
        assert rejections == []


def test_records_before_the_damage_in_a_gzip_are_kept(tmp_path: Path) -> None:
    rows = [{"id": number, "text": f"{BODY} {number * 7919 % 1000003}"} for number in range(3000)]
    path = write_lines(tmp_path / "a.jsonl", *rows)
    packed = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(path.read_bytes())
    packed.write_bytes(whole[: len(whole) // 2])
    articles, rejections = read(packed)
    assert 1000 < len(articles) < 2000
    assert len(rejections) == 1
    assert rejections[0].place == f"{packed}:{len(articles) + 1}"
    assert "damaged gzip" in rejections[0].reason


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b"\n \n", 'no "text"'),
        ("a.txt", bytes(range(256)) * 9, "not text"),
        ("a.txt.gz", b"not gzip", "damaged gzip"),
        ("a.txt.gz", gzip.compress(BODY.encode())[:-12], "damaged gzip"),
        ("a.jsonl", b"", "empty"),
        ("a.jsonl", b'[\n{"text": "a"}\n]', "a JSON array"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"id,name\n1,x\n", "no text column"),
        ("a.parquet", b"PAR1 but no more", "not readable as parquet"),
        ("a.parquet.gz", b"not gzip", "damaged gzip"),
        ("a.html", b"<html><body></body></html>", "no article text"),
        ("a.md", b"---\ntitle: [\n---\ntext", "front matter is not valid YAML"),
        ("a.md", b"---\ndate: 2024-13-45\n---\ntext", "front matter is not valid YAML"),
        ("a.md", b"---\ntitle: 7\n---\ntext", 'field "title" holds int 7'),
    ],
)
def test_a_bad_file_is_named_and_never_stops_the_run(tmp_path: Path, name: str, raw: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(raw)
    (tmp_path / "z.txt").write_text(BODY, encoding="utf-8")
    articles, (rejection,) = read(tmp_path)
    assert [article.id for article in articles] == ["z.txt"]
    assert rejection.place.startswith(str(tmp_path / name))
    assert reason in rejection.reason


def test_a_record_that_is_too_long_is_left_out_without_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("files", "record"):
        monkeypatch.setattr(f"corpus.{module}.MAX_RECORD_BYTES", 4000)
    monkeypatch.setattr("corpus.lines.bounded_lines.__kwdefaults__", {"max_bytes": 4000})
    long = BODY * 100
    (tmp_path / "a.txt").write_text(long, encoding="utf-8")
    write_lines(tmp_path / "b.jsonl", {"id": 1, "text": BODY}, {"id": 2, "text": long}, {"id": 3, "text": MORE})
    (tmp_path / "c.csv").write_text(f"id,text\n4,{BODY}\n5,{long}\n6,ok\n", encoding="utf-8")
    pq.write_table(pa.table({"id": ["7", "8"], "text": [long, BODY]}), tmp_path / "d.parquet")
    articles, rejections = read(tmp_path)
    assert [article.id for article in articles] == ["1", "3", "4", "6", "8"]
    places = [Path(rejection.place).name for rejection in rejections]
    assert places == ["a.txt", "b.jsonl:2", "c.csv:3", "d.parquet:1"]
    assert all("longer than" in rejection.reason for rejection in rejections)


def test_a_csv_row_with_an_open_quote_loses_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'id,text\n1,"{BODY}\n{MORE}"\n2,"open\n3,{BODY}\n4,a,b,c\n', encoding="utf-8")
    articles, rejections = read(path)
    assert [article.id for article in articles] == ["1", "3"]
    assert [rejection.place for rejection in rejections] == [f"{path}:4", f"{path}:6"]


def test_a_csv_of_a_decimal_comma_locale_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"\ufeffID;Text\n1;{BODY}\n", encoding="utf-8")
    (article,), _ = read(path)
    assert (article.id, article.text) == ("1", BODY)


def test_a_parquet_row_of_a_wrong_type_loses_only_itself(tmp_path: Path) -> None:
    rows: dict[str, Any] = {"id": [1, 2, 3], "text": [BODY, None, MORE], "date": [date(2024, 3, 25)] * 3}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(rows), path)
    articles, rejections = read(path)
    assert [(article.id, article.published) for article in articles] == [
        ("1", date(2024, 3, 25)),
        ("3", date(2024, 3, 25)),
    ]
    assert [rejection.place for rejection in rejections] == [f"{path}:2"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BODY, encoding="utf-8")
    (tmp_path / "b.txt").write_text(BODY, encoding="utf-8")
    (tmp_path / "a.txt").chmod(0)
    articles, (rejection,) = read(tmp_path)
    assert [article.id for article in articles] == ["b.txt"]
    assert "Permission denied" in rejection.reason


def test_a_dangling_link_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone.txt")
    (tmp_path / "b.txt").write_text(BODY, encoding="utf-8")
    articles, (rejection,) = read(tmp_path)
    assert [article.id for article in articles] == ["b.txt"]
    assert rejection == Rejection(str(tmp_path / "a.txt"), "cannot be read: No such file or directory")


def test_a_missing_path_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="does not exist"):
        read_articles([tmp_path / "gone"], quarantine=print)


def test_a_path_without_article_files_is_an_error_that_names_what_is_supported(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    for path in (tmp_path, tmp_path / "x.pdf"):
        with pytest.raises(
            CorpusError, match=r"no article files under .*supported: \.txt, .*\.parquet, each also \.gz"
        ):
            read_articles([path], quarantine=print)
    with pytest.raises(PathError, match="no path was given"):
        read_articles([], quarantine=print)


def test_a_foreign_file_named_among_others_is_only_reported(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(BODY, encoding="utf-8")
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    articles, (rejection,) = read(*sorted(tmp_path.iterdir()))
    assert [article.id for article in articles] == ["a.txt"]
    assert rejection.place == str(tmp_path / "x.pdf")
    assert rejection.reason.startswith("unsupported file type; supported: .txt, ")


def test_the_id_of_a_record_that_became_nothing_is_free(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"id": "x", "text": "ADVERTISEMENT"}, {"id": "x", "text": BODY})
    articles, rejections = read(path)
    assert [article.text for article in articles] == [BODY]
    assert [rejection.place for rejection in rejections] == [f"{path}:1"]


def test_known_articles_are_not_made_again_but_duplicates_are_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all_formats(tmp_path)
    articles, _ = read(tmp_path)
    known = {article.digest: article for article in articles}
    monkeypatch.setattr("corpus.reading.make_article", None)
    rejections: list[Rejection] = []
    assert list(read_articles([tmp_path], quarantine=rejections.append, known=known.get)) == articles
    write_lines(tmp_path / "g.jsonl", (tmp_path / "d.jsonl").read_text(encoding="utf-8").strip())
    assert list(read_articles([tmp_path], quarantine=rejections.append, known=known.get)) == articles
    assert [rejection.reason[:16] for rejection in rejections] == ["duplicate id 'd'"]


def test_the_digest_changes_with_any_field(tmp_path: Path) -> None:
    row = {"id": "a", "text": BODY}
    rows = [
        row,
        row | {"text": MORE},
        row | {"title": ""},
        row | {"source": "x"},
        row | {"date": "2024"},
        row | {"id": "b"},
    ]
    digests = {read(write_lines(tmp_path / "a.jsonl", changed))[0][0].digest for changed in rows}
    assert len(digests) == len(rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    raw=st.binary(max_size=400), name=st.sampled_from(["a.txt", "a.md", "a.jsonl", "a.csv", "a.parquet", "a.txt.gz"])
)
def test_any_bytes_make_an_article_or_a_rejection_but_no_error(tmp_path: Path, raw: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    articles, rejections = read(path)
    assert articles or rejections
    assert all(article.text.strip() for article in articles)
