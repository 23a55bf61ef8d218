"""How many threads a product of matrices takes."""

from __future__ import annotations

from threadpoolctl import threadpool_limits


def bound_arithmetic() -> None:
    """Have products of matrices done by the thread that asks for them, from now on in this process.

    Those of a search are small: over two threads they take no less time, and threads that wait for each other keep
    busy the cores that the model needs.
    """
    threadpool_limits(limits=1, user_api="blas")
