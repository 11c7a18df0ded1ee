"""Every route, every role: who gets in, and that nobody else leaves a trace."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from creative_hub.models import Generation
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit, submit_clip
from tests.factories import balance_of, make_member, user_of
from workspaces.roles import Role
from workspaces.selectors import Member

pytestmark = pytest.mark.django_db

API = "/api/v1/creative-hub/image-studio"
VIDEO_API = "/api/v1/creative-hub/video-studio"


@pytest.fixture
def scene(db):
    """A buyer with a finished and a waiting generation, and the people around them."""
    buyer = make_member(credits=25_000)
    finished = submit(buyer, num_variants=1, resolution="720p")
    finish(finished)
    waiting = submit(buyer)
    clip = submit_clip(buyer)
    people: dict[str, Member] = {
        role: make_member(role=role, workspace_id=buyer.workspace_id)
        for role in Role
        if role != Role.MEDIABUYER
    }
    people |= {
        "maker": buyer,
        "colleague": make_member(workspace_id=buyer.workspace_id),
        "stranger": make_member(role=Role.OWNER, credits=25_000),
    }
    return people, finished, waiting, clip, finished.jobs.get().asset_id


def routes(finished, waiting, clip, asset):
    hub = "/creative-hub"
    return {
        "home": ("get", f"{hub}/"),
        "studio": ("get", f"{hub}/image-studio"),
        "video": ("get", f"{hub}/video-studio"),
        "quote": ("get", f"{hub}/image-studio/quote/"),
        "poll": ("get", f"{hub}/poll/"),
        "generate": ("post", f"{hub}/image-studio/generate/"),
        "video quote": ("get", f"{hub}/video-studio/quote/"),
        "video generate": ("post", f"{hub}/video-studio/generate/"),
        "frame upload": ("post", f"{hub}/video-studio/start-frame/"),
        "frame picker": ("get", f"{hub}/video-studio/frames/"),
        "detail": ("get", f"{hub}/assets/{asset}"),
        "original": ("get", f"/media/{asset}"),
        "thumbnail": ("get", f"/media/{asset}/480"),
        "download": ("get", f"/media/{asset}/download"),
        "set": ("get", f"{hub}/jobs/{finished.pk}/download/"),
        "cancel": ("post", f"{hub}/jobs/{waiting.pk}/cancel/"),
        "remove": ("post", f"{hub}/jobs/{finished.pk}/remove/"),
        "restore": ("post", f"{hub}/jobs/{finished.pk}/restore/"),
        "api list": ("get", f"{API}/generations"),
        "api get": ("get", f"{API}/generations/{finished.pk}"),
        "api generate": ("post", f"{API}/generate"),
        "video api list": ("get", f"{VIDEO_API}/generations"),
        "video api get": ("get", f"{VIDEO_API}/generations/{clip.pk}"),
        "video api generate": ("post", f"{VIDEO_API}/generate"),
    }


OPEN = ("home", "studio", "video", "quote", "video quote", "poll", "api list", "video api list")
PICK = ("frame picker",)
ACT = ("generate", "api generate", "video generate", "video api generate", "frame upload")
LOOK = ("detail", "original", "thumbnail", "download", "set", "api get", "video api get")
CANCEL = ("cancel",)
TIDY = ("remove", "restore")
CHANGE = CANCEL + TIDY

# What each person gets: (OPEN, ACT, LOOK at the maker's, CANCEL the maker's, TIDY the maker's).
# ACT sends an empty prompt: 400 is through the door, nothing is ordered. PICK is for those who may.
EXPECTED = {
    "maker": (200, 400, 200, 302, 302),
    Role.OWNER: (200, 400, 200, 302, 404),
    Role.ADMIN: (200, 400, 200, 302, 404),
    Role.MANAGER: (200, 400, 404, 404, 404),
    "colleague": (200, 400, 404, 404, 404),
    Role.VIEWER: (200, 403, 404, 403, 403),
    Role.FINANCE: (403, 403, 403, 403, 403),
    "stranger": (200, 400, 404, 404, 404),
}


@pytest.mark.parametrize("person", EXPECTED, ids=str)
def test_each_person_gets_exactly_what_their_role_allows(scene, person):
    people, finished, waiting, clip, asset = scene
    client = Client()
    client.force_login(user_of(people[person]))
    found = {}
    for name, (method, path) in routes(finished, waiting, clip, asset).items():
        if method == "post" and path.startswith("/api"):
            answer = client.post(path, "{}", content_type="application/json")
        else:
            answer = getattr(client, method)(path)
        found[name] = answer.status_code
        answer.getvalue()  # a stream closes its file at its end
    opens, acts, looks, cancels, tidies = EXPECTED[person]
    expected = dict.fromkeys(OPEN, opens) | dict.fromkeys(ACT, acts)
    expected |= dict.fromkeys(LOOK, looks) | dict.fromkeys(CANCEL, cancels)
    expected |= dict.fromkeys(TIDY, tidies) | dict.fromkeys(PICK, 200 if acts == 400 else acts)
    if opens == 200:
        expected["home"] = 302
    assert found == expected


@pytest.mark.parametrize("person", [Role.MANAGER, Role.VIEWER, Role.FINANCE, "stranger"], ids=str)
def test_whoever_is_refused_changed_nothing(scene, person):
    people, finished, waiting, clip, asset = scene
    client = Client()
    client.force_login(user_of(people[person]))
    before = list(Generation.objects.order_by("pk").values())
    for name, (method, path) in routes(finished, waiting, clip, asset).items():
        if name in CHANGE:
            getattr(client, method)(path)
    assert list(Generation.objects.order_by("pk").values()) == before
    assert balance_of(people["maker"]) == (25_000 - 66 - 385, 33 + 385)


def test_signed_out_nothing_is_shown_and_nothing_happens(scene):
    _, finished, waiting, clip, asset = scene
    client = Client()
    for name, (method, path) in routes(finished, waiting, clip, asset).items():
        answer = getattr(client, method)(path)
        if "api" in name:
            assert answer.status_code == 401, name
        else:
            assert answer.status_code == 302, name
            assert answer["Location"].startswith("/account/login/?next="), name
        assert b"boat" not in answer.content
    waiting.refresh_from_db()
    assert waiting.status == "queued"


def test_a_signed_out_poll_gets_a_bare_401_and_no_sign_in_page(client, db):
    answer = client.get("/creative-hub/poll/?v=0", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_strangers_pages_hold_nothing_of_ours(scene):
    people, finished, *_ = scene
    client = Client()
    client.force_login(user_of(people["stranger"]))
    for path in ("/creative-hub/image-studio", "/creative-hub/poll/", f"{API}/generations"):
        answer = client.get(path)
        assert b"boat" not in answer.content
        assert str(finished.pk).encode() not in answer.content
    reused = client.get(f"/creative-hub/image-studio?reuse={finished.pk}")
    assert reused.status_code == 200
    assert b"boat at dawn" not in reused.content


def test_the_admin_is_closed_to_everybody_who_is_not_staff(scene):
    people, *_ = scene
    for member in people.values():
        client = Client()
        client.force_login(user_of(member))
        assert client.get("/admin/credits/account/").status_code in {302, 403}


def test_someone_without_a_workspace_is_told_so(client, db):
    from workspaces.models import User
    from workspaces.services import create_user

    user = User.objects.get(pk=create_user(email="admin@demo.test", password="a password"))
    client.force_login(user)
    answer = client.get("/creative-hub/image-studio")
    assert answer.status_code == 403
    assert b"workspace" in answer.content


def test_no_route_of_the_studios_is_missing_from_this_list(scene):
    _, finished, waiting, clip, asset = scene
    listed = [path.split("?")[0] for _, path in routes(finished, waiting, clip, asset).values()]
    for prefix, pattern in _patterns(get_resolver().url_patterns):
        if not prefix.startswith(("creative-hub/", "media/")):
            continue
        shape = "^/" + re.sub(r"<[^>]+>", "[^/]+", prefix) + "$"
        assert any(re.match(shape, path) for path in listed), (prefix, pattern)


def _patterns(patterns, prefix=""):
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route, one
