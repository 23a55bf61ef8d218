"""txtai with BM25 beside: an index of its own, made with `hybrid=True`, the two scores summed half and half."""

from __future__ import annotations

from with_txtai import Txtai


class TxtaiHybrid(Txtai):
    """The library's own defaults for a hybrid index."""

    modes = ("hybrid",)
    settings = {"hybrid": True}  # noqa: RUF012 - read only


engine = TxtaiHybrid
