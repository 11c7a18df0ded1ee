"""Every way credits move. All idempotent by reference; all join the caller's transaction.

Lock order: account, workspace month, member month. Each service takes the account's row first, so
whatever happens to one workspace's credits happens one after the other.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from credits import errors, selectors
from credits.models import Account, Entry, Hold, MemberAllowance, MemberMonth, WorkspaceMonth
from workspaces import selectors as people
from workspaces.selectors import Member

REFERENCE_MAX_CHARS = 80
NOTE_MAX_CHARS = 200
AMOUNT_MAX = 1_000_000_000


def open_account(*, workspace_id: uuid.UUID) -> None:
    """Give a workspace its account. Idempotent."""
    Account.objects.get_or_create(workspace_id=workspace_id)


def lock(*, workspace_id: uuid.UUID) -> None:
    """Take the account's row until commit.

    For callers that lock rows of their own before they settle or release: the account comes first
    in the lock order.
    """
    _lock(workspace_id)


@transaction.atomic
def top_up(
    *,
    workspace_id: uuid.UUID,
    amount: int,
    reference: str,
    now: datetime,
    note: str = "",
    actor_id: int | None = None,
) -> bool:
    """Add credits to a workspace. False when this reference was topped up before.

    amount: whole credits, > 0. Raises LedgerError.
    """
    if amount <= 0:
        raise errors.LedgerError(f"A top-up adds credits; {amount} does not.")
    return _book(
        workspace_id=workspace_id,
        kind=Entry.Kind.TOPUP,
        amount=amount,
        reference=reference,
        note=note,
        actor_id=actor_id,
        now=now,
    )


@transaction.atomic
def adjust(
    *,
    workspace_id: uuid.UUID,
    amount: int,
    reference: str,
    note: str,
    now: datetime,
    actor_id: int | None = None,
) -> bool:
    """Correct a balance by hand. False when this reference was adjusted before.

    amount: signed whole credits, not 0; a negative one takes only what is available, never what is
    held. note: why, required. Raises LedgerError.
    """
    if amount == 0 or not note.strip():
        raise errors.LedgerError("An adjustment needs an amount that is not 0 and a reason.")
    return _book(
        workspace_id=workspace_id,
        kind=Entry.Kind.ADJUSTMENT,
        amount=amount,
        reference=reference,
        note=note,
        actor_id=actor_id,
        now=now,
    )


# The reference decides: all of it happens, or nothing when the hold was there before.
_HOLD = """
    WITH new_hold AS (
        INSERT INTO credits_hold
            (reference, account_id, membership_id, month, amount, state, created_at)
        VALUES (%(reference)s, %(account)s, %(member)s, %(month)s, %(amount)s, 'open', %(now)s)
        ON CONFLICT (reference) DO NOTHING
        RETURNING account_id, membership_id, month, amount
    ), account AS (
        UPDATE credits_account a
        SET available = a.available - h.amount, held = a.held + h.amount
        FROM new_hold h WHERE a.workspace_id = h.account_id
    ), workspace_month AS (
        INSERT INTO credits_workspacemonth AS m (account_id, month, used)
        SELECT account_id, month, amount FROM new_hold
        ON CONFLICT (account_id, month) DO UPDATE SET used = m.used + excluded.used
    )
    INSERT INTO credits_membermonth AS m (membership_id, month, used)
    SELECT membership_id, month, amount FROM new_hold
    ON CONFLICT (membership_id, month) DO UPDATE SET used = m.used + excluded.used
"""


def hold(*, member: Member, amount: int, reference: str, now: datetime) -> None:
    """Set credits aside until the job settles or releases them. Call it inside a transaction.

    amount: whole credits, > 0. Repeating a reference is a no-op. Locks the account row until
    commit. Raises InsufficientCredits, MonthlyCapExceeded or MemberCapExceeded, in that order,
    before it has written anything.

    Three statements, because every submit waits for the one before it in its workspace.
    """
    _lock(member.workspace_id)
    # Read behind the lock: in one statement with it, the months would be those of before the wait.
    standing = selectors.standing(member=member, now=now)
    refusal = selectors.refusal(standing=standing, amount=amount)
    if refusal and not Hold.objects.filter(reference=reference).exists():
        raise refusal
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLD,
            {
                "reference": reference,
                "account": member.workspace_id,
                "member": member.membership_id,
                "month": standing.month,
                "amount": amount,
                "now": now,
            },
        )


@transaction.atomic
def settle(*, reference: str, amount: int, now: datetime) -> bool:
    """Charge what was delivered and give the rest of the hold back.

    amount: whole credits, from 1 to what was held. False when the hold was resolved before;
    nothing is charged twice. Raises LedgerError for an amount outside the hold.
    """
    return _resolve(reference=reference, charged=amount, state=Hold.State.SETTLED, now=now)


@transaction.atomic
def release(*, reference: str, now: datetime) -> bool:
    """Give the whole hold back; nothing is charged. False when it was resolved before."""
    return _resolve(reference=reference, charged=0, state=Hold.State.RELEASED, now=now)


@transaction.atomic
def set_workspace_cap(*, workspace_id: uuid.UUID, cap: int | None) -> None:
    """Cap what the workspace may use in a month: None for no cap, else whole credits, >= 0."""
    account = _locked(workspace_id)
    account.monthly_cap = cap
    account.save(update_fields=["monthly_cap"])


@transaction.atomic
def set_member_cap(*, membership_id: int, cap: int | None) -> None:
    """Cap what one member may use in a month: None for no cap, else whole credits, >= 0."""
    account = _locked(people.member(membership_id=membership_id).workspace_id)
    MemberAllowance.objects.update_or_create(
        membership_id=membership_id, defaults={"account": account, "monthly_cap": cap}
    )


def _lock(workspace_id: uuid.UUID) -> None:
    """What `_locked` does, for callers that need no row."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A lock ends with its transaction.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM credits_account WHERE workspace_id = %s FOR NO KEY UPDATE",
            [workspace_id],
        )
        if cursor.fetchone() is None:
            raise Account.DoesNotExist(f"Workspace {workspace_id} has no account.")


def _locked(workspace_id: uuid.UUID) -> Account:
    # no_key: a plain FOR UPDATE would also block every insert that points to this account.
    return Account.objects.select_for_update(no_key=True).get(pk=workspace_id)


def _resolve(*, reference: str, charged: int, state: Hold.State, now: datetime) -> bool:
    held = Hold.objects.only("account_id").get(reference=reference)
    account = _locked(held.account_id)
    held = Hold.objects.get(reference=reference)
    if held.state != Hold.State.OPEN:
        return False
    if state == Hold.State.SETTLED and not 0 < charged <= held.amount:
        raise errors.LedgerError(f"{charged} credits cannot be charged from {held.amount} held.")
    held.state, held.charged, held.resolved_at = state, charged, now
    held.save(update_fields=["state", "charged", "resolved_at"])
    if charged < held.amount:
        _take_from_months(held, held.amount - charged)
    account.held -= held.amount
    account.available += held.amount - charged
    account.save(update_fields=["available", "held"])
    if charged:
        Entry.objects.create(
            account=account,
            kind=Entry.Kind.CHARGE,
            amount=-charged,
            balance_after=account.available + account.held,
            membership_id=held.membership_id,
            reference=reference,
            created_at=now,
        )
    return True


def _book(
    *,
    workspace_id: uuid.UUID,
    kind: Entry.Kind,
    amount: int,
    reference: str,
    note: str,
    actor_id: int | None,
    now: datetime,
) -> bool:
    if not 0 < len(reference) <= REFERENCE_MAX_CHARS or len(note) > NOTE_MAX_CHARS:
        raise errors.LedgerError(
            f"A reference has 1 to {REFERENCE_MAX_CHARS} characters, a note at most"
            f" {NOTE_MAX_CHARS}."
        )
    if abs(amount) > AMOUNT_MAX:
        raise errors.LedgerError(f"At most {AMOUNT_MAX:,} credits move at once.")
    account = _locked(workspace_id)
    if first := Entry.objects.filter(reference=reference, kind=kind).first():
        if (first.account_id, first.amount) != (account.pk, amount):
            raise errors.LedgerError(
                f"The reference {reference} belongs to another booking: {first.amount:+,} credits"
                f" on {first.created_at:%Y-%m-%d}. Nothing was booked."
            )
        return False
    if account.available + amount < 0:
        raise errors.LedgerError(
            f"{-amount} credits cannot be taken: {account.available} are available"
            f" ({account.held} more are held by running jobs)."
        )
    account.available += amount
    account.save(update_fields=["available"])
    Entry.objects.create(
        account=account,
        kind=kind,
        amount=amount,
        balance_after=account.available + account.held,
        reference=reference,
        note=note,
        actor_id=actor_id,
        created_at=now,
    )
    return True


def _take_from_months(held: Hold, amount: int) -> None:
    """Count credits that were held as not used after all; the hold made the months' rows."""
    of_month = WorkspaceMonth.objects.filter(account_id=held.account_id, month=held.month)
    of_member = MemberMonth.objects.filter(membership_id=held.membership_id, month=held.month)
    of_month.update(used=F("used") - amount)
    of_member.update(used=F("used") - amount)
