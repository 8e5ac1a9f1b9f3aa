"""The tests mirror the tree; a test file is named after the file that it tests."""
