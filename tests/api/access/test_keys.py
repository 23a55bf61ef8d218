from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import threading
from typing import TYPE_CHECKING

import pytest

from api.access.keyring import Keyring
from api.access.keys import create_key, read_keys, revoke_key
from api.access.rates import Rate
from api.errors import BadKeys

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_key_is_256_bits_and_only_its_hash_is_stored(path: Path) -> None:
    key, secret = create_key(path, name="desk", rate=Rate(60, 60))

    assert re.fullmatch(r"cari_[A-Za-z0-9_-]{43}", secret)
    assert secret not in path.read_text(encoding="utf-8")
    assert key.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert read_keys(path) == (key,)


def test_the_file_can_be_read_by_its_owner_alone(path: Path) -> None:
    create_key(path, name="a")
    create_key(path, name="b")

    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir() if one.name != ".keys.json.lock"] == ["keys.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_an_administrators_command_leaves_the_file_to_its_owner(path: Path) -> None:
    os.chown(path.parent, 1234, 1234)
    create_key(path, name="a")
    assert path.stat().st_uid == 1234

    os.chown(path, 2345, 2345)
    revoke_key(path, name="a")
    assert path.stat().st_uid == 2345


def test_two_keys_cannot_have_one_name(path: Path) -> None:
    create_key(path, name="desk")

    with pytest.raises(BadKeys, match="cari keys revoke desk"):
        create_key(path, name="desk")


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a/b", "ä", "a\n", "x" * 65])
def test_a_name_is_plain(path: Path, name: str) -> None:
    with pytest.raises(BadKeys, match="no name for a key"):
        create_key(path, name=name)
    assert not path.exists()


def test_revoking_takes_away_that_key_alone(path: Path) -> None:
    create_key(path, name="a")
    kept, _ = create_key(path, name="b")

    assert revoke_key(path, name="a").name == "a"
    assert read_keys(path) == (kept,)


def test_revoking_what_is_not_there_names_what_is(path: Path) -> None:
    create_key(path, name="a")

    with pytest.raises(BadKeys, match="no key named 'b'; it has: a"):
        revoke_key(path, name="b")


def test_keys_created_at_the_same_time_are_all_there(path: Path) -> None:
    threads = [threading.Thread(target=create_key, args=(path,), kwargs={"name": f"k{one}"}) for one in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(key.name for key in read_keys(path)) == [f"k{one}" for one in range(8)]


@pytest.mark.parametrize(
    "content", ["", "{}", "[{}]", '[{"name": "a", "key": "b"}]', "[null]", "\x00", '[{"name": "a", "rate": "often"}]']
)
def test_a_file_of_something_else_is_refused_without_repeating_it(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")

    with pytest.raises(BadKeys, match="not a file of keys") as refused:
        read_keys(path)
    assert "often" not in str(refused.value).replace("60/m", "")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BadKeys, match="name another with --keys"):
        create_key(tmp_path / "file" / "keys.json", name="a")


def test_the_ring_finds_ours_and_nothing_else(path: Path) -> None:
    desk, desk_secret = create_key(path, name="desk")
    wire, wire_secret = create_key(path, name="wire")
    ring = Keyring(path)

    assert ring.find(desk_secret) == desk
    assert ring.find(wire_secret) == wire
    for wrong in ("", desk.sha256, desk_secret[:-1], desk_secret + "=", desk_secret.upper(), "\udc80", "x" * 10_000):
        assert ring.find(wrong) is None


def test_a_running_service_follows_the_file_looking_once_a_second(path: Path, clock: Clock) -> None:
    ring = Keyring(path, clock=clock)
    key, secret = create_key(path, name="desk")
    assert ring.find(secret) is None

    clock.now_s = 1.0
    assert ring.find(secret) == key

    revoke_key(path, name="desk")
    assert ring.find(secret) == key
    clock.now_s = 2.0
    assert ring.find(secret) is None


def test_a_damaged_file_leaves_the_keys_as_they_were_and_is_logged_once(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    key, secret = create_key(path, name="desk")
    ring = Keyring(path, clock=clock)
    path.write_text("[", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        for now_s in (1.0, 2.0, 3.0):
            clock.now_s = now_s
            assert ring.find(secret) == key

    assert len(caplog.records) == 1
    assert "keys stay as they were" in caplog.text


def test_a_file_that_is_gone_leaves_no_keys(path: Path, clock: Clock) -> None:
    _, secret = create_key(path, name="desk")
    ring = Keyring(path, clock=clock)
    path.unlink()
    clock.now_s = 1.0

    assert ring.find(secret) is None


def test_the_file_is_a_list_that_people_can_read(path: Path) -> None:
    create_key(path, name="desk", rate=Rate(60, 60))

    (entry,) = json.loads(path.read_text(encoding="utf-8"))
    assert list(entry) == ["name", "sha256", "rate", "created_at"]
    assert entry["rate"] == "60/m"
