"""What an operator may choose. `choosing` reads it from outside; everything else is handed a `Settings`."""

from __future__ import annotations

import ipaddress
from pathlib import Path  # noqa: TC003 - pydantic reads it at run time
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import platformdirs
from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import from_json, to_json
from pydantic_settings import BaseSettings, SettingsConfigDict

from search import REMEMBERED_QUESTIONS

from .access.rates import Rate
from .origins import Origin  # noqa: TC001 - pydantic reads it at run time

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_settings import PydanticBaseSettingsSource

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]

_KEYS_FILE = "keys.json"
_NETWORK_RATE = Rate(600, 60)


def _network(text: str) -> str:
    """As the server compares it: it would take what it cannot read for a name, and never trust that."""
    return str(ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text))


def _rate(text: str) -> str:
    return text if text in {"auto", "off"} else str(Rate.parse(text))


class Settings(BaseSettings):
    """Settings of the serving process, as `Settings(name=value)` and from nowhere else."""

    model_config = SettingsConfigDict(env_prefix="CARI_", env_ignore_empty=True, extra="forbid", frozen=True)

    index: Path | None = Field(default=None, description="Folder of the index to serve.")
    model_cache: Path | None = Field(
        default=None, description="Folder of prepared models; the user's cache folder if unset."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65_535, description="Port to listen on.")
    workers: int = Field(default=1, ge=1, le=64, description="Serving processes, each with its own open index.")
    log_level: LogLevel = Field(default="info", description="Least severe log line that is written.")
    keys: Path | None = Field(default=None, description="File of API keys; keys.json in the index folder if unset.")
    require_key: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether requests need a key; auto: unless only this machine can reach the service.",
    )
    rate: Annotated[str, AfterValidator(_rate)] = Field(
        default="auto",
        description='Requests of one address, or of a key without its own rate: such as "60/m" (s, m, h, d), "off", '
        f'or auto: "off" where only this machine can reach the service, else "{_NETWORK_RATE}".',
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(), description="Addresses or networks of proxies whose X-Forwarded-For and -Proto count."
    )
    log_format: LogFormat = Field(default="text", description="Log lines for people, or one JSON object a line.")
    log_queries: bool = Field(default=False, description="Whether what people ask is written to the access log.")
    drain_delay_s: float = Field(
        default=0.0,
        ge=0,
        le=300,
        description="Seconds from SIGTERM, and `/readyz` saying no, to not accepting any more.",
    )
    max_threads: int = Field(default=8, ge=1, le=256, description="Searches that may run at the same time.")
    remembered_questions: int = Field(
        default=REMEMBERED_QUESTIONS,
        ge=0,
        le=1_000_000,
        description="Questions whose vectors, and texts, stay in memory; 0 for none.",
    )
    max_queue: int = Field(default=100, ge=0, le=100_000, description="Searches that may wait for their turn.")
    queue_timeout_s: float = Field(default=10.0, gt=0, le=600, description="Longest wait for a turn, in seconds.")
    request_timeout_s: int = Field(
        default=20,
        ge=1,
        le=600,
        description="Seconds in which a request's head, and then its body, must arrive; a connection may idle as long.",
    )
    max_connections: int = Field(
        default=1_000, ge=1, le=1_000_000, description="Open connections; one more is closed at once."
    )
    max_body_bytes: int = Field(default=65_536, ge=1_024, description="Largest request body, in bytes.")
    # The server's own 64 KiB is less than a question of 10,000 characters takes when it is percent-encoded;
    # and an address too long even for that should be refused by us, with a reason.
    max_head_bytes: int = Field(
        default=2_097_152, ge=8_192, description="Largest address and headers together, in bytes."
    )
    poll_interval_s: float = Field(
        default=1.0, gt=0, le=3_600, description="Seconds between two looks for a new generation."
    )
    cors_origins: tuple[Origin, ...] = Field(
        default=(), description="Other sites whose scripts may call the API, such as https://news.example; * is all."
    )
    examples: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Example questions of the first page, by language; drawn from the index if there are none.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the framework's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments alone: where they came from is known to who collected them."""
        return (init_settings,)

    @property
    def model_folder(self) -> Path:
        """Where prepared models are kept."""
        return self.model_cache or platformdirs.user_cache_path("cari")

    @property
    def keys_file(self) -> Path | None:
        """Where keys are kept; None while there is no index to keep them in."""
        return self.keys or (self.index / _KEYS_FILE if self.index else None)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the service: by a loopback address, with no proxy before it."""
        try:
            loopback = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            loopback = self.host == "localhost"
        return loopback and not self.trusted_proxies

    @property
    def key_required(self) -> bool:
        """Whether requests need a key."""
        return self.require_key == "always" or (self.require_key == "auto" and not self.is_local)

    @property
    def local_only(self) -> bool:
        """Whether nobody is asked for a key because only this machine should be able to ask."""
        return self.require_key == "auto" and self.is_local

    @property
    def common_rate(self) -> Rate | None:
        """The rate of addresses, and of keys that have none of their own."""
        if self.rate == "auto":
            return None if self.is_local else _NETWORK_RATE
        return None if self.rate == "off" else Rate.parse(self.rate)

    def to_json(self) -> bytes:
        """Every setting, secrets readable: for a worker process and nobody else. `from_json` reads it."""
        return to_json({name: _revealed(value) for name, value in self})

    @classmethod
    def from_json(cls, text: str | bytes) -> Settings:
        """The settings that `to_json` wrote."""
        return cls(**from_json(text))


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting's value may be shown to nobody."""
    return SecretStr in {field.annotation, *get_args(field.annotation)}


def _revealed(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
