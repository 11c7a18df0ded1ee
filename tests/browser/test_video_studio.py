"""Ordering clips as a media buyer does, in a real Chromium against real processes."""

from __future__ import annotations

import io

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import expect

from assets import selectors as asset_selectors
from creative_hub.catalogue import VIDEO
from creative_hub.models import Generation, ProviderJob
from tests.browser.steps import PROMPT, card, choose, generate, new_cards
from tests.creative_hub.engine import finish
from tests.creative_hub.factories import submit, submit_clip
from tests.factories import balance_of, make_member
from tests.flows.processes import running_stack

pytestmark = pytest.mark.browser
STUDIO = "/creative-hub/video-studio"
PLAYER = """() => { const { videoWidth, videoHeight, duration, error } =
    document.querySelector("#player"); return [videoWidth, videoHeight, duration, error]; }"""


@pytest.fixture
def buyer(site):
    return make_member(credits=25_000)


def picture(width=1200, height=1500, kind="JPEG"):
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def attach(page, data, name="bottle.jpg", mime="image/jpeg"):
    page.locator("#start-frame-file").set_input_files(
        {"name": name, "mimeType": mime, "buffer": data}
    )


def mode(page):
    return page.locator("#mode")


def test_each_providers_clip_is_made_as_ordered_plays_seeks_and_is_paid_for(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    ordered = [("kling_2_6", "5", "1:1"), ("veo_3_1", "4", "9:16"), ("seedance_pro", "4", "16:9")]
    expected = [(1080, 1080, 5.0, 385), (720, 1280, 4.0, 1760), (1920, 1080, 4.0, 540)]
    with running_stack():
        for (provider, length, ratio), (width, height, length_s, credits) in zip(
            ordered, expected, strict=True
        ):
            page.get_by_label("Prompt").fill(f"{PROMPT} {provider}")
            choose(page, "provider", provider)
            expect(page.locator("[name=options_for]")).to_have_value(provider)
            choose(page, "duration", length)
            choose(page, "aspect_ratio", ratio)
            expect(page.locator("#cost-figure")).to_have_text(f"{credits:,} credits")
            generate(page)
            made = new_cards(page).filter(has_text=provider)
            expect(made.locator(".status.completed")).to_have_text("Clip", timeout=40_000)
            expect(made.locator(".receipt")).to_have_text(f"{credits:,} held → {credits:,} charged")
            made.locator("a.frame").click()
            page.wait_for_function("() => document.querySelector('#player')?.readyState >= 2")
            assert page.evaluate(PLAYER) == [width, height, length_s, None]
            page.evaluate("document.querySelector('#player').currentTime = 3.5")
            page.wait_for_function(
                """() => { const { seeking, readyState, currentTime } =
                    document.querySelector("#player");
                    return !seeking && readyState >= 2 && currentTime >= 3.4; }"""
            )
            page.keyboard.press("Escape")
    assert balance_of(buyer) == (25_000 - 385 - 1760 - 540, 0)
    ids = list(ProviderJob.objects.values_list("asset_id", flat=True))
    lengths = sorted(one.duration_s or 0 for one in asset_selectors.by_ids(ids).values())
    assert lengths == [4.0, 4.0, 5.0]


def test_a_picture_becomes_a_clip_in_two_clicks(signed_in, buyer):
    image = submit(buyer, now=timezone.now(), aspect_ratio="9:16", resolution="720p")
    finish(image)
    page = signed_in(buyer)
    with running_stack():
        card(page, image).get_by_role("link", name="Animate").click()
        expect(mode(page)).to_have_text("Image to video")
        expect(page.locator("[name=aspect_ratio]:checked")).to_have_value("9:16")
        generate(page)
        expect(new_cards(page).locator(".status.completed")).to_have_text("Clip", timeout=40_000)
    clip = Generation.objects.get(kind="video")
    assert clip.start_frame_id == image.jobs.get().asset_id
    assert (clip.prompt, clip.aspect_ratio) == (image.prompt, "9:16")


def test_another_provider_keeps_what_is_valid_and_says_what_it_changed(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    choose(page, "aspect_ratio", "1:1")
    page.locator('[name=provider][value="kling_2_6"]').focus()
    page.keyboard.press("ArrowDown")
    said = "Duration set to 4 s: Veo 3.1 has no 5 s."
    also = "Aspect ratio set to 16:9: Veo 3.1 has no 1:1."
    expect(page.locator("#announce")).to_have_text(f"{said} {also}")
    expect(page.locator("#opt-duration .said")).to_have_text(said)
    expect(page.locator("#opt-ratio .said")).to_have_text(also)
    expect(page.locator("#duration-rule")).to_have_text(
        "Veo 3.1 makes 4, 6 or 8 second clips. For 5 or 10 seconds choose Kling 2.6 or"
        " Seedance Pro."
    )
    expect(page.locator('[name=provider][value="veo_3_1"]')).to_be_focused()
    expect(page.locator("#cost-figure")).to_have_text("1,760 credits")
    choose(page, "duration", "8")
    expect(page.locator("#cost-figure")).to_have_text("3,520 credits")
    choose(page, "provider", "seedance_pro")
    expect(page.locator("[name=options_for]")).to_have_value("seedance_pro")
    expect(page.locator("[name=duration]:checked")).to_have_value("8")
    expect(page.locator("#cost-figure")).to_have_text("1,080 credits")


def test_exactly_what_a_provider_makes_can_be_chosen(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    for provider in VIDEO.providers:
        choose(page, "provider", provider.value)
        expect(page.locator("[name=options_for]")).to_have_value(provider.value)
        page.wait_for_function("() => !document.querySelector('#composer .htmx-request')")
        enabled = page.evaluate(
            """() => [...document.querySelectorAll("[name=duration], [name=aspect_ratio]")]
                .filter(input => !input.disabled).map(input => input.value)"""
        )
        lengths = [str(one) for one in VIDEO.durations_s if one in provider.durations_s]
        assert enabled == lengths + [
            one.value for one in VIDEO.ratios if one.value in provider.ratios
        ]


def test_a_frame_of_another_ratio_is_shown_as_it_will_be_cropped(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    attach(page, picture(1200, 1500))
    expect(mode(page)).to_have_text("Image to video")
    expect(page.locator("#announce")).to_contain_text("Aspect ratio set to 1:1")
    expect(page.locator("#frame-note")).to_contain_text("Your frame is 4:5, the clip is 1:1.")
    choose(page, "aspect_ratio", "9:16")
    expect(page.locator("#frame-note")).to_contain_text("Your frame is 4:5, the clip is 9:16.")
    box = page.locator("#frame-note .crop").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(9 / 16, abs=0.02)
    page.get_by_role("button", name="Remove").click()
    expect(mode(page)).to_have_text("Text to video")
    expect(page.locator("#frame-note")).to_be_hidden()


def test_a_refused_picture_says_why_and_the_frame_before_it_stays(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    attach(page, picture(1600, 900))
    expect(page.locator("#start-frame")).to_contain_text("1600 × 900 · 16:9")
    kept = page.locator("#start-frame-id").input_value()
    error = page.locator("#start_frame_id-error")
    attach(page, picture(200, 900), name="thin.jpg")
    expect(error).to_contain_text("200 × 900")
    attach(page, b"<svg xmlns='http://www.w3.org/2000/svg'/>", name="a.png", mime="image/png")
    expect(error).to_contain_text("not a JPEG, PNG or WebP")
    attach(page, picture(400, 400) + bytes(11 * 2**20), name="large.jpg")
    expect(error).to_contain_text("large.jpg has 11.0 MB; a start frame may have 10 MB.")
    assert page.locator("#start-frame-id").input_value() == kept
    expect(mode(page)).to_have_text("Image to video")
    # The refusal is said once, beside the field.
    expect(page.locator("#not-done")).to_be_hidden()


def test_nothing_is_ordered_while_a_picture_is_on_its_way(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    on_its_way = []
    page.route("**/start-frame/", lambda route: on_its_way.append(route))
    page.get_by_label("Prompt").fill(PROMPT)
    attach(page, picture(900, 1600))
    expect(page.locator("#uploading")).to_be_visible()
    page.evaluate("document.querySelector('#composer').requestSubmit()")
    expect(page.locator("#upload-wait")).to_be_visible()
    expect(new_cards(page)).to_have_count(0)
    on_its_way[0].continue_()
    expect(page.locator("[name=aspect_ratio]:checked")).to_have_value("9:16")
    generate(page)
    expect(new_cards(page)).to_contain_text("Start frame")
    clip = Generation.objects.get()
    assert (clip.aspect_ratio, clip.start_frame_id is None) == ("9:16", False)


def test_a_file_is_dropped_on_the_frame_and_nowhere_else_takes_the_page_away(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    attach(page, picture(1600, 900))
    expect(page.locator("#start-frame")).to_contain_text("1600 × 900")
    drop = """({ target, bytes }) => {
        const dataTransfer = new DataTransfer(), type = "image/jpeg";
        dataTransfer.items.add(new File([new Uint8Array(bytes)], "new.jpg", { type }));
        const how = { dataTransfer, bubbles: true, cancelable: true };
        return !document.querySelector(target).dispatchEvent(new DragEvent("drop", how)); }"""
    new = {"target": "#start-frame .attached", "bytes": list(picture(500, 500))}
    assert page.evaluate(drop, {**new, "target": "#results"}) is True
    assert page.evaluate(drop, new) is True
    expect(page.locator("#start-frame")).to_contain_text("500 × 500 · 1:1")


def test_a_picture_is_pasted_and_pasted_text_is_left_alone(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    paste = """async ({ target, text, bytes }) => {
        const data = new DataTransfer(), type = "image/png";
        data.items.add(new File([new Uint8Array(bytes)], "x.png", { type }));
        if (text) data.setData("text", text);
        const how = { clipboardData: data, bubbles: true, cancelable: true };
        document.querySelector(target).dispatchEvent(new ClipboardEvent("paste", how)); }"""
    both = {"target": "#prompt", "text": "words", "bytes": list(picture(400, 400, "PNG"))}
    page.evaluate(paste, both)
    page.wait_for_timeout(300)
    expect(mode(page)).to_have_text("Text to video")
    page.evaluate(paste, {**both, "text": ""})
    expect(page.locator("#start-frame")).to_contain_text("400 × 400 · 1:1")


def test_a_picture_is_picked_from_ones_own_by_keyboard(signed_in, buyer):
    image = submit(buyer, now=timezone.now(), aspect_ratio="16:9", resolution="720p")
    finish(image)
    page = signed_in(buyer, STUDIO)
    page.get_by_label("Prompt").fill("My own words")
    page.get_by_role("link", name="Pick from your images").press("Enter")
    tile = page.locator("#viewer .tile")
    expect(tile).to_have_count(1)
    tile.press("Enter")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator("#start-frame")).to_contain_text("1280 × 720 · 16:9")
    expect(page.get_by_label("Prompt")).to_have_value("My own words")


def test_prompt_options_and_frame_survive_a_reload(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "provider", "veo_3_1")
    expect(page.locator("[name=options_for]")).to_have_value("veo_3_1")
    choose(page, "duration", "8")
    attach(page, picture(900, 1600))
    expect(page.locator("[name=aspect_ratio]:checked")).to_have_value("9:16")
    page.reload()
    expect(page.locator("#start-frame")).to_contain_text("900 × 1600 · 9:16")
    expect(page.locator("[name=options_for]")).to_have_value("veo_3_1")
    expect(page.locator("[name=duration]:checked")).to_have_value("8")
    expect(page.locator("[name=aspect_ratio]:checked")).to_have_value("9:16")
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    expect(page.locator("#cost-figure")).to_have_text("3,520 credits")


def test_a_camera_move_goes_where_the_cursor_is(signed_in, buyer):
    page = signed_in(buyer, STUDIO)
    page.get_by_label("Prompt").fill("A boat at dawn")
    page.get_by_role("button", name="Slow push in").click()
    expect(page.get_by_label("Prompt")).to_have_value("A boat at dawn, slow push in")
    expect(page.get_by_label("Prompt")).to_be_focused()


def test_a_clip_that_plays_is_not_disturbed_by_the_end_of_another(signed_in, buyer):
    first = submit_clip(buyer, now=timezone.now(), provider="veo_3_1", duration=4)
    finish(first)
    second = submit_clip(buyer, now=timezone.now(), provider="veo_3_1", duration=4)
    page = signed_in(buyer, STUDIO)
    card(page, first).locator("a.frame").click()
    page.wait_for_function("() => document.querySelector('#player')?.currentTime > 0.2")
    page.evaluate("window.playing = document.querySelector('#player')")
    finish(second)
    expect(card(page, second).locator(".status.completed")).to_have_count(1, timeout=15_000)
    assert page.evaluate(
        "playing === document.querySelector('#player') && !playing.paused && playing.isConnected"
    )
    page.keyboard.press("Space")
    page.wait_for_function("() => playing.paused")


def test_too_little_credit_names_the_cheapest_clip_that_fits(signed_in):
    poor = make_member(credits=500)
    page = signed_in(poor, STUDIO)
    page.get_by_label("Prompt").fill(PROMPT)
    choose(page, "provider", "veo_3_1")
    expect(page.locator("#cost-figure")).to_have_text("1,760 credits")
    generate(page)
    notice = page.locator("#notice")
    expect(notice).to_contain_text("Insufficient credits")
    expect(notice).to_contain_text("What still fits: Kling 2.6, 5 s, for 385 credits.")
    expect(page.get_by_label("Prompt")).to_have_value(PROMPT)
    assert balance_of(poor) == (500, 0)
    notice.get_by_role("button", name="Choose it").click()
    expect(page.locator("#cost-figure")).to_have_text("385 credits")
    expect(page.locator("[name=duration]:checked")).to_have_value("5")
    generate(page)
    expect(new_cards(page)).to_have_count(1)
    assert balance_of(poor) == (115, 385)


def test_a_clip_is_ordered_from_a_picture_without_script(
    site, browser, buyer, browser_context_args
):
    context = browser.new_context(**{**browser_context_args, "java_script_enabled": False})
    page = context.new_page()
    page.goto(f"{site}/account/login/?next={STUDIO}")
    page.locator("input[name=login]").fill(buyer.email)
    page.locator("input[name=password]").fill("a password")
    page.locator("input[name=password]").press("Enter")
    page.locator("#prompt").fill(PROMPT)
    choose(page, "provider", "veo_3_1")
    generate(page)
    expect(page.locator("#error-summary")).to_contain_text("Veo 3.1 makes 4, 6 or 8 second clips.")
    expect(page.locator("#prompt")).to_have_value(PROMPT)
    choose(page, "duration", "4")
    attach(page, picture(1600, 900))
    generate(page)
    # The price on the button was that of another choice: it is shown before it is paid.
    expect(page.locator("#notice")).to_contain_text("The price is 1,760 credits")
    expect(page.locator("#start-frame")).to_contain_text("1600 × 900")
    generate(page)
    expect(new_cards(page)).to_contain_text("Start frame")
    clip = Generation.objects.get()
    assert (clip.provider, clip.duration_s, clip.start_frame_id is None) == ("veo_3_1", 4, False)
    context.close()
