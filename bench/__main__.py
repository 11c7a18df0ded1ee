"""`make bench`: how fast the studios are, as ratios measured in one run.

Nothing is measured in seconds: each figure is compared with another one of the same run, so that
two machines can be compared. Rounds are interleaved and the median is told, with the spread.
A missed "must" ends with exit code 1.

- CPU per request is this process's CPU time, from the WSGI call through every middleware to the
  closed response, with a real session; the database's own time is not in it. It is compared with
  a `login_required` view that answers nothing.
- Submits per second come from two processes of four threads each, as the web runs by default.
- `--only in-flight` is told in `bench/in_flight.py` and is not part of the rest.
- Growth compares the median time of a call, database included, on two databases that differ in
  nothing but the past of the workspace. `make bench ARGS="--generations 1000000 --entries
  10000000"` lets it grow further.
"""

from __future__ import annotations

import argparse
import sys
import time

from bench import stack, stand_ins


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each comparison")
    parser.add_argument("--requests", type=int, default=200, help="requests in one round")
    parser.add_argument("--generations", type=int, default=100_000, help="of the old workspace")
    parser.add_argument("--entries", type=int, default=1_000_000, help="of its ledger")
    parser.add_argument("--only", choices=["requests", "throughput", "growth", "in-flight"])
    parser.add_argument("--clips", type=int, default=500, help="in flight at once")
    parser.add_argument("--render-s", type=float, default=30, help="what a clip takes, in seconds")
    given = parser.parse_args()
    if given.only == "in-flight":
        return _in_flight(clips=given.clips, render_s=given.render_s)
    with stack.running():
        # Django's settings are read when these are imported.
        from bench import growth, requests, throughput
        from bench.timing import table

        ratios = []
        began = time.monotonic()
        if given.only in {None, "requests"}:
            ratios += requests.measure(rounds=given.rounds, per_round=given.requests)
        if given.only in {None, "throughput"}:
            ratios += throughput.measure(rounds=given.rounds, seconds=2)
        if given.only in {None, "growth"}:
            ratios += growth.measure(
                rounds=given.rounds,
                per_round=given.requests // 4,
                young=(1_000, 10_000),
                old=(given.generations, given.entries),
            )
        print(table(ratios))
        print(f"measured in {time.monotonic() - began:.0f} s")
    return 0 if all(ratio.is_met for ratio in ratios) else 1


def _in_flight(*, clips: int, render_s: float) -> int:
    with stand_ins.running(render_s=render_s) as fakes, stack.running(**fakes.environment):
        from bench import in_flight

        return 0 if in_flight.measure(stand_ins=fakes, clips=clips, limit_s=900) else 1


if __name__ == "__main__":
    sys.exit(main())
