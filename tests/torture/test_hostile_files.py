# Folders and files made to harm: each is read or named with its reason, and nothing beside it is lost.

from __future__ import annotations

import gzip
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import Article, PathError, Rejection, read_articles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BODY = "Pemerintah kota menambah dua ratus bus listrik untuk melayani jalur timur mulai bulan depan."
PARAGRAPHS = f"<p>{BODY}</p>" * 3


def read(*paths: Path) -> tuple[list[Article], list[Rejection]]:
    rejections: list[Rejection] = []
    return list(read_articles(paths, quarantine=rejections.append)), rejections


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "good.txt").write_text(BODY, encoding="utf-8")
    return folder


def test_pipes_sockets_and_devices_are_named_and_never_opened(folder: Path) -> None:
    os.mkfifo(folder / "a.txt")
    os.mkfifo(folder / "a.parquet.gz")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(folder / "b.jsonl"))
        if os.geteuid() == 0:
            os.mknod(folder / "c.csv", 0o20644, os.makedev(1, 5))  # /dev/zero
        articles, rejections = read(folder, folder / "a.txt")
    assert [article.id for article in articles] == ["good.txt"]
    assert {rejection.reason for rejection in rejections} == {"not a regular file, but a pipe, a socket or a device"}
    assert len(rejections) == (5 if os.geteuid() == 0 else 4)


def test_a_link_out_of_the_folder_publishes_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("Kata sandi pegawai tertulis di sini dan tidak untuk umum.", encoding="utf-8")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "x.txt").write_text("Surat pribadi.", encoding="utf-8")
    (folder / "a.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "b").symlink_to(tmp_path / "private")
    (folder / "c").symlink_to("..")
    (folder / "d.txt").symlink_to("good.txt")
    (tmp_path / "named").symlink_to(folder)
    for path in (folder, tmp_path / "named"):
        articles, rejections = read(path)
        assert len(articles) == 1
        assert [Path(one.place).name for one in rejections if "a link out of the folder" in one.reason] == [
            "a.txt",
            "b",
            "c",
        ]


def test_links_in_a_ring_and_names_too_long_are_named(folder: Path) -> None:
    (folder / "a.txt").symlink_to("b.txt")
    (folder / "b.txt").symlink_to("a.txt")
    (folder / "in").mkdir()
    (folder / "in" / "again").symlink_to("..", target_is_directory=True)
    articles, rejections = read(folder)
    assert [article.id for article in articles] == ["good.txt"]
    assert [Path(one.place).name for one in rejections] == ["a.txt", "b.txt", "again"]
    with pytest.raises(PathError, match="cannot be read"):
        read(Path("x" * 5000))


def test_folders_deeper_than_python_calls_are_walked(folder: Path) -> None:
    levels = [os.open(folder, os.O_RDONLY)]
    for _ in range(1_100):
        os.mkdir("d", dir_fd=levels[-1])
        levels.append(os.open("d", os.O_RDONLY, dir_fd=levels[-1]))
        if len(levels) > 2:
            os.close(levels.pop(-2))
    here = levels.pop()
    os.close(os.open("x.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    articles, rejections = read(folder)
    os.unlink("x.txt", dir_fd=here)
    # Removed here: pytest goes down by calls within calls, and would never be done with this folder.
    while not os.path.samestat(os.fstat(here), os.fstat(levels[0])):
        outer = os.open("..", os.O_RDONLY, dir_fd=here)
        os.close(here)
        os.rmdir("d", dir_fd=outer)
        here = outer
    os.close(here)
    os.close(levels[0])
    assert [article.id for article in articles] == ["good.txt"]
    assert [rejection.reason for rejection in rejections] == ["the file is empty"]


def test_a_name_cannot_write_lines_of_a_report(folder: Path) -> None:
    names = [
        b"a\nquarantined  b.txt: c.txt",
        b"\x1b[2J.txt",
        b"\xff\xfe.txt",
        "\u202etxt.exe.txt".encode(),
        b"[red].txt",
    ]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(BODY.encode() + name.hex().encode())
        Path(os.fsdecode(os.fsencode(folder) + b"/0" + name)).write_bytes(b"")
    articles, rejections = read(folder)
    assert len(articles) == len(names) + 1
    assert len({article.id for article in articles}) == len(articles)
    for text in [article.id for article in articles] + [rejection.place for rejection in rejections]:
        assert text.isprintable()
    assert len(rejections) == len(names)


def test_a_file_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.txt").write_text(BODY, encoding="utf-8")
    (folder / "a.txt").chmod(0)
    opened = Path.open

    def refuse(self: Path, *arguments: Any) -> Any:  # noqa: ANN401 - as Path.open
        if self.name == "a.txt":  # root may read everything
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    articles, (rejection,) = read(folder)
    assert [article.id for article in articles] == ["good.txt"]
    assert rejection.reason == "cannot be read: Permission denied"


@pytest.mark.parametrize("name", ["z.txt", "z.jsonl", "z.csv.gz", "z.parquet", "z.parquet.gz", "z.html", "z"])
def test_a_file_or_folder_that_vanishes_meanwhile_is_named(folder: Path, name: str) -> None:
    path = folder / name
    if path.suffix:
        path.write_bytes(b"something")
    else:
        path.mkdir()
    rejections: list[Rejection] = []
    reading = read_articles([folder], quarantine=rejections.append)
    assert next(reading).id == "good.txt"
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
    assert list(reading) == []
    # A name without a known ending that is a folder no more is no article either.
    assert [rejection.reason for rejection in rejections] == (
        ["cannot be read: No such file or directory"] if path.suffix else []
    )


def test_a_file_that_grows_while_it_is_read_gives_what_was_written(folder: Path) -> None:
    path = folder / "a.jsonl"
    line = json.dumps({"text": BODY})
    path.write_text("".join(f'{{"id": {number}, {line[1:]}\n' for number in range(3)), encoding="utf-8")
    articles = []
    for article in read_articles([path], quarantine=print):
        articles.append(article.id)
        if len(articles) <= 500:
            with path.open("a", encoding="utf-8") as stream:
                stream.write(f'{{"id": {len(articles) + 2}, {line[1:]}\n')
    assert articles[:3] == ["0", "1", "2"]
    assert articles == [str(number) for number in range(len(articles))]


ENCODED = {
    "utf-8-sig": "utf-8-sig",
    "utf-16 with its mark": "utf-16",
    "utf-16-le without": "utf-16-le",
    "utf-16-be without": "utf-16-be",
    "latin-1": "latin-1",
    "cp1252": "cp1252",
}


@pytest.mark.parametrize("encoding", ENCODED.values(), ids=ENCODED)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.jsonl", "a.csv"])
def test_every_format_in_every_usual_encoding_gives_the_same_letters(tmp_path: Path, name: str, encoding: str) -> None:
    text = f"{BODY} Wali kota José Müller menyebutnya début."
    content = {
        "a.html": f"<html><body><article><p>{text}</p>{PARAGRAPHS}</article></body></html>",
        "a.jsonl": json.dumps({"text": text}, ensure_ascii=False) + "\n",
        "a.csv": f'id,text\n1,"{text}"\n',
    }.get(name, text)
    (tmp_path / name).write_bytes(content.encode(encoding))
    (article,), _ = read(tmp_path)
    assert article.text.startswith(text)


CHARSETS = ["undefined", "idna", "punycode", "zlib", "unicode_escape", "utf-16", "utf-7", "rot13", "mbcs", "hex", "no"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_page_may_claim_any_encoding(folder: Path, charset: str) -> None:
    page = (
        f'<html><head><meta charset="{charset}"></head><body><article>{PARAGRAPHS}<p>José</p></article></body></html>'
    )
    (folder / "a.html").write_bytes(page.encode("latin-1"))
    articles, rejections = read(folder)
    assert rejections == []
    assert articles[0].text.startswith(BODY)
    assert articles[0].text.endswith("José")


PAGES: dict[str, Callable[[int], str]] = {
    "elements in each other": lambda size: "<div>" * size + PARAGRAPHS,
    "letters bold in each other": lambda size: f"<p>{'<b>' * size}x</p>{PARAGRAPHS}",
    "tables in each other": lambda size: "<table><tr><td>" * size + PARAGRAPHS,
    "rows of a table": lambda size: f"<table>{'<tr><td>x' * size}</table>{PARAGRAPHS}",
    "comments in comments": lambda size: "<!--" * size + PARAGRAPHS,
    "angles": lambda size: "<" * size + PARAGRAPHS,
    "control characters": lambda size: "\0\x0b\x1b&#0;&#xd800;&#x110000;" * size + PARAGRAPHS,
    "attributes": lambda size: f"<p {'a=b ' * size}>{BODY}</p>{PARAGRAPHS}",
    "a title": lambda size: f"<title>{'kata ' * size}</title>{PARAGRAPHS}",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_made_to_harm_is_read_or_named_in_seconds(folder: Path, page: str, rounds: Callable[..., int]) -> None:
    for size in (300, rounds(small=3_000, full=100_000)):
        (folder / "a.html").write_text(f"<html><body>{PAGES[page](size)}</body></html>", encoding="utf-8")
        articles, rejections = read(folder)
        assert len(articles) + len(rejections) == 2
        assert articles[-1].id == "good.txt"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (
            "a: &a {x: 1}\n"
            + "".join(f"{b}: &{b} {{<<: [{f'*{a},' * 10}]}}\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
            "aliases",
        ),
        ("a: " + "[" * 15_000, "20 levels"),
        ("- " * 9_000, "20 levels"),
        ("a: b\n" * 20_000, "expected at most 20,000"),
        ("a: " + "9" * 10_000, "not valid YAML"),
        ("a: !!python/object/apply:os.system [id]", "not valid YAML"),
        ("date: 99999-01-01", None),
        ("title: .nan", 'field "title" holds float nan'),
        ("text: [1]", None),
    ],
)
def test_front_matter_made_to_harm_is_named(folder: Path, head: str, reason: str | None) -> None:
    (folder / "a.md").write_text(f"---\n{head}\n---\n{BODY} Sekali.", encoding="utf-8")
    articles, rejections = read(folder)
    assert len(articles) == (2 if reason is None else 1)
    assert (reason or "") in "".join(rejection.reason for rejection in rejections)


def parquet_files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Files, and how many articles each has."""
    two = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    tables = {
        "twice": (two, 0),
        "numbers": (pa.table({"text": [1, 2]}), 0),
        "bytes": (pa.table({"text": [b"\xff", b"a"]}), 0),
        "lists": (pa.table({"text": [["a"], []], "id": [{"a": 1}, None]}), 0),
        "dates": (pa.table({"text": [BODY, BODY + "."], "date": pa.array([2**50, 10**18], pa.timestamp("ms"))}), 0),
        "days": (pa.table({"text": [BODY, BODY + "."], "date": pa.array([-719162, 2932896], pa.date32())}), 2),
        "none": (pa.table({"text": pa.array([], pa.string())}), 0),
        "id": (pa.table({"text": [BODY], "id": pa.array([2**64 - 1], pa.uint64())}), 1),
    }
    for name, (table, count) in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table, path)
        yield path, count
    whole = (folder / "days.parquet").read_bytes()
    for name, raw in {"cut": whole[:-9], "hole": whole[:20] + bytes(40) + whole[60:], "tail": whole[-40:]}.items():
        path = folder / f"{name}.parquet"
        path.write_bytes(raw)
        yield path, 0


def test_parquet_of_wrong_types_or_damaged_is_named_row_by_row(tmp_path: Path) -> None:
    for path, count in list(parquet_files(tmp_path)):
        articles, rejections = read(path)
        assert (path.name, len(articles), bool(rejections)) == (path.name, count, not count)
        assert all(article.published is None for article in articles)
        assert all("\n" not in rejection.reason for rejection in rejections)


def test_gzip_of_gzip_is_named_and_gzip_of_many_members_is_read(folder: Path) -> None:
    (folder / "a.txt.gz").write_bytes(gzip.compress(gzip.compress(BODY.encode() * 99)))
    lines = [json.dumps({"id": number, "text": f"{BODY} {number}"}).encode() + b"\n" for number in range(500)]
    packed = b"".join(map(gzip.compress, lines))
    (folder / "b.jsonl.gz").write_bytes(packed)
    (folder / "c.jsonl.gz").write_bytes(gzip.compress(b'{"text": "Akhir."}\n') + packed[:-4])
    articles, rejections = read(folder)
    assert len(articles) == 502
    assert [Path(one.place).name for one in rejections if "duplicate" not in one.reason] == [
        "a.txt.gz",
        "c.jsonl.gz:502",
    ]


ROWS: list[tuple[str, str | None]] = [
    ('{"text": NaN}', "holds float nan"),
    ('{"text": "' + BODY + '", "id": Infinity}', "holds float inf"),
    ('{"text": 12}', "holds int 12; expected text"),
    ('{"text": ["a"]}', "holds list"),
    ('{"text": "' + BODY + '", "title": {"a": 1}}', "holds dict"),
    ('{"text": "' + BODY + '", "id": true}', "holds bool"),
    ('{"text": "' + BODY + '", "id": ' + "9" * 600 + "}", "not usable"),
    ('{"text": "' + BODY + '", "id": ' + "9" * 6000 + "}", "not usable JSON"),
    ('{"text": ' + "[" * 200_000, "JSON"),
    ('{"a":' * 100_000, "JSON"),
    ('{"text": "' + BODY + '", "title": "' + "a" * 10_001 + '"}', 'field "title" holds 10,001 characters'),
    ('{"text": "' + BODY + '", "url": "https://a.example/' + "a" * 10_001 + '"}', 'field "url" holds'),
    ('{"text": "' + BODY + '", "id": "a\\u0000b"}', "not usable"),
    ('{"text": "' + BODY + '", "id": "\\ud800"}', "not usable"),
    ('{"text": "\\u200b\\u202e\\ufeff"}', "no text is left"),
    (
        '{"text": "' + BODY + '", "id": "../../etc/passwd", "title": "\\u202e\\ud800\\u0000", "date": "0000-01-01"}',
        None,
    ),
    ('{"text": "' + BODY + '", "id": "..", "url": "java\\nscript:alert(1)", "date": "9999-12-31"}', None),
    ('{"text": "' + BODY + '", "id": "a/similar", "url": " data:text/html,x", "date": "99999-01-01"}', None),
    ('{"text": "' + BODY + '", "id": "<script>", "url": "\\u0001JaVaScRiPt:alert(1)", "lang": "\\ud800"}', None),
]


def test_records_made_to_harm_become_plain_articles_or_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f"{row}\n" for row, _ in ROWS), encoding="utf-8")
    articles, rejections = read(path)
    expected = {f"a.jsonl:{number}": reason for number, (_, reason) in enumerate(ROWS, 1) if reason}
    named = {Path(rejection.place).name: rejection.reason for rejection in rejections}
    assert named.keys() == expected.keys()
    for place, reason in expected.items():
        assert reason in named[place]
    assert [article.id for article in articles] == ["../../etc/passwd", "..", "a/similar", "<script>"]
    assert {(article.url, article.published, article.title.strip("\ufffd")) for article in articles} == {
        (None, None, "")
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    data=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "<p>",
                    "</p>",
                    '"',
                    ",",
                    "\n",
                    "{",
                    "[",
                    "]",
                    '"text":',
                    "---\n",
                    "id,text\n",
                    "\0",
                    "\ud800",
                    "\u202e",
                    "\u200d",
                    "\ufeff",
                    "a\u0300",
                    "99999-01-01",
                    "&#0;",
                    "Baca juga: ",
                    BODY,
                ]
            ),
            st.text(max_size=9),
        ),
        max_size=40,
    ),
    name=st.sampled_from(["a.txt", "a.md", "a.html", "a.jsonl", "a.csv", "a.csv.gz"]),
)
def test_whatever_stands_in_a_file_its_articles_can_be_printed_and_stored(
    tmp_path: Path, data: list[str], name: str
) -> None:
    raw = "".join(data).encode("utf-8", "surrogatepass")
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    articles, rejections = read(tmp_path / name)
    assert articles or rejections
    for article in articles:
        json.dumps([article.id, article.title, article.text], ensure_ascii=False).encode("utf-8")
        assert not {"\0", "\u202e", "\u200b", "\x1b"} & set(article.text + article.title)
    for rejection in rejections:
        assert "\n" not in f"{rejection.place}{rejection.reason}"
