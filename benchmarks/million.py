"""A million images with realistic prompts, built once in a MariaDB of its own.

Every row goes through the project's own `index_terms`; only the way in is short: LOAD
DATA of files in key order instead of a transaction an image.
"""

import hashlib
import random
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pymysql
from rich.progress import Progress

from pixy_grpc.core.search import index_terms

IMAGES = 1_000_000
RARE_IMAGES = 10
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS_BETWEEN = 7

COMMON_WORD = "sunset"
RARE_WORD = "axolotl"
ABSENT_WORD = "zyzzyva"
OPPOSITES = ("ember", "frost")
COMMON_PREFIX = "render-"
RARE_PREFIX = "scan-"
ABSENT_PREFIX = "zz-"

_SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi wo xy za bri cla dro fle gri pla sta tro"
HALF = 0.5
_CHUNK = 10_000


def words(seed: int = 7, size: int = 6_000) -> list[str]:
    """Return a vocabulary; a Zipf weight makes its first words common, as in prose."""
    chosen = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < size:
        made["".join(chosen.choices(_SYLLABLES.split(), k=chosen.randint(2, 4)))] = None
    return list(made)


def build(
    connection: "pymysql.connections.Connection[pymysql.cursors.Cursor]", folder: Path
) -> None:
    """Fill the tables of a migrated, empty database."""
    with Progress() as progress:
        postings = _write_images(folder, progress)
        total = sum(map(len, postings.values()))
        _write_terms(folder / "terms", postings, progress)
        task = progress.add_task("loading", total=4)
        with closing(connection.cursor()) as cursor:
            cursor.execute("ALTER TABLE image_terms DROP KEY image_terms_by_image")
            for table, columns in _TABLES.items():
                _load(cursor, folder / table, table, columns)
                progress.advance(task)
            cursor.execute("ALTER TABLE image_terms ADD KEY image_terms_by_image (image_id, term)")
            cursor.execute("ANALYZE TABLE images, image_contents, image_terms")
            progress.advance(task)
        progress.console.print(f"{IMAGES:,} images, {total:,} terms")


_TABLES = {
    "images": "id, guid, filename, prompt, created_at, updated_at",
    "image_contents": (
        "image_id, store_key, content_type, size_bytes, sha256, @digests, width, height,"
        " generator, model"
    ),
    "image_terms": "@term, image_id",
}


def _load(cursor: pymysql.cursors.Cursor, path: Path, table: str, columns: str) -> None:
    unhex = {
        "image_contents": "SET block_digests = UNHEX(@digests)",
        "image_terms": "SET term = UNHEX(@term)",
    }
    source = path.with_name("terms") if table == "image_terms" else path
    cursor.execute(
        f"LOAD DATA LOCAL INFILE '{source}' INTO TABLE {table} CHARACTER SET utf8mb4"
        f" ({columns}) {unhex.get(table, '')}"
    )
    source.unlink()


def _write_images(folder: Path, progress: Progress) -> dict[bytes, list[int]]:
    """Write `images` and `image_contents`; return the ids under each term."""
    postings: dict[bytes, list[int]] = defaultdict(list)
    task = progress.add_task("writing images", total=IMAGES)
    with (folder / "images").open("w") as images, (folder / "image_contents").open("w") as contents:
        for image_id, (prompt, filename) in enumerate(texts(), 1):
            guid = str(uuid.UUID(int=image_id * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))
            created = (EPOCH + timedelta(seconds=image_id * SECONDS_BETWEEN)).strftime(
                "%Y-%m-%d %H:%M:%S"
            )
            digest = hashlib.sha256(guid.encode()).hexdigest()
            images.write(f"{image_id}\t{guid}\t{filename}\t{prompt}\t{created}\t{created}\n")
            contents.write(
                f"{image_id}\t{guid}.a.png\timage/png\t150000\t{digest}\t{digest}\t1024\t1024\tsketch\t\n"
            )
            for term in index_terms(prompt, filename):
                postings[term].append(image_id)
            if image_id % _CHUNK == 0:
                progress.advance(task, _CHUNK)
    return postings


def _write_terms(path: Path, postings: dict[bytes, list[int]], progress: Progress) -> None:
    """Write `image_terms` in the order of its primary key."""
    with path.open("w") as file:
        for term in progress.track(sorted(postings), description="writing terms"):
            name = term.hex()
            file.writelines(f"{name}\t{image_id}\n" for image_id in postings[term])


def texts() -> Iterator[tuple[str, str]]:
    """Yield prompts of 6 to 20 words and their filenames, the same in every run."""
    chosen = random.Random(42)
    vocabulary = words()
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    rare = set(chosen.sample(range(IMAGES), RARE_IMAGES))
    both = set(chosen.sample(range(IMAGES), RARE_IMAGES))
    pool: Sequence[str] = ()
    for number in range(IMAGES):
        if number % _CHUNK == 0:
            pool = chosen.choices(vocabulary, weights, k=_CHUNK * 20)
        start = number % _CHUNK * 20
        parts = list(pool[start : start + chosen.randint(6, 20)])
        parts.append(OPPOSITES[chosen.random() < HALF])
        parts += [COMMON_WORD] * (chosen.random() < HALF)
        parts += [RARE_WORD] * (number in rare) + list(OPPOSITES) * (number in both)
        prefix = RARE_PREFIX if number in rare else COMMON_PREFIX * (chosen.random() < HALF)
        yield "a " + " ".join(parts), f"{prefix}{parts[0]}-{number}.png"
