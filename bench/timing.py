"""Interleaved rounds, so that a machine that slows down slows everything down alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Call = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One line of the table. must and aim: the figure, at most or at least (is_minimum)."""

    measure: str
    rounds: list[float]
    must: float
    aim: float
    is_minimum: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def is_met(self) -> bool:
        return self.median >= self.must if self.is_minimum else self.median <= self.must

    @property
    def line(self) -> str:
        sign = "≥" if self.is_minimum else "≤"
        spread = f"{min(self.rounds):.2f}–{max(self.rounds):.2f} of {len(self.rounds)}"
        miss = "" if self.is_met else "  missed"
        return (
            f"{self.measure:<52} | {self.median:>5.2f} | {sign} {self.must:<4} | "
            f"{sign} {self.aim:<4} | {spread}{miss}"
        )


def table(ratios: list[Ratio]) -> str:
    head = f"{'measure':<52} | ratio | must   | aim    | spread over rounds"
    return "\n".join([head, *(ratio.line for ratio in ratios)])


def cpu_s(calls: Mapping[str, Call], *, rounds: int, per_round: int) -> dict[str, list[float]]:
    """CPU seconds of this process per call, for each round. The first round is thrown away."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name in sorted(calls, reverse=number % 2 == 1):
            call = calls[name]
            began = time.process_time()
            for _ in range(per_round):
                call()
            if number:
                found[name].append((time.process_time() - began) / per_round)
    return found


def wall_s(call: Call, *, times: int) -> float:
    """The median time in seconds that a call takes, database included."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def divided(upper: list[float], lower: list[float]) -> list[float]:
    return [one / other for one, other in zip(upper, lower, strict=True)]
