"""The `cari` command with the hashing encoder in the model's place, for short runs of what is measured here.

python bench/service/hashing.py build PATH... --index DIR
python bench/service/hashing.py serve --index DIR
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from api.command import main
from indexer import HashingEncoder

indexing, opening = import_module("indexer.command"), import_module("search.opening")
vars(indexing)["prepare_model"] = lambda *_, **__: Path()
vars(opening)["find_prepared"] = lambda *_, **__: Path()
for module in (indexing, opening):
    vars(module)["open_encoder"] = lambda *_, **__: HashingEncoder()

if __name__ == "__main__":
    main()
