"""Thumbnails that look like the picture, and pictures brought to an ordered size."""

import io

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from assets import containers, imaging
from assets.errors import Reason, RejectedFile
from tests.assets import pictures

RED, BLUE, WHITE = (200, 30, 30), (30, 30, 200), (255, 255, 255)


def examined(data: bytes) -> imaging.ExaminedPicture:
    media_type = containers.media_type_of(data[: containers.HEAD_BYTES])
    assert media_type is not None
    return imaging.examine(file=io.BytesIO(data), media_type=media_type)


def thumbnail(data: bytes, width: int = 480) -> Image.Image:
    return pictures.reopened(examined(data).thumbnails[width])


def colour(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    pixel = picture.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


def is_close(pixel: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 25) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(pixel[:3], wanted, strict=True))


def fitted(data: bytes, width: int, height: int) -> bytes:
    target = io.BytesIO()
    imaging.fit_image(source=io.BytesIO(data), target=target, width=width, height=height)
    return target.getvalue()


@pytest.mark.parametrize(
    ("orientation", "shown", "where_white_is"),
    [
        (1, (800, 400), "top"),
        (2, (800, 400), "top"),
        (3, (800, 400), "bottom"),
        (4, (800, 400), "bottom"),
        (5, (400, 800), "left"),
        (6, (400, 800), "right"),
        (7, (400, 800), "right"),
        (8, (400, 800), "left"),
    ],
)
def test_a_picture_is_measured_and_drawn_the_way_its_orientation_shows_it(
    orientation, shown, where_white_is
):
    result = examined(pictures.turned_jpeg(800, 400, orientation=orientation))
    assert (result.width, result.height) == shown
    small = pictures.reopened(result.thumbnails[480])
    width = min(480, shown[0])
    assert small.size == (width, width * shown[1] // shown[0])
    points = {
        "top": (small.width // 2, 2),
        "bottom": (small.width // 2, small.height - 3),
        "left": (2, small.height // 2),
        "right": (small.width - 3, small.height // 2),
    }
    white = [side for side, at in points.items() if is_close(colour(small, *at), WHITE)]
    assert white == [where_white_is]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_broken_exif_leaves_the_picture_as_it_lies():
    data = pictures.jpeg(800, 400, exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert (examined(data).width, examined(data).height) == (800, 400)


def test_a_thumbnail_is_in_srgb_and_carries_no_metadata():
    profile = pictures.wide_gamut_profile()
    data = pictures.turned_jpeg(800, 800, orientation=1, icc_profile=profile, comment=b"who")
    small = thumbnail(data)
    assert not {"icc_profile", "exif", "xmp", "comment"} & small.info.keys()
    # The profile exchanges red and blue, so the colours on a screen are exchanged, too.
    left, right = colour(small, 60, 240), colour(small, 420, 240)
    assert left[2] > 150 > left[0]
    assert right[0] > 150 > right[2]


def test_a_broken_profile_is_ignored():
    small = thumbnail(pictures.jpeg(600, 600, icc_profile=b"not a profile"))
    assert is_close(colour(small, 60, 240), RED)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_pictures_of_every_plain_mode_get_a_thumbnail(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    small = thumbnail(pictures.encoded(pictures.painted(600, 600, mode), kind))
    assert (small.mode, small.size) == ("RGB", (480, 480))
    assert is_close(colour(small, 240, 10), WHITE)


def test_grey_of_sixteen_bits_keeps_its_brightness():
    grey = Image.new("I;16", (600, 600), 128 * 257)
    assert is_close(colour(thumbnail(pictures.encoded(grey, "PNG")), 9, 9), (128, 128, 128), 3)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_survives_in_a_thumbnail(mode):
    clear = Image.new(
        mode, (600, 600), 0 if mode == "L" else (0,) * len(Image.new(mode, (1, 1)).getbands())
    )
    small = thumbnail(pictures.encoded(clear, "PNG"))
    assert small.mode == "RGBA"
    assert colour(small, 9, 9)[3] == 0


def test_a_very_tall_picture_gets_a_thumbnail_that_webp_can_hold():
    small = thumbnail(pictures.encoded(Image.new("L", (100, 20_000)), "PNG"))
    assert small.size == (82, 16_383)


def test_a_picture_that_fits_is_copied_byte_for_byte():
    data = pictures.jpeg(1080, 1350)
    assert fitted(data, 1080, 1350) == data


def test_a_turned_picture_that_fits_as_shown_is_copied_byte_for_byte():
    data = pictures.turned_jpeg(400, 300, orientation=6)
    assert fitted(data, 300, 400) == data


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((2048, 2560), (1080, 1350)), ((1440, 2560), (1080, 1920)), ((2560, 1440), (1080, 1080))],
)
@pytest.mark.parametrize("make", [pictures.jpeg, pictures.png, pictures.webp])
def test_a_larger_picture_becomes_exactly_the_ordered_size_in_its_own_format(make, size, wanted):
    data = make(*size)
    result = pictures.reopened(fitted(data, *wanted))
    assert result.size == wanted
    assert result.format == pictures.reopened(data).format


def test_the_crop_is_taken_from_the_centre():
    result = pictures.reopened(fitted(pictures.png(2000, 1000), 500, 500))
    left, right = colour(result, 240, 300), colour(result, 260, 300)
    assert (left, right) == (RED, BLUE)
    assert colour(result, 250, 10) == WHITE


def test_a_jpeg_keeps_quality_95_full_colour_and_its_metadata():
    exif = Image.Exif()
    exif[0x010F] = "Kamera"
    exif[0x9286] = b"ASCII\0\0\0generated"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>AI</x:xmpmeta>"
    profile = pictures.wide_gamut_profile()
    data = pictures.jpeg(
        600, 800, exif=exif, icc_profile=profile, xmp=xmp, comment=b"made up", dpi=(300, 300)
    )

    result = pictures.reopened(fitted(data, 300, 300))

    reference = pictures.reopened(
        pictures.encoded(pictures.painted(300, 300), "JPEG", quality=95, subsampling=0)
    )
    assert result.quantization == reference.quantization  # type: ignore[attr-defined]
    assert [layer[1:3] for layer in result.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    assert result.info["exif"] == pictures.reopened(data).info["exif"]
    assert result.info["icc_profile"] == profile
    assert (result.info["xmp"], result.info["comment"]) == (xmp, b"made up")
    assert result.info["dpi"] == (300, 300)


def test_a_png_keeps_its_texts_and_profile():
    text = PngImagePlugin.PngInfo()
    text.add_text("AIGC", '{"Label":"1"}')
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>é</x:xmpmeta>")
    profile = pictures.wide_gamut_profile()
    data = pictures.png(600, 800, pnginfo=text, icc_profile=profile)
    result = pictures.reopened(fitted(data, 300, 300))
    assert result.text == {  # type: ignore[attr-defined]
        "AIGC": '{"Label":"1"}',
        "XML:com.adobe.xmp": "<x:xmpmeta>é</x:xmpmeta>",
    }
    assert result.info["icc_profile"] == profile


def test_a_turned_picture_is_put_upright_when_it_is_cropped():
    result = pictures.reopened(fitted(pictures.turned_jpeg(800, 400, orientation=6), 200, 200))
    assert result.getexif()[0x0112] == 1
    assert result.getexif()[0x010F] == "Kamera"
    assert result.size == (200, 200)
    assert is_close(colour(result, 100, 60), RED)
    assert is_close(colour(result, 100, 140), BLUE)


def test_transparency_survives_a_fit():
    clear = Image.new("RGBA", (600, 600), (10, 20, 30, 0))
    result = pictures.reopened(fitted(pictures.encoded(clear, "PNG"), 300, 200))
    assert (result.mode, colour(result, 5, 5)[3]) == ("RGBA", 0)


def test_a_cmyk_jpeg_stays_one():
    data = pictures.encoded(pictures.painted(600, 600, "CMYK"), "JPEG")
    assert pictures.reopened(fitted(data, 300, 200)).mode == "CMYK"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"<html>", Reason.UNKNOWN_TYPE),
        (pictures.bomb_png(60_000, 60_000), Reason.TOO_MANY_PIXELS),
        (pictures.jpeg(400, 400)[:-800], Reason.DAMAGED),
    ],
)
def test_what_cannot_be_fitted_is_refused_and_nothing_is_written(data, reason):
    target = io.BytesIO()
    with pytest.raises(RejectedFile) as refused:
        imaging.fit_image(source=io.BytesIO(data), target=target, width=300, height=300)
    assert refused.value.reason == reason
    assert target.getvalue() == b""


def test_the_exchanged_profile_is_one_that_little_cms_reads():
    assert ImageCms.ImageCmsProfile(io.BytesIO(pictures.wide_gamut_profile()))
