"""Batch inference: any number of articles labelled into a file or folder, exactly once."""
