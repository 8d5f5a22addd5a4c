"""What a command says when it has worked: JSON for programs, text for people."""

import json
from collections.abc import Iterable

import typer

from pixy_client.cli.listing import show_images
from pixy_client.cli.output import image_document, show_image
from pixy_client.results import Creation, Download
from pixy_grpc.core.models import Image


def report_image(image: Image, *, as_json: bool) -> None:
    """Say what is known about an image."""
    if as_json:
        print_json(image_document(image))
    else:
        show_image(image)


def report_images(images: Iterable[Image], *, as_json: bool) -> None:
    """Say what a list holds, as it arrives: with JSON a line for each image."""
    if not as_json:
        show_images(images)
        return
    for image in images:
        print_json(image_document(image))


def report_creation(creation: Creation, saved: Download | None, *, as_json: bool) -> None:
    """Say what was made, by which request id, and where it was saved."""
    if as_json:
        print_json(
            {
                "image": image_document(creation.image),
                "replayed": creation.replayed,
                "request_id": creation.request_id,
                **(_file(saved) if saved else {}),
            }
        )
        return
    replayed = "yes" if creation.replayed else ""
    notes = {"request_id": creation.request_id, "replayed": replayed}
    show_image(creation.image, **notes, **(_file_notes(saved) if saved else {}))


def report_download(saved: Download, *, as_json: bool) -> None:
    """Say where an image was saved, and whether its bytes could be verified."""
    if as_json:
        print_json({"image": image_document(saved.image), **_file(saved)})
    else:
        show_image(saved.image, **_file_notes(saved))


def report_removal(guid: str, *, allow_missing: bool, as_json: bool) -> None:
    """Say that an image is gone: to programs; people are told of failures only.

    Where it was allowed to be missing nobody knows whether it was deleted just now.
    """
    if as_json:
        known = "missing_allowed" if allow_missing else "deleted"
        print_json({"guid": guid, known: True})


def print_json(document: object) -> None:
    """Print a document on one line, in ASCII, which no terminal or locale can spoil."""
    typer.echo(json.dumps(document))


def _file(saved: Download) -> dict[str, object]:
    return {
        "path": str(saved.path),
        "size_bytes": saved.size_bytes,
        "verified": saved.verified,
    }


def _file_notes(saved: Download) -> dict[str, str]:
    verified = "yes" if saved.verified else "no: the service knows no SHA-256 of it"
    return {"saved_to": str(saved.path), "verified": verified}
