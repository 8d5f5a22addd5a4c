"""The picture as a file, which says of itself how it was made."""

import html
import io

from PIL import Image, PngImagePlugin

from pixy_grpc.core.models import ImageFormat

SOFTWARE = "PixyProxy sketch"
"""What the files name as their maker: a drawing program, no model."""

_EXIF_SOFTWARE = 0x0131
_MAX_DESCRIPTION_CHARACTERS = 300
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\
<x:xmpmeta xmlns:x="adobe:ns:meta/">\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
xmp:CreatorTool="{software}" Iptc4xmpExt:DigitalSourceType="{source_type}">\
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">\
{description}</rdf:li></rdf:Alt></dc:description>\
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


def encode(image: Image.Image, kind: ImageFormat, lossy_quality: int, prompt: str) -> bytes:
    """Return the image's file in that format; PNG is lossless whatever the quality."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[_EXIF_SOFTWARE] = SOFTWARE
    xmp = _xmp(prompt)
    if kind is ImageFormat.PNG:
        # Level 1 is four times as fast as the default, for a tenth more bytes.
        image.save(buffer, "PNG", compress_level=1, pnginfo=_png_text(xmp), exif=exif)
    elif kind is ImageFormat.JPEG:
        image.save(buffer, "JPEG", quality=lossy_quality, exif=exif, xmp=xmp.encode())
    else:
        image.save(buffer, "WEBP", quality=lossy_quality, method=0, exif=exif, xmp=xmp.encode())
    return buffer.getvalue()


def _png_text(xmp: str) -> PngImagePlugin.PngInfo:
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", SOFTWARE)
    text.add_itxt("XML:com.adobe.xmp", xmp)
    return text


def _xmp(prompt: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in prompt[:_MAX_DESCRIPTION_CHARACTERS])
    cut = "…" if len(prompt) > _MAX_DESCRIPTION_CHARACTERS else ""
    return _XMP.format(
        software=SOFTWARE, source_type=_SOURCE_TYPE, description=html.escape(printable + cut)
    )
