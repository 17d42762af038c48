"""Work over row blocks on every core."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _cores() - 1), thread_name_prefix="ppl_mle")


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _cores() -> int:
    return getattr(os, "process_cpu_count", os.cpu_count)() or 1


def one_thread_each() -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread: on small matrices its threads cost more than they do."""
    return _libraries().limit(limits=1, user_api="blas")


def on_every_core(work: Callable[[Sequence[slice]], Any], blocks: Sequence[slice]) -> list[Any]:
    """Apply `work` to one run of consecutive blocks per core, and return the results in order.

    The calling thread takes the first run itself: it is awake on a core already. Meanwhile linear algebra keeps to one
    thread each, so that the two levels do not fight for the cores.

    Parameters
    ----------
    work : callable
        From a run of blocks to any result.
    blocks : sequence of slice

    Returns
    -------
    list
    """
    cores = min(_cores(), len(blocks))
    if cores == 1:
        return [work(blocks)]
    bounds = np.linspace(0, len(blocks), cores + 1).astype(int)
    runs = [blocks[low:high] for low, high in pairwise(bounds)]

    def quiet(run: Sequence[slice]) -> Any:
        with np.errstate(all="ignore"):
            return work(run)

    with one_thread_each():
        others = [_pool().submit(quiet, run) for run in runs[1:]]
        return [quiet(runs[0]), *(other.result() for other in others)]
