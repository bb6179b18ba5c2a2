"""TIFF files of every layout that a slide comes in, and their pixels as tifffile or OpenSlide reads them.

Usage: make_slides.py FOLDER [SLIDES [MAKE_SLIDE]]. Writes FOLDER/cases.json, a list of {name, file, reader, mpp,
levels: [{file, width, height}]}; a level's file has packed RGB bytes. SLIDES: a folder of real slides. MAKE_SLIDE: the generator of
synthetic slides.
"""
import json
import os
import subprocess
import sys

import imagecodecs
import numpy as np
import openslide
import tifffile

folder, *more = sys.argv[1:]
cases = []
rng = np.random.default_rng(7)


def picture(height, width, channels=3, dtype=np.uint8):
    """Smooth shapes with grain: every codec has something to do, and no two places look alike."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    planes = [.5 + .3 * np.sin(x * (.011 + .004 * c) + c) * np.cos(y * (.013 + .003 * c)) + rng.normal(0, .03, x.shape)
              for c in range(channels)]
    full = np.iinfo(dtype).max
    out = (np.clip(np.stack(planes, -1), 0, 1) * full).astype(dtype)
    return out if channels > 1 else out[..., 0]


def rgb(a):
    """What a page or series holds, as height x width x 3 bytes."""
    a = np.squeeze(a)
    if a.dtype == np.uint16:
        a = ((a.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if a.ndim == 2:
        a = np.repeat(a[..., None], 3, -1)
    if a.shape[-1] not in (3, 4):
        a = np.moveaxis(a, 0, -1)
    return np.ascontiguousarray(a[..., :3])


def add(name, path, levels, mpp=0, reader="tiff"):
    out = []
    for i, level in enumerate(levels):
        out.append({"file": f"{name}.{i}.rgb", "width": level.shape[1], "height": level.shape[0]})
        assert level.dtype == np.uint8 and level.shape[2] == 3, (name, level.shape, level.dtype)
        level.tofile(os.path.join(folder, out[-1]["file"]))
    cases.append({"name": name, "file": path, "reader": reader, "mpp": mpp, "levels": out})


def write(name, data, mpp=0, reader="tiff", expected=None, suffix=".tif", **options):
    path = os.path.join(folder, name + suffix)
    tifffile.imwrite(path, data, **options)
    with tifffile.TiffFile(path) as f:
        add(name, path, [rgb(f.series[0].asarray())] if expected is None else expected, mpp, reader)


H, W = 257, 333
a = picture(H, W)
tile = {"tile": (64, 48), "photometric": "rgb"}
for codec in ("none", "lzw", "deflate", "zstd", "jpeg", "packbits", "lzma"):
    compression = None if codec == "none" else codec
    write(f"tiled_{codec}", a, compression=compression, **tile)
    write(f"striped_{codec}", a, compression=compression, photometric="rgb", rowsperstrip=16)
write("tiled_predictor", a, compression="deflate", predictor=True, **tile)
write("jpeg_444", a, compression="jpeg", compressionargs={"level": 95}, subsampling=(1, 1), **tile)
write("jpeg_420", a, compression="jpeg", subsampling=(2, 2), photometric="rgb", tile=(64, 64))
write("rows_of_one", a, photometric="rgb", rowsperstrip=1)
write("one_strip", a, photometric="rgb", rowsperstrip=H)
large = picture(1301, 1507)
for codec in ("lzw", "deflate", "zstd", "jpeg"):
    write(f"one_large_strip_{codec}", large, compression=codec, photometric="rgb", rowsperstrip=1301)
write("large_strips_planar", np.moveaxis(picture(2501, 2003), -1, 0), compression="deflate", photometric="rgb",
      planarconfig="separate", rowsperstrip=2400)
write("bigtiff", a, bigtiff=True, **tile)
write("big_endian", a, byteorder=">", **tile)
write("bigtiff_big_endian", a, byteorder=">", bigtiff=True, compression="lzw", **tile)
write("grey", picture(H, W, 1), tile=(64, 48))
write("grey_jpeg", picture(H, W, 1), tile=(64, 64), compression="jpeg")
g = picture(H, W, 1)
write("min_is_white", g, photometric="miniswhite", expected=[rgb(255 - g)], tile=(64, 48))
write("min_is_white_lzw", g, photometric="miniswhite", expected=[rgb(255 - g)], compression="lzw")
write("rgba", picture(H, W, 4), extrasamples=["unassalpha"], **tile)
write("rgba_lzw_planar", np.moveaxis(picture(H, W, 4), -1, 0), extrasamples=["unassalpha"], planarconfig="separate",
      compression="lzw", **tile)
for order, codec in (("<", None), (">", None), ("<", "deflate"), (">", "lzw")):
    write(f"sixteen_{'le' if order == '<' else 'be'}_{codec}", picture(H, W, 3, np.uint16), byteorder=order,
          compression=codec, reader="tiff_16bit", **tile)
write("sixteen_grey_strips", picture(H, W, 1, np.uint16), reader="tiff_16bit", rowsperstrip=7)
write("sixteen_imagej", np.moveaxis(picture(H, W, 3, np.uint16), -1, 0)[None, None], imagej=True, reader="tiff_16bit")
planes = np.ascontiguousarray(np.moveaxis(a, -1, 0))
for codec in (None, "lzw", "zstd"):
    write(f"planar_tiled_{codec}", planes, compression=codec, planarconfig="separate", **tile)
    write(f"planar_striped_{codec}", planes, compression=codec, planarconfig="separate", photometric="rgb", rowsperstrip=16)
write("planar_5d", planes[None, None], planarconfig="separate", photometric="rgb")
for codec in (None, "deflate"):
    write(f"three_pages_{codec}", planes, photometric="minisblack", compression=codec)
    write(f"three_pages_tiled_{codec}", planes, photometric="minisblack", compression=codec, tile=(64, 48))
    write(f"three_pages_5d_{codec}", planes[None, None], photometric="minisblack", compression=codec)
write("three_pages_without_metadata", planes, photometric="minisblack", metadata=None)
write("one_page_truncated", planes[None, None], photometric="minisblack", truncate=True)
write("imagej_rgb", a, imagej=True)
write("imagej_5d", planes[None, None], imagej=True, resolution=(1 / .25, 1 / .25), metadata={"unit": "um", "axes": "TZCYX"}, mpp=.25)
write("imagej_micron", a, imagej=True, resolution=(2., 2.), metadata={"unit": "micron"}, mpp=.5)
write("resolution_cm", a, resolution=(20000., 20000.), resolutionunit="CENTIMETER", mpp=.5, **tile)
write("resolution_inch", a, resolution=(50800., 50800.), resolutionunit="INCH", mpp=.5, **tile)
write("resolution_of_a_printer", a, resolution=(72., 72.), resolutionunit="INCH", mpp=0, **tile)
write("libvips", a, description='<?xml version="1.0"?><image><properties><property><name>openslide.mpp-x</name>'
      '<value type="VipsRefString">0.2523</value></property></properties></image>', mpp=.2523, metadata=None, **tile)
write("philips", a, description='<DataObject ObjectType="DPUfsImport"><Attribute Name="DICOM_PIXEL_SPACING" Group="0x0028" '
      'Element="0x0030" PMSVR="IDoubleArray">&quot;0.000226891&quot; &quot;0.000226907&quot;</Attribute></DataObject>',
      mpp=.226891, metadata=None, **tile)
write("ventana", a, mpp=.465, extratags=[(700, 7, None, b'<Metadata><iScan Magnification="20" ScanRes="0.465000"/></Metadata>', True)],
      metadata=None, **tile)


def pyramid(name, data, mpp=0, levels=3, planar=False, sub=True, **options):
    """Levels as SubIFDs, or as pages that call themselves reduced."""
    path = os.path.join(folder, name + ".tif")
    written = []
    with tifffile.TiffWriter(path, ome=options.pop("ome", False)) as w:
        first = options.pop("first", {})
        w.write(data, subifds=levels - 1 if sub else 0, **first, **options)
        written.append(rgb(data))
        small = data
        for _ in range(levels - 1):
            small = np.ascontiguousarray(small[..., ::2, ::2] if planar else small[::2, ::2])
            w.write(small, subfiletype=1, **options, **({} if sub else {"metadata": None}))
            written.append(rgb(small))
    add(name, path, written, mpp)


big = picture(1027, 1233)
pyramid("pyramid_sub", big, tile=(256, 256), photometric="rgb")
pyramid("pyramid_pages", big, sub=False, tile=(256, 256), photometric="rgb", compression="deflate")
size = {"PhysicalSizeX": .5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": .5, "PhysicalSizeYUnit": "µm"}
pyramid("ome_rgb", big, ome=True, mpp=.5, first={"metadata": {"axes": "YXS", **size}}, tile=(256, 256), photometric="rgb")
nm = {"PhysicalSizeX": 250., "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 250., "PhysicalSizeYUnit": "nm"}
pyramid("ome_planar", np.moveaxis(big, -1, 0), ome=True, planar=True, mpp=.25, first={"metadata": {"axes": "CYX", **nm}},
        tile=(256, 256), photometric="minisblack", compression="lzw")
pyramid("ome_separate", np.moveaxis(big, -1, 0), ome=True, planar=True, mpp=0, first={"metadata": {"axes": "SYX"}},
        tile=(256, 256), photometric="rgb", planarconfig="separate")
write("ome_5d", planes[None, None], ome=True, photometric="minisblack", metadata={"axes": "TZCYX", **size}, mpp=.5,
      suffix=".ome.tif")


def precoded(name, code, ycc=False, description="Aperio Image Library v11.0.37\n512x384 (256x256) J2K/KDU Q=70|MPP = 0.25"):
    """Aperio's tiles of JPEG 2000, as OpenSlide reads them."""
    data = picture(384, 512)
    if ycc:
        y = data.astype(np.float64)
        r, g, b = y[..., 0], y[..., 1], y[..., 2]
        luma = .299 * r + .587 * g + .114 * b
        data = np.clip(np.stack([luma, 128 + (b - luma) / 1.772, 128 + (r - luma) / 1.402], -1).round(), 0, 255).astype(np.uint8)
    padded = np.zeros((512, 512, 3), np.uint8)
    padded[:384] = data
    tiles = [imagecodecs.jpeg2k_encode(np.ascontiguousarray(padded[y:y + 256, x:x + 256]), reversible=True, codecformat="J2K",
                                       mct=False) for y in (0, 256) for x in (0, 256)]
    path = os.path.join(folder, name + ".svs")
    # tifffile writes tiles that are compressed already as they come.
    tifffile.imwrite(path, iter(tiles), shape=(384, 512, 3), dtype=np.uint8, tile=(256, 256), compression=code,
                     photometric="rgb", description=description, metadata=None)
    add_openslide(name, path, mpp=.25)


def add_openslide(name, path, mpp, reader="tiff"):
    with openslide.OpenSlide(path) as s:
        levels = [np.asarray(s.read_region((0, 0), i, s.level_dimensions[i]))[..., :3] for i in range(s.level_count)]
    add(name, path, [np.ascontiguousarray(l) for l in levels], mpp, reader)


precoded("aperio_jp2_rgb", 33005)
precoded("aperio_jp2_ycc", 33003, ycc=True)

if len(more) > 0 and os.path.isdir(more[0]):
    for name, mpp in (("cmu-1-small-region", .499), ("tcga-cr-7395-01a-01-ts1", 0)):
        path = os.path.join(more[0], name + ".svs")
        add_openslide(name + "_openslide", path, mpp)
        add_openslide(name + "_by_openslide", path, mpp, "openslide")
        with tifffile.TiffFile(path) as f:
            add(name + "_tifffile", path, [rgb(l.asarray()) for l in f.series[0].levels], mpp)
if len(more) > 1 and os.path.exists(more[1]):
    for layout in ("tiled", "striped", "planar", "ome"):
        out = os.path.join(folder, "made_" + layout)
        subprocess.run([sys.executable, more[1], "--width", "1400", "--height", "1100", "--layout", layout, "--out", out,
                        "--radius", "60", "--id", "s"], check=True, stdout=subprocess.DEVNULL)
        path = os.path.join(out, "train", "s.ome.tiff" if layout == "ome" else "s.tiff")
        with tifffile.TiffFile(path) as f:
            add("made_" + layout, path, [rgb(f.series[0].asarray())])
with open(os.path.join(folder, "cases.json"), "w") as f:
    json.dump(cases, f)
print(len(cases), "cases")
