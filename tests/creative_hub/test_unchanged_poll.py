"""The poll that is answered before the stack: its one answer, and everybody it is not for."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from creative_hub import selectors
from tests.creative_hub.factories import submit
from tests.factories import make_member, make_workspace, user_of
from workspaces import services
from workspaces.models import Membership
from workspaces.roles import Role
from workspaces.selectors import Member

pytestmark = pytest.mark.django_db

POLL = "/creative-hub/poll/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def buyer(db):
    member = make_member(credits=25_000)
    submit(member)
    return member


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(user_of(member))
    return client


def poll(client: Client, member: Member):
    """Ask as a page that knows the last change of the member's workspace."""
    seen = selectors.revision(workspace_id=member.workspace_id)
    return client.get(POLL, {"v": seen}, headers=HTMX)


def test_it_is_a_204_in_two_queries(buyer, django_assert_num_queries):
    client = signed_in(buyer)
    poll(client, buyer)
    seen = selectors.revision(workspace_id=buyer.workspace_id)
    # The person with their memberships, the revision. The session comes from the cache.
    with django_assert_num_queries(2):
        answer = client.get(POLL, {"v": seen}, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Vary"] == "HX-Request, Cookie"
    assert "Content-Security-Policy" in answer


def test_it_says_what_the_view_behind_it_says(buyer, settings):
    at_the_door = poll(signed_in(buyer), buyer)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "unchanged" not in name]
    by_the_view = poll(signed_in(buyer), buyer)
    ours, theirs = dict(at_the_door.headers), dict(by_the_view.headers)
    # Frames are refused by the policy too, and there is nothing in it to frame.
    theirs.pop("X-Frame-Options")
    assert (at_the_door.status_code, ours) == (by_the_view.status_code, theirs)


def test_somebody_signed_out_gets_none(buyer):
    assert poll(Client(), buyer).status_code == 401
    client = signed_in(buyer)
    client.logout()
    assert poll(client, buyer).status_code == 401


def test_a_session_from_before_a_new_password_gets_none(buyer):
    client = signed_in(buyer)
    user = user_of(buyer)
    user.set_password("another password")
    user.save()
    assert poll(client, buyer).status_code == 401


def test_somebody_locked_out_gets_none(buyer):
    client = signed_in(buyer)
    user = user_of(buyer)
    user.is_active = False
    user.save()
    assert poll(client, buyer).status_code == 401


def test_somebody_who_left_the_team_gets_none(buyer):
    client = signed_in(buyer)
    Membership.objects.filter(pk=buyer.membership_id).update(is_active=False)
    assert poll(client, buyer).status_code == 403


def test_a_role_without_the_hub_gets_none(buyer):
    finance = make_member(role=Role.FINANCE, workspace_id=buyer.workspace_id)
    assert poll(signed_in(finance), finance).status_code == 403


def test_a_session_under_an_older_secret_key_goes_to_the_view_and_stands(buyer, settings):
    client = signed_in(buyer)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key " * 6
    assert poll(client, buyer).status_code == 204


def test_a_session_of_a_backend_that_is_gone_gets_none(buyer, settings):
    client = signed_in(buyer)
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    assert poll(client, buyer).status_code == 401


def test_the_revision_is_that_of_the_chosen_workspace(buyer):
    other = make_workspace(name="Zephyr")
    services.add_member(user_id=buyer.user_id, workspace_id=other, role=Role.MANAGER)
    client = signed_in(buyer)
    assert poll(client, buyer).status_code == 204
    client.post("/account/switch/", {"workspace_id": str(other)})
    assert poll(client, buyer).status_code == 200
    assert client.get(POLL, {"v": 0}, headers=HTMX).status_code == 204


def test_it_stands_behind_what_protects_hosts_and_transport():
    stack = settings.MIDDLEWARE
    door = stack.index("creative_hub.views.unchanged.UnchangedPollMiddleware")
    for name in ("SecurityMiddleware", "SessionMiddleware", "CommonMiddleware", "CSPMiddleware"):
        assert next(at for at, path in enumerate(stack) if path.endswith(name)) < door
