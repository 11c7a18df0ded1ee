"""Proof that the ledger adds up: every figure computed again from the rows it stands for."""

from __future__ import annotations

from django.db import connection

# Each query returns one sentence per thing that does not add up.
_CHECKS = (
    # Entries sum to the balance.
    """
    SELECT format('Account %s: entries sum to %s, available + held is %s',
                  a.workspace_id, coalesce(e.total, 0), a.available + a.held)
    FROM credits_account a
    LEFT JOIN (SELECT account_id, sum(amount) AS total FROM credits_entry GROUP BY 1) e
           ON e.account_id = a.workspace_id
    WHERE coalesce(e.total, 0) <> a.available + a.held
    """,
    # Open holds sum to what is held.
    """
    SELECT format('Account %s: open holds sum to %s, held is %s',
                  a.workspace_id, coalesce(h.total, 0), a.held)
    FROM credits_account a
    LEFT JOIN (SELECT account_id, sum(amount) AS total FROM credits_hold
               WHERE state = 'open' GROUP BY 1) h ON h.account_id = a.workspace_id
    WHERE coalesce(h.total, 0) <> a.held
    """,
    # Each entry's running balance is the sum of all entries up to it.
    """
    SELECT format('Entry %s of account %s: balance after is %s, entries up to it sum to %s',
                  id, account_id, balance_after, running)
    FROM (SELECT id, account_id, balance_after,
                 sum(amount) OVER (PARTITION BY account_id ORDER BY id) AS running
          FROM credits_entry) e
    WHERE running <> balance_after
    """,
    # A settled hold has its one charge, a released or open one has none.
    """
    SELECT format('Hold %s is %s with %s charged, its charge entry says %s',
                  h.reference, h.state, coalesce(h.charged, 0), coalesce(-e.amount, 0))
    FROM credits_hold h
    LEFT JOIN credits_entry e ON e.reference = h.reference AND e.kind = 'charge'
    WHERE coalesce(h.charged, 0) <> coalesce(-e.amount, 0)
    """,
    """
    SELECT format('Charge %s has no hold', e.reference)
    FROM credits_entry e
    WHERE e.kind = 'charge'
      AND NOT EXISTS (SELECT 1 FROM credits_hold h WHERE h.reference = e.reference)
    """,
    # The months' counters are what their holds charged or still hold.
    """
    SELECT format('Workspace month %s of account %s: used is %s, its holds sum to %s',
                  coalesce(m.month, h.month), coalesce(m.account_id, h.account_id),
                  coalesce(m.used, 0), coalesce(h.total, 0))
    FROM credits_workspacemonth m
    FULL JOIN (SELECT account_id, month, sum(coalesce(charged, amount)) AS total
               FROM credits_hold GROUP BY 1, 2) h
           ON h.account_id = m.account_id AND h.month = m.month
    WHERE coalesce(m.used, 0) <> coalesce(h.total, 0)
    """,
    """
    SELECT format('Member month %s of membership %s: used is %s, its holds sum to %s',
                  coalesce(m.month, h.month), coalesce(m.membership_id, h.membership_id),
                  coalesce(m.used, 0), coalesce(h.total, 0))
    FROM credits_membermonth m
    FULL JOIN (SELECT membership_id, month, sum(coalesce(charged, amount)) AS total
               FROM credits_hold GROUP BY 1, 2) h
           ON h.membership_id = m.membership_id AND h.month = m.month
    WHERE coalesce(m.used, 0) <> coalesce(h.total, 0)
    """,
)


def findings() -> list[str]:
    """What does not add up in the ledger, one sentence each; empty when everything does.

    Reads only. Consistent when the caller's transaction is a REPEATABLE READ snapshot.
    """
    return [sentence for check in _CHECKS for sentence in sentences(check)]


def sentences(query: str) -> list[str]:
    """The single text column of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
