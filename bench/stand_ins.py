"""Kling and ModelArk as stand-ins, in a process of their own: their CPU is not the worker's."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.providers.fakes.ark import FakeArk
from tests.providers.fakes.kling import FakeKling


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the stand-ins have seen since they were asked last.

    rounds: how often a list was asked for from its first page; lists: pages of it in all; singles:
    questions about one task. begun: Unix time at which each task was made, by our external id.
    refused: answers that were no success.
    """

    rounds: int
    lists: int
    singles: int
    refused: int
    begun: dict[str, float]


class StandIns:
    """environment: what leads the product to them. render_s: what a clip takes, in seconds."""

    def __init__(self, pipe: Connection, environment: dict[str, str], render_s: float) -> None:
        self._pipe = pipe
        self.environment = environment
        self.render_s = render_s

    def seen(self) -> Seen:
        self._pipe.send("seen")
        found: Seen = self._pipe.recv()
        return found


@contextmanager
def running(*, render_s: float) -> Iterator[StandIns]:
    """render_s: seconds from the order until a clip is ready."""
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, render_s))
    child.start()
    try:
        yield StandIns(here, here.recv(), render_s)
    finally:
        here.send("end")
        child.join(10)
        here.close()


def _serve(pipe: Connection, render_s: float) -> None:
    with FakeKling.running() as kling, FakeArk.running() as ark:
        kling.set(render_s=render_s)
        ark.render_s = render_s
        pipe.send(
            {
                "SANDBOX": "0",
                "KLING_API_BASE": kling.base_url,
                "KLING_ACCESS_KEY": kling.access_key,
                "KLING_SECRET_KEY": kling.secret_key,
                "ARK_API_BASE": ark.base_url,
                "ARK_API_KEY": ark.api_key,
                "FETCH_ALLOWED_ORIGINS": f"{kling.origin},{ark.origin}",
            }
        )
        while pipe.recv() != "end":
            pipe.send(_seen(kling, ark))
            kling.requests.clear()
            ark.calls.clear()


def _seen(kling: FakeKling, ark: FakeArk) -> Seen:
    asked = kling.asked("GET")
    of_kling = [one for one in asked if "pageNum" in one.query]
    of_ark = ark.calls_of("GET")
    # Newest first, up to the most a page holds: more than any run makes.
    tasks: list[Any] = kling.page("text2video", number=1, size=1_000_000)
    begun = {task.external_id: task.created_at for task in tasks}
    begun |= {task.asked.identifier: task.created_at for task in ark.known_tasks()}
    firsts = [one for one in of_kling if one.query["pageNum"] == "1"]
    firsts_of_ark = [one for one in of_ark if "page_num=1&" in f"{one.query}&"]
    statuses = [one.status for one in kling.requests] + [one.status for one in ark.calls]
    return Seen(
        rounds=len(firsts) + len(firsts_of_ark),
        lists=len(of_kling) + len(of_ark),
        singles=len(asked) - len(of_kling) + len(ark.calls_of("GET", "/*")),
        refused=sum(status != 200 for status in statuses),
        begun=begun,
    )
