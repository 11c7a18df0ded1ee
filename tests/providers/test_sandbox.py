"""The sandbox: what it draws, and how it behaves as a provider."""

import hashlib
import io
import subprocess
import sys

import pytest
from PIL import Image, ImageChops, ImageStat

from creative_hub.providers.base import ErrorClass, Poll, ProviderError, Recovery, UpstreamState
from creative_hub.providers.sandbox import SandboxAdapter
from creative_hub.providers.scene import SOFTWARE, brief, draw_scene, encode_jpeg
from tests.providers.orders import collected, order

SIZES = [
    (720, 1280), (1080, 1920), (720, 720), (1080, 1080), (720, 900), (1080, 1350),
    (1280, 720), (1920, 1080), (720, 960), (1080, 1440),
]  # fmt: skip
STYLES = ["", "photorealistic", "cinematic", "3D", "anime", "product", "watercolour on rough paper"]
PROMPTS = {
    "A car on a desert highway": "desert",
    "Sahara dunes": "desert",
    "A sailboat on the ocean": "sea",
    "Neon city at night": "city",
    "A lake in the mountains": "mountains",
    "Pine forest in the fog": "forest",
    "Snowy winter morning": "snow",
    "Palms on a tropical beach": "beach",
    "Rolling hills": "hills",
    "A perfume bottle": "studio",
    "Red sneakers": "studio",
    "Portrait of a woman": "abstract",
}


def small(prompt: str, *, style: str = "", variant: int = 1) -> Image.Image:
    return draw_scene(prompt=prompt, style=style, variant=variant, width=180, height=225)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures, 0..255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_picture_has_exactly_the_ordered_pixels(width: int, height: int) -> None:
    adapter = SandboxAdapter(delay_s=0)
    ordered = order(width=width, height=height, style="cinematic")
    sent = adapter.submit(ordered)
    content = collected(adapter, Poll(upstream_id=sent.upstream_id, order=ordered))
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (width, height))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_scene_can_be_drawn_in_every_style(prompt: str, style: str) -> None:
    image = small(prompt, style=style, variant=2)
    assert image.size == (180, 225)
    assert ImageStat.Stat(image.convert("L")).stddev[0] > 8  # not a flat fill


@pytest.mark.parametrize(("prompt", "scene"), PROMPTS.items())
def test_words_choose_the_scene(prompt: str, scene: str) -> None:
    assert brief.read(prompt=prompt, style="", variant=1).scene == scene


def test_a_product_beats_its_surroundings_and_a_place_beats_the_hour() -> None:
    assert brief.read(prompt="Perfume on a beach", style="", variant=1).scene == "studio"
    assert brief.read(prompt="A lake at night", style="", variant=1).scene == "mountains"


@pytest.mark.parametrize("prompt", ["", "   ", "夜の海", "🙂" * 50, "x" * 4000, "[] {} \\ \x00"])
def test_any_text_gives_a_picture(prompt: str) -> None:
    assert small(prompt).size == (180, 225)


def test_the_same_order_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import hashlib, sys\n"
        "from creative_hub.providers.scene import draw_scene, encode_jpeg\n"
        "image = draw_scene(prompt='Neon city', style='anime', variant=3, width=180, height=225)\n"
        "sys.stdout.write(hashlib.sha256(encode_jpeg(image)).hexdigest())\n"
    )
    here = hashlib.sha256(encode_jpeg(small("Neon city", style="anime", variant=3))).hexdigest()
    for seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout == here


@pytest.mark.parametrize("prompt", PROMPTS)
def test_variants_and_styles_differ_visibly(prompt: str) -> None:
    first = small(prompt)
    assert difference(first, small(prompt, variant=2)) > 4
    assert difference(first, small(prompt, style="anime")) > 2


def test_the_file_says_that_it_is_a_placeholder_and_holds_no_prompt() -> None:
    content = encode_jpeg(small("Zanzibar confidential launch", style="cinematic"))
    with Image.open(io.BytesIO(content)) as image:
        exif = image.getexif()
    assert exif[0x010E] == "Wevion sandbox renderer (placeholder, no AI)" == SOFTWARE
    assert exif[0x0131] == SOFTWARE
    assert b"Zanzibar" not in content
    assert b"confidential" not in content


def test_a_job_is_running_until_its_time_and_then_succeeds() -> None:
    now = [1_000.0]
    adapter = SandboxAdapter(delay_s=4, clock=lambda: now[0])
    sent = adapter.submit(order(external_id="abc"))
    assert sent.state is UpstreamState.RUNNING
    assert sent.upstream_id == "sandbox:1004000:abc"
    job = Poll(upstream_id=sent.upstream_id, order=order(external_id="abc"))
    now[0] = 1_003.999
    assert state(adapter, job) is UpstreamState.RUNNING
    now[0] = 1_004.0
    assert state(adapter, job) is UpstreamState.SUCCEEDED


def test_a_job_outlives_the_process_that_sent_it() -> None:
    sent = SandboxAdapter(delay_s=4, clock=lambda: 1_000.0).submit(order())
    another = SandboxAdapter(delay_s=99, clock=lambda: 1_005.0)
    job = Poll(upstream_id=sent.upstream_id, order=order())
    assert state(another, job) is UpstreamState.SUCCEEDED


def test_without_a_delay_a_job_is_done_at_once() -> None:
    sent = SandboxAdapter(delay_s=0, clock=lambda: 7.0).submit(order())
    assert sent.state is UpstreamState.SUCCEEDED
    assert sent.upstream_id == "sandbox:7000:job-1"


def test_nothing_can_be_lost_so_nothing_is_found() -> None:
    adapter = SandboxAdapter(delay_s=0)
    assert adapter.recovery is Recovery.LOOK_UP
    assert adapter.find(order(), sent_at=0.0) is None


def test_an_id_that_is_not_ours_is_a_definite_no() -> None:
    job = Poll(upstream_id="cgt-123", order=order())
    answer = SandboxAdapter(delay_s=0).poll([job])["cgt-123"]
    assert isinstance(answer, ProviderError)
    assert answer.error_class is ErrorClass.RESULT_EXPIRED


@pytest.mark.parametrize("error_class", ErrorClass)
def test_a_directive_fails_the_order_with_any_class(error_class: ErrorClass) -> None:
    with pytest.raises(ProviderError) as caught:
        SandboxAdapter(delay_s=4).submit(order(prompt=f"A boat [sandbox:fail={error_class}]"))
    assert caught.value.error_class is error_class
    assert caught.value.code == f"sandbox_{error_class}"


def test_a_directive_can_be_for_one_variant_only() -> None:
    adapter = SandboxAdapter(delay_s=0)
    prompt = "A boat [sandbox:fail=content_refused@3]"
    assert adapter.submit(order(prompt=prompt, variant=2)).state is UpstreamState.SUCCEEDED
    with pytest.raises(ProviderError):
        adapter.submit(order(prompt=prompt, variant=3))


@pytest.mark.parametrize("delay_s", [0, 2])
def test_a_late_failure_shows_when_the_time_is_up(delay_s: float) -> None:
    now = [10.0]
    adapter = SandboxAdapter(delay_s=delay_s, clock=lambda: now[0])
    ordered = order(prompt="[sandbox:fail_later=bad_result]")
    if delay_s == 0:
        with pytest.raises(ProviderError):
            adapter.submit(ordered)
        return
    sent = adapter.submit(ordered)
    job = Poll(upstream_id=sent.upstream_id, order=ordered)
    assert state(adapter, job) is UpstreamState.RUNNING
    now[0] = 12.0
    answer = adapter.poll([job])[job.upstream_id]
    assert isinstance(answer, ProviderError)
    assert answer.error_class is ErrorClass.BAD_RESULT


def test_a_directive_changes_the_delay_and_another_holds_the_call() -> None:
    slept: list[float] = []
    adapter = SandboxAdapter(delay_s=4, clock=lambda: 0.0, sleep=slept.append)
    sent = adapter.submit(order(prompt="[sandbox:delay=0.5] boat [sandbox:hold=2]"))
    assert sent.upstream_id == "sandbox:500:job-1"
    assert slept == [2.0]


@pytest.mark.parametrize(
    "directive", ["delay=soon", "delay=-1", "delay=601", "delay=nan", "hold=11", "fail=nonsense"]
)
def test_a_senseless_directive_is_refused_in_words(directive: str) -> None:
    with pytest.raises(ProviderError) as caught:
        SandboxAdapter(delay_s=4).submit(order(prompt=f"[sandbox:{directive}]"))
    assert caught.value.error_class is ErrorClass.BAD_REQUEST
    assert "takes" in caught.value.message


def test_directives_do_not_change_the_scene() -> None:
    adapter = SandboxAdapter(delay_s=0)
    plain = order(prompt="A boat", width=180, height=225)
    steered = order(prompt="A boat [sandbox:delay=3]", width=180, height=225)
    one, other = (collected(adapter, Poll(upstream_id="", order=each)) for each in (plain, steered))
    assert one == other


def state(adapter: SandboxAdapter, job: Poll) -> UpstreamState | None:
    answer = adapter.poll([job])[job.upstream_id]
    return None if isinstance(answer, ProviderError) else answer.state
