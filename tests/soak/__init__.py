"""The goals of reliability: what is measured of each, by which command, and whether it holds; asserts nothing."""
