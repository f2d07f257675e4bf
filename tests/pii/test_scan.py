"""``mlgates scan``: a data set from the command line."""

import pytest

from pytest_mlgates.cli import main

CARD = "4111 1111 1111 1111"


def test_scan(tmp_path, capsys):
    clean, dirty = tmp_path / "clean.txt", tmp_path / "dirty.txt"
    clean.write_text("nothing here\n\n" * 100)
    dirty.write_text(f"card {CARD}\n")
    assert main(["scan", str(clean), "--max-leak-rate", "0.05"]) == 0
    assert "clean.txt: PASS: no leak in all 100 records" in capsys.readouterr().out
    assert main(["scan", str(clean), str(dirty), "--max-leak-rate", "0.05"]) == 1
    out = capsys.readouterr().out
    assert "dirty.txt: FAIL: 1 of 1 records leaked (1 CREDIT_CARD)" in out
    assert CARD not in out
    assert main(["scan", str(dirty), "--allow", CARD]) == 1  # nothing found, and too little read
    assert "INCONCLUSIVE" in capsys.readouterr().out


def test_scan_takes_regions(tmp_path, capsys):
    pytest.importorskip("stdnum")
    file = tmp_path / "people.csv"
    file.write_text("id,aadhaar\n1,234123412346\n")
    assert main(["scan", str(file), "--region", "IN"]) == 1
    assert "leaked (1 NATIONAL_ID)" in capsys.readouterr().out
    main(["scan", str(file)])
    assert "leaked" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["--entity", "CARD"], ["--max-leak-rate", "7"], ["--region", "India"]]
)
def test_bad_use(tmp_path, words):
    assert main(["scan", str(tmp_path), *words]) == 4


def test_a_missing_data_set_is_no_pass(tmp_path, capsys):
    assert main(["scan", str(tmp_path / "none.csv")]) == 1
    assert "ERROR: the data set is not there" in capsys.readouterr().out


def test_what_is_left_out_or_read_as_text_is_told(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("nothing here\n\n" * 100)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\0\xff and more")
    (tmp_path / "c.bin").write_bytes(b"\xff\0 card " + CARD.encode())
    scan = ["scan", str(tmp_path), "--max-leak-rate", "0.05"]
    assert main(scan) == 1
    assert "can't be read" in capsys.readouterr().out
    assert main([*scan, "--skip", "*.png", "--skip", "*.bin"]) == 0
    assert "left out, by choice: files that fit *.bin" in capsys.readouterr().out
    assert main([*scan, "--skip", "*.png", "--as-text", "*.bin"]) == 1
    out = capsys.readouterr().out
    assert "FAIL: 1 of" in out
    assert "1 read as text, by choice: files that fit *.bin" in out
    assert CARD not in out
