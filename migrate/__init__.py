"""Audit, preview and batch-rename the Weights & Biases runs of RSST."""
