"""Labelled articles as pages to look at in a browser."""
