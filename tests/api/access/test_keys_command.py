from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from api.access.keys import read_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_key_is_created_listed_and_revoked(cari: Callable[..., object], tmp_path: Path) -> None:
    made = cari("keys", "create", "desk", "--rate", "60/m", "--index", tmp_path)
    assert made.status == 0
    assert made.out.startswith("cari_")
    assert made.out.count("\n") == 1
    assert "only time" in made.err
    assert made.out.strip() not in made.err

    listed = cari("keys", "list", "--index", tmp_path)
    assert "desk" in listed.out
    assert "60/m" in listed.out
    assert made.out.strip() not in listed.out

    assert cari("keys", "revoke", "desk", "--index", tmp_path).status == 0
    assert read_keys(tmp_path / "keys.json") == ()


def test_json_is_one_object(cari: Callable[..., object], tmp_path: Path) -> None:
    made = json.loads(cari("keys", "create", "desk", "--json", "--index", tmp_path).out)
    listed = json.loads(cari("keys", "list", "--json", "--index", tmp_path).out)

    assert made["key"].startswith("cari_")
    assert listed["keys"] == [{name: made[name] for name in ("name", "rate", "created_at")}]
    assert listed["file"] == str(tmp_path / "keys.json")


def test_the_file_is_the_one_that_serve_would_read(
    cari: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "cari.toml"
    config.write_text(f'keys = "{tmp_path / "from-file.json"}"\nhost = "0.0.0.0"\n', encoding="utf-8")

    assert cari("keys", "create", "a", "--config", config).status == 0
    monkeypatch.setenv("CARI_KEYS", str(tmp_path / "from-environment.json"))
    assert cari("keys", "create", "b", "--config", config).status == 0
    assert cari("keys", "create", "c", "--config", config, "--keys", tmp_path / "from-flag.json").status == 0

    assert [read_keys(tmp_path / f"from-{place}.json")[0].name for place in ("file", "environment", "flag")] == [
        "a",
        "b",
        "c",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("create", "a"), 1, "--index DIR"),
        (("create", "a", "--index", "nowhere/at/all"), 1, "build the index first"),
        (("revoke", "a", "--keys", "/nowhere/none.json"), 1, "name a file with --keys"),
        (("create", "a", "--keys", "x.json", "--rate", "often"), 2, "60/m"),
    ],
)
def test_what_is_wrong_is_said_with_the_next_step(
    cari: Callable[..., object], arguments: tuple[str, ...], status: int, told: str
) -> None:
    ran = cari("keys", *arguments)

    assert (ran.status, ran.out) == (status, "")
    assert told in ran.err


def test_an_empty_list_says_how_to_make_a_key(cari: Callable[..., object], tmp_path: Path) -> None:
    ran = cari("keys", "list", "--index", tmp_path)

    assert (ran.status, ran.out) == (0, "")
    assert "cari keys create NAME" in ran.err
