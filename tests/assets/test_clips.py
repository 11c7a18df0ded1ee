"""What a clip is found to be: measured from its packets, shown upright, with posters."""

import io
import random
import struct
from fractions import Fraction

import pytest
from PIL import Image

from assets import clips
from assets.errors import RejectedFile
from tests.assets import pictures, videos
from tests.assets.test_imaging import BLUE, RED, WHITE, colour, is_close


def examined(data: bytes) -> clips.ExaminedClip:
    return clips.examine(file=io.BytesIO(data))


def poster(data: bytes, width: int = 480) -> Image.Image:
    picture = pictures.reopened(examined(data).thumbnails[width])
    assert picture.format == "WEBP"
    return picture


@pytest.mark.parametrize(
    ("encoder", "codec"),
    [("libx264", "h264"), ("libx265", "hevc"), ("libsvtav1", "av1"), ("libvpx-vp9", "vp9")],
)
def test_a_clip_is_measured(encoder, codec):
    clip = examined(videos.clip(640, 360, codec=encoder, duration_s=3))
    assert (clip.media_type, clip.codec) == ("video/mp4", codec)
    assert (clip.width, clip.height) == (640, 360)
    assert (clip.duration_s, clip.fps) == (3.0, 10.0)
    assert sorted(clip.thumbnails) == [480, 960]


@pytest.mark.parametrize(
    "data",
    [
        videos.clip(has_sound=True),
        videos.clip(container="mov"),
        videos.clip(movflags="frag_keyframe+empty_moov", options=(("g", "5"),)),
        videos.clip(options=(("g", "1"),)),
        videos.clip(options=(("bf", "2"), ("b_strategy", "0"), ("preset", "fast"))),
    ],
    ids=["with sound", "a MOV", "in fragments", "keyframes only", "frames out of order"],
)
def test_clips_of_every_make_are_measured_alike(data):
    clip = examined(data)
    assert (clip.width, clip.height, clip.duration_s, clip.fps) == (320, 180, 2.0, 10.0)


def test_the_duration_is_that_of_the_packets_whatever_the_headers_say():
    honest = videos.clip(duration_s=4)
    for table, offset, lie in (
        (b"mvhd", 16, 3_600_000),
        (b"mvhd", 16, 500),
        (b"mdhd", 16, 3_600 * 10_240),
        (b"mdhd", 16, 5_120),
        (b"tkhd", 20, 3_600_000),
    ):
        lying = videos.patched(honest, table, offset, struct.pack(">I", lie))
        assert lying != honest
        assert examined(lying).duration_s == 4.0


def test_a_minute_is_not_too_long():
    assert examined(videos.clip(64, 64, duration_s=60)).duration_s == 60.0


def test_a_clip_that_begins_between_keyframes_is_taken():
    # What a phone writes when a clip is trimmed: the frames before stay, an edit list hides them.
    trimmed = videos.patched(videos.clip(duration_s=4), b"elst", 12, struct.pack(">I", 10_240))
    clip = examined(trimmed)
    assert clip.duration_s == 3.0
    assert is_close(colour(pictures.reopened(clip.thumbnails[480]), 40, 150), RED)


@pytest.mark.parametrize(
    ("rotation", "size", "where_white_is"),
    [
        (0, (320, 180), (160, 4)),
        (90, (180, 320), (4, 160)),
        (180, (320, 180), (160, 175)),
        (-90, (180, 320), (175, 160)),
    ],
)
def test_a_turned_clip_is_measured_and_drawn_the_way_it_is_shown(rotation, size, where_white_is):
    data = videos.clip(rotation=rotation)
    clip = examined(data)
    assert (clip.width, clip.height) == size
    assert poster(data).size == size
    assert is_close(colour(poster(data), *where_white_is), WHITE)


def test_pixels_that_are_not_square_are_shown_as_wide_as_browsers_do():
    data = videos.clip(sar=Fraction(4, 3))
    assert (examined(data).width, examined(data).height) == (427, 180)
    assert poster(data).size == (427, 180)


def test_posters_have_the_widths_of_thumbnails():
    data = videos.clip(1080, 1920, duration_s=1)
    assert [poster(data, width).size for width in (480, 960)] == [(480, 853), (960, 1707)]


def test_a_poster_has_the_colours_of_the_clip():
    picture = poster(videos.clip())
    assert is_close(colour(picture, 40, 120), RED)
    assert is_close(colour(picture, 280, 120), BLUE)


def test_a_poster_shows_the_first_frame_that_shows_something():
    assert is_close(colour(poster(videos.clip(black_frames=9)), 40, 120), RED, 40)


@pytest.mark.parametrize("black_frames", [10, 20])
def test_a_second_of_black_has_a_black_poster(black_frames):
    assert is_close(colour(poster(videos.clip(black_frames=black_frames)), 40, 120), (0, 0, 0))


def test_whatever_is_broken_in_a_clip_the_answer_is_a_refusal_or_a_clip():
    chance = random.Random(20260702)
    whole = [
        videos.clip(64, 64, duration_s=1),
        videos.clip(64, 64, duration_s=1, has_sound=True),
        videos.clip(64, 64, duration_s=1, codec="libx265"),
        videos.clip(64, 64, duration_s=1, codec="libvpx-vp9"),
        videos.clip(64, 64, duration_s=1, movflags="frag_keyframe+empty_moov"),
    ]
    refused = 0
    for _ in range(1500):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.choice((1, 1, 2, 8))):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        try:
            examined(bytes(data))
        except RejectedFile:
            refused += 1
    assert 300 < refused < 1500
