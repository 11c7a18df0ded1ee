"""A start frame in an order, and the component without JavaScript."""

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from assets.models import Asset
from creative_hub.models import Generation
from tests.assets import pictures, videos
from tests.assets.makers import client_of, ingest_for
from tests.creative_hub.pages import frame_of
from tests.factories import balance_of, make_member

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/video-studio"
GENERATE = f"{STUDIO}/generate/"
HTMX = {"HX-Request": "true"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"><script/></svg>'
NOT_YOURS = "There is no such picture among those you may use."


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def signed_in(buyer):
    return client_of(buyer)


def composer(**changes):
    return {
        "prompt": "A red kite",
        "provider": "seedance_pro",
        "duration": "8",
        "aspect_ratio": "9:16",
        "start_frame_id": "",
        "submission_key": str(uuid.uuid4()),
        **changes,
    }


def assert_kept(page: str) -> None:
    assert "A red kite</textarea>" in page
    for value in ("seedance_pro", "8", "9:16"):
        assert re.search(rf'value="{value}"[^>]*\schecked', page), value


def test_a_picture_in_the_order_is_its_start_frame(signed_in, buyer):
    form = composer(image=SimpleUploadedFile("shoe.jpg", pictures.jpeg(900, 1600)))
    answer = signed_in.post(GENERATE, form)
    assert answer.status_code == 303
    assert Generation.objects.get().start_frame_id == Asset.objects.get().pk
    assert balance_of(buyer) == (25_000 - 1_080, 1_080)


@pytest.mark.parametrize("press", [{}, {"update_price": "1"}], ids=["generate", "update price"])
def test_a_refused_picture_in_the_order_keeps_everything_else(signed_in, buyer, press):
    before = ingest_for(buyer, pictures.jpeg(900, 1600))
    form = composer(start_frame_id=str(before.id), image=SimpleUploadedFile("shoe.png", SVG))
    answer = signed_in.post(GENERATE, form | press)
    assert answer.status_code == (200 if press else 400)
    page = answer.content.decode()
    assert_kept(page)
    assert frame_of(page) == str(before.id)
    assert re.search(r'id="start_frame_id-error" role="alert">\s*[A-Z][^<]+\.', page)
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


def test_update_price_takes_the_picture_and_keeps_what_was_typed(signed_in, buyer):
    form = composer(
        update_price="1", image=SimpleUploadedFile("shoe.jpg", pictures.jpeg(900, 1600))
    )
    page = signed_in.post(GENERATE, form).content.decode()
    assert_kept(page)
    assert frame_of(page) == str(Asset.objects.get().pk)
    assert ">Image to video</p>" in page
    assert "1,080 credits" in page
    assert balance_of(buyer) == (25_000, 0)


def test_remove_takes_the_frame_alone_away(signed_in, buyer):
    before = ingest_for(buyer, pictures.jpeg(900, 1600))
    form = composer(start_frame_id=str(before.id), remove_frame="1")
    page = signed_in.post(GENERATE, form).content.decode()
    assert_kept(page)
    assert frame_of(page) == ""
    assert ">Text to video</p>" in page
    assert not Generation.objects.exists()


@pytest.mark.parametrize("frame", ["x", "not-mine", "clip"])
def test_a_frame_that_cannot_be_used_orders_nothing(signed_in, buyer, frame):
    asset_id = {
        "x": lambda: "x",
        "not-mine": lambda: ingest_for(make_member()).id,
        "clip": lambda: ingest_for(buyer, videos.clip(), accept=("video",)).id,
    }[frame]()
    answer = signed_in.post(GENERATE, composer(start_frame_id=str(asset_id)), headers=HTMX)
    assert answer.status_code == 400
    sentence = {
        "x": "This is not a start frame that we gave.",
        "not-mine": NOT_YOURS,
        "clip": "A start frame is a picture; this is a clip.",
    }[frame]
    body = answer.content.decode()
    assert body.count(sentence) == 2
    assert '<a href="#start_frame_id">' in body
    assert_kept(body)
    assert balance_of(buyer) == (25_000, 0)


def test_the_image_studio_keeps_no_picture_that_is_sent_along(signed_in):
    picture = SimpleUploadedFile("shoe.jpg", pictures.jpeg())
    form = {"prompt": "x", "submission_key": "k1", "image": picture}
    assert signed_in.post("/creative-hub/image-studio/generate/", form).status_code == 303
    assert not Asset.objects.exists()


def test_an_order_whose_picture_the_store_does_not_take_is_not_placed(
    signed_in, buyer, settings, tmp_path
):
    (tmp_path / "in the way").touch()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "in the way")},
        },
    }
    form = composer(image=SimpleUploadedFile("a.jpg", pictures.jpeg(900, 1600)))
    answer = signed_in.post(GENERATE, form)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "We could not save the picture just now. That is our fault" in page
    assert_kept(page)
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


def test_an_order_whose_end_was_lost_on_the_way_is_not_placed_at_another_price(signed_in, buyer):
    cut = {"prompt": "A boat", "account": str(buyer.user_id), "submission_key": "one press"}
    answer = signed_in.post(GENERATE, cut, headers=HTMX)
    assert answer.status_code == 400
    assert "The order did not arrive whole" in answer.content.decode()
    assert not Generation.objects.exists()


@pytest.mark.parametrize("path", [GENERATE, "/creative-hub/video-studio/start-frame/"])
@pytest.mark.parametrize("field", ["account", "workspace"])
def test_a_page_opened_elsewhere_keeps_no_picture_here(signed_in, buyer, path, field):
    form = {
        "prompt": "A boat",
        field: "another",
        "image": SimpleUploadedFile("a.jpg", pictures.jpeg(400, 400)),
    }
    answer = signed_in.post(path, form, headers=HTMX)
    assert answer.status_code in {400, 409}
    assert not Asset.objects.exists()
    assert not Generation.objects.exists()
