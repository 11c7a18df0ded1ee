"""The sandbox's clips: real MP4 files whose camera moves as the prompt says."""

import io
import itertools
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from creative_hub.providers.base import ErrorClass, Order, Poll, ProviderError, UpstreamState
from creative_hub.providers.sandbox import SandboxAdapter
from creative_hub.providers.scene import SOFTWARE, brief, draw_scene, encode_jpeg
from creative_hub.providers.scene.motion import MOVES, named_move, over_frame, over_scene
from tests.providers.orders import collected, order

SIZES = [(1920, 1080), (1080, 1920), (1080, 1080), (1440, 1440), (1280, 720), (720, 1280)]
WIDE, TALL = 320, 180


def clip_order(**changes: Any) -> Order:
    return order(**{"width": WIDE, "height": TALL, "duration_s": 1, **changes})


def clip(**changes: Any) -> bytes:
    return collected(SandboxAdapter(delay_s=0), Poll(upstream_id="", order=clip_order(**changes)))


def frames_of(content: bytes) -> list[Image.Image]:
    """Every frame in grey."""
    with av.open(io.BytesIO(content), "r") as container:
        return [frame.to_image().convert("L") for frame in container.decode(video=0)]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two grey pictures, 0..255."""
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


def slid(one: Image.Image, other: Image.Image) -> tuple[int, int]:
    """How far the content of `other` stands right of and below that of `one`, in pixels."""
    reach = 24
    inner = one.crop((reach, reach, one.width - reach, one.height - reach))
    return min(
        ((dx, dy) for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1, 2)),
        key=lambda step: difference(
            inner,
            other.crop(
                (
                    reach + step[0],
                    reach + step[1],
                    other.width - reach + step[0],
                    other.height - reach + step[1],
                )
            ),
        ),
    )


def boxes_of(content: bytes) -> list[bytes]:
    """The names of an MP4's outermost boxes, in order (ISO/IEC 14496-12, 4.2)."""
    names, at = [], 0
    while at < len(content):
        names.append(content[at + 4 : at + 8])
        at += int.from_bytes(content[at : at + 4])
    return names


def start_frame(*, width: int = 800, height: int = 450) -> bytes:
    return encode_jpeg(
        draw_scene(
            prompt="A lake in the mountains", style="", variant=1, width=width, height=height
        )
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_clip_has_exactly_the_ordered_pixels_and_plays_anywhere(width: int, height: int) -> None:
    content = clip(width=width, height=height)
    with av.open(io.BytesIO(content), "r") as container:
        [stream] = container.streams
        assert isinstance(stream, av.VideoStream)
        codec = stream.codec_context
        assert (codec.name, codec.profile, codec.pix_fmt) == ("h264", "High", "yuv420p")
        assert (codec.width, codec.height) == (width, height)
        assert stream.average_rate == 24
        # BT.709 in the narrow range (ITU-T H.273: 1 in all three; AVCOL_RANGE_MPEG is 1 too).
        assert [codec.color_primaries, codec.color_trc, codec.colorspace] == [1, 1, 1]
        assert codec.color_range == 1
    assert boxes_of(content).index(b"moov") < boxes_of(content).index(b"mdat")


@pytest.mark.parametrize("duration_s", [1, 4, 10])
def test_a_clip_is_exactly_as_long_as_ordered_with_a_keyframe_every_second(
    duration_s: int,
) -> None:
    with av.open(io.BytesIO(clip(duration_s=duration_s)), "r") as container:
        [stream] = container.streams.video
        assert container.duration == duration_s * av.time_base
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == duration_s
        frames = list(container.decode(video=0))
    assert len(frames) == duration_s * 24
    assert [frame.time for frame in frames] == [index / 24 for index in range(duration_s * 24)]
    keys = [index for index, frame in enumerate(frames) if frame.key_frame]
    assert keys == list(range(0, duration_s * 24, 24))


@pytest.mark.parametrize("has_frame", [False, True])
def test_the_same_order_gives_the_same_bytes(has_frame: bool) -> None:
    frame = start_frame() if has_frame else b""
    one, other = (clip(has_frame=has_frame, frame=frame) for _ in range(2))
    assert one == other
    assert clip(variant=2) != clip()


@pytest.mark.parametrize("has_frame", [False, True])
@pytest.mark.parametrize(
    "words", ["push in", "zoom out", "pan left", "pan right", "tilt up", "crane up", "orbit"]
)
def test_every_move_is_seen_and_smooth(words: str, has_frame: bool) -> None:
    frame = start_frame() if has_frame else b""
    frames = frames_of(
        clip(prompt=f"A forest, {words}", duration_s=3, has_frame=has_frame, frame=frame)
    )
    # Of a clip that goes in and comes back, the middle is the farthest.
    assert max(difference(frames[0], frames[-1]), difference(frames[0], frames[36])) > 3
    steps = [difference(*pair) for pair in itertools.pairwise(frames)]
    assert min(steps) > 0.05  # never frozen
    assert max(steps) < 4 * sorted(steps)[len(steps) // 2]  # never a jump


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("size", [(1600, 900), (900, 1600), (270, 270)])
@pytest.mark.parametrize("over", [over_scene, over_frame])
def test_no_move_leaves_the_picture_or_bends_it(
    name: str, size: tuple[int, int], over: Any
) -> None:
    words = {"rise": "crane up", "sink": "crane down", "up": "tilt up", "down": "tilt down"}
    prompt = words.get(name, "orbit" if name == "orbit" else f"camera dolly {name}")
    assert named_move(prompt) == name
    for duration_s in (1, 5, 10, 60):
        plan = brief.read(prompt=prompt, style="", variant=duration_s)
        camera = over(prompt=prompt, plan=plan, duration_s=duration_s)
        for step in range(101):
            left, top, right, bottom = camera.box(t=step / 100, size=size)
            assert 0 <= left < right <= size[0]
            assert 0 <= top < bottom <= size[1]
            assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1])


@pytest.mark.parametrize(
    ("there", "back", "axis"),
    [("pan left", "pan right", 0), ("tilt up", "tilt down", 1), ("crane up", "crane down", 1)],
)
def test_the_content_goes_the_other_way_than_the_camera(there: str, back: str, axis: int) -> None:
    for words, sign in ((there, 1), (back, -1)):
        frames = frames_of(clip(prompt=f"Neon city, {words}", duration_s=4))
        assert slid(frames[0], frames[-1])[axis] * sign >= 8


def test_a_push_goes_in_and_a_pull_comes_out() -> None:
    for words, is_in in (("push in", True), ("pull back", False)):
        frames = frames_of(clip(prompt=f"Neon city, {words}", duration_s=4))
        wide, close = (frames[0], frames[-1]) if is_in else (frames[-1], frames[0])
        # The close view is the middle of the wide one; the share is the move's own.
        zoom = 1 + 0.23 * (0.35 + 0.065 * 4) / 1.02
        dx, dy = wide.width * (1 - 1 / zoom) / 2, wide.height * (1 - 1 / zoom) / 2
        middle = wide.resize(wide.size, box=(dx, dy, wide.width - dx, wide.height - dy))
        assert difference(middle, close) < 0.7 * difference(wide, close)


@pytest.mark.parametrize("words", ["", "pan left", "zoom out", "orbit", "crane down"])
def test_a_clip_over_a_start_frame_begins_with_exactly_that_picture(words: str) -> None:
    frame = start_frame()
    content = clip(prompt=f"He waits {words}", width=640, height=360, has_frame=True, frame=frame)
    with av.open(io.BytesIO(content), "r") as container:
        first = next(container.decode(video=0)).to_image()
    with Image.open(io.BytesIO(frame)) as picture:
        wanted = picture.resize((640, 360), Image.Resampling.LANCZOS)
    channels = ImageStat.Stat(ImageChops.difference(first, wanted)).mean
    assert max(channels) < 3
    assert slid(wanted.convert("L"), first.convert("L")) == (0, 0)


def test_a_start_frame_is_shown_instead_of_the_scene_and_pushed_into() -> None:
    frames = frames_of(clip(prompt="He waits", has_frame=True, frame=start_frame(), duration_s=4))
    zoom = 1 + 0.22 * (0.35 + 0.065 * 4)
    dx, dy = WIDE * (1 - 1 / zoom) / 2, TALL * (1 - 1 / zoom) / 2
    middle = frames[0].resize((WIDE, TALL), box=(dx, dy, WIDE - dx, TALL - dy))
    assert difference(middle, frames[-1]) < 0.7 * difference(frames[0], frames[-1])


@pytest.mark.parametrize("frame", [b"", b"GIF89a not a picture", start_frame()[:2000]])
def test_an_unreadable_start_frame_is_refused_and_nothing_is_written(frame: bytes) -> None:
    file = io.BytesIO()
    job = Poll(upstream_id="", order=clip_order(has_frame=True, frame=frame))
    with pytest.raises(ProviderError) as caught:
        SandboxAdapter(delay_s=0).collect(job, file)
    assert caught.value.error_class is ErrorClass.BAD_IMAGE
    assert file.getvalue() == b""


@pytest.mark.parametrize(
    ("prompt", "move"),
    [
        ("A car, slow push in", "in"),
        ("Push-in on a bottle", "in"),
        ("Dolly shot of a car", "in"),
        ("the camera slowly zooms in", "in"),
        ("Zoom out from the boat", "out"),
        ("the camera pulls slowly back", "out"),
        ("dolly out", "out"),
        ("PAN LEFT", "left"),
        ("panning slowly to the left", "left"),
        ("Pan from right to left", "left"),
        ("Pan from left to right", "right"),
        ("trucks right", "right"),
        ("tilt up to the sky", "up"),
        ("tilting slowly down", "down"),
        ("crane shot", "rise"),
        ("a crane shot down", "sink"),
        ("jib up", "rise"),
        ("The camera orbits the bottle", "orbit"),
        ("pan left, then zoom out", "left"),
        ("zoom out, then pan left", "out"),
        ("A frying pan on the left", None),
        ("A company in Japan right now", None),
        ("", None),
    ],
)
def test_camera_words_name_the_move(prompt: str, move: str | None) -> None:
    assert named_move(prompt) == move


def test_without_camera_words_variants_move_differently() -> None:
    prompt = "A boat"
    views = {
        over_scene(
            prompt=prompt,
            plan=brief.read(prompt=prompt, style="", variant=variant),
            duration_s=5,
        ).box(t=0, size=(1600, 900))
        for variant in range(1, 5)
    }
    assert len(views) == 4


@pytest.mark.parametrize("has_frame", [False, True])
def test_a_clip_says_that_it_is_a_placeholder_and_holds_no_prompt(has_frame: bool) -> None:
    content = clip(
        prompt="Zanzibar confidential launch",
        has_frame=has_frame,
        frame=start_frame() if has_frame else b"",
    )
    with av.open(io.BytesIO(content), "r") as container:
        said = container.metadata
    assert said["title"] == said["comment"] == said["encoder"] == SOFTWARE
    assert b"zanzibar" not in content.lower()
    assert b"confidential" not in content.lower()


def test_an_odd_size_is_refused_and_nothing_is_written() -> None:
    file = io.BytesIO()
    with pytest.raises(ValueError, match="even sides"):
        SandboxAdapter(delay_s=0).collect(Poll(upstream_id="", order=clip_order(width=321)), file)
    assert file.getvalue() == b""


def test_directives_work_for_clips_and_do_not_change_them() -> None:
    slept: list[float] = []
    now = [0.0]
    adapter = SandboxAdapter(delay_s=4, clock=lambda: now[0], sleep=slept.append)
    with pytest.raises(ProviderError) as caught:
        adapter.submit(clip_order(prompt="A boat [sandbox:fail=content_refused]"))
    assert caught.value.error_class is ErrorClass.CONTENT_REFUSED

    late = clip_order(prompt="A boat [sandbox:fail_later=bad_result]")
    job = Poll(upstream_id=adapter.submit(late).upstream_id, order=late)
    now[0] = 4.0
    answer = adapter.poll([job])[job.upstream_id]
    assert isinstance(answer, ProviderError)
    assert answer.error_class is ErrorClass.BAD_RESULT

    sent = adapter.submit(clip_order(prompt="A boat [sandbox:delay=2] [sandbox:hold=1]"))
    assert (sent.state, sent.upstream_id) == (UpstreamState.RUNNING, "sandbox:6000:job-1")
    assert slept == [1.0]
    assert clip(prompt="A boat [sandbox:delay=2] [sandbox:hold=1]") == clip(prompt="A boat")
