"""What is compared: each engine's name, where it is installed, and how it can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

HITS = 10
"""Articles that an engine answers a question with."""


class Engine(Protocol):
    """A search engine in its own process, its model loaded. Defined by the `with_*.py` of its name.

    `modes` names the ways it can be asked, the best it offers last.
    """

    modes: tuple[str, ...]

    def index(self, corpus: Path, folder: Path) -> None:
        """Make an index of the articles of a JSON-lines file, whole on disk under `folder`."""

    def open(self, folder: Path) -> None:
        """Be ready to answer from what `index` wrote, perhaps in another process."""

    def ask(self, question: str, mode: str) -> list[str]:
        """The ids of at most `HITS` articles, best first, with all fetched that is shown of a hit."""

    def embed(self, question: str) -> object:
        """What the model makes of a question, by the way that `ask` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An engine that can be chosen. `environment` is a name of `environments.py`, None for the project's own."""

    name: str
    module: str
    environment: str | None
    packages: tuple[str, ...] = ()


CHOICES = {
    choice.name: choice
    for choice in (
        Choice(name="cari", module="with_cari", environment=None, packages=("openvino", "faiss-cpu", "bm25s")),
        Choice(name="overlap", module="with_overlap", environment=None),
        *(
            Choice(
                name=name,
                module=f"with_{name.replace('-', '_')}",
                environment="peers",
                packages=(*packages, "sentence-transformers", "torch"),
            )
            for name, packages in {
                "txtai": ("txtai", "faiss-cpu"),
                "txtai-hybrid": ("txtai", "faiss-cpu"),
                "haystack": ("haystack-ai", "sentence-transformers-haystack"),
                "chroma": ("chromadb",),
                "lancedb": ("lancedb",),
            }.items()
        ),
        Choice(
            name="semantra",
            module="with_semantra",
            environment="semantra",
            packages=("semantra", "transformers", "torch"),
        ),
    )
}
