"""Where the files are: a local folder, or any S3-compatible store through django-storages.

One asset is one folder, `<workspace>/<reference>/<content>/`, with `original.<extension>` and the
thumbnails. The reference part is derived from the source reference and the content part from the
bytes. So an ingest that is repeated writes the same keys again; and two attempts that brought
different bytes never write into each other's files, whichever of them gets the row.
"""

from __future__ import annotations

import io
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, Final

import structlog
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage

from assets.errors import StoreUnavailable
from assets.info import AssetInfo

log = structlog.get_logger(__name__)

THUMBNAIL_TYPE: Final = "image/webp"
# A clip goes to S3 in parts of 8 MB that wait in memory, by default ten and ten more.
_TRANSFER = TransferConfig(max_concurrency=2)
_TRANSFER.max_in_memory_upload_chunks = 2
_REFERENCES = uuid.UUID("5a0d1c0e-6c0f-4c5e-9a52-0b1f6f1f7d11")


def folder_of(*, workspace_id: uuid.UUID, source_reference: str, sha256: str) -> str:
    reference = uuid.uuid5(_REFERENCES, source_reference).hex
    return f"{workspace_id.hex}/{reference}/{sha256[:32]}"


def original_name(*, folder: str, extension: str) -> str:
    return f"{folder}/original.{extension}"


def thumbnail_name(*, folder: str, width: int) -> str:
    return f"{folder}/{width}.webp"


def is_local() -> bool:
    return isinstance(default_storage, FileSystemStorage)


def put(*, name: str, content: BinaryIO | bytes, media_type: str) -> None:
    """Store a file under exactly this name, whole or not at all; an older one is replaced.

    content: seekable, read from the start. Raises OSError.
    """
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    stream.seek(0)
    if is_local():
        _write_whole(Path(default_storage.path(name)), stream)
        return
    file = File(stream)
    file.content_type = media_type  # type: ignore[attr-defined]
    default_storage.transfer_config = _TRANSFER  # type: ignore[attr-defined]
    with _asking_the_store():
        default_storage.save(name, file)


def open_file(*, name: str) -> IO[bytes]:
    """The stored file, opened for reading. Raises FileNotFoundError or another OSError."""
    with _asking_the_store():
        return default_storage.open(name)


def read_original(asset: AssetInfo) -> bytes:
    """The original, byte for byte. Raises FileNotFoundError or another OSError."""
    name = original_name(folder=asset.folder, extension=asset.extension)
    with _asking_the_store(), default_storage.open(name) as file:
        return bytes(file.read())


def size_of(*, name: str) -> int | None:
    """Bytes of the stored file, or None when there is none. Raises OSError."""
    try:
        with _asking_the_store():
            return int(default_storage.size(name))
    except FileNotFoundError:
        return None


def link(*, name: str, media_type: str, disposition: str, method: str) -> str:
    """A presigned link that lives settings.MEDIA_LINK_S seconds, for a store that is not local.

    method: the signature covers it, so a link for GET is refused to HEAD.
    """
    parameters = {"ResponseContentType": media_type, "ResponseContentDisposition": disposition}
    return str(
        default_storage.url(  # type: ignore[call-arg]
            name, parameters=parameters, expire=settings.MEDIA_LINK_S, http_method=method
        )
    )


def sweep(*, folder: str) -> None:
    """Remove what other attempts at the same reference left beside the folder that got the row.

    A store that fails here costs a log line: the asset itself is whole.
    """
    reference, _, winner = folder.rpartition("/")
    try:
        with _asking_the_store():
            folders, parts = default_storage.listdir(reference)
            for part in parts:
                default_storage.delete(f"{reference}/{part}")
        for other in folders:
            if other != winner:
                remove(folder=f"{reference}/{other}")
    except OSError as error:
        log.warning("asset_sweep_failed", folder=reference, error=type(error).__name__)


def remove(*, folder: str) -> None:
    """Remove a folder with its files; nothing when there is none. Raises OSError."""
    with suppress(FileNotFoundError), _asking_the_store():
        for name in default_storage.listdir(folder)[1]:
            default_storage.delete(f"{folder}/{name}")
        if is_local():
            default_storage.delete(folder)


@contextmanager
def _asking_the_store() -> Iterator[None]:
    """What S3's client raises is an OSError to everybody else, as with a local disk."""
    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError) as error:
        raise StoreUnavailable(type(error).__name__) from error


def _write_whole(path: Path, stream: BinaryIO) -> None:
    """Write beside the folder, flush to the disk, then rename: no reader meets half a file, and a
    row that says a file is there is true after a power cut."""
    reference = path.parent.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=reference, suffix=".part", delete=False) as part:
        try:
            while chunk := stream.read(2**20):
                part.write(chunk)
            part.flush()
            os.fchmod(part.fileno(), settings.FILE_UPLOAD_PERMISSIONS or 0o644)
            os.fsync(part.fileno())
            os.replace(part.name, path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(part.name)
            raise
    for folder in path.parents[:4]:  # up to the root: each may have been made just now
        _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
