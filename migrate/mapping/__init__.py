"""Runs become rows: what the new name of each run is, or why it has none. Pure."""
