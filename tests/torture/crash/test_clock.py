# Which generation is the newest, and which the one before, whatever the clock says.

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from indexer import current_generation, generation, open_current
from indexer.current import generation_names
from indexer.publishing import rollback

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from pathlib import Path

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CLOCKS = {
    "stands still": [timedelta(0)] * 4,
    "goes back a second each time": [-timedelta(seconds=number) for number in range(4)],
    "goes back years": [timedelta(0), -timedelta(days=20_000), timedelta(0), -timedelta(days=9_999)],
    "was far ahead once": [timedelta(0), timedelta(days=900_000), timedelta(0), timedelta(seconds=1)],
}


@pytest.mark.parametrize("moments", CLOCKS.values(), ids=CLOCKS)
def test_the_last_build_is_the_newest_generation_and_rollback_goes_back_in_the_order_of_builds(
    tmp_path: Path,
    write_rows: Callable[..., Path],
    build_quietly: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    moments: list[timedelta],
) -> None:
    index = tmp_path / "index"

    def build_at(moment: datetime, number: int) -> str:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return moment.astimezone(tz)

        monkeypatch.setattr(generation, "datetime", Clock)
        rows = write_rows(tmp_path / "articles.jsonl", [{"id": "a", "text": f"Kapal nomor {number} tiba di muara."}])
        return build_quietly(rows, index=index, keep=9).generation

    built = [build_at(NOON + moment, number) for number, moment in enumerate(moments)]

    assert built == sorted(set(built)) == generation_names(index)
    for number in reversed(range(len(built))):
        assert current_generation(index) == built[number]
        assert open_current(index).store.article(0).text == f"Kapal nomor {number} tiba di muara."
        if number:
            assert rollback(index) == built[number - 1]
