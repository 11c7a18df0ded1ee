"""Cards of clips, the viewer, and that each studio's page is sent its own cards alone."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from creative_hub import cards, selectors
from creative_hub.models import Generation
from tests.assets.makers import client_of, ingest_for
from tests.creative_hub.engine import finish, send
from tests.creative_hub.factories import submit, submit_clip
from tests.factories import NOW, make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

VIDEOS = "/creative-hub/video-studio"
IMAGES = "/creative-hub/image-studio"
POLL = "/creative-hub/poll/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def buyer(db):
    return make_member(credits=50_000)


@pytest.fixture
def signed_in(buyer):
    return client_of(buyer)


def card_of(generation, member):
    shown = selectors.get_visible(member=member, generation_id=generation.pk)
    [card] = cards.cards(generations=[shown], member=member, now=NOW)
    return card


def set_job(generation, **changes):
    """Put a clip where a provider would have brought it."""
    Generation.objects.filter(pk=generation.pk).update(status="processing", started_at=NOW)
    generation.jobs.update(**changes)


def start_frame_links(page: str) -> list[str]:
    return re.findall(r"\?start_frame=([0-9a-f-]+)", page)


def test_a_waiting_clip_says_what_was_ordered_and_what_is_held(buyer):
    clip = submit_clip(buyer, provider="seedance_pro", duration=8, aspect_ratio="9:16")
    card = card_of(clip, buyer)
    assert (card.state, card.label, card.receipt) == ("queued", "Queued", "1,080 credits held")
    assert card.chips == ("Seedance Pro", "8 s", "9:16")
    assert (card.note, card.place, card.ratio_class) == ("", None, "r-9x16")
    assert (card.may_cancel, card.frames) == (True, (None,))


def test_a_clip_from_a_picture_says_so(buyer):
    frame = ingest_for(buyer)
    for given in ({"start_frame_id": frame.id}, {"start_frame_url": "https://a.example/b.jpg"}):
        clip = submit_clip(buyer, **given)
        assert card_of(clip, buyer).chips == ("Kling 2.6", "5 s", "16:9", "Start frame")


def test_a_finished_clip_plays_from_its_poster_and_starts_no_other(signed_in, buyer):
    clip = submit_clip(buyer, provider="veo_3_1", duration=4, now=timezone.now())
    finish(clip)
    card = card_of(clip, buyer)
    assert (card.label, card.receipt) == ("Clip", "1,760 held → 1,760 charged")
    [result] = card.results
    assert (result.is_clip, result.clock, result.title) == (True, "0:04", "Clip")
    asset_id = result.asset.id
    page = signed_in.get(VIDEOS).content.decode()
    assert f'data-preview="/media/{asset_id}"' in page
    assert f'src="/media/{asset_id}/480"' in page
    assert '<span class="vh">Play clip, length </span>0:04' in page
    assert f'href="/media/{asset_id}/download"' in page
    viewer = signed_in.get(reverse("creative_hub:asset_detail", args=[asset_id])).content.decode()
    assert f'<video id="player" src="/media/{asset_id}" poster="/media/{asset_id}/960"' in viewer
    assert "Veo 3.1" in viewer
    assert "16:9 · 4 s · 720p" in viewer
    for shown in (page, viewer):
        assert start_frame_links(shown) == []
        assert "as start frame" not in shown


def test_the_viewer_shows_the_frame_a_clip_started_from(signed_in, buyer):
    frame = ingest_for(buyer)
    clip = submit_clip(buyer, provider="veo_3_1", duration=4, start_frame_id=frame.id)
    finish(clip)
    asset_id = clip.jobs.get().asset_id
    viewer = signed_in.get(reverse("creative_hub:asset_detail", args=[asset_id])).content.decode()
    assert f'src="/media/{frame.id}/480" alt="Start frame"' in viewer


def test_each_picture_of_a_set_is_offered_as_a_start_frame_once(signed_in, buyer):
    made = submit(buyer, num_variants=3, resolution="720p", now=timezone.now())
    finish(made)
    page = signed_in.get(IMAGES).content.decode()
    ids = [str(job.asset_id) for job in made.jobs.order_by("variant")]
    assert start_frame_links(page) == ids
    for variant in (1, 2, 3):
        assert f"Use {variant} as start frame</a>" in page


def test_a_single_picture_has_the_button_too(signed_in, buyer):
    made = submit(buyer, resolution="720p", now=timezone.now())
    finish(made)
    page = signed_in.get(IMAGES).content.decode()
    assert start_frame_links(page) == [str(made.jobs.get().asset_id)] * 2
    assert 'Animate<span class="vh">: use as start frame</span>' in page
    assert "Use as start frame</a>" in page


def test_a_viewer_is_offered_no_start_frame_and_no_reuse(buyer):
    made = submit(buyer, resolution="720p", now=timezone.now())
    finish(made)
    owner = make_member(role=Role.OWNER, workspace_id=buyer.workspace_id)
    assert start_frame_links(client_of(owner).get(IMAGES).content.decode())
    viewer = make_member(role=Role.VIEWER, workspace_id=buyer.workspace_id)
    page = client_of(viewer).get(IMAGES).content.decode()
    assert start_frame_links(page) == []


@pytest.mark.parametrize(
    ("job", "note"),
    [
        (
            {"state": "unknown"},
            "Checking with the provider. This can take a while; it is charged only if it comes.",
        ),
        (
            {"state": "waiting", "waits": 2},
            "The provider is busy. We keep trying by ourselves.",
        ),
        ({"state": "running"}, ""),
    ],
)
def test_a_clip_under_way_says_what_it_waits_for(buyer, job, note):
    clip = submit_clip(buyer)
    set_job(clip, **job)
    card = card_of(clip, buyer)
    assert (card.label, card.note, card.place) == ("Generating", note, None)
    assert card.receipt == "385 credits held"


def test_a_clip_in_the_providers_own_line_may_be_asked_back_once(signed_in, buyer):
    clip = submit_clip(buyer)
    set_job(clip, state="running", is_queued_upstream=True)
    address = reverse("creative_hub:cancel", args=[clip.pk])
    assert address in signed_in.get(VIDEOS).content.decode()
    body = signed_in.post(address, {"page": "video"}, headers=HTMX).content.decode()
    assert '<div id="announce" hx-swap-oob="innerHTML">Asked the provider to stop it.</div>' in body
    assert '<p class="more">Asking the provider to stop it.</p>' in body
    assert address not in body
    assert "385 credits held" in body
    clip.refresh_from_db()
    assert clip.status == "processing"
    assert clip.cancel_asked_at


def test_a_running_clip_cannot_be_cancelled(signed_in, buyer):
    clip = submit_clip(buyer)
    set_job(clip, state="running")
    address = reverse("creative_hub:cancel", args=[clip.pk])
    assert address not in signed_in.get(VIDEOS).content.decode()
    assert signed_in.post(address, headers=HTMX).status_code == 409


def test_a_cancelled_clip_was_not_charged(signed_in, buyer):
    clip = submit_clip(buyer)
    answer = signed_in.post(reverse("creative_hub:cancel", args=[clip.pk]), headers=HTMX)
    assert answer.status_code == 200
    card = card_of(clip, buyer)
    assert (card.state, card.label) == ("cancelled", "Cancelled")
    assert card.receipt == "385 held → released, not charged"


def test_the_usual_time_is_the_providers_own_until_clips_have_told(buyer):
    clip = submit_clip(buyer)
    assert card_of(clip, buyer).expected == "2 min"
    assert card_of(submit_clip(buyer, provider="veo_3_1", duration=4), buyer).expected == (
        "1 min 30 s"
    )


def test_a_page_shows_the_cards_of_its_own_studio_alone(signed_in, buyer):
    picture, clip = submit(buyer), submit_clip(buyer)
    images, videos = (signed_in.get(one).content.decode() for one in (IMAGES, VIDEOS))
    assert f"gen-{picture.pk}" in images
    assert f"gen-{clip.pk}" not in images
    assert f"gen-{clip.pk}" in videos
    assert f"gen-{picture.pk}" not in videos
    assert f'hx-get="{POLL}?page=video"' in videos
    assert f'hx-get="{POLL}?page=image"' in images


@pytest.mark.parametrize("v", ["0", "", "99999"], ids=["known", "none", "from the future"])
def test_a_poll_brings_cards_of_the_page_that_asks_alone(signed_in, buyer, v):
    picture, clip = submit(buyer), submit_clip(buyer)
    body = signed_in.get(POLL, {"v": v, "page": "video"}, headers=HTMX).content.decode()
    assert f'id="gen-{clip.pk}"' in body
    assert str(picture.pk) not in body
    assert ">1 in progress</p>" in body
    body = signed_in.get(POLL, {"v": v, "page": "image"}, headers=HTMX).content.decode()
    assert f'id="gen-{picture.pk}"' in body
    assert str(clip.pk) not in body


def test_news_of_the_other_studio_brings_no_card_and_announces_nothing(signed_in, buyer):
    submit_clip(buyer)
    seen = selectors.revision(workspace_id=buyer.workspace_id)
    submit(buyer)
    body = signed_in.get(POLL, {"v": seen, "page": "video"}, headers=HTMX).content.decode()
    assert 'class="card' not in body
    assert 'id="announce"' not in body
    assert f'hx-get="{POLL}?page=video"' in body
    assert re.search(rf'id="rev"[^>]*value="{seen + 1}"', body)
    # The balance is one for both studios.
    assert "49,582" in body


def test_a_poll_of_the_video_page_prices_what_its_composer_is_set_to(signed_in, buyer):
    submit_clip(buyer)
    given = {"v": 0, "page": "video", "provider": "veo_3_1", "duration": "6"}
    body = signed_in.get(POLL, given, headers=HTMX).content.decode()
    assert "6 s × 440 credits" in body
    assert f"{50_000 - 385 - 2_640:,} left after" in body


def test_a_poll_says_which_clip_finished(signed_in, buyer):
    clip = submit_clip(buyer, provider="veo_3_1", duration=4, now=timezone.now())
    finish(clip)
    Generation.objects.filter(pk=clip.pk).update(completed_at=timezone.now())
    body = signed_in.get(POLL, {"v": 0, "page": "video"}, headers=HTMX).content.decode()
    assert "Clip finished: A boat at dawn</div>" in body
    assert "<title>✓ Ready · Wevion</title>" in body


def test_a_refused_clip_says_why_and_offers_to_try_again(signed_in, buyer):
    clip = submit_clip(buyer, prompt="A boat [sandbox:fail=content_refused]")
    send(clip)
    card = card_of(clip, buyer)
    assert (card.state, card.label) == ("failed", "Failed")
    assert card.receipt == "385 held → released, not charged"
    page = signed_in.get(VIDEOS).content.decode()
    assert "The provider refused this prompt or picture under its content rules." in page
    assert f'href="{VIDEOS}?reuse={clip.pk}#prompt">Edit and retry</a>' in page
