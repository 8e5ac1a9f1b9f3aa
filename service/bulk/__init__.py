"""Scores of files of any length: read in parts, asked for several at a time, kept so that a killed run goes on."""
