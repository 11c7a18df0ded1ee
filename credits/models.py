"""The ledger. See docs/adr/0002-holds-before-queueing.md.

`sum(entries) = available + held` for every account, always: a top-up or an adjustment writes an
entry and changes `available`; a hold moves credits from `available` to `held` and writes none; a
charge takes them out of `held` and writes one.
"""

from __future__ import annotations

import math
from decimal import Decimal

from django.db import models
from django.db.models import F, Q

CREDITS_PER_USD = 1000
MARKUP = Decimal("1.1")


class Account(models.Model):
    """The balance of one workspace, in whole credits."""

    workspace = models.OneToOneField(
        "workspaces.Workspace", on_delete=models.PROTECT, primary_key=True
    )
    available = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    # NULL: no cap. 0: nothing may be spent this month.
    monthly_cap = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(available__gte=0), name="account_available_not_negative"
            ),
            models.CheckConstraint(condition=Q(held__gte=0), name="account_held_not_negative"),
            models.CheckConstraint(
                condition=Q(monthly_cap__gte=0), name="account_cap_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workspace}"


class MemberAllowance(models.Model):
    """The monthly cap of one member, in whole credits. No row or NULL: no cap."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="allowances")
    membership = models.OneToOneField("workspaces.Membership", on_delete=models.PROTECT)
    monthly_cap = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(monthly_cap__gte=0), name="allowance_cap_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.membership}"


class WorkspaceMonth(models.Model):
    """What a workspace used in one calendar month of its own time zone: charges + open holds."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="months")
    month = models.DateField()  # its first day
    used = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            # Also serves the look-up of every hold: this account, this month.
            models.UniqueConstraint(fields=["account", "month"], name="workspace_month_unique"),
            models.CheckConstraint(
                condition=Q(used__gte=0), name="workspace_month_used_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class MemberMonth(models.Model):
    """What a member used in one calendar month: charges + open holds."""

    membership = models.ForeignKey("workspaces.Membership", on_delete=models.PROTECT)
    month = models.DateField()
    used = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            # Also serves the look-up of every hold: this member, this month.
            models.UniqueConstraint(fields=["membership", "month"], name="member_month_unique"),
            models.CheckConstraint(condition=Q(used__gte=0), name="member_month_used_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Hold(models.Model):
    """Credits set aside for one job, resolved exactly once."""

    class State(models.TextChoices):
        OPEN = "open", "Held"
        SETTLED = "settled", "Charged"
        RELEASED = "released", "Released"

    reference = models.CharField(max_length=80, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds")
    membership = models.ForeignKey("workspaces.Membership", on_delete=models.PROTECT)
    month = models.DateField()
    amount = models.BigIntegerField()
    charged = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="hold_amount_positive"),
            models.CheckConstraint(
                condition=Q(state="open", charged__isnull=True, resolved_at__isnull=True)
                | Q(
                    state="settled",
                    charged__gt=0,
                    charged__lte=F("amount"),
                    resolved_at__isnull=False,
                )
                | Q(state="released", charged=0, resolved_at__isnull=False),
                name="hold_open_or_resolved_once",
            ),
        ]
        indexes = [
            # reconcile and the admin's list of old holds: the open ones, oldest first.
            models.Index(
                fields=["account", "created_at"],
                condition=Q(state="open"),
                name="hold_open_by_account",
            ),
            # The account page in the admin: this account's holds, newest first.
            models.Index(fields=["account", "-created_at"], name="hold_newest_by_account"),
        ]

    def __str__(self) -> str:
        return self.reference


class Entry(models.Model):
    """One line of the ledger. Never changed, never deleted: a trigger refuses both."""

    class Kind(models.TextChoices):
        TOPUP = "topup", "Top-up"
        CHARGE = "charge", "Charge"
        ADJUSTMENT = "adjustment", "Adjustment"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    amount = models.BigIntegerField()  # signed: a charge is negative
    balance_after = models.BigIntegerField()  # available + held
    membership = models.ForeignKey("workspaces.Membership", null=True, on_delete=models.PROTECT)
    reference = models.CharField(max_length=80)
    note = models.CharField(max_length=200, blank=True)
    # Who did it by hand (a top-up, an adjustment); empty for what the engine did.
    actor = models.ForeignKey("workspaces.User", null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "kind"], name="entry_reference_unique_per_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind="topup", amount__gt=0)
                | Q(kind="charge", amount__lt=0)
                | (Q(kind="adjustment") & ~Q(amount=0)),
                name="entry_sign_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(balance_after__gte=0), name="entry_balance_not_negative"
            ),
        ]
        indexes = [
            # The ledger of one account, newest first.
            models.Index(fields=["account", "-id"], name="entry_newest_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount:+}"


class Price(models.Model):
    """A provider's list price from a date on. The row used is frozen on each job."""

    class Unit(models.TextChoices):
        IMAGE = "image", "image"
        SECOND = "second", "second"

    item = models.SlugField(max_length=32)
    unit = models.CharField(max_length=8, choices=Unit.choices)
    list_price_usd = models.DecimalField("list price in USD", max_digits=10, decimal_places=5)
    effective_from = models.DateField()

    class Meta:
        constraints = [
            # Also serves the look-up of the price in force: this item, latest date first.
            models.UniqueConstraint(fields=["item", "effective_from"], name="price_one_per_day"),
            models.CheckConstraint(condition=Q(list_price_usd__gt=0), name="price_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.credits} credits per {self.unit}"

    @property
    def credits(self) -> int:
        """Credits per unit: list price × 1.1 × 1000, rounded up."""
        return math.ceil(self.list_price_usd * MARKUP * CREDITS_PER_USD)
