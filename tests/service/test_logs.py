"""What the service has to tell is one line of JSON, whatever stands in it."""

import json
import logging

import pytest

from service.logs import JsonLines


def record(message, *values, error=None):
    info = (type(error), error, None) if error else None
    return logging.LogRecord("reparam", logging.WARNING, "", 0, message, values, info)


def test_record_is_one_line_with_its_time_level_and_message():
    line = JsonLines().format(record("%d of %d", 1, 2))
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == ("warning", "reparam", "1 of 2")
    assert told["time"].endswith("+00:00")


def test_control_characters_are_escaped():
    line = JsonLines().format(record('a\n{"level":"x"}\x1b[2J'))
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["message"] == 'a\n{"level":"x"}\x1b[2J'


def test_traceback_stays_within_the_line():
    line = JsonLines().format(record("a bug", error=ValueError("two\nlines")))
    assert "\n" not in line
    assert json.loads(line)["traceback"] == "ValueError: two\nlines"


@pytest.mark.parametrize("text", ["\ud800", "\x9b2J", "\x7f", "\u2028", "\x00", "\u4e16"])
def test_what_no_encoding_takes_is_told_all_the_same(text):
    line = JsonLines().format(record("%s", text))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text


def test_values_that_do_not_fit_the_message_are_told_beside_it():
    assert json.loads(JsonLines().format(record("%d left", "none")))["message"] == "%d left ('none',)"
