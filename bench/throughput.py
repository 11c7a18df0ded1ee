"""Submits per second where everybody shares one workspace, and spread over many."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import django
from django.db import connection

from bench import people
from bench.timing import Ratio, divided
from bench.visitor import Visitor, visitor

# As the web runs by default: two processes of four threads.
PROCESSES = 2
THREADS = 4
WORKSPACES = 200


def measure(*, rounds: int, seconds: float) -> list[Ratio]:
    together = people.workspace()
    shared = [visitor(people.buyer(together)) for _ in range(PROCESSES * THREADS)]
    apart = [visitor(people.buyer(people.workspace())) for _ in range(WORKSPACES)]
    found: dict[str, list[float]] = {"one": [], "many": []}
    with ProcessPoolExecutor(
        PROCESSES, mp_context=multiprocessing.get_context("spawn"), initializer=django.setup
    ) as pool:
        for number in range(rounds + 1):
            for name, visitors in (("one", shared), ("many", apart)):
                parts = [visitors[first::PROCESSES] for first in range(PROCESSES)]
                counts = list(pool.map(_submit_for, [seconds] * PROCESSES, parts))
                if number:  # the first round starts the processes
                    found[name].append(sum(counts) / seconds)
    return [
        Ratio(
            measure=f"submits/s, one workspace / {WORKSPACES} workspaces",
            rounds=divided(found["one"], found["many"]),
            must=0.75,
            aim=0.9,
            is_minimum=True,
        )
    ]


def _submit_for(seconds: float, visitors: list[Visitor]) -> int:
    """How many submits this process got through."""
    start = threading.Barrier(THREADS)

    def one_thread(number: int) -> int:
        mine = itertools.cycle(visitors[number::THREADS])
        next(mine).bare()  # connects
        start.wait()
        end = time.monotonic() + seconds
        done = 0
        while time.monotonic() < end:
            next(mine).order()
            done += 1
        connection.close()
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(one_thread, range(THREADS)))
