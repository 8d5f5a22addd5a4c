"""What was made is decoded and described, a few at a time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from pixy_grpc.service.creation.headstart import HeadStart
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.pictures import Pictures
from pixy_grpc.service.inspection import Picture, inspect
from tests.fakes import InMemoryImageStore
from tests.unit.service.creating import World, png


def test_pictures_are_decoded_a_few_at_a_time() -> None:
    """However many answers come at once."""
    world = World()
    world.create()
    assert world.found
    mine = world.found
    lock, now, most = threading.Lock(), [0], [0]

    def look(data: bytes) -> Picture:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return inspect(data)

    pictures = Pictures(CreationLimits(decodes=2), look)
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(
                lambda _: pictures.made(mine, png(), HeadStart(InMemoryImageStore(), 30.0)),
                range(16),
            )
        )

    assert len({each.contents.key for each in made}) == 16
    assert most == [2]
