"""Articles from files, rows to files: what can be read, reading it as a stream, writing it whole."""
