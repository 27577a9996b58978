"""The pages agree with each other and with what they speak of: links, the raw contract, Chinese beside English."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_once import PROJECT

from customer_tiering.raw_contract import PAGE, raw_contract

PAGES = sorted(
    path
    for pattern in (
        "*.md",
        "docs/*.md",
        "sample/*.md",
        "examples/*/*.md",
        "sources/**/*.md",
        "tests/python/*/*.md",
    )
    for path in PROJECT.glob(pattern)
)
IN_CHINESE = [path for path in PAGES if path.name.endswith(".zh.md")]
EXAMPLES = ("online_retail", "completejourney", "completejourney_small", "cdnow", "olist")

# One word for each concept: these are the others.
OTHER_WORDS = (
    *("沉睡", "召回", "贬损者", "拒收", "采集层", "随附的配置", "界限", "分群", "入级", "顾客"),
    *("有前景", "不能流失", "异常增长", "最近购买提升", "最近购买下降"),
)
FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .*$", FENCE.sub("", text), re.MULTILINE)


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page."""
    return {
        re.sub(r"[^\w -]", "", heading.lstrip("# ").lower()).replace(" ", "-")
        for heading in headings(text)
    }


def sections(text: str) -> list[str]:
    """A page from heading to heading, with code as it is."""
    fences: list[str] = []

    def hidden(found: re.Match[str]) -> str:
        fences.append(found[0])
        return f"\0{len(fences) - 1}\0"

    parts = re.split(r"^#+ .*$", FENCE.sub(hidden, text), flags=re.MULTILINE)
    return [re.sub(r"\0(\d+)\0", lambda found: fences[int(found[1])], part) for part in parts]


def commands(section: str) -> list[str]:
    """Lines of code without comments and diagrams, then code in the text, whatever its order."""
    lines = [
        line.split(" # ")[0].strip()
        for block in FENCE.finditer(section)
        if "mermaid" not in block[0]
        for line in block[0].splitlines()
    ]
    return lines + sorted(set(re.findall(r"`[^`\n]+`", FENCE.sub("", section))))


def table_rows(section: str) -> list[tuple[int, list[str]]]:
    """How many cells each row of its tables has, and the numbers in them."""
    return [
        (line.count(" | "), re.findall(r"\d[\d,.]*(?<![,.])", line))
        for line in without_code(section).splitlines()
        if line.strip().startswith("|")
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text("utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            lost.append(link)
    assert lost == []


def test_every_page_of_docs_is_in_the_readme() -> None:
    for readme, pages in (("README.md", "docs/*.md"), ("README.zh.md", "docs/*.zh.md")):
        text = (PROJECT / readme).read_text("utf-8")
        listed = {name_of(path) for path in PROJECT.glob(pages)}
        if readme == "README.md":
            listed = {name for name in listed if not name.endswith(".zh.md")}
        assert {name for name in listed if f"]({name})" not in text} == set()


def test_every_published_table_is_in_the_list_of_marts() -> None:
    folders = [
        path for path in (PROJECT / "models" / "marts").iterdir() if path.name != "restricted"
    ]
    models = {path.stem for folder in folders for path in folder.glob("*.sql")}
    aliases = {"tier_ladder": "tiers"}
    published = {aliases.get(name, name) for name in models} | {"refresh_log"}
    listed = re.findall(r"^\| \w+\.(\w+) \|", (PROJECT / "docs/marts.md").read_text("utf-8"), re.M)
    assert sorted(listed) == sorted(published)


def test_the_raw_contract_is_that_of_the_source_yaml() -> None:
    """If this fails: `make docs`."""
    assert (PROJECT / PAGE).read_text("utf-8") == raw_contract(PROJECT)


@pytest.mark.parametrize("page", IN_CHINESE, ids=name_of)
def test_a_chinese_page_has_the_sections_commands_and_figures_of_the_english_one(
    page: Path,
) -> None:
    chinese = page.read_text("utf-8").replace(".zh.md", ".md").replace("-zh.png", "-en.png")
    english = page.with_name(page.name.replace(".zh", "")).read_text("utf-8")
    english = english.replace(".zh.md", ".md")
    assert [heading.count("#") for heading in headings(chinese)] == [
        heading.count("#") for heading in headings(english)
    ]
    for of_chinese, of_english in zip(sections(chinese), sections(english), strict=True):
        assert commands(of_chinese) == commands(of_english)
        assert table_rows(of_chinese) == table_rows(of_english)
        assert sorted(re.findall(r"\]\(([^)]+)\)", of_chinese)) == sorted(
            re.findall(r"\]\(([^)]+)\)", of_english)
        )


def texts_in_chinese() -> Iterator[tuple[str, str]]:
    for page in IN_CHINESE:
        for line in without_code(page.read_text("utf-8")).splitlines():
            yield name_of(page), line
    for seed in ("code_labels", "playbook", "tiers", "export_columns"):
        with (PROJECT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                yield from ((seed, cell) for cell in row)
    for path in (PROJECT / "customer_tiering").glob("*.py"):
        for text in re.findall(r'"[^"\n]*"', path.read_text("utf-8")):
            yield path.name, text


def test_one_chinese_word_for_each_concept() -> None:
    found = [text for text in texts_in_chinese() if any(word in text[1] for word in OTHER_WORDS)]
    assert found == []


def test_chinese_has_punctuation_of_full_width() -> None:
    near = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]")
    links = re.compile(r"\]\([^)]*\)")
    found = [text for text in texts_in_chinese() if near.search(links.sub("]", text[1]))]
    assert found == []


def test_real_data_are_those_of_the_examples() -> None:
    """Each cell: customers (share) / share of the revenue."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in (PROJECT / "docs" / "real-data.md").read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    table = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}
    for name in EXAMPLES:
        example = (PROJECT / "examples" / name / "README.md").read_text("utf-8")
        tiers = re.findall(
            r"^\| (\w[\w ]*) \| ([\d,]+) \| ([\d.]+ %) \| [\d,]+ \| ([\d.]+ %) \|$",
            example,
            re.MULTILINE,
        )
        assert {tier: f"{n} ({share}) / {revenue}" for tier, n, share, revenue in tiers} == {
            tier: cells[name]
            for tier, cells in table.items()
            if tier != "as of" and cells[name] != "–"
        }
