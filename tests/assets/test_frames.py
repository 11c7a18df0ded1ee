"""Start frames: what may be one, what is left of it, and what is cut out of it."""

import io
import tracemalloc

import pytest
from PIL import Image, PngImagePlugin

from assets import frames
from assets.errors import Reason, RejectedFile
from tests.assets import pictures
from tests.assets.test_imaging import BLUE, RED, WHITE, colour, is_close
from tests.assets.test_refusals import HTML, SVG, zipped

MB = 2**20


def cleaned(data: bytes) -> frames.CleanFrame:
    return frames.clean_frame(file=io.BytesIO(data))


def flat(width: int, height: int, kind: str = "PNG", mode: str = "RGB") -> bytes:
    return pictures.encoded(Image.new(mode, (width, height)), kind)


def refusal_of(data: bytes) -> tuple[Reason, str]:
    with pytest.raises(RejectedFile) as refused:
        cleaned(data)
    return refused.value.reason, refused.value.sentence


ALLOWED = "each side must have 300 to 8000 px."
BETWEEN = "it must be between 1:2.5 and 2.5:1."
DAMAGED = (Reason.DAMAGED, "The picture is damaged or not complete.")
UNKNOWN = (Reason.UNKNOWN_TYPE, "This file is not a JPEG, PNG or WebP picture.")
EXTRA = (
    Reason.EXTRA_DATA,
    "Something else follows the picture in this file. Save the picture again as JPEG, PNG or WebP"
    " and use that file.",
)
PIXELS = (Reason.TOO_MANY_PIXELS, "The picture has more than 50 megapixels, the most we take.")


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", (Reason.EMPTY, "The file is empty.")),
        (SVG, UNKNOWN),
        (HTML, UNKNOWN),
        (pictures.encoded(pictures.painted(400, 400), "GIF"), UNKNOWN),
        (b"\0\0\0\x14ftypisom" + bytes(400), UNKNOWN),
        (b"\x89PNG\r\n\x1a\n" + SVG, DAMAGED),
        (pictures.jpeg(400, 400)[:-900], DAMAGED),
        (pictures.jpeg(400, 400) + zipped(), EXTRA),
        (pictures.png(400, 400) + HTML, EXTRA),
        (pictures.webp(400, 400) + zipped(), EXTRA),
        (
            flat(200, 150),
            (Reason.SIDE_TOO_SHORT, f"The picture is 200 × 150 px; {ALLOWED}"),
        ),
        (
            flat(300, 299),
            (Reason.SIDE_TOO_SHORT, f"The picture is 300 × 299 px; {ALLOWED}"),
        ),
        (
            flat(8001, 4000),
            (Reason.SIDE_TOO_LONG, f"The picture is 8001 × 4000 px; {ALLOWED}"),
        ),
        (
            flat(1000, 300),
            (Reason.RATIO, f"The picture is 1000 × 300 px, a ratio of 3.34:1; {BETWEEN}"),
        ),
        (
            flat(1001, 400),
            (Reason.RATIO, f"The picture is 1001 × 400 px, a ratio of 2.51:1; {BETWEEN}"),
        ),
        (
            flat(400, 1001),
            (Reason.RATIO, f"The picture is 400 × 1001 px, a ratio of 1:2.51; {BETWEEN}"),
        ),
    ],
)
def test_a_refusal_says_what_was_wrong_and_what_is_allowed(data, refusal):
    assert refusal_of(data) == refusal


@pytest.mark.parametrize(
    ("width", "height"), [(300, 300), (1000, 400), (400, 1000), (750, 300), (6250, 2500)]
)
def test_sides_and_ratios_of_exactly_the_limit_are_taken(width, height):
    frame = cleaned(flat(width, height))
    assert (frame.width, frame.height) == (width, height)
    assert pictures.reopened(frame.data).size == (width, height)


def test_the_longest_side_is_taken_and_halved():
    frame = cleaned(flat(8000, 3200))
    assert (frame.width, frame.height) == (4000, 1600)
    assert pictures.reopened(frame.data).size == (4000, 1600)


def test_sides_are_those_that_are_shown():
    turned = pictures.turned_jpeg(1000, 299, orientation=6)
    assert refusal_of(turned) == (
        Reason.SIDE_TOO_SHORT,
        f"The picture is 299 × 1000 px; {ALLOWED}",
    )


def test_ten_megabytes_are_taken_and_one_byte_more_is_not():
    data = pictures.jpeg(400, 400)
    assert cleaned(data + bytes(10 * MB - len(data))).width == 400
    assert refusal_of(data + bytes(10 * MB - len(data) + 1)) == (
        Reason.TOO_LARGE,
        "The picture has 10.1 MB; a start frame may have at most 10 MB.",
    )


@pytest.mark.parametrize("bomb", [pictures.bomb_png, pictures.bomb_jpeg])
def test_sixty_megapixels_are_refused_before_they_are_decoded(bomb):
    data = bomb(8000, 7500)
    tracemalloc.start()
    try:
        assert refusal_of(data) == PIXELS
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * MB


def test_a_picture_of_the_library_is_checked_by_what_was_measured():
    frames.check_frame_size(width=1000, height=400)
    for size, reason in (
        ({"width": 299, "height": 400}, Reason.SIDE_TOO_SHORT),
        ({"width": 8001, "height": 4000}, Reason.SIDE_TOO_LONG),
        ({"width": 1001, "height": 400}, Reason.RATIO),
    ):
        with pytest.raises(RejectedFile) as refused:
            frames.check_frame_size(**size)
        assert refused.value.reason == reason


def private_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Kamera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # GPSLatitude
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_pixels_is_left(kind):
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "somebody")
    data = pictures.encoded(
        pictures.painted(600, 400),
        kind,
        exif=private_exif(),
        icc_profile=pictures.wide_gamut_profile(),
        xmp=b"<x:xmpmeta>somebody</x:xmpmeta>",
        comment=b"somebody",
        pnginfo=text,
        dpi=(300, 300),
        quality=95,
    )
    assert b"Kamera" in data

    frame = cleaned(data)

    for trace in (b"Kamera", b"somebody", b"Exif", b"eXIf", b"xmpmeta", b"iCCP", b"ICC"):
        assert trace not in frame.data
    result = pictures.reopened(frame.data)
    assert result.format == kind
    assert dict(result.getexif()) == {}
    assert not {"icc_profile", "exif", "xmp", "comment", "Author"} & result.info.keys()
    # The profile exchanges red and blue, so sRGB has them exchanged.
    left = colour(result, 60, 240)
    assert left[2] > 150 > left[0]


@pytest.mark.parametrize(
    ("orientation", "where_white_is"), [(3, (300, 395)), (6, (395, 300)), (8, (5, 300))]
)
def test_a_frame_is_put_upright(orientation, where_white_is):
    frame = cleaned(pictures.turned_jpeg(600, 400, orientation=orientation, quality=95))
    result = pictures.reopened(frame.data)
    assert result.size == (frame.width, frame.height)
    assert result.size == ((600, 400) if orientation == 3 else (400, 600))
    assert is_close(colour(result, *where_white_is), WHITE)
    assert 0x0112 not in result.getexif()


def test_a_png_and_a_lossless_webp_lose_nothing():
    original = pictures.painted(400, 300)
    for data in (pictures.png(400, 300), pictures.webp(400, 300, lossless=True)):
        assert pictures.reopened(cleaned(data).data).convert("RGB").tobytes() == original.tobytes()


def test_an_ordinary_webp_stays_one_of_a_picture():
    frame = cleaned(pictures.webp(400, 300))
    assert frame.media_type == "image/webp"
    assert b"VP8 " in frame.data[:40]


def test_a_jpeg_is_written_at_quality_95_in_full_colour():
    result = pictures.reopened(cleaned(pictures.jpeg(400, 300)).data)
    reference = pictures.reopened(pictures.jpeg(400, 300, quality=95, subsampling=0))
    assert result.quantization == reference.quantization  # type: ignore[attr-defined]
    assert [layer[1:3] for layer in result.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]


def test_a_jpeg_that_would_grow_over_the_limit_is_written_smaller():
    noise = Image.effect_noise((3200, 2400), 120).convert("RGB")
    data = pictures.encoded(noise, "JPEG", quality=92)
    assert 5 * MB < len(data) <= 10 * MB
    assert len(pictures.encoded(noise, "JPEG", quality=95, subsampling=0)) > len(data)
    assert len(cleaned(data).data) <= 10 * MB


def test_a_cmyk_jpeg_becomes_rgb():
    data = pictures.encoded(pictures.painted(400, 400, "CMYK"), "JPEG", quality=95)
    result = pictures.reopened(cleaned(data).data)
    assert result.mode == "RGB"
    assert is_close(colour(result, 40, 200), RED)


def palette_png(**options: object) -> bytes:
    """Left half the first colour of the palette, red; right half the second, blue."""
    picture = Image.new("P", (400, 400), 1)
    picture.putpalette([*RED, *BLUE])
    picture.paste(0, (0, 0, 200, 400))
    return pictures.encoded(picture, "PNG", **options)


def test_a_palette_keeps_its_transparency():
    result = pictures.reopened(cleaned(palette_png(transparency=0)).data)
    assert (result.mode, colour(result, 100, 200)[3], colour(result, 300, 200)[3]) == (
        "RGBA",
        0,
        255,
    )


def test_a_palette_without_transparency_stays_small():
    result = pictures.reopened(cleaned(palette_png()).data)
    assert result.mode == "P"
    assert is_close(colour(result.convert("RGB"), 40, 200), RED)


def cropped(data: bytes, ratio: tuple[int, int], **limits: int) -> Image.Image:
    return pictures.reopened(frames.crop_for_clip(data=data, aspect_ratio=ratio, **limits))


@pytest.mark.parametrize(
    ("size", "ratio", "wanted"),
    [
        ((1920, 1080), (16, 9), (1920, 1080)),
        ((1600, 1600), (16, 9), (1600, 900)),
        ((1919, 1081), (16, 9), (1918, 1078)),
        ((1081, 1919), (9, 16), (1078, 1918)),
        ((1001, 999), (1, 1), (998, 998)),
        ((4000, 3000), (16, 9), (1920, 1080)),
        ((3000, 4000), (9, 16), (1080, 1920)),
        ((3000, 2000), (1, 1), (1920, 1920)),
        ((300, 750), (16, 9), (534, 300)),
        ((750, 300), (9, 16), (300, 534)),
        ((300, 300), (1, 1), (300, 300)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_crop_has_exactly_the_ratio_in_even_sides(size, ratio, wanted, kind):
    result = cropped(flat(size[0], size[1], kind), ratio)
    assert (result.format, result.mode, result.size) == ("JPEG", "RGB", wanted)
    assert abs(wanted[0] * ratio[1] - wanted[1] * ratio[0]) <= max(ratio)


def test_no_size_makes_a_crop_larger_than_the_picture_or_off_its_ratio():
    for width in range(300, 420):
        for height in (300, 301, 407, 749):
            for wide, high in ((16, 9), (9, 16), (1, 1), (4, 5)):
                crop = frames.largest_of_ratio(width, height, aspect_ratio=(wide, high))
                assert crop[0] <= width
                assert crop[1] <= height
                assert (crop[0] % 2, crop[1] % 2) == (0, 0)
                off = abs(crop[0] * high - crop[1] * wide)
                assert off <= max(wide, high)
                assert crop[0] >= width - 1 or crop[1] >= height - 1


def test_a_crop_is_the_centre():
    result = cropped(pictures.png(2000, 1000), (1, 1))
    assert result.size == (1000, 1000)
    assert is_close(colour(result, 490, 500), RED)
    assert is_close(colour(result, 510, 500), BLUE)
    assert is_close(colour(result, 500, 50), WHITE)


def test_a_large_jpeg_is_cropped_around_its_centre_too():
    result = cropped(pictures.jpeg(6000, 4000), (1, 1), max_side_px=500)
    assert result.size == (500, 500)
    assert is_close(colour(result, 245, 250), RED)
    assert is_close(colour(result, 255, 250), BLUE)
    assert is_close(colour(result, 250, 47), WHITE)
    assert is_close(colour(result, 245, 53), RED)


def test_a_turned_picture_is_cropped_the_way_it_is_shown():
    result = cropped(pictures.turned_jpeg(1600, 900, orientation=6, quality=95), (9, 16))
    assert result.size == (900, 1600)
    assert is_close(colour(result, 890, 800), WHITE)
    assert is_close(colour(result, 100, 100), RED)
    assert is_close(colour(result, 100, 1500), BLUE)


def test_what_is_transparent_becomes_white_in_a_crop():
    result = cropped(palette_png(transparency=0), (1, 1))
    assert is_close(colour(result, 100, 200), WHITE, 3)
    assert is_close(colour(result, 300, 200), BLUE)


def test_a_crop_is_in_srgb_without_metadata():
    data = pictures.jpeg(
        600, 600, exif=private_exif(), icc_profile=pictures.wide_gamut_profile(), comment=b"who"
    )
    crop = frames.crop_for_clip(data=data, aspect_ratio=(16, 9))
    assert b"Kamera" not in crop
    result = pictures.reopened(crop)
    assert not {"icc_profile", "exif", "xmp", "comment"} & result.info.keys()
    left = colour(result, 60, 200)
    assert left[2] > 150 > left[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>", Reason.UNKNOWN_TYPE),
        (pictures.bomb_jpeg(9000, 9000), Reason.TOO_MANY_PIXELS),
        (pictures.png(400, 400)[:-900], Reason.DAMAGED),
    ],
)
def test_what_cannot_be_cropped_is_refused(data, reason):
    with pytest.raises(RejectedFile) as refused:
        frames.crop_for_clip(data=data, aspect_ratio=(1, 1))
    assert refused.value.reason == reason
