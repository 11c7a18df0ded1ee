"""The library in Django admin: everything to see, nothing to change."""

import pytest
from django.test import Client
from django.urls import reverse

from assets.models import Asset
from tests.assets import pictures
from tests.assets.makers import client_of, ingest_for
from tests.factories import make_member
from wevion.lib.admin import BoundedPaginator
from workspaces import services
from workspaces.models import User
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

LIST = "/admin/assets/asset/"


@pytest.fixture
def staff() -> Client:
    user_id = services.create_user(
        email="staff@demo.test", password="a password", is_superuser=True
    )
    client = Client()
    client.force_login(User.objects.get(pk=user_id))
    return client


@pytest.fixture
def asset():
    return ingest_for(make_member(), pictures.jpeg(50, 50), source_reference="job:abc")


def test_the_list_and_an_asset_can_be_read(staff, asset):
    assert str(asset.id) in staff.get(LIST).content.decode()
    page = staff.get(reverse("admin:assets_asset_change", args=[asset.id]))
    assert page.status_code == 200
    assert asset.sha256 in page.content.decode()
    assert 'name="_save"' not in page.content.decode()


def test_nothing_can_be_added_changed_or_deleted(staff, asset):
    before = Asset.objects.values().get()
    change = reverse("admin:assets_asset_change", args=[asset.id])
    answers = [
        staff.get(f"{LIST}add/"),
        staff.post(f"{LIST}add/", {"stem": "x"}),
        staff.post(change, {"stem": "x"}),
        staff.post(reverse("admin:assets_asset_delete", args=[asset.id]), {"post": "yes"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    staff.post(LIST, {"action": "delete_selected", "_selected_action": [asset.id], "post": "yes"})
    assert Asset.objects.values().get() == before


@pytest.mark.parametrize(
    ("term", "is_found"),
    [("job:abc", True), ("job:a", True), ("bc", False), ("{id}", True), ("%", False), ("", True)],
)
def test_an_asset_is_found_by_its_id_or_the_beginning_of_its_reference(
    staff, asset, term, is_found
):
    page = staff.get(LIST, {"q": term.format(id=asset.id)})
    assert [row.pk for row in page.context["cl"].result_list] == [asset.id] * is_found


def test_the_list_counts_no_further_than_its_bound(
    staff, asset, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(BoundedPaginator, "MOST", 2)
    member = make_member()
    for number in range(4):
        ingest_for(member, pictures.jpeg(50 + number, 50))
    # Session, person, the bounded count, the rows with people and workspaces.
    with django_assert_num_queries(4) as queries:
        page = staff.get(LIST)
    assert page.context["cl"].result_count == 2
    counts = [query["sql"] for query in queries if "COUNT" in query["sql"]]
    assert len(counts) == 1
    assert "LIMIT 2" in counts[0]


def test_an_owner_of_a_workspace_is_no_staff(asset):
    response = client_of(make_member(role=Role.OWNER)).get(LIST)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
