"""Rows become what people read: tables, audits, files, and the HTML page."""
