"""The JSON API: every answer of the contract, and that refusals had no effect."""

import json
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.test import Client

from creative_hub.models import Generation
from credits import services as credit_services
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member, user_of
from workspaces.roles import Role

GENERATE = "/api/v1/creative-hub/image-studio/generate"
LIST = "/api/v1/creative-hub/image-studio/generations"


def post(client, body, **headers):
    data = body if isinstance(body, str) else json.dumps(body)
    return client.post(GENERATE, data, content_type="application/json", headers=headers)


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def api(client, buyer):
    client.force_login(user_of(buyer))
    return client


def test_an_order_is_accepted_with_its_price(api, buyer):
    answer = post(api, {"prompt": "A boat", "aspect_ratio": "4:5", "num_variants": 4})
    assert answer.status_code == 202
    body = answer.json()
    generation = Generation.objects.get()
    assert body == {
        "generation_id": str(generation.pk),
        "status": "queued",
        "credits_estimated": 132,
        "estimated_cost_cents": 14,
        "created_at": body["created_at"],
        "polling_interval_ms": 4000,
    }
    assert balance_of(buyer) == (24_868, 132)


def test_a_prompt_alone_takes_the_defaults(api):
    assert post(api, {"prompt": "A boat"}).status_code == 202
    generation = Generation.objects.get()
    assert (generation.aspect_ratio, generation.resolution) == ("1:1", "1080p")
    assert (generation.num_variants, generation.style) == (1, "")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"prompt": ["Write a prompt of 1 to 4000 characters."]}),
        ({"prompt": "  "}, {"prompt": ["Write a prompt of 1 to 4000 characters."]}),
        (
            {"prompt": "x" * 4001},
            {"prompt": ["The prompt has 4001 characters; at most 4000 fit."]},
        ),
        ({"prompt": 7}, {"prompt": ["This must be text."]}),
        ({"prompt": "x\u0000"}, {"prompt": ["Null characters are not allowed."]}),
        ({"prompt": "x\ud800"}, {"prompt": ["This text has broken characters in it."]}),
        (
            {"prompt": "x", "aspect_ratio": "2:1"},
            {"aspect_ratio": ["2:1 is not available here. Choose 9:16, 1:1, 4:5, 16:9 or 3:4."]},
        ),
        (
            {"prompt": "x", "resolution": "4k"},
            {"resolution": ["4k is not available here. Choose 720p or 1080p."]},
        ),
        (
            {"prompt": "x", "num_variants": 5},
            {"num_variants": ["5 is not available here. Choose 1, 2, 3 or 4."]},
        ),
        (
            {"prompt": "x", "num_variants": 0},
            {"num_variants": ["0 is not available here. Choose 1, 2, 3 or 4."]},
        ),
        ({"prompt": "x", "num_variants": "2"}, {"num_variants": ["This must be a whole number."]}),
        ({"prompt": "x", "num_variants": True}, {"num_variants": ["This must be a whole number."]}),
        (
            {"prompt": "x", "style": "s" * 65},
            {"style": ["The style has 65 characters; at most 64 fit."]},
        ),
        (
            {"prompt": "x", "provider": "kling_2_6"},
            {
                "provider": [
                    "There is no field provider here. The fields are prompt, style,"
                    " aspect_ratio, resolution and num_variants."
                ]
            },
        ),
    ],
)
def test_invalid_input_names_the_field_and_what_is_allowed(api, buyer, body, fields):
    answer = post(api, body)
    assert answer.status_code == 400
    assert answer.json() == {"error": "Invalid input", "fields": fields}
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("body", ["", "{", "not json", "[]", "null", '"x"'])
def test_a_body_that_is_no_object_is_a_400_that_says_so(api, buyer, body):
    answer = post(api, body)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["body"]
    assert balance_of(buyer) == (25_000, 0)


def test_a_prompt_of_exactly_4000_characters_is_accepted(api):
    assert post(api, {"prompt": "é" * 4000}).status_code == 202


def test_too_little_credit_is_a_402_with_the_figures(client, db):
    poor = make_member(credits=100)
    client.force_login(user_of(poor))
    answer = post(client, {"prompt": "x", "num_variants": 4})
    assert answer.status_code == 402
    assert answer.json() == {
        "error": "Insufficient credits",
        "required": 132,
        "available": 100,
        "held": 0,
        "cap": None,
        "used": None,
        "resets_at": None,
    }
    assert not Generation.objects.exists()


def test_the_workspace_cap_is_a_402(api, buyer):
    credit_services.set_workspace_cap(workspace_id=buyer.workspace_id, cap=50)
    answer = post(api, {"prompt": "x", "num_variants": 2})
    assert answer.status_code == 402
    body = answer.json()
    assert body["error"] == "Monthly credit cap exceeded"
    assert (body["cap"], body["used"]) == (50, 0)
    assert body["resets_at"]
    assert balance_of(buyer) == (25_000, 0)


def test_the_member_cap_is_a_402(client, db):
    capped = make_member(credits=1000, cap=32)
    client.force_login(user_of(capped))
    answer = post(client, {"prompt": "x"})
    assert answer.status_code == 402
    assert answer.json()["error"] == "Team member monthly credit cap exceeded"
    assert balance_of(capped) == (1000, 0)


def test_signed_out_is_a_401(client, db):
    assert post(client, {"prompt": "x"}).status_code == 401
    assert client.get(LIST).status_code == 401
    assert client.get(f"{LIST}/{uuid.uuid4()}").status_code == 401
    assert not Generation.objects.exists()


def test_signed_out_is_a_401_also_without_a_csrf_token(db):
    assert post(Client(enforce_csrf_checks=True), {"prompt": "x"}).status_code == 401


def test_without_a_csrf_token_nothing_is_ordered(buyer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user_of(buyer))
    assert post(strict, {"prompt": "x"}).status_code == 403
    assert not Generation.objects.exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_a_role_that_may_not_generate_is_a_403(client, buyer, role):
    lesser = make_member(role=role, workspace_id=buyer.workspace_id)
    client.force_login(user_of(lesser))
    assert post(client, {"prompt": "x"}).status_code == 403
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


def test_a_repeated_idempotency_key_answers_the_same_and_holds_once(api, buyer):
    first = post(api, {"prompt": "x"}, **{"Idempotency-Key": "k1"})
    again = post(api, {"prompt": "x"}, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert balance_of(buyer) == (24_967, 33)


def test_a_key_used_with_another_body_is_a_422(api, buyer):
    post(api, {"prompt": "x"}, **{"Idempotency-Key": "k1"})
    answer = post(api, {"prompt": "y"}, **{"Idempotency-Key": "k1"})
    assert answer.status_code == 422
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (24_967, 33)


def test_an_overlong_key_is_a_400(api):
    answer = post(api, {"prompt": "x"}, **{"Idempotency-Key": "k" * 201})
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"Idempotency-Key": ["At most 200 printable characters."]}


def test_while_the_first_request_with_a_key_runs_the_second_is_a_409(committed_db, client):
    buyer = make_member(credits=1000)
    client.force_login(user_of(buyer))
    held, done = threading.Event(), threading.Event()

    def first_request():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"{buyer.membership_id}:k1"],
            )
            held.set()
            done.wait(10)
        connection.close()

    thread = threading.Thread(target=first_request)
    thread.start()
    held.wait(10)
    try:
        answer = post(client, {"prompt": "x"}, **{"Idempotency-Key": "k1"})
    finally:
        done.set()
        thread.join()
    assert answer.status_code == 409
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (1000, 0)


def test_without_a_provider_it_is_a_503(api, buyer, settings):
    settings.SANDBOX = False
    answer = post(api, {"prompt": "x"})
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("Seedream 4.0 is not set up here yet")
    assert balance_of(buyer) == (25_000, 0)


def test_one_generation_says_everything_about_itself(api, buyer):
    generation = submit(buyer, style="anime", aspect_ratio="16:9", resolution="720p")
    answer = api.get(f"{LIST}/{generation.pk}")
    assert answer.status_code == 200
    body = answer.json()
    assert body == {
        "generation_id": str(generation.pk),
        "status": "queued",
        "credits_estimated": 33,
        "estimated_cost_cents": 4,
        "created_at": "2026-07-02T12:00:00Z",
        "polling_interval_ms": 4000,
        "kind": "image",
        "prompt": "A boat at dawn",
        "style": "anime",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "num_variants": 1,
        "credits_charged": None,
        "error_message": None,
        "error_code": None,
        "started_at": None,
        "completed_at": None,
        "assets": [],
    }


def test_the_list_is_newest_first_in_cursor_pages(api, buyer):
    made = [str(submit(buyer).pk) for _ in range(5)]
    first = api.get(f"{LIST}?limit=2").json()
    second = api.get(LIST, {"limit": 2, "cursor": first["next_cursor"]}).json()
    third = api.get(LIST, {"limit": 2, "cursor": second["next_cursor"]}).json()
    listed = [one["generation_id"] for page in (first, second, third) for one in page["items"]]
    assert sorted(listed) == sorted(made)
    assert len(set(listed)) == 5
    assert third["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "limit=0", "limit=101", "limit=x", "cursor=2026-01-01T00:00_x"]
)
def test_a_bad_page_is_a_400(api, query):
    assert api.get(f"{LIST}?{query}").status_code == 400


def test_another_workspaces_generation_is_a_404(api, buyer):
    stranger = make_member(credits=1000, role=Role.OWNER)
    theirs = submit(stranger)
    assert api.get(f"{LIST}/{theirs.pk}").status_code == 404
    assert api.get(LIST).json()["items"] == []


def test_a_colleagues_generation_is_a_404_for_a_buyer_and_there_for_an_owner(client, buyer):
    theirs = submit(buyer)
    for role, status in ((Role.MEDIABUYER, 404), (Role.MANAGER, 404), (Role.OWNER, 200)):
        member = make_member(role=role, workspace_id=buyer.workspace_id)
        client.force_login(user_of(member))
        assert client.get(f"{LIST}/{theirs.pk}").status_code == status


def test_a_body_of_three_megabytes_is_a_413(api, buyer):
    answer = post(api, {"prompt": "x" * 3_000_000})
    assert answer.status_code == 413
    assert answer.json() == {"error": "The body is too large"}
    assert balance_of(buyer) == (25_000, 0)


def test_a_form_of_three_megabytes_is_a_413_on_the_page_too(api):
    form = f"prompt={'x' * 3_000_000}"
    answer = api.post(
        "/creative-hub/image-studio/generate/",
        form,
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 413
    assert b"too large" in answer.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", GENERATE, 405),
        ("delete", LIST, 405),
        ("get", f"{LIST}/not-an-id", 404),
        ("get", "/api/v1/nowhere", 404),
    ],
)
def test_whatever_the_api_refuses_is_json(api, method, path, status):
    answer = getattr(api, method)(path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]


def test_a_missing_csrf_token_is_refused_in_json(buyer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user_of(buyer))
    assert list(post(strict, {"prompt": "x"}).json()) == ["error"]


@pytest.mark.parametrize(
    "cursor", ["0001-01-01T00:00:00+23:59_" + "0" * 32, "2026-01-01T00:00:00+02:00_" + "0" * 32]
)
def test_a_cursor_that_is_not_in_our_time_is_a_400(api, cursor):
    assert api.get(LIST, {"cursor": cursor}).status_code == 400
