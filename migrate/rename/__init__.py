"""Rows become new names: the plan, the batches that are sent, and the journal of both."""
