"""The benchmark of speed, as far as it runs without measuring."""

import pytest
import speed


def test_a_file_that_cannot_be_used_is_said_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "bad.jsonl").write_text("{\n")
    for name in ("bad.jsonl", "missing.jsonl"):
        monkeypatch.setattr("sys.argv", ["speed.py", str(tmp_path / name)])
        with pytest.raises(SystemExit, match=name) as error:
            speed.main()
        assert "\n" not in str(error.value)
