"""The workspace's revision: what tells an open page that something changed."""

from __future__ import annotations

import uuid

from django.db import connection

from creative_hub.models import WorkspaceFeed


def bump(*, workspace_id: uuid.UUID) -> int:
    """Count one more visible change and return its number. Locks the feed's row until commit.

    Taken after every other row that exists (see docs/adr/0003-rows-and-doorbells.md).
    """
    table = WorkspaceFeed._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (workspace_id, revision) VALUES (%s, 1)"  # noqa: S608
            " ON CONFLICT (workspace_id)"
            f" DO UPDATE SET revision = {table}.revision + 1 RETURNING revision",
            [workspace_id],
        )
        revision: int = cursor.fetchone()[0]
    return revision
