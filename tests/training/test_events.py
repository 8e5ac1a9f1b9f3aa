"""TensorBoard finds every epoch once, also of a run that was killed."""

import struct

from tensorboardX.proto.event_pb2 import Event

from training.events import recorded

HISTORY = [{"loss": 3.0, "validation": 4.0}, {"loss": 2.0, "validation": 2.5}, {"loss": 1.0, "validation": 2.25}]


def rows(folder):
    """(epoch, name, value) of all events; a record is its length, a checksum, an event, a checksum."""
    found = []
    for path in folder.iterdir():
        content, start = path.read_bytes(), 0
        while start < len(content):
            (length,) = struct.unpack_from("<Q", content, start)
            event = Event.FromString(content[start + 12 : start + 12 + length])
            found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
            start += length + 16
    return found


def as_rows(history):
    return [(epoch, *item) for epoch, row in enumerate(history, 1) for item in row.items()]


def test_every_epoch_is_written_once(tmp_path):
    history = []
    with recorded(history, tmp_path / "events") as catch_up:
        for row in HISTORY:
            history.append(row)
            catch_up()
        catch_up()
    assert rows(tmp_path / "events") == as_rows(HISTORY)


def test_a_run_that_goes_on_repeats_no_epoch(tmp_path):
    """It was killed after its second epoch's events and before that epoch's checkpoint."""
    with recorded(HISTORY[:2], tmp_path / "events") as catch_up:
        catch_up()
    history = HISTORY[:1]
    with recorded(history, tmp_path / "events") as catch_up:
        history.append({"loss": 2.5, "validation": 2.75})
        catch_up()
    assert rows(tmp_path / "events") == as_rows(history)
