"""The studio's pages and fragments, as the server answers them."""

import io
import re
import uuid
import zipfile

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creative_hub.models import Generation
from credits import services as credit_services
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit
from tests.factories import balance_of, make_member, make_workspace, user_of
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

STUDIO = "/creative-hub/image-studio"
GENERATE = f"{STUDIO}/generate/"
POLL = "/creative-hub/poll/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def buyer(db):
    return make_member(credits=25_000)


@pytest.fixture
def signed_in(client, buyer):
    client.force_login(user_of(buyer))
    return client


def composer(**changes):
    return {
        "prompt": "A boat at dawn",
        "style": "",
        "aspect_ratio": "4:5",
        "resolution": "1080p",
        "num_variants": "4",
        "submission_key": str(uuid.uuid4()),
        "v": "0",
        **changes,
    }


def test_the_page_shows_the_price_the_balance_and_what_happens_if_it_fails(signed_in):
    page = signed_in.get(STUDIO).content.decode()
    assert "33 credits" in page
    assert "25,000" in page
    assert "Charged only if it completes" in page
    assert "Sandbox: placeholder renderer" in page


def test_the_quote_follows_the_variants(signed_in):
    answer = signed_in.get(f"{STUDIO}/quote/", {"num_variants": "4"}, headers=HTMX)
    assert "132 credits" in answer.content.decode()


def test_generate_answers_with_the_card_and_keeps_the_revision_it_was_sent(signed_in, buyer):
    answer = signed_in.post(GENERATE, composer(v="7"), headers=HTMX)
    assert answer.status_code == 202
    generation = Generation.objects.get()
    body = answer.content.decode()
    assert f'id="gen-{generation.pk}"' in body
    assert "132 credits held" in body
    assert re.search(r'id="rev"[^>]*value="7"', body)
    assert f'hx-get="{POLL}' in body
    assert balance_of(buyer) == (24_868, 132)


def test_a_double_submit_of_one_form_is_one_job(signed_in, buyer):
    form = composer()
    first = signed_in.post(GENERATE, form, headers=HTMX)
    again = signed_in.post(GENERATE, form, headers=HTMX)
    assert (first.status_code, again.status_code) == (202, 202)
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (24_868, 132)


def test_a_form_sent_again_with_another_prompt_orders_nothing_and_gets_a_new_key(signed_in, buyer):
    form = composer()
    signed_in.post(GENERATE, form, headers=HTMX)
    answer = signed_in.post(GENERATE, {**form, "prompt": "A car"}, headers=HTMX)
    assert answer.status_code == 422
    assert Generation.objects.count() == 1
    assert balance_of(buyer) == (24_868, 132)
    key = re.search(r'name="submission_key"[^>]*value="([^"]+)"', answer.content.decode())
    assert key
    assert key.group(1) != form["submission_key"]
    first = Generation.objects.get()
    assert f"{STUDIO}?job={first.pk}#gen-{first.pk}" in answer.content.decode()


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_a_page_of_another_workspace_than_the_active_one_orders_nothing(signed_in, buyer, htmx):
    elsewhere = make_workspace(credits=1000)
    answer = signed_in.post(GENERATE, composer(workspace=str(elsewhere)), headers=htmx)
    assert answer.status_code == 409
    assert "nothing was ordered or charged" in answer.content.decode()
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_a_page_of_another_account_than_the_one_signed_in_orders_nothing(signed_in, buyer, htmx):
    colleague = make_member(workspace_id=buyer.workspace_id)
    form = composer(account=str(colleague.user_id), workspace=str(buyer.workspace_id))
    answer = signed_in.post(GENERATE, form, headers=htmx)
    assert answer.status_code == 409
    assert f"You are signed in as {buyer.email} now" in answer.content.decode()
    assert not Generation.objects.exists()


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_another_price_than_the_one_shown_orders_nothing_and_says_the_price(signed_in, buyer, htmx):
    answer = signed_in.post(GENERATE, composer(shown_credits="33"), headers=htmx)
    assert answer.status_code == 409
    body = answer.content.decode()
    assert "The price is 132 credits for 4 images" in body
    assert "Nothing was ordered; press Generate again." in body
    assert 'name="shown_credits" value="132"' in body
    assert not Generation.objects.exists()
    assert balance_of(buyer) == (25_000, 0)
    assert signed_in.post(GENERATE, composer(shown_credits="132")).status_code == 303


def test_a_repeated_press_is_the_first_job_also_when_the_price_changed_since(signed_in, buyer):
    form = composer(shown_credits="132")
    signed_in.post(GENERATE, form, headers=HTMX)
    again = signed_in.post(GENERATE, {**form, "shown_credits": "120"}, headers=HTMX)
    assert again.status_code == 202
    assert Generation.objects.count() == 1


def test_under_a_filter_that_would_not_show_it_the_answer_brings_a_link_and_no_card(signed_in):
    body = signed_in.post(GENERATE, composer(list="failed"), headers=HTMX).content.decode()
    generation = Generation.objects.get()
    assert f'<li class="card queued" id="gen-{generation.pk}"' not in body
    assert f"{STUDIO}?job={generation.pk}#gen-{generation.pk}" in body


def test_an_empty_prompt_is_a_400_with_summary_and_the_rest_kept(signed_in, buyer):
    answer = signed_in.post(GENERATE, composer(prompt=" "), headers=HTMX)
    assert answer.status_code == 400
    assert answer["HX-Retarget"] == "#composer"
    body = answer.content.decode()
    assert "There is a problem" in body
    assert body.count("Write a prompt of 1 to 4000 characters.") == 2
    assert 'aria-invalid="true"' in body
    assert re.search(r'value="4"\s+checked', body)
    assert balance_of(buyer) == (25_000, 0)


def test_an_overlong_prompt_is_kept_in_the_form(signed_in):
    prompt = "boat " * 900
    answer = signed_in.post(GENERATE, composer(prompt=prompt), headers=HTMX)
    assert answer.status_code == 400
    assert prompt.strip() in answer.content.decode()


@pytest.mark.parametrize("htmx", [HTMX, {}], ids=["htmx", "no script"])
def test_too_little_credit_is_a_402_that_says_how_much(client, db, htmx):
    poor = make_member(credits=84)
    client.force_login(user_of(poor))
    answer = client.post(GENERATE, composer(prompt="My long prompt"), headers=htmx)
    assert answer.status_code == 402
    body = answer.content.decode()
    assert "Insufficient credits" in body
    assert "132" in body
    assert "84" in body
    if not htmx:
        assert "My long prompt" in body
    assert not Generation.objects.exists()
    assert balance_of(poor) == (84, 0)


def test_the_workspace_cap_is_a_402_that_names_it(signed_in, buyer):
    credit_services.set_workspace_cap(workspace_id=buyer.workspace_id, cap=100)
    answer = signed_in.post(GENERATE, composer(), headers=HTMX)
    assert answer.status_code == 402
    assert "Monthly credit cap exceeded" in answer.content.decode()


def test_the_member_cap_is_a_402_that_names_it(client, db):
    capped = make_member(credits=25_000, cap=100)
    client.force_login(user_of(capped))
    answer = client.post(GENERATE, composer(), headers=HTMX)
    assert answer.status_code == 402
    assert "Team member monthly credit cap exceeded" in answer.content.decode()


def test_without_script_a_submit_leads_to_its_card(signed_in):
    answer = signed_in.post(GENERATE, composer())
    generation = Generation.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == f"{STUDIO}?job={generation.pk}#gen-{generation.pk}"


def test_without_script_the_price_can_be_updated(signed_in):
    answer = signed_in.post(GENERATE, composer(update_price="1", num_variants="3"))
    assert answer.status_code == 200
    body = answer.content.decode()
    assert "99 credits" in body
    assert "A boat at dawn" in body
    assert not Generation.objects.exists()


def test_reuse_fills_prompt_and_every_setting(signed_in, buyer):
    generation = submit(
        buyer,
        prompt="A red kite",
        style="anime",
        aspect_ratio="16:9",
        resolution="720p",
        num_variants=3,
    )
    page = signed_in.get(STUDIO, {"reuse": generation.pk}).content.decode()
    assert "A red kite</textarea>" in page
    for value in ("anime", "16:9", "720p", "3"):
        assert re.search(rf'value="{value}"[^>]*\schecked', page), value
    only = signed_in.get(STUDIO, {"reuse": generation.pk, "prompt_only": "1"}).content.decode()
    assert "A red kite</textarea>" in only
    assert re.search(r'value="1:1"\s+checked', only)


def test_a_style_of_ones_own_survives_reuse_and_a_refusal(signed_in, buyer):
    generation = submit(buyer, style="paper cut-out")
    page = signed_in.get(STUDIO, {"reuse": generation.pk}).content.decode()
    assert re.search(r'value="paper cut-out"\s+checked', page)


def test_the_filter_lives_in_the_url_and_an_empty_one_says_so(signed_in, buyer):
    submit(buyer)
    page = signed_in.get(STUDIO, {"show": "failed"}).content.decode()
    assert "No failed jobs" in page


def test_load_more_is_a_link_to_the_next_page(signed_in, buyer):
    for _ in range(25):
        submit(buyer)
    page = signed_in.get(STUDIO).content.decode()
    assert page.count('id="gen-') == 24
    link = re.search(r'href="([^"]*before=[^"]+)"', page)
    assert link
    more = link.group(1).replace("&amp;", "&")
    rest = signed_in.get(STUDIO + more if more.startswith("?") else more).content.decode()
    assert rest.count('id="gen-') == 1


def test_a_made_up_cursor_is_a_404(signed_in):
    assert signed_in.get(STUDIO, {"before": "x"}).status_code == 404


def test_a_viewer_sees_why_the_composer_is_off(client, buyer):
    viewer = make_member(role=Role.VIEWER, workspace_id=buyer.workspace_id)
    client.force_login(user_of(viewer))
    page = client.get(STUDIO).content.decode()
    assert "your role is viewer: you can look but not generate" in page


def test_the_viewer_is_a_page_and_a_fragment(signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    finish(generation)
    first, second = (job.asset_id for job in generation.jobs.order_by("variant"))
    page = signed_in.get(reverse("creative_hub:asset_detail", args=[first])).content.decode()
    assert "<html" in page
    assert "66 held → 66 charged" in page
    assert str(second) in page
    fragment = signed_in.get(
        reverse("creative_hub:asset_detail", args=[first]), headers=HTMX
    ).content.decode()
    assert "<html" not in fragment


def test_a_set_downloads_as_a_zip_of_its_originals(signed_in, buyer):
    generation = submit(buyer, now=timezone.now(), resolution="720p", num_variants=2)
    finish(generation)
    answer = signed_in.get(reverse("creative_hub:download_set", args=[generation.pk]))
    day = f"{generation.created_at:%Y%m%d}"
    name = f"wevion-images-{day}-a-boat-at-dawn-1x1.zip"
    assert name in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert archive.namelist() == [
        f"wevion-image-{day}-a-boat-at-dawn-1x1-v1.jpg",
        f"wevion-image-{day}-a-boat-at-dawn-1x1-v2.jpg",
    ]


def test_the_old_combined_studio_is_a_404_that_names_the_two_real_ones(signed_in):
    answer = signed_in.get("/creative-hub/image-video")
    assert answer.status_code == 404
    body = answer.content.decode()
    assert 'href="/creative-hub/image-studio"' in body
    assert 'href="/creative-hub/video-studio"' in body
    assert "Image Cinematic" in body
    assert "Video Cinematic" in body


def test_pages_carry_a_strict_policy_without_inline_anything(signed_in):
    answer = signed_in.get(STUDIO)
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert " style=" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", page)
    assert not re.search(r"\son[a-z]+=", page)


def test_a_prompt_with_markup_is_shown_as_text(signed_in, buyer):
    submit(buyer, prompt='<script>alert(1)</script> & "quotes"')
    page = signed_in.get(STUDIO).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_the_meter_shows_what_can_be_spent_and_what_is_held(signed_in, buyer):
    submit(buyer, num_variants=4)
    page = signed_in.get(STUDIO).content.decode()
    assert "24,868" in page
    assert "132 held" in page


def test_the_csrf_token_is_needed_to_generate(buyer):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user_of(buyer))
    assert strict.post(GENERATE, composer()).status_code == 403
    assert not Generation.objects.exists()
