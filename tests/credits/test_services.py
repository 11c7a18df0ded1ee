"""The ledger's services, one behaviour at a time."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from credits import reconciliation, selectors, services
from credits.errors import (
    InsufficientCredits,
    LedgerError,
    MemberCapExceeded,
    MonthlyCapExceeded,
)
from credits.models import Entry, Hold, MemberMonth, WorkspaceMonth
from tests.factories import NOW, balance_of, make_member

pytestmark = pytest.mark.django_db


def hold(member, amount, reference="job:1", now=NOW):
    services.hold(member=member, amount=amount, reference=reference, now=now)


def entries(member):
    rows = Entry.objects.filter(account_id=member.workspace_id).order_by("id")
    return [(row.kind, row.amount, row.balance_after) for row in rows]


def test_a_top_up_adds_credits_once_per_reference():
    member = make_member()
    top_up: dict[str, Any] = {"workspace_id": member.workspace_id, "amount": 500, "now": NOW}
    assert services.top_up(**top_up, reference="invoice 7") is True
    assert services.top_up(**top_up, reference="invoice 7") is False
    assert balance_of(member) == (500, 0)
    assert entries(member) == [("topup", 500, 500)]


def test_a_hold_moves_credits_aside_and_writes_no_entry():
    member = make_member(credits=1000)
    hold(member, 385)
    assert balance_of(member) == (615, 385)
    assert entries(member) == [("topup", 1000, 1000)]


def test_a_repeated_hold_holds_once():
    member = make_member(credits=1000)
    hold(member, 385)
    hold(member, 385)
    assert balance_of(member) == (615, 385)


def test_settling_all_charges_the_hold():
    member = make_member(credits=1000)
    hold(member, 132)
    assert services.settle(reference="job:1", amount=132, now=NOW) is True
    assert balance_of(member) == (868, 0)
    assert entries(member)[-1] == ("charge", -132, 868)


def test_settling_a_part_gives_the_rest_back():
    member = make_member(credits=1000)
    hold(member, 132)
    services.settle(reference="job:1", amount=99, now=NOW)
    assert balance_of(member) == (901, 0)
    assert WorkspaceMonth.objects.get().used == 99
    assert MemberMonth.objects.get().used == 99


def test_a_hold_is_resolved_exactly_once():
    member = make_member(credits=1000)
    hold(member, 132)
    assert services.settle(reference="job:1", amount=132, now=NOW) is True
    assert services.settle(reference="job:1", amount=132, now=NOW) is False
    assert services.release(reference="job:1", now=NOW) is False
    assert balance_of(member) == (868, 0)
    assert len(entries(member)) == 2


def test_a_release_charges_nothing():
    member = make_member(credits=1000)
    hold(member, 132)
    assert services.release(reference="job:1", now=NOW) is True
    assert balance_of(member) == (1000, 0)
    assert entries(member) == [("topup", 1000, 1000)]
    assert WorkspaceMonth.objects.get().used == 0


@pytest.mark.parametrize("amount", [0, -1, 133])
def test_more_than_was_held_or_less_than_one_is_never_charged(amount):
    member = make_member(credits=1000)
    hold(member, 132)
    with pytest.raises(LedgerError):
        services.settle(reference="job:1", amount=amount, now=NOW)
    assert balance_of(member) == (868, 132)


def test_too_little_balance_refuses_with_the_figures_and_changes_nothing():
    member = make_member(credits=100)
    hold(member, 60)
    with pytest.raises(InsufficientCredits) as refused:
        hold(member, 41, reference="job:2")
    assert refused.value.as_json() == {
        "error": "Insufficient credits",
        "required": 41,
        "available": 40,
        "held": 60,
        "cap": None,
        "used": None,
        "resets_at": None,
    }
    assert balance_of(member) == (40, 60)
    assert Hold.objects.count() == 1


def test_the_workspace_cap_counts_charges_and_open_holds():
    member = make_member(credits=1000)
    services.set_workspace_cap(workspace_id=member.workspace_id, cap=100)
    hold(member, 50)
    services.settle(reference="job:1", amount=30, now=NOW)
    hold(member, 60, reference="job:2")
    with pytest.raises(MonthlyCapExceeded) as refused:
        hold(member, 11, reference="job:3")
    assert refused.value.sentence == "Monthly credit cap exceeded"
    assert (refused.value.figures.cap, refused.value.figures.used) == (100, 90)
    assert refused.value.figures.resets_at == datetime(2026, 8, 1, tzinfo=UTC)
    hold(member, 10, reference="job:3")


def test_the_member_cap_binds_one_member_and_not_the_team():
    member = make_member(credits=1000, cap=50)
    colleague = make_member(workspace_id=member.workspace_id)
    hold(member, 50)
    with pytest.raises(MemberCapExceeded) as refused:
        hold(member, 1, reference="job:2")
    assert refused.value.sentence == "Team member monthly credit cap exceeded"
    hold(colleague, 500, reference="job:3")
    assert balance_of(member) == (450, 550)


def test_a_cap_of_zero_lets_nothing_through():
    member = make_member(credits=1000, cap=0)
    with pytest.raises(MemberCapExceeded):
        hold(member, 1)


def test_the_refusals_come_in_the_order_balance_workspace_member():
    member = make_member(credits=10, cap=0)
    services.set_workspace_cap(workspace_id=member.workspace_id, cap=0)
    with pytest.raises(InsufficientCredits):
        hold(member, 11)
    with pytest.raises(MonthlyCapExceeded):
        hold(member, 10)


def test_a_job_belongs_to_the_month_in_which_it_was_held_in_the_workspaces_time_zone():
    member = make_member(credits=1000, cap=100, timezone="Asia/Tokyo")
    # 31 July 15:00 UTC is 1 August 00:00 in Tokyo.
    last_of_july = datetime(2026, 7, 31, 14, 59, tzinfo=UTC)
    first_of_august = datetime(2026, 7, 31, 15, 0, tzinfo=UTC)
    hold(member, 100, now=last_of_july)
    with pytest.raises(MemberCapExceeded) as refused:
        hold(member, 1, reference="job:2", now=last_of_july)
    assert refused.value.figures.resets_at == first_of_august
    hold(member, 100, reference="job:2", now=first_of_august)
    services.settle(reference="job:1", amount=60, now=first_of_august)
    used = {row.month.month: row.used for row in MemberMonth.objects.all()}
    assert used == {7: 60, 8: 100}


def test_an_adjustment_is_signed_needs_a_reason_and_never_touches_what_is_held():
    member = make_member(credits=100)
    hold(member, 60)
    adjust: dict[str, Any] = {"workspace_id": member.workspace_id, "now": NOW}
    with pytest.raises(LedgerError):
        services.adjust(**adjust, amount=-41, reference="a", note="too much")
    with pytest.raises(LedgerError):
        services.adjust(**adjust, amount=5, reference="a", note=" ")
    assert balance_of(member) == (40, 60)
    assert services.adjust(**adjust, amount=-40, reference="a", note="a refund") is True
    assert services.adjust(**adjust, amount=-40, reference="a", note="a refund") is False
    assert balance_of(member) == (0, 60)
    assert entries(member)[-1] == ("adjustment", -40, 60)


def test_a_hold_takes_the_account_row_before_it_writes():
    member = make_member(credits=100)
    with CaptureQueriesContext(connection) as captured:
        hold(member, 10)
    statements = [query["sql"] for query in captured]
    locked = next(n for n, sql in enumerate(statements) if "FOR NO KEY UPDATE" in sql)
    written = next(n for n, sql in enumerate(statements) if "INSERT INTO" in sql)
    assert locked < written


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credits_entry SET amount = amount + 1",
        "DELETE FROM credits_entry",
    ],
)
def test_the_database_itself_refuses_to_change_an_entry(statement):
    member = make_member(credits=100)
    with pytest.raises(IntegrityError, match="append-only"):
        run(statement)
    assert entries(member) == [("topup", 100, 100)]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE credits_account SET available = -1", "UPDATE credits_account SET held = -1"],
)
def test_the_database_itself_refuses_a_negative_balance(statement):
    make_member(credits=100)
    with pytest.raises(IntegrityError, match="not_negative"):
        run(statement)


def test_reconciliation_finds_each_figure_that_was_tampered_with():
    member = make_member(credits=100)
    hold(member, 60)
    services.settle(reference="job:1", amount=60, now=NOW)
    hold(member, 10, reference="job:2")
    assert reconciliation.findings() == []
    tamperings = {
        "UPDATE credits_account SET available = available + 1": "entries sum to",
        "UPDATE credits_account SET held = held + 1, available = available - 1": "open holds sum",
        "UPDATE credits_workspacemonth SET used = used + 1": "Workspace month",
        "UPDATE credits_membermonth SET used = used + 1": "Member month",
        "UPDATE credits_hold SET charged = 59 WHERE reference = 'job:1'": "is settled with 59",
    }
    for statement, expected in tamperings.items():
        undo = transaction.savepoint()
        run(statement)
        found = reconciliation.findings()
        transaction.savepoint_rollback(undo)
        assert any(expected in sentence for sentence in found), (statement, found)
    assert reconciliation.findings() == []


@pytest.mark.parametrize(
    ("item", "credits"),
    [("image", 33), ("kling_2_6", 77), ("veo_3_1", 440), ("seedance_pro", 135)],
)
def test_the_first_price_list_is_the_contracts(item, credits):
    price = selectors.price_in_force(item=item, on=NOW.date())
    assert price.credits == credits


def run(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
