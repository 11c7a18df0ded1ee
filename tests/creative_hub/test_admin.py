"""Django admin: look at everything, top up, cap and price; no balance is edited by hand."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from credits.models import Account, Entry, MemberAllowance, Price
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member, make_workspace
from workspaces import services as people
from workspaces.models import User, Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    user_id = people.create_user(email="staff@demo.test", password="a password", is_superuser=True)
    client = Client()
    client.force_login(User.objects.get(pk=user_id))
    return client


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.mark.parametrize(
    "model",
    [
        "workspaces/workspace",
        "workspaces/user",
        "credits/account",
        "credits/entry",
        "credits/hold",
        "credits/price",
        "creative_hub/generation",
        "assets/asset",
    ],
)
def test_every_list_opens_and_searches(staff, buyer, model):
    finish(submit(buyer, resolution="720p"))
    assert staff.get(f"/admin/{model}/").status_code == 200
    assert staff.get(f"/admin/{model}/", {"q": "demo.test"}).status_code == 200


def test_the_ledger_page_shows_hold_and_charge(staff, buyer):
    generation = submit(buyer, num_variants=4, resolution="720p")
    finish(generation)
    page = staff.get(f"/admin/credits/account/{buyer.workspace_id}/ledger/").content.decode()
    rows = re.findall(r"<td>(Hold|Charge|Top-up)</td>\s*<td>([^<]+)</td>", page)
    assert sorted(rows) == [("Charge", "-132"), ("Hold", "-132"), ("Top-up", "+25,000")]
    assert "24,868" in page


def test_a_top_up_needs_a_reason_and_is_made_once_however_often_it_is_sent(staff, buyer):
    path = f"/admin/credits/account/{buyer.workspace_id}/top-up/"
    form = {"credits": "500", "reference": "admin:1", "note": ""}
    assert staff.post(path, form).status_code == 200
    assert balance_of(buyer) == (25_000, 0)
    for _ in range(2):
        assert staff.post(path, form | {"note": "invoice 7"}).status_code == 302
    assert balance_of(buyer) == (25_500, 0)
    entry = Entry.objects.get(reference="admin:1")
    assert entry.actor is not None
    assert (entry.note, entry.actor.email) == ("invoice 7", "staff@demo.test")


def test_the_top_up_action_leads_to_the_form_of_one_account(staff, buyer):
    answer = staff.post(
        "/admin/credits/account/",
        {"action": "top_up", "_selected_action": [str(buyer.workspace_id)]},
    )
    assert answer["Location"] == f"/admin/credits/account/{buyer.workspace_id}/top-up/"


def test_a_balance_cannot_be_typed_in_and_caps_can(staff, buyer):
    path = f"/admin/credits/account/{buyer.workspace_id}/change/"
    form = {
        "available": "1",
        "held": "1",
        "monthly_cap": "700",
        "allowances-TOTAL_FORMS": "1",
        "allowances-INITIAL_FORMS": "0",
        "allowances-0-account": str(buyer.workspace_id),
        "allowances-0-membership": str(buyer.membership_id),
        "allowances-0-monthly_cap": "300",
    }
    assert staff.post(path, form).status_code == 302
    assert balance_of(buyer) == (25_000, 0)
    assert Account.objects.get(pk=buyer.workspace_id).monthly_cap == 700
    assert MemberAllowance.objects.get().monthly_cap == 300


def test_a_member_of_another_workspace_cannot_be_capped_here(staff, buyer):
    stranger = make_member()
    path = f"/admin/credits/account/{buyer.workspace_id}/change/"
    form = {
        "monthly_cap": "",
        "allowances-TOTAL_FORMS": "1",
        "allowances-INITIAL_FORMS": "0",
        "allowances-0-account": str(buyer.workspace_id),
        "allowances-0-membership": str(stranger.membership_id),
        "allowances-0-monthly_cap": "300",
    }
    assert staff.post(path, form).status_code == 200
    assert not MemberAllowance.objects.exists()


@pytest.mark.parametrize("what", ["entry", "hold"])
def test_nothing_of_the_ledger_is_added_changed_or_deleted_here(staff, buyer, what):
    submit(buyer)
    pk = Entry.objects.get().pk if what == "entry" else "1"
    for path in ("add/", f"{pk}/change/", f"{pk}/delete/"):
        answer = staff.post(f"/admin/credits/{what}/{path}", {"amount": "5"})
        assert answer.status_code in {302, 403}
    assert [entry.amount for entry in Entry.objects.all()] == [25_000]


def test_a_generation_shows_its_provider_jobs_and_not_their_links(staff, buyer):
    generation = submit(buyer)
    generation.jobs.update(result_url="https://tos.example/x?sig=secret")
    page = staff.get(f"/admin/creative_hub/generation/{generation.pk}/change/").content.decode()
    assert generation.jobs.get().external_id in page
    assert "sig=secret" not in page


def test_a_new_workspace_has_its_account(staff):
    form = {
        "name": "New",
        "slug": "new",
        "timezone": "Europe/Berlin",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    assert staff.post("/admin/workspaces/workspace/add/", form).status_code == 302
    workspace = Workspace.objects.get(slug="new")
    assert Account.objects.get(pk=workspace.pk).available == 0


def test_a_time_zone_that_does_not_exist_is_refused(staff):
    form = {
        "name": "New",
        "slug": "new",
        "timezone": "Mars/Base",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    answer = staff.post("/admin/workspaces/workspace/add/", form)
    assert "Mars/Base is not a time zone" in answer.content.decode()
    assert not Workspace.objects.exists()


def test_a_price_holds_from_tomorrow_at_the_earliest_and_a_past_one_stays(staff):
    today = timezone.now().date()
    form = {"item": "image", "unit": "image", "list_price_usd": "0.05"}
    path = "/admin/credits/price/add/"
    assert staff.post(path, form | {"effective_from": str(today)}).status_code == 200
    tomorrow = today + timedelta(days=1)
    assert staff.post(path, form | {"effective_from": str(tomorrow)}).status_code == 302
    assert Price.objects.get(effective_from=tomorrow).credits == 55
    past = Price.objects.get(item="image", effective_from__lt=today)
    page = f"/admin/credits/price/{past.pk}/"
    earlier = form | {"effective_from": "2020-01-01"}
    assert staff.post(f"{page}change/", earlier).status_code == 403
    assert staff.post(f"{page}delete/", {"post": "yes"}).status_code == 403


def test_the_admins_door_is_the_products_own_sign_in(client, db):
    answer = client.get("/admin/login/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/")


def test_a_workspace_with_a_ledger_cannot_be_deleted(staff):
    workspace_id = make_workspace(credits=5)
    answer = staff.post(f"/admin/workspaces/workspace/{workspace_id}/delete/", {"post": "yes"})
    assert answer.status_code == 403
