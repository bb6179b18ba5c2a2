"""Slide files written by hand, for tests that must not depend on a library."""
import struct
import zlib

KINDS = {"H": 3, "I": 4, "II": 5, "Q": 16}  # types of TIFF fields by their struct letters


def _directory(at, fields, big):
    """A directory for this place in the file, behind the values that do not fit into it. Returns it and where it is."""
    pointer, room = ("Q", 8) if big else ("I", 4)
    values, lines = b"", []
    for tag, kind, numbers in fields:
        packed = struct.pack("<" + kind[0] * len(numbers), *numbers)
        if len(packed) > room:
            values, packed = values + packed, struct.pack("<" + pointer, at + len(values))
        lines.append(struct.pack("<HH" + pointer, tag, KINDS[kind], len(numbers) // len(kind)) + packed.ljust(room, b"\0"))
    return (values + struct.pack("<Q" if big else "<H", len(lines)) + b"".join(lines) + bytes(room)), at + len(values)


def write_tiff(path, width, height, big=False, front=False, mpp=None):
    """RGB of one colour in uncompressed strips of 16 rows, classic or BigTIFF; `front`: its directory stands before them."""
    strips = [bytes((230, 200, 220)) * width * min(16, height - top) for top in range(0, height, 16)]
    start = 16 if big else 8

    def fields(first):
        offsets = [first + sum(map(len, strips[:i])) for i in range(len(strips))]
        pointer = "Q" if big else "I"
        return [(256, "I", [width]), (257, "I", [height]), (258, "H", [8, 8, 8]), (259, "H", [1]), (262, "H", [2]),
                (273, pointer, offsets), (277, "H", [3]), (278, "I", [16]), (279, pointer, [len(s) for s in strips])] + \
            ([(282, "II", [round(1e4 / mpp), 1]), (296, "H", [3])] if mpp else [])  # pixels per centimetre

    if front:
        length = len(_directory(start, fields(0), big)[0])
        directory, place = _directory(start, fields(start + length), big)
        body = directory + b"".join(strips)
    else:
        body = b"".join(strips)
        directory, place = _directory(start + len(body), fields(start), big)
        body += directory
    with open(path, "wb") as out:
        out.write((struct.pack("<2sHHHQ", b"II", 43, 8, 0, place) if big else struct.pack("<2sHI", b"II", 42, place)) + body)


def write_pyramid(path, levels, side=512):
    """A classic TIFF of Deflate tiles. `levels`: (width, height, tile) each, the slide first, then its reductions as SubIFDs;
    tile(column, row) gives the RGB bytes of side x side pixels."""
    body, reductions = b"", []
    for number, (width, height, tile) in reversed(list(enumerate(levels))):
        parts = {}  # many tiles are alike
        offsets, counts = [], []
        for row in range(-(-height // side)):
            for column in range(-(-width // side)):
                pixels = tile(column, row)
                part = parts.setdefault(pixels, zlib.compress(pixels))
                offsets.append(8 + len(body))
                counts.append(len(part))
                body += part
        body += bytes(len(body) % 2)
        fields = [(254, "I", [int(number > 0)]), (256, "I", [width]), (257, "I", [height]), (258, "H", [8, 8, 8]),
                  (259, "H", [8]), (262, "H", [2]), (277, "H", [3]), (322, "I", [side]), (323, "I", [side]),
                  (324, "I", offsets), (325, "I", counts)]
        if number == 0 and reductions:
            fields.append((330, "I", reductions))
        directory, place = _directory(8 + len(body), fields, False)
        body += directory
        reductions.insert(0, place)
    with open(path, "wb") as out:
        out.write(struct.pack("<2sHI", b"II", 42, place) + body)


def write_png(path, width, height, pixel=lambda x, y: 0):
    """8 bits: grey where a pixel is a number, RGB where it is three."""
    colour = isinstance(pixel(0, 0), tuple)

    def row(y):
        values = [pixel(x, y) for x in range(width)]
        return bytes(c for value in values for c in value) if colour else bytes(values)

    rows = b"".join(b"\0" + row(y) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if colour else 0, 0, 0, 0)) +
                  chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
