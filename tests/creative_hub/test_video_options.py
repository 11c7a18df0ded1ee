"""What each provider makes: form, API and page say the same of every pair of options."""

import json
import re
import uuid

import pytest

from creative_hub import catalogue
from creative_hub.forms import VideoForm
from creative_hub.models import Generation
from tests.factories import balance_of, make_member, user_of

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/video-studio"
GENERATE = "/api/v1/creative-hub/video-studio/generate"

# As the contract has it, not as the catalogue says it.
MADE = {
    "kling_2_6": ({5, 10}, {"16:9", "9:16", "1:1"}),
    "veo_3_1": ({4, 6, 8}, {"16:9", "9:16"}),
    "seedance_pro": ({4, 5, 6, 8, 10}, {"16:9", "9:16", "1:1"}),
}
LENGTH_RULES = {
    "kling_2_6": (
        "Kling 2.6 makes 5 or 10 second clips."
        " For 4, 6 or 8 seconds choose Veo 3.1 or Seedance Pro."
    ),
    "veo_3_1": (
        "Veo 3.1 makes 4, 6 or 8 second clips."
        " For 5 or 10 seconds choose Kling 2.6 or Seedance Pro."
    ),
    "seedance_pro": "Seedance Pro makes 4, 5, 6, 8 or 10 second clips.",
}
RATIO_RULES = {
    "kling_2_6": "Kling 2.6 makes 16:9, 9:16 or 1:1 clips.",
    "veo_3_1": "Veo 3.1 makes 16:9 or 9:16 clips. For 1:1 choose Kling 2.6 or Seedance Pro.",
    "seedance_pro": "Seedance Pro makes 16:9, 9:16 or 1:1 clips.",
}
PRICES = {
    ("kling_2_6", 5): (385, 39),
    ("kling_2_6", 10): (770, 77),
    ("veo_3_1", 4): (1_760, 176),
    ("veo_3_1", 6): (2_640, 264),
    ("veo_3_1", 8): (3_520, 352),
    ("seedance_pro", 4): (540, 54),
    ("seedance_pro", 5): (675, 68),
    ("seedance_pro", 6): (810, 81),
    ("seedance_pro", 8): (1_080, 108),
    ("seedance_pro", 10): (1_350, 135),
}
RATIOS = ("16:9", "9:16", "1:1", "4:5")


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def signed_in(client, buyer):
    client.force_login(user_of(buyer))
    return client


def order(client, **body):
    return client.post(
        GENERATE, json.dumps({"prompt": "A boat", **body}), content_type="application/json"
    )


def options_on(page: str, name: str) -> set[str]:
    """The values of a group of radios that are not marked as off."""
    inputs = re.findall(rf'<input type="radio" name="{name}"[^>]*>', page)
    assert inputs
    on = [one for one in inputs if "data-off" not in one]
    return {found[1] for one in on if (found := re.search(r'value="([^"]+)"', one))}


@pytest.mark.parametrize("duration", [4, 5, 6, 8, 10, 0, -5, 3, 7, 9, 12, 60])
@pytest.mark.parametrize("provider", MADE)
def test_form_api_and_page_agree_on_every_length_and_ratio(signed_in, buyer, provider, duration):
    typed = {"prompt": "x", "provider": provider, "duration": duration, "update_price": "1"}
    page = signed_in.post(f"{STUDIO}/generate/", typed).content.decode()
    lengths, ratios = MADE[provider]
    for ratio in RATIOS:
        fields = {}
        if duration not in lengths:
            fields["duration"] = [LENGTH_RULES[provider]]
        if ratio not in ratios:
            fields["aspect_ratio"] = [RATIO_RULES[provider]]
        given = {"provider": provider, "duration": duration, "aspect_ratio": ratio}
        before = Generation.objects.count(), balance_of(buyer)

        is_offered = str(duration) in options_on(page, "duration") and ratio in options_on(
            page, "aspect_ratio"
        )
        form = VideoForm({"prompt": "x", **given}, member=buyer)
        answer = order(signed_in, **given)

        assert is_offered is (not fields)
        assert form.sentences() == fields
        if fields:
            assert answer.status_code == 400
            assert answer.json() == {"error": "Invalid input", "fields": fields}
            assert (Generation.objects.count(), balance_of(buyer)) == before
        else:
            assert answer.status_code == 202
            assert Generation.objects.count() == before[0] + 1


def test_the_contracts_own_example_is_answered_to_the_letter(signed_in):
    answer = order(signed_in, provider="veo_3_1", duration=5)
    assert answer.status_code == 400
    assert json.loads(answer.content) == {
        "error": "Invalid input",
        "fields": {
            "duration": [
                "Veo 3.1 makes 4, 6 or 8 second clips. For 5 or 10 seconds choose Kling 2.6 or"
                " Seedance Pro."
            ]
        },
    }


def test_an_unknown_provider_is_refused_alone(signed_in, buyer):
    answer = order(signed_in, provider="sora_2", duration=7, aspect_ratio="4:5")
    assert answer.status_code == 400
    assert answer.json()["fields"] == {
        "provider": [
            "sora_2 is not available here. Choose kling_2_6, veo_3_1 or seedance_pro.",
        ]
    }
    assert balance_of(buyer) == (25_000, 0)


def test_no_field_is_left_out_when_everything_is_wrong(signed_in, buyer):
    answer = order(signed_in, prompt="", provider="veo_3_1", duration=10, aspect_ratio="1:1")
    assert answer.json()["fields"] == {
        "prompt": ["Write a prompt of 1 to 4000 characters."],
        "duration": [LENGTH_RULES["veo_3_1"]],
        "aspect_ratio": [RATIO_RULES["veo_3_1"]],
    }
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize(("provider", "duration"), PRICES)
def test_api_button_and_ledger_agree_on_the_price(signed_in, buyer, provider, duration):
    credits, cents = PRICES[provider, duration]
    given = {"provider": provider, "duration": duration}
    quote = signed_in.get(f"{STUDIO}/quote/", given).content.decode()
    assert f'name="shown_credits" value="{credits}"' in quote
    assert f'id="cost-figure">{credits:,} credits<' in quote
    body = order(signed_in, **given).json()
    assert (body["credits_estimated"], body["estimated_cost_cents"]) == (credits, cents)
    assert balance_of(buyer) == (25_000 - credits, credits)


@pytest.mark.parametrize(
    ("provider", "duration", "size"),
    [("kling_2_6", 5, (1920, 1080)), ("veo_3_1", 8, (1280, 720)), ("seedance_pro", 5, None)],
)
def test_an_omitted_length_is_the_providers_own(signed_in, provider, duration, size):
    assert order(signed_in, provider=provider).status_code == 202
    made = Generation.objects.get()
    assert (made.duration_s, made.aspect_ratio) == (duration, "16:9")
    assert (made.width, made.height) == (size or (1920, 1080))


def test_what_is_off_is_explained_beside_it(signed_in):
    given = {"prompt": "x", "provider": "veo_3_1", "duration": "8", "update_price": "1"}
    page = signed_in.post(f"{STUDIO}/generate/", given).content.decode()
    assert f'id="duration-rule">{LENGTH_RULES["veo_3_1"]}</p>' in page
    assert f'id="ratio-rule">{RATIO_RULES["veo_3_1"]}</p>' in page
    off = re.findall(r'<input type="radio"[^>]*data-off[^>]*>', page)
    assert len(off) == 3
    assert all(re.search(r'aria-describedby="(duration|ratio)-rule"', one) for one in off)


def test_a_provider_that_makes_everything_has_nothing_to_explain(signed_in):
    given = {"prompt": "x", "provider": "seedance_pro", "update_price": "1"}
    page = signed_in.post(f"{STUDIO}/generate/", given).content.decode()
    assert "data-off" not in page
    assert 'id="duration-rule" hidden' in page
    assert 'id="ratio-rule" hidden' in page


def test_a_refused_pair_on_the_page_keeps_what_was_chosen(signed_in, buyer):
    given = {
        "prompt": "A red kite",
        "provider": "veo_3_1",
        "duration": "5",
        "aspect_ratio": "1:1",
        "submission_key": str(uuid.uuid4()),
    }
    answer = signed_in.post(f"{STUDIO}/generate/", given, headers={"HX-Request": "true"})
    assert answer.status_code == 400
    body = answer.content.decode()
    assert "There is a problem" in body
    assert f'<p class="err" id="duration-error">{LENGTH_RULES["veo_3_1"]}</p>' in body
    assert f'<p class="err" id="aspect_ratio-error">{RATIO_RULES["veo_3_1"]}</p>' in body
    assert f'<a href="#duration">{LENGTH_RULES["veo_3_1"]}</a>' in body
    assert "A red kite</textarea>" in body
    for value in ("veo_3_1", "5", "1:1"):
        assert re.search(rf'value="{value}"[^>]*\schecked', body), value
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize(
    ("provider", "wanted", "nearest"),
    [
        (catalogue.KLING, 4, 5),
        (catalogue.KLING, 6, 5),
        (catalogue.KLING, 8, 10),
        (catalogue.VEO, 5, 4),
        (catalogue.VEO, 10, 8),
        (catalogue.SEEDANCE, 7, 6),
        (catalogue.SEEDANCE, 9, 8),
    ],
)
def test_of_two_lengths_as_near_the_cheaper_one_is_taken(provider, wanted, nearest):
    assert provider.nearest_duration_s(wanted) == nearest


@pytest.mark.parametrize(
    ("provider", "sides", "nearest"),
    [
        (catalogue.KLING, (1200, 1500), "1:1"),
        (catalogue.VEO, (1200, 1500), "9:16"),
        (catalogue.VEO, (1500, 1500), "16:9"),
        (catalogue.KLING, (1920, 1080), "16:9"),
        (catalogue.SEEDANCE, (1080, 1920), "9:16"),
        (catalogue.SEEDANCE, (3900, 3000), "1:1"),
        (catalogue.SEEDANCE, (4100, 3000), "16:9"),
    ],
)
def test_the_nearest_ratio_is_the_one_that_crops_least(provider, sides, nearest):
    assert provider.nearest_ratio(*sides) == nearest
