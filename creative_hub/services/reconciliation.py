"""Proof that ledger, generations and stored files tell one story."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from assets import selectors as asset_selectors
from creative_hub.models import ProviderJob
from credits import reconciliation as ledger

FILE_BATCH = 500
_CHECKS = (
    # Open holds are the live jobs; every ended one has its hold resolved as it says.
    """
    SELECT format('Generation %s is %s with %s charged, its hold is %s with %s charged',
                  g.id, g.status, coalesce(g.credits_charged::text, 'nothing yet'),
                  coalesce(h.state, 'missing'), coalesce(h.charged::text, 'nothing yet'))
    FROM creative_hub_generation g
    LEFT JOIN credits_hold h ON h.reference = 'generation:' || g.id
    WHERE h.id IS NULL
       OR h.amount <> g.credits_estimated
       OR h.membership_id <> g.membership_id
       OR h.charged IS DISTINCT FROM g.credits_charged
       OR h.state <> CASE g.status WHEN 'completed' THEN 'settled'
                                   WHEN 'failed' THEN 'released' ELSE 'open' END
    """,
    """
    SELECT format('Hold %s belongs to no generation', h.reference)
    FROM credits_hold h
    WHERE h.reference LIKE 'generation:%'
      AND NOT EXISTS (SELECT 1 FROM creative_hub_generation g
                      WHERE 'generation:' || g.id = h.reference)
    """,
    # A generation is as far as its jobs are.
    """
    SELECT format('Generation %s is %s with %s delivered; of its %s variants %s are done, %s ended',
                  g.id, g.status, g.delivered, g.num_variants, j.done, j.ended)
    FROM creative_hub_generation g
    JOIN (SELECT generation_id, count(*) AS jobs,
                 count(*) FILTER (WHERE state = 'done') AS done,
                 count(*) FILTER (WHERE state IN ('done', 'failed')) AS ended
          FROM creative_hub_providerjob GROUP BY 1) j ON j.generation_id = g.id
    WHERE j.jobs <> g.num_variants
       OR j.done <> g.delivered
       OR (g.status IN ('completed', 'failed')) <> (j.ended = j.jobs)
    """,
    # A finished variant is a file of its own, in the right workspace, size and length.
    """
    SELECT format('Job %s of generation %s: its asset %s is not what was ordered',
                  j.external_id, g.id, a.id)
    FROM creative_hub_providerjob j
    JOIN creative_hub_generation g ON g.id = j.generation_id
    JOIN assets_asset a ON a.id = j.asset_id
    WHERE a.workspace_id <> g.workspace_id OR a.kind <> g.kind
       OR (g.kind = 'image' AND (a.width <> g.width OR a.height <> g.height))
       OR (g.kind = 'video' AND (abs(a.width * g.height - a.height * g.width)
                                   > 0.02 * a.height * g.width
                                 OR abs(a.duration_s - g.duration_s) > 0.5))
    """,
    """
    SELECT format('Asset %s is the result of %s jobs', asset_id, count(*))
    FROM creative_hub_providerjob WHERE asset_id IS NOT NULL
    GROUP BY asset_id HAVING count(*) > 1
    """,
)


def findings(*, with_files: bool = True) -> list[str]:
    """Everything that does not add up, one sentence each; empty when all does. Writes nothing.

    with_files: also look for each finished variant's files in the store.
    """
    with _snapshot():
        found = ledger.findings()
        for check in _CHECKS:
            found += ledger.sentences(check)
        done = ProviderJob.objects.filter(state=ProviderJob.State.DONE)
        asset_ids = list(done.values_list("asset_id", flat=True)) if with_files else []
    for start in range(0, len(asset_ids), FILE_BATCH):
        some = asset_ids[start : start + FILE_BATCH]
        found += [
            f"Asset {asset_id}: its files are missing or changed"
            for asset_id in asset_selectors.missing_files(asset_ids=some)
        ]
    return found


@contextmanager
def _snapshot() -> Iterator[None]:
    """One consistent picture of the database, however much is written meanwhile."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
