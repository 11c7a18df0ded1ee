"""The same calls on a young and on an old workspace, turn by turn.

The old database is a copy of the young one that was let grow, so both hold the same people.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from functools import partial

import psycopg
from django.db import connection
from django.utils import timezone

from bench import history, people
from bench.timing import Call, Ratio, wall_s
from bench.visitor import POLL, STUDIO, Visitor, visitor
from creative_hub import selectors
from creative_hub.services import lifecycle, reconciliation
from workspaces.selectors import Member

CARDS = 12
LIVE = 24
OLD = "wevion_old"


def measure(
    *, rounds: int, per_round: int, young: tuple[int, int], old: tuple[int, int]
) -> list[Ratio]:
    """young, old: how many generations and ledger entries."""
    member = people.buyer(people.workspace())
    guest = visitor(member)
    history.add(member=member, generations=young[0], entries=young[1])
    names = (str(connection.settings_dict["NAME"]), OLD)
    _copy(names[0])
    _use(OLD)
    history.add(member=member, generations=old[0] - young[0], entries=old[1] - young[1])
    for name in names:
        _use(name)
        history.submit(member=member, times=LIVE)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM ANALYZE")
    took = [_round(member, guest, names, per_round=per_round, turn=n) for n in range(rounds + 1)]
    for name in names:
        _use(name)
        _check()
    _use(names[0])
    return [
        Ratio(
            measure=f"{measure}, {young[0]:,} → {old[0]:,} generations, time",
            rounds=[one[OLD][measure] / one[names[0]][measure] for one in took[1:]],
            must=1.3,
            aim=1.1,
        )
        for measure in took[0][OLD]
    ]


def _round(
    member: Member, guest: Visitor, names: tuple[str, str], *, per_round: int, turn: int
) -> dict[str, dict[str, float]]:
    """The time of each call in each database; who goes first changes with every turn."""
    took = {}
    for name in names if turn % 2 else reversed(names):
        _use(name)
        seen = selectors.revision(workspace_id=member.workspace_id)
        calls: dict[str, Call] = {
            "list": partial(guest.get, STUDIO),
            "poll": partial(guest.get, POLL, query=f"v={seen}", expect=204),
            "redraw": partial(guest.get, POLL, query=f"v={seen - CARDS}"),
            "claim": _claims(first=turn * per_round),
            "submit": guest.order,
        }
        took[name] = {what: wall_s(call, times=per_round) for what, call in calls.items()}
    return took


def _claims(*, first: int) -> Call:
    """Take what is due, a minute later at each call: what was put off is due again."""
    start = timezone.now() + timedelta(days=1)
    minutes = itertools.count(first)
    return lambda: lifecycle.due(now=start + timedelta(minutes=next(minutes)))


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _copy(name: str) -> None:
    connection.close()
    parameters = connection.get_connection_params()
    with psycopg.connect(
        host=parameters["host"],
        port=parameters["port"],
        user=parameters["user"],
        password=parameters["password"],
        dbname="postgres",
        autocommit=True,
    ) as maintenance:
        maintenance.execute(f"CREATE DATABASE {OLD} TEMPLATE {name}")


def _check() -> None:
    """What was measured is only worth something if it is what the product would have written."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    if found := reconciliation.findings(with_files=False):
        raise AssertionError(f"{len(found)} figures do not add up, the first: {found[0]}")
