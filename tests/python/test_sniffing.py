"""What the beginning of a file says of how it is written."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from customer_tiering.errors import SourceError
from customer_tiering.onboarding.sniffing import Sniffed, sniff, sniff_folder

GERMAN = "Nr;Kunde;Ort;Betrag\r\n1;Müller;Köln, Süd;1,50 €\r\n2;Jäger;Nürnberg;2,00 €\r\n"
CHINESE = '订单编号,买家,实付金额\n1,王小明,"1,234.50"\n2,李雷,35.00\n'
NAMES = {
    GERMAN: ["Nr", "Kunde", "Ort", "Betrag"],
    CHINESE: ["订单编号", "买家", "实付金额"],
}


@pytest.mark.parametrize(
    ("text", "encoding", "delimiter"),
    [
        (GERMAN, "utf-8", ";"),
        (GERMAN, "utf-8-sig", ";"),
        (GERMAN, "utf-16", ";"),
        (GERMAN, "utf-16-le", ";"),
        (GERMAN, "utf-16-be", ";"),
        (GERMAN, "windows-1252", ";"),
        (CHINESE, "utf-8", ","),
        (CHINESE, "gb18030", ","),
        ("訂單編號,客戶\n1,王小明\n2,臺北市\n", "big5", ","),
        ("注文番号,顧客\n1,田中さん\n2,ありがとう\n", "cp932", ","),
        ("주문번호,고객\n1,김철수\n", "cp949", ","),
        ("Imię;Miasto\nŁukasz;Łódź\nŚwięta;Gdańsk\n", "windows-1250", ";"),
        ("Заказ;Клиент\n1;Иванов\n2;Москва\n", "windows-1251", ";"),
        ("Name,Ciudad\nJosé,Málaga\nPeña,Cádiz\n", "windows-1252", ","),
        ("id\tamount\n1\t£3.50\n2\t£4.50\n", "windows-1252", "\t"),
    ],
)
def test_encodings_and_delimiters_are_found(
    tmp_path: Path, text: str, encoding: str, delimiter: str
) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes(text.encode(encoding))
    found = sniff(file)
    header = text.split("\n")[0].strip().split(delimiter)
    assert (found.encoding, found.delimiter, found.columns) == (encoding, delimiter, header)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id\n2\n4\n", Sniffed(["id"])),
        ("a|b\n1|x\n", Sniffed(["a", "b"], delimiter="|")),
        (
            "sep=;\r\nNr;Betrag\r\n1;1,50\r\n",
            Sniffed(["Nr", "Betrag"], delimiter=";", skip_lines=1),
        ),
        (
            f"Umsatz 2024, alle Filialen\nam 01.01.2025\n\n{GERMAN}",
            Sniffed(NAMES[GERMAN], delimiter=";", skip_lines=3),
        ),
        (f"Umsatz;;;\n;;;\n{GERMAN}", Sniffed(NAMES[GERMAN], delimiter=";", skip_lines=2)),
        ("name,city\n'a, b',x\n'it''s',y\n", Sniffed(["name", "city"], quote="'")),
        ('"order id","a ""b"""\n1,"x\ny"\n2,z\n', Sniffed(["order id", 'a "b"'])),
        ("a,b,c\n", Sniffed(["a", "b", "c"])),
    ],
)
def test_delimiters_quotes_and_lines_before_the_header_are_found(
    tmp_path: Path, text: str, expected: Sniffed
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(text, encoding="utf-8", newline="")
    found = sniff(file)
    assert (
        Sniffed(found.columns, False, "utf-8", found.delimiter, found.quote, found.skip_lines)
        == expected
    )


def test_a_long_file_is_known_by_its_beginning(tmp_path: Path) -> None:
    """Its first megabyte ends within a letter and within a quoted cell."""
    lines = "".join(f'{number};"Müller\nKöln";1,50\n' for number in range(100_000))
    file = tmp_path / "export.csv"
    file.write_text(f"Nr;Käufer;Betrag\n{lines}", encoding="utf-8", newline="")
    found = sniff(file)
    assert (found.columns, found.delimiter) == (["Nr", "Käufer", "Betrag"], ";")
    assert found.rows[:2] == [["0", "Müller\nKöln", "1,50"], ["1", "Müller\nKöln", "1,50"]]


def test_compressed_files_and_parquet_are_found_in_folders_of_folders(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(GERMAN.encode("windows-1252")))
    (tmp_path / "notes.txt").write_text("no table", encoding="utf-8")
    (tmp_path / ".hidden.csv").write_text("a,b\n", encoding="utf-8")
    duckdb.sql("select 1 as id, 'x' as name").write_parquet(str(tmp_path / "more" / "b.parquet"))
    duckdb.sql("select 1 as id, 'a, b' as name").write_csv(
        str(tmp_path / "more" / "c.csv.zst"), compression="zstd"
    )
    found = {str(file.relative_to(tmp_path)): how for file, how in sniff_folder(tmp_path).items()}
    assert found["a.csv.gz"].encoding == "windows-1252"
    assert found["a.csv.gz"].columns == NAMES[GERMAN]
    assert found["more/b.parquet"] == Sniffed(["id", "name"], is_parquet=True)
    assert found["more/c.csv.zst"].rows == [["1", "a, b"]]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "found no content; allowed is a file with a header."),
        ("a.parquet", b"PAR1", "found content that cannot be read as Parquet"),
        ("a.csv.gz", b"\x1f\x8b\x08", "found content that cannot be read (EOFError)"),
        ("a.csv.zst", b"a,b\n", "found content that cannot be read as CSV in UTF-8, compressed"),
        (
            "a.csv",
            b"PK\3\4\24\0",
            "found a workbook or an archive; allowed is CSV: save a workbook as",
        ),
    ],
)
def test_a_file_of_which_nothing_can_be_said_is_named(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as error:
        sniff(tmp_path / name)
    assert str(error.value).startswith(f"raw file {tmp_path / name}: {sentence}")


@pytest.mark.parametrize(
    ("names", "held"),
    [
        ([], "nothing"),
        (["orders.xlsx", ".DS_Store"], "orders.xlsx"),
        (["1.jpg", "2.jpg", "3.jpg", "4.zip"], "1.jpg, 2.jpg, 3.jpg and 1 more"),
    ],
)
def test_a_folder_without_csv_and_parquet_is_told_what_it_holds(
    tmp_path: Path, names: list[str], held: str
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(SourceError) as error:
        sniff_folder(tmp_path)
    assert str(error.value) == (
        f"raw folder {tmp_path}: found no CSV or Parquet file (it holds {held}); allowed is CSV or Parquet: save a "
        "workbook as CSV UTF-8, unpack an archive."
    )
