# Writes the golden index of the format that this version writes, beside those of earlier formats.

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from indexer import ChunkSettings, HashingEncoder, build
from indexer.manifest import FORMAT

GOLDEN = Path(__file__).parent


class Silent:
    """A `Progress` that nobody watches."""

    def articles(self, done: int) -> None:
        pass

    def passages(self, done: int, total: int) -> None:
        pass


def write_index(index: Path) -> None:
    """An index of the golden articles, in both languages and with passages of one sentence or a few."""
    settings = ChunkSettings(max_tokens=48, max_title_tokens=16)
    build([GOLDEN / "articles.jsonl"], index=index, encoder=HashingEncoder(), settings=settings, progress=Silent())


def main() -> None:
    kept = GOLDEN / f"format-{FORMAT}"
    if kept.exists():
        sys.exit(f"{kept} exists: an index of a format that was released never changes; raise FORMAT instead")
    with tempfile.TemporaryDirectory() as folder:
        write_index(Path(folder))
        kept.mkdir()
        shutil.copy(Path(folder) / "CURRENT", kept)
        shutil.copytree(Path(folder) / "generations", kept / "generations")


if __name__ == "__main__":
    main()
