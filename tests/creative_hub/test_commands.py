"""What operators type."""

import json

import pytest
from django.core.management import CommandError, call_command

from credits import selectors as credit_selectors
from credits.models import Account, Entry
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member, make_workspace
from workspaces import selectors as people
from workspaces.models import Membership, User

pytestmark = pytest.mark.django_db


def run(capsys, *arguments, **options):
    call_command(*arguments, **options)
    return capsys.readouterr().out


def slug_of(workspace_id):
    info = people.workspace(slug_or_id=str(workspace_id))
    assert info is not None
    return info.slug


def test_a_top_up_is_made_once_per_reference(capsys):
    workspace_id = make_workspace()
    command = ("topup_credits", slug_of(workspace_id), "500", "--reference", "invoice 7")
    assert "Added 500 credits. Team has 500 available and 0 held." in run(capsys, *command)
    assert "nothing was added" in run(capsys, *command)
    assert credit_selectors.balance(workspace_id=workspace_id).available == 500
    assert Entry.objects.get().reference == "invoice 7"


def test_a_dry_run_changes_nothing(capsys):
    workspace_id = make_workspace()
    said = run(capsys, "topup_credits", str(workspace_id), "500", "--reference", "r", "--dry-run")
    assert said == "Would add 500 credits to Team, which has 0 available.\n"
    assert not Entry.objects.exists()


@pytest.mark.parametrize("credits", ["0", "-5"])
def test_a_top_up_of_nothing_is_refused(credits):
    workspace_id = make_workspace()
    with pytest.raises(CommandError, match="more than 0"):
        call_command("topup_credits", str(workspace_id), credits, "--reference", "r")
    assert not Entry.objects.exists()


def test_an_unknown_workspace_is_a_sentence():
    with pytest.raises(CommandError, match="There is no workspace 'nowhere'"):
        call_command("topup_credits", "nowhere", "5", "--reference", "r")


def test_reconcile_says_so_when_everything_adds_up(capsys):
    submit(make_member(credits=1000))
    assert run(capsys, "reconcile") == "Everything adds up.\n"


def test_reconcile_exits_with_1_and_a_list_when_something_does_not(capsys):
    buyer = make_member(credits=1000)
    Account.objects.filter(pk=buyer.workspace_id).update(available=1001)
    with pytest.raises(SystemExit) as exit_code:
        call_command("reconcile")
    assert exit_code.value.code == 1
    said = capsys.readouterr().out
    assert f"Account {buyer.workspace_id}: entries sum to 1000, available + held is 1001" in said
    with pytest.raises(SystemExit):
        call_command("reconcile", "--json")
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1


def test_reconcile_writes_nothing_and_sees_one_moment(committed_db, capsys):
    buyer = make_member(credits=1000)
    submit(buyer)
    assert run(capsys, "reconcile") == "Everything adds up.\n"
    assert balance_of(buyer) == (967, 33)


def test_the_demo_is_seeded_once_however_often(capsys, settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setenv("DEMO_PASSWORD", "demo password")
    first = run(capsys, "seed_demo")
    again = run(capsys, "seed_demo")
    assert first == again
    for email in ("owner", "buyer", "viewer", "finance", "stranger", "admin"):
        assert f"{email}@demo.test" in first
    demo = people.workspace(slug_or_id="demo")
    assert demo is not None
    assert credit_selectors.balance(workspace_id=demo.id).available == 25_000
    buyer = Membership.objects.get(user__email="buyer@demo.test")
    assert buyer.role == "mediabuyer"
    assert buyer.memberallowance.monthly_cap == 5000
    assert User.objects.get(email="admin@demo.test").is_superuser
    assert User.objects.get(email="owner@demo.test").check_password("demo password")


def test_the_demo_is_not_seeded_into_production_unless_forced(settings, monkeypatch, capsys):
    monkeypatch.setenv("DEMO_PASSWORD", "demo password")
    with pytest.raises(CommandError, match="DEBUG=0 looks like production"):
        call_command("seed_demo")
    assert not User.objects.exists()
    call_command("seed_demo", "--force")
    assert User.objects.count() == 6


def test_the_demo_needs_a_password(settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setenv("DEMO_PASSWORD", "short")
    with pytest.raises(CommandError, match="at least 8 characters"):
        call_command("seed_demo")
    assert not User.objects.exists()


@pytest.mark.parametrize("change", ["amount", "workspace"])
def test_a_reference_of_another_booking_is_an_error_and_books_nothing(capsys, change):
    workspace_id = make_workspace()
    call_command("topup_credits", str(workspace_id), "500", "--reference", "invoice 7")
    other = workspace_id if change == "amount" else make_workspace()
    credits = "501" if change == "amount" else "500"
    with pytest.raises(CommandError, match="belongs to another booking"):
        call_command("topup_credits", str(other), credits, "--reference", "invoice 7")
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("credits", "reference", "note"),
    [("5", "", ""), ("5", "r" * 81, ""), ("5", "r", "n" * 201), ("9" * 19, "r", "")],
)
def test_a_top_up_that_does_not_fit_is_a_sentence(credits, reference, note):
    workspace_id = make_workspace()
    with pytest.raises(CommandError):
        call_command(
            "topup_credits", str(workspace_id), credits, "--reference", reference, "--note", note
        )
    assert not Entry.objects.exists()
