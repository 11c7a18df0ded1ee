"""What hostile or broken requests get: a refusal, never an error of ours."""

import logging

import pytest
from django.conf import settings as django_settings
from django.test import Client

from creative_hub.models import Generation
from tests.creative_hub.factories import submit
from tests.creative_hub.test_studio import composer
from tests.factories import balance_of, make_member, make_workspace, user_of
from workspaces import services as people
from workspaces.models import Membership
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/image-studio"
API = "/api/v1/creative-hub/image-studio/generate"


@pytest.fixture
def buyer(db):
    return make_member(credits=1000)


@pytest.fixture
def signed_in(client, buyer):
    client.force_login(user_of(buyer))
    return client


@pytest.mark.parametrize("key", ["abc\0def", "' OR 1=1", "ABC", "é" * 32])
def test_a_session_key_that_we_never_gave_is_no_session(client, key):
    client.cookies[django_settings.SESSION_COOKIE_NAME] = key
    assert client.get(STUDIO).status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        f"{STUDIO}?show=%00",
        f"{STUDIO}/quote/?resolution=%00",
        "/creative-hub/poll/?v=%00",
        "/admin/credits/entry/?kind=%00",
    ],
)
def test_a_nul_in_an_address_is_a_400(signed_in, path):
    assert signed_in.get(path).status_code == 400


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00+23:59_" + "0" * 32, "x_y", "_"])
def test_a_cursor_that_we_never_gave_is_a_404(signed_in, before):
    assert signed_in.get(STUDIO, {"before": before}).status_code == 404


@pytest.mark.parametrize("key", ["a\0b", "k" * 201, "", "\n"])
def test_a_form_with_a_strange_key_still_orders_once(signed_in, buyer, key):
    answer = signed_in.post(f"{STUDIO}/generate/", composer(num_variants="1", submission_key=key))
    assert answer.status_code == 303
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (967, 33)


@pytest.mark.parametrize("changes", [{}, {"update_price": "1"}])
def test_a_form_with_a_nul_in_an_option_keeps_the_prompt(signed_in, buyer, changes):
    answer = signed_in.post(f"{STUDIO}/generate/", composer(resolution="\0", **changes))
    assert answer.status_code in {200, 400}
    assert "A boat at dawn" in answer.content.decode()
    assert balance_of(buyer) == (1000, 0)


@pytest.mark.parametrize(
    "back",
    ["foo", "creative_hub:cancel", "https://evil.example/", "//evil.example", "/é", "\udca0"],
)
def test_a_theme_or_switch_leads_only_to_a_path_of_ours(client, db, back):
    answer = client.post(
        "/account/theme/", {"theme": "dark", "next": back.encode("utf-8", "ignore")}
    )
    assert answer.status_code == 302
    assert answer["Location"] == "/creative-hub/"


def test_a_file_nobody_asked_for_is_a_413_before_it_is_read(client, db):
    answer = client.post("/account/theme/", {"file": _File(3_000_000)})
    assert answer.status_code == 413


class _File:
    name = "big.bin"

    def __init__(self, size):
        self.size = size

    def read(self, _=None):
        return b"x" * self.size


def test_the_api_names_a_few_of_many_unknown_fields(signed_in):
    body = {"prompt": "x"} | {f"field{n}": 1 for n in range(5000)}
    answer = signed_in.post(API, body, content_type="application/json")
    assert answer.status_code == 400
    assert len(answer.json()["fields"]) == 20


def test_the_api_is_never_cached(signed_in):
    assert signed_in.get("/api/v1/creative-hub/image-studio/generations")["Cache-Control"] == (
        "no-store"
    )


def test_a_new_membership_does_not_change_who_pays(signed_in, buyer):
    order = {"prompt": "x"}
    headers = {"Idempotency-Key": "retry"}
    first = signed_in.post(API, order, content_type="application/json", headers=headers)
    other = make_workspace(credits=1000, name="AAA")
    people.add_member(user_id=buyer.user_id, workspace_id=other, role=Role.OWNER)
    again = signed_in.post(API, order, content_type="application/json", headers=headers)
    assert first.json() == again.json()
    assert Generation.objects.count() == 1


@pytest.mark.parametrize("path", [API, f"{STUDIO}/generate/"])
def test_who_was_removed_from_a_workspace_does_not_order_in_another_by_accident(
    signed_in, buyer, path
):
    other = make_workspace(credits=1000, name="Zzz")
    people.add_member(user_id=buyer.user_id, workspace_id=other, role=Role.OWNER)
    assert signed_in.get(STUDIO).status_code == 200
    Membership.objects.filter(pk=buyer.membership_id).update(is_active=False)
    data = {"prompt": "x"} if path == API else composer()
    kind = {"content_type": "application/json"} if path == API else {}
    assert signed_in.post(path, data, **kind).status_code == 403
    assert not Generation.objects.exists()
    page = signed_in.get(STUDIO)
    assert page.status_code == 200
    assert "Zzz" in page.content.decode()


def test_whoever_is_removed_from_their_only_workspace_gets_nothing(signed_in, buyer):
    generation = submit(buyer)
    assert signed_in.get(STUDIO).status_code == 200
    Membership.objects.filter(pk=buyer.membership_id).update(is_active=False)
    assert signed_in.get(STUDIO).status_code == 403
    assert signed_in.get("/creative-hub/poll/?v=0").status_code == 403
    assert signed_in.post(f"/creative-hub/jobs/{generation.pk}/cancel/").status_code == 403


def test_no_query_reaches_the_request_log(signed_in, caplog):
    with caplog.at_level(logging.INFO, logger="django_structlog"):
        signed_in.get(f"{STUDIO}/quote/", {"prompt": "a secret prompt", "X-Signature": "s3cret"})
    assert "image-studio/quote/" in caplog.text
    assert "secret" not in caplog.text
    assert "s3cret" not in caplog.text


def test_a_demoted_member_is_refused_at_once(signed_in, buyer):
    Membership.objects.filter(pk=buyer.membership_id).update(role=Role.VIEWER)
    assert signed_in.post(f"{STUDIO}/generate/", composer()).status_code == 403
    assert not Generation.objects.exists()


def test_a_changed_password_ends_the_other_sessions(signed_in, buyer):
    user = user_of(buyer)
    user.set_password("another password 7")
    user.save()
    assert signed_in.get(STUDIO).status_code == 302
    assert (
        signed_in.get("/creative-hub/poll/?v=0", headers={"HX-Request": "true"}).status_code == 401
    )


def test_without_csrf_no_post_of_the_pages_is_taken(buyer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user_of(buyer))
    generation = submit(buyer)
    paths = [
        f"{STUDIO}/generate/",
        f"/creative-hub/jobs/{generation.pk}/cancel/",
        f"/creative-hub/jobs/{generation.pk}/remove/",
        "/account/switch/",
        "/account/theme/",
        "/account/logout/",
    ]
    assert {strict.post(path).status_code for path in paths} == {403}
