"""wsgi.file_wrapper, through which an application hands over a file."""

import io
import os
import stat
from typing import Any, Iterator, Optional, Tuple


class FileWrapper:
    """wsgi.file_wrapper of PEP 3333, "Platform-Specific File Handling".

    The front gets the path of a real file, and sends it by itself; anything
    else is read block by block.
    """

    def __init__(self, filelike: Any, block_size: int = 65536) -> None:
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        while True:
            block = self.filelike.read(self.block_size)
            if not block:
                return
            yield block

    def locate(self) -> Optional[Tuple[str, int, int, os.stat_result]]:
        """Return path, offset, length and identity of a real file, or None."""
        try:
            source = find_real_file(self.filelike)
            if source is None:
                return None
            facts = os.fstat(source.fileno())
            name = source.name
            if isinstance(name, int):  # NamedTemporaryFile before Python 3.10
                name = self.filelike.name
            path = os.path.abspath(os.fsdecode(name))
            named = os.stat(path)
            offset = source.tell()
        except (AttributeError, OSError, ValueError, TypeError):
            return None
        is_same = os.path.samestat(named, facts)
        if not is_same or not stat.S_ISREG(facts.st_mode):
            return None
        if facts.st_size <= offset:  # a file in /proc has the size 0
            return None
        return path, offset, facts.st_size - offset, facts


def find_real_file(filelike: Any) -> Any:
    """Return the open file whose bytes `filelike.read` gives, or None.

    Name and descriptor don't tell: a GzipFile has those of the compressed
    file. The object that the method is bound to does: Django's File takes
    read() from the file inside of it.
    """
    if type(filelike).__module__ == "tempfile":  # its read() is a function
        filelike = filelike.file
    source: Any = getattr(filelike.read, "__self__", None)
    if type(source) in (io.BufferedReader, io.BufferedRandom):
        return source if type(source.raw) is io.FileIO else None
    return source if type(source) is io.FileIO else None
