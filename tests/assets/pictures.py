"""Pictures drawn when a test asks for them; no binary file stands in the repository."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, ImageCms, ImageDraw


def painted(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, a white band at the top: sides and turns can be told."""
    picture = Image.new("RGB", (width, height), (200, 30, 30))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((width // 2, 0, width, height), fill=(30, 30, 200))
    draw.rectangle((0, 0, width, height // 10), fill=(255, 255, 255))
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def jpeg(width: int = 1200, height: int = 1500, **options: object) -> bytes:
    return encoded(painted(width, height), "JPEG", **{"quality": 90, **options})


def png(width: int = 1200, height: int = 1500, mode: str = "RGB", **options: object) -> bytes:
    return encoded(painted(width, height, mode), "PNG", **options)


def webp(width: int = 1200, height: int = 1500, **options: object) -> bytes:
    return encoded(painted(width, height), "WEBP", **options)


def turned_jpeg(width: int, height: int, *, orientation: int, **options: object) -> bytes:
    """A camera's picture: the pixels lie as the sensor did, EXIF says how to turn them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Kamera"
    return jpeg(width, height, exif=exif, **options)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def bomb_png(width: int, height: int) -> bytes:
    """A few bytes whose header promises width x height pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            png_chunk(b"IHDR", header),
            png_chunk(b"IDAT", zlib.compress(b"\0" * 1000)),
            png_chunk(b"IEND", b""),
        )
    )


def bomb_webp(width: int, height: int) -> bytes:
    """A real picture in a canvas that its header declares to be huge."""
    body = webp(16, 16, lossless=True)[12:]
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas + body
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def bomb_jpeg(width: int, height: int) -> bytes:
    """A JPEG whose frame header was rewritten."""
    data = bytearray(jpeg(16, 16))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def wide_gamut_profile() -> bytes:
    """An ICC profile that is plainly not sRGB: sRGB's with red and blue exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    for entry in range(132, 132 + 12 * count, 12):
        tag = bytes(profile[entry : entry + 4])
        if tag in (b"rXYZ", b"bXYZ"):
            profile[entry : entry + 4] = b"bXYZ" if tag == b"rXYZ" else b"rXYZ"
    return bytes(profile)


def reopened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture
