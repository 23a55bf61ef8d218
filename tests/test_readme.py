# What the README says there is, is there.

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import typer.main

from api import command, page, reference, telemetry, v1
from api.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_readme_exists(readme: str) -> None:
    named = set(re.findall(r"^cari (model \w+|\w+)", readme, re.MULTILINE))
    root = typer.main.get_command(command.app)

    assert len(named) == 11
    for name in named:
        group = root
        for part in name.split():
            group = group.commands[part]  # type: ignore[attr-defined]


def test_every_command_is_in_the_readme(readme: str) -> None:
    root = typer.main.get_command(command.app)

    for name in root.commands:  # type: ignore[attr-defined]
        assert f"\ncari {name} " in readme, name


def test_the_settings_of_the_readme_are_those_of_the_service(readme: str) -> None:
    named = set(re.findall(r"^\| `CARI_(\w+)`", readme, re.MULTILINE))

    assert named == {name.upper() for name in Settings.model_fields} | {"MODEL"}


def test_every_endpoint_of_the_readme_exists(readme: str) -> None:
    named = set(re.findall(r"`(?:GET |POST )?(/[\w/{}]*)`", readme.split("## Settings", maxsplit=1)[0])) - {
        "/openapi.json"
    }
    routers = (v1.router, page.router, reference.router, telemetry.router)
    served = {re.sub(r"{\w+(:\w+)?}", "{id}", route.path) for router in routers for route in router.routes}

    assert len(named) >= 7
    assert named <= served


@pytest.mark.parametrize("target", ["run", "test", "check", "bench"])
def test_the_makefile_has_its_targets(repository: Path, target: str) -> None:
    assert f"\n{target}:" in (repository / "Makefile").read_text(encoding="utf-8")


def test_the_scripts_that_the_makefile_runs_are_there(repository: Path) -> None:
    scripts = re.findall(r"python (\S+\.py)", (repository / "Makefile").read_text(encoding="utf-8"))

    assert scripts
    for path in scripts:
        assert (repository / path).is_file(), path


def test_pictures_of_the_readme_are_there(readme: str, repository: Path) -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme):
        assert (repository / path).is_file(), path
