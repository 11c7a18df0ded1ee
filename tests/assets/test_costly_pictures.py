"""Pictures of few bytes that would take minutes or gigabytes to read, and what reading may take."""

import io
import subprocess
import sys
import threading

import pytest
from PIL import Image

from assets import containers, frames, imaging
from assets.errors import Reason, RejectedFile
from tests.assets import pictures

MB = 2**20


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan stands there until there are so many."""
    data = pictures.jpeg(400, 300, progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (count - data.count(b"\xff\xda")) + b"\xff\xd9"


def with_segments(segments: bytes) -> bytes:
    data = pictures.jpeg(400, 300)
    return data[:2] + segments + data[2:]


def with_hidden_scans() -> bytes:
    """The length "of" a bare marker reaches over scans that a decoder sees."""
    data = with_scans(80)
    first = data.index(b"\xff\xda")
    return data[:first] + b"\xff\xd0" + data[first:]


def with_chunks(count: int) -> bytes:
    data = pictures.png(400, 300)
    return data[:33] + pictures.png_chunk(b"abCd", b"") * count + data[33:]


def webp_with_chunks(count: int) -> bytes:
    chunks = pictures.webp(400, 300)[12:] + b"abcd\0\0\0\0" * count
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def without_palette() -> bytes:
    data = pictures.png(400, 300, "P")
    start = data.index(b"PLTE") - 4
    return data[:start] + data[start + 12 + int.from_bytes(data[start : start + 4]) :]


COSTLY = {
    "a scan too many": with_scans(65),
    "scans behind a marker without a length": with_hidden_scans(),
    "very many segments": with_segments(b"\xff\xfe\0\2" * 20_000),
    "filling before a marker": with_segments(b"\xff" * 70_000),
    "very many empty chunks": with_chunks(20_000),
    "a WebP of very many chunks": webp_with_chunks(20_000),
    "a palette that is not there": without_palette(),
}


@pytest.mark.parametrize("data", COSTLY.values(), ids=COSTLY.keys())
def test_what_would_cost_much_is_refused_whoever_reads_it(data):
    media_type = containers.media_type_of(data[: containers.HEAD_BYTES])
    assert media_type is not None
    target = io.BytesIO()
    for read in (
        lambda: imaging.opened(data, media_type),
        lambda: imaging.examine(file=io.BytesIO(data), media_type=media_type),
        lambda: imaging.shown_size(source=io.BytesIO(data)),
        lambda: imaging.fit_image(source=io.BytesIO(data), target=target, width=99, height=99),
        lambda: frames.clean_frame(file=io.BytesIO(data)),
        lambda: frames.crop_for_clip(data=data, aspect_ratio=(1, 1)),
    ):
        with pytest.raises(RejectedFile) as refused:
            read()
        assert refused.value.reason == Reason.DAMAGED
    assert target.getvalue() == b""


def test_many_pictures_behind_a_picture_are_refused():
    with pytest.raises(RejectedFile) as refused:
        containers.check_ends_with_picture(
            data=pictures.jpeg(16, 16) * 30, media_type=containers.JPEG
        )
    assert refused.value.reason == Reason.DAMAGED


@pytest.mark.parametrize(
    "data",
    [
        with_scans(64),
        with_segments(b"\xff\xfe\0\2" * 10_000 + b"\xff" * 1_000),
        with_chunks(15_000),
        webp_with_chunks(15_000),
    ],
)
def test_what_is_within_the_limits_is_taken(data):
    frame = frames.clean_frame(file=io.BytesIO(data))
    assert (frame.width, frame.height) == (400, 300)


@pytest.mark.parametrize("error", [AssertionError, UnboundLocalError, ZeroDivisionError])
def test_whatever_a_reader_trips_over_is_a_damaged_picture(error):
    with pytest.raises(RejectedFile) as refused, imaging.refusing():
        raise error
    assert refused.value.reason == Reason.DAMAGED


def test_a_webp_of_very_many_pixels_is_refused_undecoded():
    data = pictures.encoded(
        Image.new("RGB", (6260, 4000)), "WEBP", lossless=True, quality=0, method=0
    )
    assert len(data) < 100
    with pytest.raises(RejectedFile) as refused:
        frames.clean_frame(file=io.BytesIO(data))
    assert refused.value.reason == Reason.TOO_MANY_PIXELS
    assert refused.value.sentence == (
        "The picture has more than 25 megapixels, the most we take of this type."
        " Save it smaller or as an ordinary JPEG."
    )


MEASURE = """
import io, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))
from assets import frames
data = sys.stdin.buffer.read()
def peak():
    lines = open("/proc/self/status").readlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
before = peak()
clean = frames.clean_frame(file=io.BytesIO(data))
frames.crop_for_clip(data=clean.data, aspect_ratio=(1, 1))
frames.crop_for_clip(data=data, aspect_ratio=(1, 1))
sys.stdout.write(f"{peak() - before}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize(
    ("kind", "mode", "size", "options"),
    [
        ("PNG", "RGBA", (8000, 6250), {"compress_level": 1}),
        ("PNG", "I;16", (8000, 6250), {"compress_level": 1}),
        ("JPEG", "RGB", (8000, 6250), {"progressive": True, "subsampling": 0}),
        ("WEBP", "RGBA", (4000, 4000), {"lossless": True, "method": 0, "quality": 0}),
    ],
)
def test_reading_the_largest_frames_takes_a_bounded_piece_of_memory(kind, mode, size, options):
    data = pictures.encoded(Image.new(mode, size), kind, **options)
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE], input=data, capture_output=True, check=True
    )
    assert int(measured.stdout) < 450


def test_a_third_picture_waits_and_a_nested_one_does_not():
    entered, leave = threading.Semaphore(0), threading.Event()

    def hold() -> None:
        with imaging.decoding():
            entered.release()
            leave.wait(10)

    def wait_and_enter() -> None:
        with imaging.decoding():
            entered.release()

    first = threading.Thread(target=hold)
    third = threading.Thread(target=wait_and_enter)
    first.start()
    assert entered.acquire(timeout=10)
    with imaging.decoding():  # the second and last place
        data = pictures.jpeg(400, 300)
        assert frames.clean_frame(file=io.BytesIO(data)).width == 400
        third.start()
        assert not entered.acquire(timeout=0.2)
    assert entered.acquire(timeout=10)
    leave.set()
    first.join()
    third.join()


# --- what becomes of very large frames ---


def test_a_frame_of_many_pixels_comes_out_half_as_large():
    for data in (
        pictures.png(5000, 4000),
        pictures.jpeg(5000, 4000),
        pictures.png(5000, 4000, "P"),
        pictures.turned_jpeg(4000, 5000, orientation=6),
    ):
        frame = frames.clean_frame(file=io.BytesIO(data))
        assert (frame.width, frame.height) == (2500, 2000)
        result = pictures.reopened(frame.data)
        assert result.size == (2500, 2000)


def test_halving_leaves_a_frame_within_the_allowed_ratio():
    for size, wanted in (((7505, 3002), (3752, 1501)), ((3002, 7505), (1501, 3752))):
        data = pictures.encoded(Image.new("L", size), "JPEG")
        frame = frames.clean_frame(file=io.BytesIO(data))
        assert (frame.width, frame.height) == wanted
        frames.check_frame_size(width=frame.width, height=frame.height)


def test_the_centre_of_a_very_large_png_is_cropped_like_that_of_a_small_one():
    small, large = pictures.png(1200, 900), pictures.png(6000, 4500)
    crops = [
        pictures.reopened(frames.crop_for_clip(data=data, aspect_ratio=(1, 1), max_side_px=900))
        for data in (small, large)
    ]
    for place in ((200, 50), (445, 450), (455, 450), (700, 200)):
        assert [crop.size for crop in crops] == [(900, 900)] * 2
        here, there = (crop.getpixel(place) for crop in crops)
        assert isinstance(here, tuple)
        assert isinstance(there, tuple)
        assert all(abs(a - b) <= 6 for a, b in zip(here, there, strict=True))


def test_a_png_that_grows_over_the_limit_becomes_a_jpeg(monkeypatch):
    monkeypatch.setattr(frames, "START_FRAME_MAX_BYTES", 200_000)
    noise = Image.effect_noise((400, 400), 90).convert("RGB")
    lossless = pictures.encoded(noise.quantize(16), "PNG")  # few bytes, until it has a profile
    assert len(lossless) < 200_000
    profiled = pictures.encoded(
        noise.quantize(16), "PNG", icc_profile=pictures.wide_gamut_profile()
    )
    frame = frames.clean_frame(file=io.BytesIO(profiled))
    assert frame.media_type == containers.media_type_of(frame.data[: containers.HEAD_BYTES])
    assert len(frame.data) <= 200_000


def test_what_is_too_large_at_any_quality_is_made_smaller(monkeypatch):
    noise = Image.effect_noise((1200, 1200), 120).convert("RGB")
    data = pictures.encoded(noise, "JPEG", quality=40)
    monkeypatch.setattr(frames, "START_FRAME_MAX_BYTES", len(data))
    frame = frames.clean_frame(file=io.BytesIO(data))
    assert (frame.width, frame.height) == (600, 600)
    assert len(frame.data) <= len(data)
