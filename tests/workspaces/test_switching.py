"""The workspace switcher and the theme: POSTs that also work without JavaScript."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import make_member, make_workspace, user_of
from workspaces import services
from workspaces.roles import Role
from workspaces.selectors import Member

STUDIO = "/creative-hub/image-studio"


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(user_of(member))
    return client


def in_second_workspace(member: Member, *, name: str = "Zephyr") -> str:
    workspace_id = make_workspace(name=name)
    services.add_member(user_id=member.user_id, workspace_id=workspace_id, role=Role.MANAGER)
    return str(workspace_id)


def active_workspace(client: Client) -> str:
    return str(client.get(STUDIO).context["member"].workspace_name)


def test_switching_makes_the_other_workspace_the_active_one(db):
    buyer = make_member()
    other = in_second_workspace(buyer)
    client = client_of(buyer)
    assert active_workspace(client) == "Team"

    answer = client.post("/account/switch/", {"workspace_id": other})

    assert (answer.status_code, answer["Location"]) == (302, "/creative-hub/")
    assert active_workspace(client) == "Zephyr"


def test_a_workspace_of_others_cannot_be_switched_to(db):
    buyer = make_member()
    foreign = make_member().workspace_id
    client = client_of(buyer)

    answer = client.post("/account/switch/", {"workspace_id": str(foreign)})

    assert answer.status_code == 404
    assert client.session.get("workspace_id") != str(foreign)
    assert active_workspace(client) == "Team"


@pytest.mark.parametrize("given", ["", "no-uuid", "1"])
def test_nonsense_cannot_be_switched_to(db, given):
    client = client_of(make_member())
    assert client.post("/account/switch/", {"workspace_id": given}).status_code == 404


def test_the_switch_needs_a_sign_in_and_a_post(db):
    assert Client().post("/account/switch/")["Location"].startswith("/account/login/")
    assert client_of(make_member()).get("/account/switch/").status_code == 405


def test_the_switcher_is_shown_to_people_with_several_workspaces_only(db):
    buyer = make_member()
    client = client_of(buyer)
    assert 'action="/account/switch/"' not in client.get(STUDIO).content.decode()

    in_second_workspace(buyer)

    page = client.get(STUDIO).content.decode()
    assert page.count('name="workspace_id"') == 2
    assert "Zephyr" in page


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("/creative-hub/video-studio", "/creative-hub/video-studio"),
        ("https://elsewhere.example/", "/creative-hub/"),
        ("//elsewhere.example/", "/creative-hub/"),
        ("javascript:alert(1)", "/creative-hub/"),
        ("", "/creative-hub/"),
    ],
)
def test_the_way_back_stays_on_this_site(db, asked, back):
    answer = Client().post("/account/theme/", {"theme": "dark", "next": asked})
    assert answer["Location"] == back


@pytest.mark.parametrize(("chosen", "kept"), [("dark", "dark"), ("light", "light"), ("", "")])
def test_the_theme_is_kept_for_a_year(db, chosen, kept):
    cookie = Client().post("/account/theme/", {"theme": chosen}).cookies["theme"]
    assert (cookie.value, cookie["max-age"], cookie["samesite"]) == (kept, 31_536_000, "Lax")


def test_an_unknown_theme_is_as_the_device_says(db):
    client = Client()
    client.post("/account/theme/", {"theme": '"><script>'})
    assert client.cookies["theme"].value == ""
    assert "data-theme" not in client.get("/account/login/").content.decode()


def test_the_chosen_theme_is_on_every_page(db):
    client = Client()
    client.post("/account/theme/", {"theme": "light"})
    assert 'data-theme="light"' in client.get("/account/login/").content.decode()
