"""An answer that waits for its caller keeps no memory but its own."""

from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest

from service.routes.answers import _as_npy

RUN = np.arange(24, dtype=np.float32).reshape(6, 4)


async def sent(array):
    """The bodies of the messages that answer the array as npy."""

    async def answer(rows):
        return {"x": array}

    async def send(message):
        messages.append(message)

    messages = []
    response = await _as_npy(SimpleNamespace(rows=len(array), names=["x"], answer=answer), None)
    await response({"type": "http"}, None, send)
    start, *bodies = messages
    assert [message.get("more_body", False) for message in bodies] == [True] * (len(bodies) - 1) + [False]
    assert dict(start["headers"])[b"content-length"] == b"%d" % sum(len(message["body"]) for message in bodies)
    return [message["body"] for message in bodies]


@pytest.mark.parametrize("array", [RUN.copy(), RUN[:2], np.empty((0, 4), np.float32)])
async def test_npy_is_the_array(array):
    loaded = np.load(BytesIO(b"".join(await sent(array))), allow_pickle=False)
    np.testing.assert_array_equal(loaded, array)


async def test_array_of_its_own_is_sent_from_where_it_is_and_a_part_of_a_run_is_copied():
    whole = RUN.copy()
    _, values = await sent(whole)
    assert np.shares_memory(np.frombuffer(values, np.float32), whole)
    (copied,) = await sent(RUN[:2])
    assert not np.shares_memory(np.frombuffer(copied, np.uint8), RUN)
