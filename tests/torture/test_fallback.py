# A service whose live generation is damaged: it starts on, or stays on, a good one and says so.

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from api import live as live_module
from api.app import create_app
from api.live import Live
from api.settings import Settings
from indexer import IndexDamaged, IndexNotFound, current_generation
from indexer.current import generation_folder, generation_names
from indexer.publishing import rollback

if TYPE_CHECKING:
    from pathlib import Path


def rows(number: int) -> list[dict[str, str]]:
    return [{"id": "kapal", "title": f"Kapal {number}", "text": f"Kapal feri {number} tiba di muara."}]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def opened(index: Path, *, wait: bool = True) -> Live:
    """As `cari serve` opens it; the model is not to be had, and questions are answered by words."""
    return Live.open(index, model_cache=index.parent / "models", poll_interval_s=3_600, wait=wait)


@pytest.mark.parametrize("wait", [True, False], ids=["one of several workers", "a lone process"])
@pytest.mark.parametrize("hurt", ["file", "manifest", "folder", "CURRENT"])
def test_a_service_starts_on_the_newest_good_generation_and_says_so(
    index: Path, caplog: pytest.LogCaptureFixture, *, wait: bool, hurt: str
) -> None:
    first, second = generation_names(index)
    folder = generation_folder(index, second)
    if hurt == "folder":
        shutil.rmtree(folder)
    elif hurt == "CURRENT":
        (index / "CURRENT").write_text("")
        flip(folder / "stories.npy")
    else:
        flip(folder / ("vectors.faiss" if hurt == "file" else "manifest.json"))
    expected = {"file": "vectors.faiss", "manifest": "manifest.json", "folder": "manifest.json", "CURRENT": "CURRENT"}

    live = opened(index, wait=wait)
    with TestClient(create_app(live, settings=Settings(index=index)), base_url="http://127.0.0.1") as client:
        live.opened()
        told = client.get("/v1/index").json()
        answer = client.get("/v1/search", params={"q": "kapal feri"}).json()
        metrics = client.get("/metrics").text

        assert client.get("/readyz").status_code == 200
    assert told["generation"] == answer["index"]["generation"] == first
    assert answer["hits"][0]["article"]["title"] == "Kapal 0"
    assert told["reload_error"]["generation"] == (None if hurt == "CURRENT" else second)
    assert expected[hurt] in told["reload_error"]["reason"]
    assert "cari rollback" in told["reload_error"]["reason"]
    assert "cari_reload_error{" in metrics
    assert f"is not in use, {first} goes on" in caplog.text
    assert expected[hurt] in caplog.text


def test_a_damaged_generation_is_not_taken_up_until_it_is_whole(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "_RETRY_S", 0.0)
    first, second = generation_names(index)
    flip(generation_folder(index, second) / "vectors.faiss")
    live = opened(index)
    assert [live.check(), live.check()] == [False, False]
    assert live.searcher.info.generation == first

    flip(generation_folder(index, second) / "vectors.faiss")

    assert live.check()
    assert live.searcher.info.generation == second
    assert live.reload_error is None


def test_after_a_rollback_the_generation_fallen_back_to_is_the_live_one(index: Path) -> None:
    first, second = generation_names(index)
    flip(generation_folder(index, second) / "vectors.faiss")
    live = opened(index)
    assert live.reload_error is not None

    assert rollback(index) == first
    live.check()

    assert live.reload_error is None


def test_a_running_service_stays_on_its_generation_when_the_next_is_damaged(
    index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = generation_names(index)
    rollback(index)
    live = opened(index)
    flip(generation_folder(index, second) / "tokens.00000.bin")
    (index / "CURRENT").write_text(second + "\n")

    assert not live.check()

    assert live.searcher.info.generation == first
    assert live.reload_error is not None
    assert (live.reload_error.generation, "tokens.00000.bin" in live.reload_error.reason) == (second, True)
    assert "tokens.00000.bin" in caplog.text


def test_without_a_good_generation_nothing_is_served_and_the_live_ones_file_is_named(index: Path) -> None:
    for name in generation_names(index):
        flip(generation_folder(index, name) / "vectors.faiss")

    with pytest.raises(IndexDamaged, match=rf"{current_generation(index)}/vectors\.faiss is not what was written"):
        opened(index)


def test_without_current_nothing_is_served_though_generations_are_there(index: Path) -> None:
    (index / "CURRENT").unlink()

    with pytest.raises(IndexNotFound, match=r"cari build .* cari rollback"):
        opened(index)
