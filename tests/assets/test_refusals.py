"""What is not taken into the library, and that nothing is left of it."""

import io
import random
import struct
import time
import tracemalloc
import zipfile
import zlib

import pytest
from PIL import Image

from assets import containers, imaging
from assets.errors import Reason, RejectedFile
from assets.models import Asset
from tests.assets import pictures
from tests.assets.makers import ingest_for
from tests.factories import make_member

pytestmark = pytest.mark.django_db

HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.html", HTML)
    return out.getvalue()


def animated(kind: str) -> bytes:
    frames = [pictures.painted(40, 40), Image.new("RGB", (40, 40), "green")]
    return pictures.encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


def damaged_png() -> bytes:
    data = bytearray(pictures.png(200, 200))
    data[data.index(b"IDAT") + 60] ^= 0xFF
    return bytes(data)


def short_png() -> bytes:
    """Every chunk is right, but only a few of the promised rows are there."""
    return pictures.bomb_png(400, 400)


def webp_over() -> bytes:
    return pictures.encoded(
        Image.new("RGB", (10_000, 5_001)), "WEBP", lossless=True, quality=0, method=0
    )


JPEG, PNG, WEBP = pictures.jpeg(200, 160), pictures.png(200, 160), pictures.webp(200, 160)

ATTACKS = {
    "nothing at all": (b"", Reason.EMPTY),
    "a web page": (HTML, Reason.UNKNOWN_TYPE),
    "an SVG": (SVG, Reason.UNKNOWN_TYPE),
    "an SVG with an XML head": (b'<?xml version="1.0"?>' + SVG, Reason.UNKNOWN_TYPE),
    "a GIF": (pictures.encoded(pictures.painted(9, 9), "GIF"), Reason.UNKNOWN_TYPE),
    "a TIFF": (pictures.encoded(pictures.painted(9, 9), "TIFF"), Reason.UNKNOWN_TYPE),
    "a PostScript file": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        Reason.UNKNOWN_TYPE,
    ),
    "three bytes": (b"\xff\xd8\xff", Reason.DAMAGED),
    "a web page behind a PNG signature": (b"\x89PNG\r\n\x1a\n" + HTML, Reason.DAMAGED),
    "an SVG behind a JPEG signature": (b"\xff\xd8\xff\xe0" + SVG, Reason.DAMAGED),
    "a web page in a RIFF": (b"RIFF\x40\0\0\0WEBP" + HTML, Reason.DAMAGED),
    "half a JPEG": (JPEG[: len(JPEG) // 2], Reason.DAMAGED),
    "half a PNG": (PNG[: len(PNG) // 2], Reason.DAMAGED),
    "half a WebP": (WEBP[: len(WEBP) // 2], Reason.DAMAGED),
    "a JPEG without its last bytes": (JPEG[:-2], Reason.DAMAGED),
    "a PNG without its last bytes": (PNG[:-4], Reason.DAMAGED),
    "a WebP without its last bytes": (WEBP[:-3], Reason.DAMAGED),
    "a PNG with a flipped byte": (damaged_png(), Reason.DAMAGED),
    "a PNG with rows missing": (short_png(), Reason.DAMAGED),
    "a JPEG that is a web page too": (JPEG + HTML, Reason.EXTRA_DATA),
    "a JPEG that is an archive too": (JPEG + zipped(), Reason.EXTRA_DATA),
    "a PNG that is a web page too": (PNG + HTML, Reason.EXTRA_DATA),
    "a PNG that is an archive too": (PNG + zipped(), Reason.EXTRA_DATA),
    "a WebP that is an archive too": (WEBP + zipped(), Reason.EXTRA_DATA),
    "a JPEG hidden behind a JPEG and a page": (JPEG + HTML + JPEG, Reason.EXTRA_DATA),
    "a moving PNG": (animated("PNG"), Reason.ANIMATED),
    "a moving WebP": (animated("WEBP"), Reason.ANIMATED),
    "a PNG bomb": (pictures.bomb_png(60_000, 60_000), Reason.TOO_MANY_PIXELS),
    "a JPEG bomb": (pictures.bomb_jpeg(60_000, 60_000), Reason.TOO_MANY_PIXELS),
    "a WebP bomb": (pictures.bomb_webp(16_000, 16_000), Reason.TOO_MANY_PIXELS),
    "a PNG one row over the limit": (pictures.bomb_png(10_000, 5_001), Reason.TOO_MANY_PIXELS),
    "a JPEG one row over the limit": (pictures.bomb_jpeg(10_000, 5_001), Reason.TOO_MANY_PIXELS),
    "a WebP one row over the limit": (webp_over(), Reason.TOO_MANY_PIXELS),
}


@pytest.mark.parametrize(("data", "reason"), ATTACKS.values(), ids=ATTACKS.keys())
def test_a_bad_file_is_refused_and_nothing_is_left_of_it(data, reason, stored_files):
    with pytest.raises(RejectedFile) as refused:
        ingest_for(make_member(), data)
    assert refused.value.reason == reason
    assert refused.value.sentence.endswith(".")
    assert not Asset.objects.exists()
    assert stored_files() == []


def test_a_file_over_the_limit_is_refused_after_reading_one_piece_too_many(stored_files):
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            self.taken += size
            return b"\xff\xd8\xff" + bytes(size - 3)

    endless = Endless()
    with pytest.raises(RejectedFile) as refused:
        ingest_for(make_member(), file=endless, max_bytes=5 * 2**20)
    assert refused.value.reason == Reason.TOO_LARGE
    assert refused.value.sentence == "The file is larger than 5 MB, the most we take."
    assert endless.taken == 6 * 2**20
    assert not Asset.objects.exists()
    assert stored_files() == []


def test_a_file_of_exactly_the_limit_is_taken():
    data = pictures.jpeg(100, 100)
    assert ingest_for(make_member(), data, max_bytes=len(data)).bytes == len(data)
    with pytest.raises(RejectedFile):
        ingest_for(make_member(), data, max_bytes=len(data) - 1)


def test_a_picture_is_never_larger_in_memory_than_pictures_may_be(monkeypatch):
    # A limit meant for clips does not let a picture of that size be read into memory.
    monkeypatch.setattr(imaging, "MAX_PICTURE_BYTES", 1000)
    with pytest.raises(RejectedFile) as refused:
        ingest_for(make_member(), pictures.jpeg(600, 600), max_bytes=10**9)
    assert refused.value.reason == Reason.TOO_LARGE


def test_a_bomb_is_refused_before_its_pixels_are_unpacked():
    rows = zlib.compress(bytes(8_000 * 3 + 1) * 8_000, 9)  # 192 MB of black in 190 kB
    header = struct.pack(">IIBBBBB", 8_000, 8_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        pictures.png_chunk(kind, content)
        for kind, content in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )
    started = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(RejectedFile) as refused:
            imaging.examine(file=io.BytesIO(bomb), media_type=containers.PNG)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.reason == Reason.TOO_MANY_PIXELS
    assert peak < 10 * 2**20
    assert time.perf_counter() - started < 1


def test_a_picture_of_exactly_fifty_megapixels_is_taken():
    data = pictures.encoded(Image.new("L", (10_000, 5_000)), "PNG")
    examined = imaging.examine(file=io.BytesIO(data), media_type=containers.PNG)
    assert (examined.width, examined.height) == (10_000, 5_000)


def test_a_phones_picture_with_further_pictures_behind_it_is_taken():
    depth = Image.new("L", (50, 40), 128)
    data = pictures.encoded(
        pictures.painted(100, 80), "MPO", save_all=True, append_images=[depth.convert("RGB")]
    )
    asset = ingest_for(make_member(), data)
    assert (asset.media_type, asset.width, asset.height) == ("image/jpeg", 100, 80)


def test_filling_behind_a_picture_is_harmless():
    assert ingest_for(make_member(), JPEG + bytes(16)).bytes == len(JPEG) + 16


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_is_broken_in_a_picture_the_answer_is_a_refusal_or_an_asset():
    chance = random.Random(20260702)
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = pictures.wide_gamut_profile()
    whole = [
        pictures.encoded(pictures.painted(60, 40), kind, exif=exif, icc_profile=profile)
        for kind in ("JPEG", "PNG", "WEBP")
    ] + [pictures.png(60, 40, "P"), pictures.png(60, 40, "LA")]
    refused = 0
    for _ in range(1500):
        data = bytearray(chance.choice(whole))
        for _ in range(chance.choice((1, 1, 2, 8))):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        cut = bytes(data[: chance.choice((len(data), len(data), chance.randrange(len(data))))])
        media_type = containers.media_type_of(cut[: containers.HEAD_BYTES])
        if media_type is None:
            continue
        try:
            imaging.examine(file=io.BytesIO(cut), media_type=media_type)
            imaging.fit_image(source=io.BytesIO(cut), target=io.BytesIO(), width=30, height=30)
        except RejectedFile:
            refused += 1
    assert refused > 500


def test_a_read_error_of_our_own_disk_is_not_the_files_fault(stored_files):
    class Failing(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        ingest_for(make_member(), file=Failing(b"x"))
    assert stored_files() == []
