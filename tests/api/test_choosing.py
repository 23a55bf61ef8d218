from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import Field, SecretStr

from api import choosing
from api.choosing import HIDDEN, Origin, choose
from api.errors import BadSetting
from api.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


class Secretive(Settings):
    """What settings would be with a secret among them."""

    token: SecretStr | None = Field(default=None)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "cari.toml"
    path.write_text(
        'port = 9003\nhost = "192.0.2.3"\nlog_level = "error"\ntrusted_proxies = ["10.0.0.0/8"]\n'
        '[examples]\nen = ["Why?"]\n',
        encoding="utf-8",
    )
    return path


def test_flags_win_over_the_environment_over_the_file_over_defaults(config: Path) -> None:
    chosen = choose(
        environment={"CARI_PORT": "9002", "CARI_HOST": "192.0.2.2", "PATH": "x"},
        flags={"port": 9001, "workers": None},
        config=config,
    )

    settings = chosen.settings
    assert (settings.port, settings.host, settings.log_level, settings.workers) == (9001, "192.0.2.2", "error", 1)
    assert {name: chosen.origins[name] for name in ("port", "host", "log_level", "workers")} == {
        "port": Origin.FLAG,
        "host": Origin.ENVIRONMENT,
        "log_level": Origin.FILE,
        "workers": Origin.DEFAULT,
    }


def test_a_mapping_is_taken_whole_from_one_place(config: Path) -> None:
    chosen = choose(environment={"CARI_EXAMPLES": '{"id": ["Kenapa?"]}'}, config=config)

    assert chosen.settings.examples == {"id": ["Kenapa?"]}


def test_any_setting_can_be_a_flag(config: Path) -> None:
    chosen = choose(
        environment={"CARI_MAX_QUEUE": "5"},
        assignments=["max-queue=7", "rate=60/m", "trusted_proxies=10.1.0.1, 10.2.0.0/16", 'examples={"en": ["A=b?"]}'],
        config=config,
    )

    settings = chosen.settings
    assert (settings.max_queue, settings.rate) == (7, "60/m")
    assert settings.trusted_proxies == ("10.1.0.1", "10.2.0.0/16")
    assert settings.examples == {"en": ["A=b?"]}
    assert chosen.origins["max_queue"] is Origin.FLAG


@pytest.mark.parametrize("text", ["10.1.0.1,10.2.0.0/16", '["10.1.0.1", "10.2.0.0/16"]', " 10.1.0.1 , 10.2.0.0/16 "])
def test_a_list_may_have_commas_or_be_json(text: str) -> None:
    assert choose(environment={"CARI_TRUSTED_PROXIES": text}).settings.trusted_proxies == ("10.1.0.1", "10.2.0.0/16")


def test_an_empty_variable_is_not_set() -> None:
    chosen = choose(environment={"CARI_INDEX": "", "CARI_PORT": ""})

    assert chosen.settings.index is None
    assert chosen.origins["port"] is Origin.DEFAULT


def test_a_variable_may_be_written_in_small_letters() -> None:
    assert choose(environment={"cari_port": "9001"}).settings.port == 9001


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"CARI_PROT": "1"}, "unknown setting CARI_PROT; did you mean CARI_PORT?"),
        ({"CARI_MODLE": "1"}, "unknown setting CARI_MODLE; did you mean CARI_MODEL?"),
        ({"CARI_CONFG": "1"}, "did you mean CARI_CONFIG?"),
        ({"CARI_QWX": "1"}, "known are: CARI_CONFIG.*, CARI_PORT"),
        ({"CARI_PORT": "many"}, "CARI_PORT: input should be a valid integer.*(got 'many')"),
        ({"CARI_PORT": "0"}, "CARI_PORT: input should be greater than or equal to 1 (got '0')"),
        ({"CARI_LOG_LEVEL": "loud"}, "CARI_LOG_LEVEL: input should be 'debug', 'info'"),
        ({"CARI_EXAMPLES": "not json"}, "CARI_EXAMPLES: expected JSON, got 'not json'"),
        ({"CARI_EXAMPLES": '{"en": 1}'}, "CARI_EXAMPLES[en]: input should be a valid list (got 1)"),
        ({"CARI_RATE": "often"}, "CARI_RATE: expected a count.*such as \"60/m\" (got 'often')"),
        ({"CARI_TRUSTED_PROXIES": "proxy.example.org"}, "CARI_TRUSTED_PROXIES[0]: .*'proxy.example.org'"),
        ({"CARI_TRUSTED_PROXIES": "10.0.0.1/8"}, "CARI_TRUSTED_PROXIES[0]: .*host bits set"),
        ({"CARI_TRUSTED_PROXIES": "*"}, "CARI_TRUSTED_PROXIES[0]: "),
        ({"CARI_PORT": "x", "CARI_WORKERS": "y"}, "CARI_PORT: .*; CARI_WORKERS: "),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_what_was_expected(environment: dict[str, str], told: str) -> None:
    with pytest.raises(BadSetting) as refused:
        choose(environment=environment)

    rest = str(refused.value)
    for part in told.split(".*"):
        assert part in rest
        rest = rest.partition(part)[2]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("prot = 1", "cari.toml: unknown setting prot; did you mean port?"),
        ("PORT = 1", "cari.toml: unknown setting PORT"),
        ("port = 0", "cari.toml: port: input should be greater than or equal to 1 (got 0)"),
        ("port = ", "cari.toml: not a TOML file: Invalid value (at end of document)"),
        ("port = 1\nport = 2\n#", "cari.toml: not a TOML file: Cannot overwrite a value (at line 2, column 9)"),
        ("[server]\nport = 1", "cari.toml: unknown setting server"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "cari.toml"
    path.write_text(line, encoding="utf-8")

    with pytest.raises(BadSetting) as refused:
        choose(environment={}, config=path)
    assert told in str(refused.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"cari\.toml: cannot be read: No such file"):
        choose(environment={}, config=tmp_path / "cari.toml")
    with pytest.raises(BadSetting, match="cannot be read: Is a directory"):
        choose(environment={}, config=tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSetting, match="not a TOML file"):
        choose(environment={}, config=tmp_path / "bytes")


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("port", "expected NAME=VALUE"),
        ("prot=1", "did you mean port?"),
        ("port=x", "--port: input should be a valid integer"),
        ("examples=x", "--set examples: expected JSON, got 'x'"),
    ],
)
def test_a_wrong_flag_is_named(assignment: str, told: str) -> None:
    with pytest.raises(BadSetting) as refused:
        choose(environment={}, assignments=[assignment])
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARI_MODEL", "cari-e5-small"),
        ("CARI_CONFIG", "cari.toml"),
        ("CARI_SERVICE_HOST", "10.0.0.1"),
        ("CARI_SERVICE_PORT", "80"),
        ("CARI_SERVICE_PORT_HTTP", "80"),
        ("CARI_PORT", "tcp://10.0.0.1:80"),
        ("CARI_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("CARI_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("CARI_METRICS_PORT_9090_TCP_PROTO", "tcp"),
        ("CARI_METRICS_SERVICE_HOST", "10.0.0.1"),
        ("CARI_METRICS_PORT", "tcp://10.0.0.1:9090"),
        ("CARIBBEAN", "blue"),
    ],
)
def test_variables_of_other_commands_and_of_kubernetes_are_left_alone(name: str, value: str) -> None:
    assert choose(environment={name: value}).settings == Settings()


def test_a_secret_is_shown_nowhere_and_reaches_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "Settings", Secretive)

    chosen = choose(environment={"CARI_TOKEN": "hush"})

    assert chosen.shown()["token"] == HIDDEN
    assert "hush" not in repr(chosen)
    assert Secretive.from_json(chosen.settings.to_json()) == chosen.settings
    assert choose(environment={}).shown()["token"] is None
    with pytest.raises(BadSetting) as refused:
        choose(environment={}, flags={"token": ["hush"]})
    assert "hush" not in str(refused.value)


def test_a_worker_has_the_settings_of_its_parent_whatever_their_kind(config: Path) -> None:
    settings = choose(
        environment={"CARI_INDEX": "/a b/ü", "CARI_RATE": "5/s", "CARI_POLL_INTERVAL_S": ".5"}, config=config
    ).settings

    again = Settings.from_json(settings.to_json().decode("utf-8"))

    assert again == settings
    assert again.index == Path("/a b/ü")
    assert again.keys is None


def test_library_code_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARI_PORT", "9001")

    assert Settings().port == 8000


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert type(None) in get_args(field.annotation) or not field.is_required(), name


def test_settings_are_shown_with_where_they_came_from(
    cari: Callable[..., object], config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARI_MAX_QUEUE", "9")

    ran = cari("serve", "--show-settings", "--port", "9001", "--set", "rate=off", "--config", config)

    lines = {name: (origin, value) for name, origin, value in (line.split(maxsplit=2) for line in ran.out.splitlines())}
    assert list(lines) == list(Settings.model_fields)
    assert lines["port"] == ("flag", "9001")
    assert lines["rate"] == ("flag", "off")
    assert lines["max_queue"] == ("environment", "9")
    assert lines["host"] == ("file", "192.0.2.3")
    assert lines["index"] == ("default", "null")


def test_settings_are_shown_as_json(cari: Callable[..., object], monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    monkeypatch.setenv("CARI_CONFIG", str(config))

    shown = json.loads(cari("serve", "--show-settings", "--json").out)

    assert shown["config"] == str(config)
    assert shown["settings"]["port"] == {"value": 9003, "from": "file"}
    assert shown["settings"]["trusted_proxies"]["value"] == ["10.0.0.0/8"]
    assert cari("serve", "--json").status == 2
