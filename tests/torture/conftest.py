# The bad days: the same tests run small in `make test` and in full in `make torture`.

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def rounds() -> Callable[..., int]:
    """How often to try: `rounds(small=10, full=200)` is 10, or 200 where `make torture` asks for all."""

    def choose(*, small: int, full: int) -> int:
        return full if os.environ.get("TORTURE") else small

    return choose
