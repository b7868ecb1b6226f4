"""Text of results files, plain or compressed by zstd (.json.zst), told apart by their first bytes.

Above: results.py, scripts/keep, the tests of committed results. Below: python3-zstandard, only where it is needed.
"""
from pathlib import Path

MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878, 3.1.1


class Damaged(Exception):
    """The compressed text cannot be had; the message names the file and says why."""


def read_text(path):
    """The file's text. Raises OSError as open does, UnicodeDecodeError, and Damaged."""
    data = Path(path).read_bytes()
    if data.startswith(MAGIC):
        data = decompress(data, path)
    return data.decode("utf-8")


def decompress(data, path):
    zstandard = module(path)
    pieces = []
    while data:  # one frame after the other
        try:
            frame = zstandard.ZstdDecompressor().decompressobj()
            pieces.append(frame.decompress(data))
        except zstandard.ZstdError as error:
            raise Damaged(f"{path} is damaged: {error}; take it from its source again") from None
        if not frame.eof:
            raise Damaged(f"{path} ends too early: the compressed file was cut off; take it from its source again")
        data = frame.unused_data
    return b"".join(pieces)


def write(path, text):
    """Writes the text compressed, as small as it gets, with a checksum. Raises OSError and Damaged."""
    packer = module(path).ZstdCompressor(level=19, write_checksum=True)
    Path(path).write_bytes(packer.compress(text.encode("utf-8")))


def module(path):
    try:
        import zstandard
    except ImportError:
        raise Damaged(f"{path} is compressed: install Debian's python3-zstandard (scripts/setup does)") from None
    return zstandard
