"""The video studio's page: the quote, what it starts with, and ordering with and without script."""

import re
import uuid

import pytest

from creative_hub.models import Generation, ProviderSwitch
from tests.assets import pictures
from tests.assets.makers import client_of, ingest_for
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit, submit_clip
from tests.creative_hub.pages import announced, checked, frame_of, prompt_of
from tests.factories import balance_of, make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/video-studio"
IMAGES = "/creative-hub/image-studio"
GENERATE = f"{STUDIO}/generate/"
QUOTE = f"{STUDIO}/quote/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def signed_in(buyer):
    return client_of(buyer)


def composer(**changes):
    return {
        "prompt": "A boat at dawn",
        "provider": "kling_2_6",
        "duration": "5",
        "aspect_ratio": "16:9",
        "start_frame_id": "",
        "options_for": "kling_2_6",
        "submission_key": str(uuid.uuid4()),
        "v": "0",
        **changes,
    }


def quote(client, **changes):
    given = composer(**changes)
    asked = ("provider", "duration", "aspect_ratio", "start_frame_id", "options_for")
    answer = client.get(QUOTE, {name: given[name] for name in asked}, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


# --- The quote ------------------------------------------------------------------------------------


def test_another_provider_moves_what_it_does_not_make_to_the_nearest_and_says_so_twice(signed_in):
    body = quote(signed_in, provider="veo_3_1", aspect_ratio="1:1")
    length = "Duration set to 4 s: Veo 3.1 has no 5 s."
    ratio = "Aspect ratio set to 16:9: Veo 3.1 has no 1:1."
    lengths, ratios = (body.index(f'id="{one}"') for one in ("opt-duration", "opt-ratio"))
    assert lengths < body.index(f'<p class="said">{length}</p>') < ratios
    assert ratios < body.index(f'<p class="said">{ratio}</p>')
    assert announced(body) == f"{length} {ratio}"
    assert checked(body) == {"duration": "4", "aspect_ratio": "16:9"}
    assert 'name="options_for" value="veo_3_1"' in body
    assert "1,760 credits" in body
    assert "4 s × 440 credits" in body
    assert "23,240 left after" in body


def test_another_provider_keeps_what_it_makes_and_has_nothing_to_say(signed_in):
    body = quote(signed_in, provider="seedance_pro", duration="10", aspect_ratio="9:16")
    assert checked(body) == {"duration": "10", "aspect_ratio": "9:16"}
    assert 'class="said"' not in body
    assert announced(body) == ""
    assert "10 s × 135 credits" in body


@pytest.mark.parametrize(
    ("was", "becomes"), [("4", "5"), ("6", "5"), ("8", "10"), ("5", "5"), ("10", "10")]
)
def test_back_to_kling_the_nearest_length_is_taken(signed_in, was, becomes):
    body = quote(signed_in, options_for="seedance_pro", duration=was)
    assert checked(body)["duration"] == becomes
    said = f"Duration set to {becomes} s: Kling 2.6 has no {was} s."
    assert announced(body) == ("" if was == becomes else said)


def test_another_length_changes_the_price_and_touches_no_options(signed_in):
    body = quote(signed_in, duration="10")
    assert 'id="cost" data-for="kling_2_6 10"' in body
    assert "770 credits" in body
    assert "10 s × 77 credits" in body
    for part in ("opt-duration", "opt-ratio", "prompt-hint-text", "announce"):
        assert f'id="{part}"' not in body


def test_a_frame_of_another_ratio_is_told_of_before_it_is_paid_for(signed_in, buyer):
    frame = ingest_for(buyer, pictures.jpeg(800, 1000))
    body = quote(signed_in, start_frame_id=str(frame.id), aspect_ratio="9:16")
    assert "<b>Your frame is 4:5, the clip is 9:16.</b>" in body
    assert f"/media/{frame.id}/480" in body
    tall = ingest_for(buyer, pictures.jpeg(900, 1600))
    body = quote(signed_in, start_frame_id=str(tall.id), aspect_ratio="9:16")
    assert "Your frame is" not in body
    assert 'id="frame-note"' in body


def test_a_strangers_frame_is_told_nothing_of(signed_in):
    theirs = ingest_for(make_member())
    body = quote(signed_in, start_frame_id=str(theirs.id), aspect_ratio="9:16")
    assert "Your frame is" not in body
    assert str(theirs.id) not in body


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": "sora_2"},
        {"provider": ""},
        {"duration": "9" * 5000, "provider": "veo_3_1"},
        {"duration": "²", "provider": "veo_3_1"},
        {"aspect_ratio": "4:5", "provider": "veo_3_1"},
        {"aspect_ratio": "0:0", "provider": "veo_3_1"},
        {"start_frame_id": "x"},
        {"options_for": "x"},
    ],
)
def test_a_made_up_option_still_gets_a_price(signed_in, changes):
    assert 'id="cost"' in quote(signed_in, **changes)
    assert not Generation.objects.exists()


def test_the_quote_says_when_the_chosen_provider_takes_no_orders(signed_in):
    ProviderSwitch.objects.filter(pk="veo_3_1").update(mode="draining")
    said = "Veo 3.1 takes no new orders right now. Try again later."
    assert f'id="unavailable" hx-swap-oob="outerHTML">{said}</p>' in quote(
        signed_in, provider="veo_3_1"
    )
    assert 'id="unavailable" hx-swap-oob="outerHTML" hidden></p>' in quote(signed_in)


# --- What the composer starts with ----------------------------------------------------------------


def test_the_page_starts_with_the_defaults(signed_in):
    page = signed_in.get(STUDIO).content.decode()
    assert checked(page) == {"provider": "kling_2_6", "duration": "5", "aspect_ratio": "16:9"}
    assert 'id="mode">Text to video</p>' in page
    assert "385 credits" in page
    assert "Generate video" in page
    assert "Charged only if it completes" in page
    assert "Sandbox: placeholder renderer" in page


def test_a_picture_becomes_a_start_frame_with_its_own_prompt_and_the_nearest_ratio(
    signed_in, buyer
):
    made = submit(buyer, prompt="A red kite", aspect_ratio="9:16", resolution="720p")
    finish(made)
    asset_id = made.jobs.get().asset_id
    page = signed_in.get(STUDIO, {"start_frame": asset_id}).content.decode()
    assert prompt_of(page) == "A red kite"
    assert frame_of(page) == str(asset_id)
    assert checked(page)["aspect_ratio"] == "9:16"
    assert 'id="mode">Image to video</p>' in page
    assert "Your frame is" not in page


def test_an_uploaded_picture_has_no_prompt_to_bring(signed_in, buyer):
    frame = ingest_for(buyer, pictures.jpeg(1000, 1000))
    page = signed_in.get(STUDIO, {"start_frame": frame.id}).content.decode()
    assert prompt_of(page) == ""
    assert checked(page)["aspect_ratio"] == "1:1"


@pytest.mark.parametrize("whose", ["colleague", "stranger", "nobody", "nonsense"])
def test_a_start_frame_that_is_not_theirs_leaves_the_page_as_it_is(signed_in, buyer, whose):
    asset = {
        "colleague": lambda: ingest_for(make_member(workspace_id=buyer.workspace_id)).id,
        "stranger": lambda: ingest_for(make_member(role=Role.OWNER)).id,
        "nobody": uuid.uuid4,
        "nonsense": lambda: "x",
    }[whose]()
    page = signed_in.get(STUDIO, {"start_frame": asset}).content.decode()
    assert frame_of(page) == ""
    assert 'id="mode">Text to video</p>' in page
    assert f"/media/{asset}" not in page


def test_reuse_restores_the_prompt_every_option_and_the_frame(signed_in, buyer):
    frame = ingest_for(buyer, pictures.jpeg(800, 1000))
    clip = submit_clip(
        buyer,
        prompt="A red kite",
        provider="seedance_pro",
        duration=8,
        aspect_ratio="9:16",
        start_frame_id=frame.id,
    )
    page = signed_in.get(STUDIO, {"reuse": clip.pk}).content.decode()
    assert prompt_of(page) == "A red kite"
    assert checked(page) == {"provider": "seedance_pro", "duration": "8", "aspect_ratio": "9:16"}
    assert frame_of(page) == str(frame.id)
    assert "1,080 credits" in page
    only = signed_in.get(STUDIO, {"reuse": clip.pk, "prompt_only": "1"}).content.decode()
    assert prompt_of(only) == "A red kite"
    assert checked(only) == {"provider": "kling_2_6", "duration": "5", "aspect_ratio": "16:9"}
    assert frame_of(only) == ""


def test_reuse_in_the_other_studio_takes_the_prompt_alone(signed_in, buyer):
    picture = submit(buyer, prompt="A red kite", aspect_ratio="9:16")
    clip = submit_clip(buyer, prompt="A blue boat", aspect_ratio="9:16")
    page = signed_in.get(STUDIO, {"reuse": picture.pk}).content.decode()
    assert prompt_of(page) == "A red kite"
    assert checked(page) == {"provider": "kling_2_6", "duration": "5", "aspect_ratio": "16:9"}
    page = signed_in.get(IMAGES, {"reuse": clip.pk}).content.decode()
    assert prompt_of(page) == "A blue boat"
    assert checked(page)["aspect_ratio"] == "1:1"


def test_a_starter_fills_prompt_and_ratio(signed_in):
    page = signed_in.get(STUDIO, {"prompt_id": "ugc"}).content.decode()
    assert prompt_of(page).startswith("Handheld phone footage")
    assert checked(page)["aspect_ratio"] == "9:16"


# --- Ordering -------------------------------------------------------------------------------------


def test_generate_answers_with_the_card_and_says_what_is_held(signed_in, buyer):
    answer = signed_in.post(GENERATE, composer(v="7"), headers=HTMX)
    assert answer.status_code == 202
    body = answer.content.decode()
    assert f'id="gen-{Generation.objects.get().pk}"' in body
    assert announced(body) == "Queued: 1 clip, 385 credits held"
    assert re.search(r'id="rev"[^>]*value="7"', body)
    assert balance_of(buyer) == (24_615, 385)


def test_a_double_submit_of_one_form_is_one_clip(signed_in, buyer):
    form = composer()
    for _ in range(2):
        assert signed_in.post(GENERATE, form, headers=HTMX).status_code == 202
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (24_615, 385)


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_too_little_credit_is_a_402_that_names_what_still_fits(htmx):
    poor = make_member(credits=400)
    form = composer(provider="veo_3_1", duration="8")
    client = client_of(poor)
    answer = client.post(GENERATE, form, headers=htmx)
    assert answer.status_code == 402
    body = answer.content.decode()
    assert "Insufficient credits" in body
    assert "This needs 3,520 credits, your team has 400." in body
    assert "What still fits: Kling 2.6, 5 s, for 385 credits." in body
    ProviderSwitch.objects.filter(pk="kling_2_6").update(mode="closed")
    body = client.post(GENERATE, form, headers=htmx).content.decode()
    assert "Insufficient credits" in body
    assert "What still fits" not in body
    assert balance_of(poor) == (400, 0)


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_another_price_than_the_one_shown_orders_nothing_and_says_the_price(signed_in, buyer, htmx):
    answer = signed_in.post(GENERATE, composer(shown_credits="384"), headers=htmx)
    assert answer.status_code == 409
    body = answer.content.decode()
    assert "The price is 385 credits</h2>" in body
    assert 'name="shown_credits" value="385"' in body
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_a_provider_that_takes_no_orders_is_a_503_that_keeps_the_prompt(signed_in, buyer, htmx):
    ProviderSwitch.objects.filter(pk="kling_2_6").update(mode="draining")
    answer = signed_in.post(GENERATE, composer(), headers=htmx)
    assert answer.status_code == 503
    body = answer.content.decode()
    assert "Video Cinematic cannot take this order now" in body
    assert "Kling 2.6 takes no new orders right now. Try again later. Nothing was ordered" in body
    if not htmx:
        assert prompt_of(body) == "A boat at dawn"
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_a_400_keeps_the_composer_and_leads_to_what_is_wrong(signed_in, buyer, htmx):
    answer = signed_in.post(GENERATE, composer(prompt=" ", duration="10"), headers=htmx)
    assert answer.status_code == 400
    assert answer.headers.get("HX-Retarget") == ("#composer" if htmx else None)
    body = answer.content.decode()
    assert "<title>Error: Video Cinematic" in body
    assert '<a href="#prompt">Write a prompt of 1 to 4000 characters.</a>' in body
    assert checked(body)["duration"] == "10"
    assert balance_of(buyer) == (25_000, 0)


def test_a_provider_that_is_not_set_up_says_so_and_the_others_serve(signed_in, buyer, settings):
    settings.SANDBOX = False
    settings.KLING_ACCESS_KEY, settings.KLING_SECRET_KEY = "an access key", "a secret key"
    page = signed_in.get(STUDIO).content.decode()
    for value, label in (("veo_3_1", "Veo 3.1"), ("seedance_pro", "Seedance Pro")):
        about = re.search(rf'id="about-{value}">(.*?)</span>', page, re.S)
        assert about
        assert about[1].startswith(f"{label} is not set up here yet. Ask your administrator.")
    assert page.count("is not set up here yet") == 2
    assert "Sandbox: placeholder renderer" not in page
    answer = signed_in.post(GENERATE, composer(provider="veo_3_1", duration="4"), headers=HTMX)
    assert answer.status_code == 503
    assert balance_of(buyer) == (25_000, 0)
    assert signed_in.post(GENERATE, composer(), headers=HTMX).status_code == 202
    assert not Generation.objects.get().is_sandbox


def test_a_viewer_sees_why_the_composer_is_off(buyer):
    viewer = make_member(role=Role.VIEWER, workspace_id=buyer.workspace_id)
    page = client_of(viewer).get(STUDIO).content.decode()
    assert "your role is viewer: you can look but not generate" in page
    assert 'id="start-frame"' not in page


def test_without_script_a_submit_leads_to_its_card_and_keeps_the_composer(signed_in):
    answer = signed_in.post(GENERATE, composer(provider="seedance_pro", duration="6"))
    generation = Generation.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == f"{STUDIO}?job={generation.pk}#gen-{generation.pk}"
    page = signed_in.get(STUDIO, {"job": generation.pk}).content.decode()
    assert prompt_of(page) == "A boat at dawn"
    assert checked(page) == {"provider": "seedance_pro", "duration": "6", "aspect_ratio": "16:9"}
