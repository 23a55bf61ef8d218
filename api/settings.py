"""What an operator may choose. Only entry points build a `Settings`; everything else is handed one."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Literal["debug", "info", "warning", "error"]

# The first three are answered by articles of the sample in the other language.
_EXAMPLES = {
    "id": [
        "Bagaimana tunanetra bisa mengenali nilai uang kertas rupiah dengan jari?",
        "Bagaimana nelayan bisa saling berkirim pesan di laut tanpa sinyal seluler?",
    ],
    "en": [
        "How can a buyer tell real hand-made batik from machine-printed cloth?",
        "Why did earlier mangrove plantings die?",
    ],
}


class Settings(BaseSettings):
    """Settings of the serving process, read from `CARI_*` environment variables.

    A list or a mapping is written as JSON in its variable.
    """

    model_config = SettingsConfigDict(env_prefix="CARI_", frozen=True)

    index: Path | None = Field(default=None, description="Folder of the index to serve.")
    model_cache: Path | None = Field(
        default=None, description="Folder of prepared models; the user's cache folder if unset."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65_535, description="Port to listen on.")
    workers: int = Field(default=1, ge=1, le=64, description="Serving processes, each with its own open index.")
    log_level: LogLevel = Field(default="info", description="Least severe log line that is written.")
    max_threads: int = Field(default=4, ge=1, le=256, description="Searches that may run at the same time.")
    max_body_bytes: int = Field(default=65_536, ge=1_024, description="Largest request body, in bytes.")
    poll_interval_s: float = Field(
        default=1.0, gt=0, le=3_600, description="Seconds between two looks for a new generation."
    )
    examples: dict[str, list[str]] = Field(
        default_factory=lambda: {language: list(texts) for language, texts in _EXAMPLES.items()},
        description="Example questions of the first page, by language.",
    )

    @property
    def model_folder(self) -> Path:
        """Where prepared models are kept."""
        return self.model_cache or platformdirs.user_cache_path("cari")
