# SPDX-License-Identifier: GPL-3.0-or-later
"""Where recordings come from and results go to: a folder, or anything that fsspec opens (`s3://`, `sftp://`, ...).

Names within a store have `/` between folders. A file is whole or not there.
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from .. import installation
from ..errors import MissingLibraryError, ParameterError, StorageError
from ..files import remove_leftovers, whole_file

ATOMIC = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory")
"""Protocols in which a file appears when it is complete; in others it gets its name then."""
KEYS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL, or the profile in ~/.aws",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}
"""Protocol -> where its library takes what it needs from."""
REFUSED = re.compile(r"\b40[13]\b|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|Credential")
GONE = re.compile(r"\b404\b|NoSuchBucket|bucket does not exist")


class Store:
    """A folder, here or elsewhere.

    Args:
        url: path, or URL as of fsspec.

    Attributes:
        url: without a slash at the end; of a folder of this machine its absolute path.
        files: its file system, as of fsspec.
        is_local: whether it is a folder of this machine.

    Raises:
        ParameterError: no file system has such a URL.
        MissingLibraryError: it needs a library that is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise MissingLibraryError(installation.missing("an archive", "fsspec")) from error
        self.url = url.rstrip("/") or url
        self.protocol = url.split("://")[0] if "://" in url else "file"
        try:
            self.files, self._root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except ImportError as error:
            how = installation.missing(f"{self.protocol}://", "s3fs") if self.protocol == "s3" else str(error)
            raise MissingLibraryError(how) from error
        except ValueError as error:
            raise ParameterError(f"{url} is no path or URL that fsspec knows: {error}") from error
        self.is_local = "file" in self.files.protocol
        if self.is_local:
            self.url = self._root = os.path.abspath(self._root)  # other processes may be in another folder

    def path(self, name: str) -> Path:
        """Of a file of a local store."""
        return Path(self._root, name)

    def full_name(self, name: str) -> str:
        """Of a file in `files`."""
        return self._join(name)

    def url_of(self, name: str) -> str:
        """What users see of a file."""
        return f"{self.url}/{name}" if name else self.url

    def is_file(self) -> bool:
        """Whether the store's URL is that of a file."""
        with self.named(""):
            return self.files.isfile(self._root)

    def exists(self, name: str = "") -> bool:
        """Whether there is a file or folder of this name, or anything at all."""
        with self.named(name):
            try:
                self.files.info(self._join(name))  # `exists` of fsspec takes refused access for an absence
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    def is_lost(self) -> bool:
        """Whether nothing can be had from it: it is not there any more, or access is refused."""
        try:
            return not self.exists()
        except StorageError:
            return True

    def infos(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(name, what the file system says of it) of all files, in folders as well, by name."""
        with self.named(""):
            found = self.files.find(self._root, detail=True)
        for path in sorted(found):
            yield os.path.relpath(path, self._root) if path != self._root else "", found[path]

    def names(self, folder: str) -> set[str]:
        """The files right in a folder; none where there is no such folder."""
        with self.named(folder):
            try:
                paths = self.files.ls(self._join(folder), detail=False, refresh=True)
            except FileNotFoundError:
                return set()
        return {name for path in paths if (name := path.rstrip("/").rpartition("/")[2]) and not name.startswith(".")}

    def size(self, name: str) -> int:
        """Bytes of a file."""
        with self.named(name):
            return int(self.files.size(self._join(name)))

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """The bytes of a file, or those from `start` to `end`."""
        with self.named(name):
            return self.files.cat_file(self._join(name), start=start, end=end)

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """A file to read."""
        with self.named(name), self.files.open(self._join(name), "rb") as file:
            yield file

    def fetch(self, name: str, to: Path) -> None:
        """Copy a file to this machine."""
        with self.named(name):
            self.files.get_file(self._join(name), str(to))

    def write(self, name: str, content: bytes) -> None:
        """Write a file at once; it replaces one that is there."""
        with self.named(name):
            if self.is_local:
                with self._whole_file(name) as file:
                    file.write(content)
            else:
                self._place(name, lambda whole: self.files.pipe_file(whole, content))

    def send(self, path: Path, name: str) -> None:
        """Copy a file from this machine, as `write`."""
        with self.named(name):
            if self.is_local:
                with open(path, "rb") as content, self._whole_file(name) as file:
                    shutil.copyfileobj(content, file)
            else:
                self._place(name, lambda whole: self.files.put_file(str(path), whole))

    def _whole_file(self, name: str) -> AbstractContextManager[BinaryIO]:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return whole_file(path, tidy=False)  # folders here have hundreds of thousands of files

    def _place(self, name: str, put: Callable[[str], object]) -> None:
        """Have a file elsewhere put where it is not seen before it is whole."""
        whole = self._join(name)
        if self.protocol in ATOMIC:
            put(whole)
            return
        partial = f"{whole}.{secrets.token_hex(8)}.tmp"
        self.files.makedirs(os.path.dirname(whole), exist_ok=True)
        put(partial)
        self.files.mv(partial, whole)

    def remove_leftovers(self) -> None:
        """Remove what writers on this machine left that were killed."""
        if self.is_local:
            remove_leftovers(self.path(""))

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all in it; what is not there is right."""
        with self.named(name), suppress(FileNotFoundError):
            self.files.rm(self._join(name), recursive=True)

    def remove_files(self, names: Sequence[str]) -> None:
        """Remove files; what is not there is right."""
        if self.is_local:
            for name in names:
                with self.named(name):
                    self.path(name).unlink(missing_ok=True)
        elif names:
            with self.named(names[0]), suppress(FileNotFoundError):
                self.files.rm([self._join(name) for name in names])

    def _join(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}" if name else self._root

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """Errors of whatever library, met with a file, as one that says what to do."""
        try:
            yield
        except StorageError:
            raise
        except Exception as error:
            raise StorageError(f"{self.url_of(name)}: {self._cure(error)}", self.url) from error

    def _cure(self, error: Exception) -> str:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT):
            return "the disk is full: make room, and run it again"
        text = f"{type(error).__name__} {error}"
        if isinstance(error, PermissionError) or number in (errno.EACCES, errno.EPERM) or REFUSED.search(text):
            keys = KEYS.get(self.protocol)
            way = f"keys may be wrong or have expired; check {keys}" if keys else "check the permissions"
            return f"access is refused ({error}): {way}, and run it again"
        if isinstance(error, FileNotFoundError) or number == errno.ENOENT or GONE.search(text):
            return "it is not there, or not any more: check the name, and run it again"
        what = "read or written" if self.is_local else "reached"
        return (
            f"it cannot be {what} ({getattr(error, 'strerror', None) or error or type(error).__name__}): run it again"
        )
