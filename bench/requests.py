"""CPU time per request, compared with a bare signed-in view through the same stack."""

from __future__ import annotations

from functools import partial

from bench import history, people
from bench.timing import Ratio, cpu_s, divided
from bench.visitor import POLL, visitor
from creative_hub import selectors

CARDS = 12


def measure(*, rounds: int, per_round: int) -> list[Ratio]:
    reader = people.buyer(people.workspace())
    history.add(member=reader, generations=CARDS // 2, entries=CARDS)
    history.submit(member=reader, times=CARDS // 2)
    seen = selectors.revision(workspace_id=reader.workspace_id)
    reading = visitor(reader)
    ordering = visitor(people.buyer(people.workspace()))
    pressing = visitor(people.buyer(people.workspace()))
    spent = cpu_s(
        {
            "bare": reading.bare,
            "poll": partial(reading.get, POLL, query=f"v={seen}", expect=204),
            "redraw": partial(reading.get, POLL, query=f"v={seen - CARDS}"),
            "order": ordering.order,
            "press": pressing.press,
        },
        rounds=rounds,
        per_round=per_round,
    )

    def ratio(measure: str, name: str, must: float, aim: float) -> Ratio:
        rounds = divided(spent[name], spent["bare"])
        return Ratio(measure=measure, rounds=rounds, must=must, aim=aim)

    return [
        ratio("poll, nothing changed / bare view, CPU", "poll", 1.0, 0.7),
        ratio(f"poll that redraws {CARDS} cards / bare view, CPU", "redraw", 4.0, 2.5),
        ratio("submit by the API / bare view, CPU", "order", 3.0, 1.8),
        ratio("submit by the page, its card drawn / bare view, CPU", "press", 4.0, 2.5),
    ]
