"""A start frame from the library: who may take what, and taking it away again."""

import re
import uuid
from datetime import timedelta

import pytest

from tests.assets import pictures, videos
from tests.assets.makers import client_of, ingest_for
from tests.creative_hub.pages import announced, checked, frame_of
from tests.factories import NOW, make_member
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/video-studio"
FRAME = f"{STUDIO}/start-frame/"
PICKER = f"{STUDIO}/frames/"
HTMX = {"HX-Request": "true"}
NOT_YOURS = "There is no such picture among those you may use."


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def signed_in(buyer):
    return client_of(buyer)


def test_remove_leaves_the_component_empty(signed_in):
    answer = signed_in.get(FRAME, {"aspect_ratio": "9:16", "provider": "veo_3_1"}, headers=HTMX)
    assert answer.status_code == 200
    body = answer.content.decode()
    assert frame_of(body) == ""
    assert ">Text to video</p>" in body
    assert announced(body) == "Start frame removed."
    assert 'id="opt-ratio"' not in body


def test_a_picture_of_ones_own_is_taken_from_the_library(signed_in, buyer):
    own = ingest_for(buyer, pictures.jpeg(1500, 1500))
    given = {"start_frame": own.id, "provider": "kling_2_6", "aspect_ratio": "16:9"}
    body = signed_in.get(FRAME, given, headers=HTMX).content.decode()
    assert frame_of(body) == str(own.id)
    assert checked(body)["aspect_ratio"] == "1:1"
    kept = signed_in.get(FRAME, {**given, "keep": "1"}, headers=HTMX).content.decode()
    assert frame_of(kept) == str(own.id)
    assert checked(kept)["aspect_ratio"] == "16:9"
    assert announced(kept) == "Start frame added."


@pytest.mark.parametrize(
    ("role", "status"), [(Role.MEDIABUYER, 400), (Role.MANAGER, 400), (Role.OWNER, 200)]
)
def test_a_colleagues_picture_is_taken_by_those_who_may_see_it(buyer, role, status):
    picture = ingest_for(buyer)
    client = client_of(make_member(role=role, workspace_id=buyer.workspace_id))
    answer = client.get(FRAME, {"start_frame": str(picture.id)}, headers=HTMX)
    assert answer.status_code == status
    body = answer.content.decode()
    assert frame_of(body) == (str(picture.id) if status == 200 else "")
    if status == 400:
        assert announced(body) == NOT_YOURS
        assert str(picture.id) not in body


def test_another_workspaces_picture_and_none_at_all_look_the_same(buyer):
    owner = client_of(make_member(role=Role.OWNER, workspace_id=buyer.workspace_id))
    theirs = ingest_for(make_member())
    said = [
        owner.get(FRAME, {"start_frame": str(asset_id)}, headers=HTMX)
        for asset_id in (theirs.id, uuid.uuid4())
    ]
    assert [answer.status_code for answer in said] == [400, 400]
    assert said[0].content == said[1].content
    assert announced(said[0].content.decode()) == NOT_YOURS
    assert owner.get(FRAME, {"start_frame": "x"}, headers=HTMX).status_code == 404


def test_a_clip_is_no_start_frame(signed_in, buyer):
    clip = ingest_for(buyer, videos.clip(), accept=("video",))
    answer = signed_in.get(FRAME, {"start_frame": clip.id}, headers=HTMX)
    assert answer.status_code == 400
    assert announced(answer.content.decode()) == "A start frame is a picture; this is a clip."


def test_the_picker_shows_only_pictures_one_may_see(signed_in, buyer):
    own = ingest_for(buyer)
    hidden = [
        ingest_for(buyer, videos.clip(), accept=("video",)),
        ingest_for(make_member(workspace_id=buyer.workspace_id)),
        ingest_for(make_member(role=Role.OWNER)),
    ]
    for headers in (HTMX, {}):
        page = signed_in.get(PICKER, headers=headers).content.decode()
        assert f'href="{STUDIO}?start_frame={own.id}"' in page
        for asset in hidden:
            assert str(asset.id) not in page
    assert (
        f'hx-get="{FRAME}?start_frame={own.id}"'
        in signed_in.get(PICKER, headers=HTMX).content.decode()
    )


def test_the_picker_goes_on_page_by_page(signed_in, buyer):
    made = [
        str(ingest_for(buyer, pictures.png(30, 30 + i), now=NOW + timedelta(minutes=i)).id)
        for i in range(25)
    ]
    page = signed_in.get(PICKER).content.decode()
    assert re.findall(r"\?start_frame=([0-9a-f-]+)", page) == made[:0:-1]
    link = re.search(rf'href="({PICKER}\?before=[^"]+)"', page)
    assert link
    rest = signed_in.get(link[1].replace("&amp;", "&")).content.decode()
    assert re.findall(r"\?start_frame=([0-9a-f-]+)", rest) == made[:1]
    assert "?before=" not in rest
    assert signed_in.get(PICKER, {"before": "x"}).status_code == 404


def test_an_empty_picker_leads_to_the_image_studio(signed_in):
    page = signed_in.get(PICKER).content.decode()
    assert "No images yet" in page
    assert 'href="/creative-hub/image-studio">Go to Image Cinematic</a>' in page
