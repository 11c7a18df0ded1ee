"""A workspace's past, inserted in bulk, in rows that add up: `reconcile` stays silent."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from creative_hub import catalogue
from creative_hub.services import submission
from creative_hub.services.orders import ImageRequest
from credits import selectors as credit_selectors
from workspaces.selectors import Member

_PARTS = (
    # The top-ups that make up the rest of the ledger come first: no balance is ever below zero.
    """
    INSERT INTO credits_entry (account_id, kind, amount, balance_after, reference, note, created_at)
    SELECT a.workspace_id, 'topup', %(credits)s, a.available + a.held + n * %(credits)s,
           %(batch)s || ':' || n, '', now() - interval '400 days'
    FROM credits_account a, generate_series(1, %(topups)s) n
    WHERE a.workspace_id = %(workspace)s
    """,
    """
    UPDATE credits_account SET available = available + %(topups)s * %(credits)s
    WHERE workspace_id = %(workspace)s
    """,
    """
    CREATE TEMPORARY TABLE past ON COMMIT DROP AS
    SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS asset_id,
           coalesce(f.revision, 0) + n AS revision,
           now() - (%(generations)s - n) * interval '300 days' / %(generations)s
                 - interval '1 day' AS created_at
    FROM generate_series(1, %(generations)s) n
    LEFT JOIN creative_hub_workspacefeed f ON f.workspace_id = %(workspace)s
    """,
    """
    INSERT INTO creative_hub_generation
        (id, workspace_id, membership_id, kind, provider, is_sandbox, prompt, style, aspect_ratio,
         resolution, num_variants, width, height, status, error_code, error_message, price_id,
         unit_credits, credits_estimated, credits_charged, delivered, submission_key,
         request_digest, revision, created_at, started_at, completed_at)
    SELECT id, %(workspace)s, %(member)s, 'image', %(provider)s, true, 'A boat at dawn', '', '1:1',
           '1080p', 1, 1080, 1080, 'completed', '', '', %(price)s,
           %(credits)s, %(credits)s, %(credits)s, 1, id::text,
           '', revision, created_at, created_at, created_at + interval '20 seconds'
    FROM past
    """,
    """
    INSERT INTO assets_asset
        (id, workspace_id, creator_id, kind, source, source_reference, storage_key, stem,
         media_type, sha256, bytes, width, height, is_sandbox, created_at)
    SELECT asset_id, %(workspace)s, %(member)s, 'image', 'generated', id::text, asset_id::text,
           'a-boat', 'image/jpeg', '', 1, 1080, 1080, true, created_at
    FROM past
    """,
    """
    INSERT INTO creative_hub_providerjob
        (generation_id, variant, provider, is_sandbox, state, external_id, upstream_id, result_url,
         fence, attempt, waits, deadline_at, error_code, raw_code, raw_message, request_id,
         asset_id, created_at)
    SELECT id, 1, %(provider)s, true, 'done', id::text, '', '', 3, 0, 0, created_at, '', '', '', '',
           asset_id, created_at
    FROM past
    """,
    """
    INSERT INTO credits_hold
        (reference, account_id, membership_id, month, amount, charged, state, created_at,
         resolved_at)
    SELECT 'generation:' || id, %(workspace)s, %(member)s, date_trunc('month', created_at),
           %(credits)s, %(credits)s, 'settled', created_at, created_at
    FROM past
    """,
    """
    INSERT INTO credits_entry
        (account_id, kind, amount, balance_after, membership_id, reference, note, created_at)
    SELECT a.workspace_id, 'charge', -%(credits)s, a.available + a.held - n * %(credits)s,
           %(member)s, 'generation:' || id, '', created_at
    FROM past, credits_account a
    WHERE a.workspace_id = %(workspace)s ORDER BY n
    """,
    """
    UPDATE credits_account SET available = available - %(generations)s * %(credits)s
    WHERE workspace_id = %(workspace)s
    """,
    """
    INSERT INTO credits_workspacemonth (account_id, month, used)
    SELECT account_id, month, sum(coalesce(charged, amount)) FROM credits_hold
    WHERE account_id = %(workspace)s GROUP BY 1, 2
    ON CONFLICT (account_id, month) DO UPDATE SET used = excluded.used
    """,
    """
    INSERT INTO credits_membermonth (membership_id, month, used)
    SELECT membership_id, month, sum(coalesce(charged, amount)) FROM credits_hold
    WHERE account_id = %(workspace)s GROUP BY 1, 2
    ON CONFLICT (membership_id, month) DO UPDATE SET used = excluded.used
    """,
    """
    INSERT INTO creative_hub_workspacefeed (workspace_id, revision)
    SELECT %(workspace)s, max(revision) FROM past
    ON CONFLICT (workspace_id) DO UPDATE SET revision = excluded.revision
    """,
)


@transaction.atomic
def add(*, member: Member, generations: int, entries: int) -> None:
    """Add delivered generations over the last year, and as many ledger entries in all.

    entries: at least as many as generations; what is not a charge is a top-up.
    """
    price = credit_selectors.price_in_force(
        item=catalogue.IMAGE.price_item, on=timezone.now().date()
    )
    values: dict[str, Any] = {
        "workspace": member.workspace_id,
        "member": member.membership_id,
        "provider": catalogue.IMAGE.provider,
        "price": price.id,
        "credits": price.credits,
        "generations": generations,
        "topups": entries - generations,
        "batch": f"bench:{uuid.uuid4()}",
    }
    with connection.cursor() as cursor:
        # Foreign keys are true by construction, and looking each up would take most of the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = 0")
        for part in _PARTS:
            cursor.execute(part, values)


def submit(*, member: Member, times: int) -> None:
    """Queue generations through the product's own service."""
    for _ in range(times):
        submission.submit(
            member=member,
            request=ImageRequest(prompt="A boat at dawn"),
            submission_key=str(uuid.uuid4()),
            now=timezone.now(),
        )
