"""Slide files written by hand, for tests that must not depend on a library."""
import struct


def write_tiff(path, width, height, big=False, pixel=lambda x, y: (230, 200, 220), mpp=None):
    """RGB in uncompressed strips of 16 rows, classic or BigTIFF; the directory stands at the end."""
    rows = 16
    strips = [bytes(v for y in range(top, min(top + rows, height)) for x in range(width) for v in pixel(x, y))
              for top in range(0, height, rows)]
    header = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if big else struct.pack("<2sHI", b"II", 42, 0)
    body, offsets = header, []
    for strip in strips:
        offsets.append(len(body))
        body += strip
    pointer = "Q" if big else "I"

    def put(format_, *values):
        nonlocal body
        at = len(body)
        body += struct.pack("<" + format_, *values)
        return at

    entries = [(256, "I", [width]), (257, "I", [height]), (258, "H", [8, 8, 8]), (259, "H", [1]), (262, "H", [2]),
               (273, pointer, offsets), (277, "H", [3]), (278, "I", [rows]), (279, pointer, [len(s) for s in strips])]
    if mpp is not None:
        entries += [(282, "II", [round(1e4 / mpp), 1]), (296, "H", [3])]  # pixels per centimetre
    kinds = {"H": 3, "I": 4, "II": 5, "Q": 16}
    lines = []
    for tag, kind, values in entries:
        count = len(values) // len(kind)
        packed = struct.pack("<" + (kind[0] * len(values)), *values)
        room = 8 if big else 4
        if len(packed) > room:
            packed = struct.pack("<" + pointer, put(f"{len(packed)}s", packed))
        lines.append(struct.pack("<HH" + pointer, tag, kinds[kind], count) + packed.ljust(room, b"\0"))
    directory = put("Q" if big else "H", len(lines))
    body += b"".join(lines) + struct.pack("<" + pointer, 0)
    body = body[:8] + struct.pack("<Q", directory) + body[16:] if big else body[:4] + struct.pack("<I", directory) + body[8:]
    with open(path, "wb") as out:
        out.write(body)


def write_png(path, width, height, pixel=lambda x, y: 0):
    """8-bit grey."""
    import zlib
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(width)) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
                  chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
