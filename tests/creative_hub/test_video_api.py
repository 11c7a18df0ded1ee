"""The JSON API of the video studio: every answer of the contract, and refusals without effect."""

import json
import uuid
from datetime import timedelta

import pytest

from creative_hub.models import Generation, ProviderSwitch
from credits import services as credit_services
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit, submit_clip
from tests.factories import NOW, balance_of, make_member, user_of
from workspaces.roles import Role

API = "/api/v1/creative-hub"
GENERATE = f"{API}/video-studio/generate"
LIST = f"{API}/video-studio/generations"
PROMPT_RULE = "Write a prompt of 1 to 4000 characters."
WHOLE = "This must be a whole number."
FIELDS = "The fields are prompt, image_url, provider, duration and aspect_ratio."


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
    answer = post(
        api, {"prompt": "A boat", "provider": "veo_3_1", "duration": 6, "aspect_ratio": "9:16"}
    )
    assert answer.status_code == 202
    body = answer.json()
    generation = Generation.objects.get()
    assert body == {
        "generation_id": str(generation.pk),
        "status": "queued",
        "credits_estimated": 2640,
        "estimated_cost_cents": 264,
        "created_at": generation.created_at.isoformat(timespec="milliseconds").replace(
            "+00:00", "Z"
        ),
        "polling_interval_ms": 4000,
    }
    assert balance_of(buyer) == (22_360, 2640)
    assert (generation.kind, generation.provider, generation.duration_s) == ("video", "veo_3_1", 6)
    assert (generation.width, generation.height) == (720, 1280)


def test_a_prompt_alone_takes_the_defaults(api, buyer):
    assert post(api, {"prompt": "A boat"}).status_code == 202
    generation = Generation.objects.get()
    assert (generation.provider, generation.duration_s) == ("kling_2_6", 5)
    assert (generation.aspect_ratio, generation.has_frame) == ("16:9", False)
    assert balance_of(buyer) == (24_615, 385)


def test_null_is_the_same_as_left_out(api):
    options = dict.fromkeys(("image_url", "provider", "duration", "aspect_ratio"))
    assert post(api, {"prompt": "A boat", **options}).status_code == 202
    assert Generation.objects.get().provider == "kling_2_6"


@pytest.mark.parametrize("field", ["style", "resolution", "num_variants", "mode", "start_frame_id"])
def test_a_field_this_studio_has_not_is_a_400_that_lists_those_it_has(api, buyer, field):
    answer = post(api, {"prompt": "x", field: "1"})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Invalid input",
        "fields": {field: [f"There is no field {field} here. {FIELDS}"]},
    }
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"prompt": [PROMPT_RULE]}),
        ({"prompt": ""}, {"prompt": [PROMPT_RULE]}),
        ({"prompt": " \n "}, {"prompt": [PROMPT_RULE]}),
        ({"prompt": "x" * 4001}, {"prompt": ["The prompt has 4001 characters; at most 4000 fit."]}),
        ({"prompt": None}, {"prompt": ["This must be text."]}),
        ({"prompt": ["x"]}, {"prompt": ["This must be text."]}),
        ({"prompt": "x\u0000"}, {"prompt": ["Null characters are not allowed."]}),
        ({"prompt": "x\ud800"}, {"prompt": ["This text has broken characters in it."]}),
        ({"prompt": "x", "duration": "5"}, {"duration": [WHOLE]}),
        ({"prompt": "x", "duration": True}, {"duration": [WHOLE]}),
        ({"prompt": "x", "duration": 5.0}, {"duration": [WHOLE]}),
        ({"prompt": "x", "duration": 5.5}, {"duration": [WHOLE]}),
        ({"prompt": "x", "duration": []}, {"duration": [WHOLE]}),
        ({"prompt": "x", "provider": 1}, {"provider": ["This must be text."]}),
        ({"prompt": "x", "aspect_ratio": 1}, {"aspect_ratio": ["This must be text."]}),
        ({"prompt": "x", "image_url": {}}, {"image_url": ["This must be text."]}),
    ],
)
def test_invalid_input_names_the_field_and_what_is_allowed(api, buyer, body, fields):
    answer = post(api, body)
    assert answer.status_code == 400
    assert answer.json() == {"error": "Invalid input", "fields": fields}
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("field", ["provider", "aspect_ratio", "image_url"])
@pytest.mark.parametrize("text", ["\x00", "\ud800", "x" * 5000], ids=["nul", "surrogate", "long"])
def test_an_option_that_no_database_holds_is_a_400(api, buyer, field, text):
    answer = post(api, {"prompt": "x", field: text})
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert balance_of(buyer) == (25_000, 0)


def test_a_length_of_a_thousand_digits_is_a_400(api, buyer):
    answer = post(api, '{"prompt": "x", "duration": 1' + "0" * 1000 + "}")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["duration"]
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("body", ["", "{", "not json", "[]", "null", '"x"'])
def test_a_body_that_is_no_object_is_a_400_that_says_so(api, buyer, body):
    answer = post(api, body)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["body"]
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("provider", ["kling_2_6", "veo_3_1", "seedance_pro"])
def test_the_sandbox_takes_4000_characters_for_every_provider(api, provider):
    assert post(api, {"prompt": "é" * 4000, "provider": provider}).status_code == 202


def test_klings_own_limit_holds_where_kling_itself_serves(api, buyer, settings):
    settings.KLING_ACCESS_KEY, settings.KLING_SECRET_KEY = "an access key", "a secret key"
    answer = post(api, {"prompt": "é" * 2501})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Invalid input",
        "fields": {
            "prompt": [
                "The prompt has 2501 characters. Kling 2.6 takes prompts of at most 2500"
                " characters. For a longer one choose Veo 3.1 or Seedance Pro."
            ]
        },
    }
    assert balance_of(buyer) == (25_000, 0)
    assert post(api, {"prompt": "é" * 2501, "provider": "seedance_pro"}).status_code == 202
    assert post(api, {"prompt": "é" * 2500}).status_code == 202
    assert not Generation.objects.get(provider="kling_2_6").is_sandbox


def test_too_little_credit_is_a_402_with_the_figures(client, db):
    poor = make_member(credits=384)
    client.force_login(user_of(poor))
    answer = post(client, {"prompt": "x"})
    assert answer.status_code == 402
    assert answer.json() == {
        "error": "Insufficient credits",
        "required": 385,
        "available": 384,
        "held": 0,
        "cap": None,
        "used": None,
        "resets_at": None,
    }
    assert not Generation.objects.exists()


def test_both_caps_are_a_402_in_their_own_words(client, db):
    capped = make_member(credits=25_000, cap=384)
    client.force_login(user_of(capped))
    answer = post(client, {"prompt": "x"})
    assert answer.status_code == 402
    assert answer.json()["error"] == "Team member monthly credit cap exceeded"
    assert (answer.json()["required"], answer.json()["cap"]) == (385, 384)
    credit_services.set_workspace_cap(workspace_id=capped.workspace_id, cap=384)
    answer = post(client, {"prompt": "x"})
    assert answer.status_code == 402
    assert answer.json()["error"] == "Monthly credit cap exceeded"
    assert balance_of(capped) == (25_000, 0)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
def test_a_role_that_may_not_generate_is_a_403(client, buyer, role):
    client.force_login(user_of(make_member(role=role, workspace_id=buyer.workspace_id)))
    answer = post(client, {"prompt": "x", "duration": "five"})
    assert answer.status_code == 403
    assert answer.json() == {"error": f"Your role ({role}) may not generate and upload."}
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


def test_signed_out_is_a_401(client, db):
    assert post(client, {"prompt": "x"}).status_code == 401
    assert client.get(LIST).status_code == 401
    assert client.get(f"{LIST}/{uuid.uuid4()}").status_code == 401


@pytest.mark.parametrize(
    ("provider", "label"),
    [("kling_2_6", "Kling 2.6"), ("veo_3_1", "Veo 3.1"), ("seedance_pro", "Seedance Pro")],
)
def test_a_provider_that_is_not_set_up_is_a_503_that_says_so(api, buyer, settings, provider, label):
    settings.SANDBOX = False
    answer = post(api, {"prompt": "x", "provider": provider})
    assert answer.status_code == 503
    assert answer.json() == {"error": f"{label} is not set up here yet. Ask your administrator."}
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("mode", ["draining", "closed"])
def test_a_provider_that_is_switched_off_is_a_503_and_the_others_serve(api, buyer, mode):
    ProviderSwitch.objects.filter(pk="veo_3_1").update(mode=mode)
    answer = post(api, {"prompt": "x", "provider": "veo_3_1"})
    assert answer.status_code == 503
    assert answer.json() == {"error": "Veo 3.1 takes no new orders right now. Try again later."}
    assert balance_of(buyer) == (25_000, 0)
    assert post(api, {"prompt": "x", "provider": "kling_2_6"}).status_code == 202


def test_a_repeated_idempotency_key_answers_the_same_and_holds_once(api, buyer):
    first = post(api, {"prompt": "x"}, **{"Idempotency-Key": "k1"})
    # Also once nobody could order it any more.
    ProviderSwitch.objects.update(mode="closed")
    again = post(
        api, {"prompt": "x", "provider": "kling_2_6", "duration": 5}, **{"Idempotency-Key": "k1"}
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert balance_of(buyer) == (24_615, 385)


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "y"},
        {"duration": 10},
        {"aspect_ratio": "1:1"},
        {"provider": "seedance_pro"},
        {"image_url": "https://pictures.example/a.jpg"},
    ],
)
def test_a_key_used_with_another_body_is_a_422(api, buyer, changed):
    post(api, {"prompt": "x"}, **{"Idempotency-Key": "k1"})
    answer = post(api, {"prompt": "x", **changed}, **{"Idempotency-Key": "k1"})
    assert answer.status_code == 422
    assert answer.json() == {"error": "This Idempotency-Key was used with another body."}
    assert balance_of(buyer) == (24_615, 385)


def test_a_key_of_the_image_studio_orders_no_clip(api, buyer):
    submit(buyer, key="k1")
    assert post(api, {"prompt": "A boat at dawn"}, **{"Idempotency-Key": "k1"}).status_code == 422
    assert balance_of(buyer) == (24_967, 33)


def test_the_list_is_newest_first_in_cursor_pages_and_without_pictures(api, buyer):
    made = []
    for minute in range(5):
        made.append(str(submit_clip(buyer, now=NOW + timedelta(minutes=minute)).pk))
        submit(buyer, now=NOW + timedelta(minutes=minute))
    listed: list[str] = []
    sizes: list[int] = []
    cursor = ""
    while not sizes or cursor:
        page = api.get(LIST, {"limit": 2, "cursor": cursor}).json()
        listed += [one["generation_id"] for one in page["items"]]
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]
    assert sizes == [2, 2, 1]
    assert listed == made[::-1]


def test_each_studio_knows_only_its_own_generations(api, buyer):
    picture, clip = submit(buyer), submit_clip(buyer)
    images = f"{API}/image-studio/generations"
    assert api.get(f"{LIST}/{clip.pk}").status_code == 200
    assert api.get(f"{images}/{picture.pk}").status_code == 200
    for address in (f"{LIST}/{picture.pk}", f"{images}/{clip.pk}"):
        answer = api.get(address)
        assert (answer.status_code, answer.json()) == (404, {"error": "Not found"})
    assert [one["generation_id"] for one in api.get(images).json()["items"]] == [str(picture.pk)]


def test_a_waiting_clip_says_everything_about_itself(api, buyer):
    generation = submit_clip(buyer, provider="seedance_pro", duration=8, aspect_ratio="1:1")
    assert api.get(f"{LIST}/{generation.pk}").json() == {
        "generation_id": str(generation.pk),
        "status": "queued",
        "credits_estimated": 1080,
        "estimated_cost_cents": 108,
        "created_at": "2026-07-02T12:00:00Z",
        "polling_interval_ms": 4000,
        "kind": "video",
        "prompt": "A boat at dawn",
        "provider": "seedance_pro",
        "duration": 8,
        "aspect_ratio": "1:1",
        "image_url": None,
        "credits_charged": None,
        "error_message": None,
        "error_code": None,
        "started_at": None,
        "completed_at": None,
        "assets": [],
    }


def test_a_finished_clip_brings_its_asset(api, buyer, settings):
    generation = submit_clip(buyer, provider="veo_3_1", duration=4)
    finish(generation)
    body = api.get(f"{LIST}/{generation.pk}").json()
    assert (body["status"], body["credits_charged"]) == ("completed", 1760)
    assert body["completed_at"]
    [asset] = body["assets"]
    asset_id = generation.jobs.get().asset_id
    clip = api.get(f"/media/{asset_id}")
    assert asset == {
        "id": str(asset_id),
        "kind": "video",
        "url": f"http://testserver/media/{asset_id}",
        "thumbnail_url": f"http://testserver/media/{asset_id}/480",
        "width": 1280,
        "height": 720,
        "duration_s": 4.0,
        "bytes": len(clip.getvalue()),
        "variant": 1,
    }
    assert clip["Content-Type"] == "video/mp4"
    assert balance_of(buyer) == (25_000 - 1760, 0)


def test_a_colleagues_clip_is_a_404_for_a_buyer_and_there_for_an_owner(client, buyer):
    theirs = submit_clip(buyer)
    for role, status in ((Role.MEDIABUYER, 404), (Role.MANAGER, 404), (Role.OWNER, 200)):
        client.force_login(user_of(make_member(role=role, workspace_id=buyer.workspace_id)))
        assert client.get(f"{LIST}/{theirs.pk}").status_code == status
        assert len(client.get(LIST).json()["items"]) == (status == 200)
