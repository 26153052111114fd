"""The page in a real browser: upload, bad SMILES, hostile names, a telephone, the keyboard, the editor."""

import pytest
from support.browser import ABSENT, Browser

pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
SHOWN = "!document.getElementById('results').hidden && document.querySelectorAll('tbody tr').length"
EVIL = "<img src=x onerror='window.evil=1'>"


@pytest.fixture(scope="module")
def browser(server):
    browser = Browser(1400, 900)
    yield browser
    browser.close()


@pytest.fixture
def page(browser, server):
    browser.open(server.address)
    browser.wait("document.querySelectorAll('input[name=run]').length == 2")
    yield browser
    assert browser.problems() == []


def predict(page, text):
    page.write("#text", text)
    page.click("#go")
    return page.wait(SHOWN)


def test_molecules_are_pasted_and_looked_at(page):
    assert predict(page, "smiles,name\nCCCO,propanol\nc1ccccc,mistyped\n") == 2
    texts = page.run("return [...document.querySelectorAll('tbody tr')].map(row => row.innerText)")
    assert "propanol" in texts[0]
    assert "inside" in texts[0] or "outside" in texts[0]
    assert "not a SMILES (syntax error)" in texts[1]
    page.click("tbody tr .look")
    page.wait("document.querySelector('#why img').src.startsWith('data:image/png')")
    assert page.run("return document.querySelectorAll('#neighbors figure').length") == 3
    assert page.run("return document.querySelector('#caption').innerText").startswith("logS: predicted")
    page.click("#close")
    assert page.run("return document.getElementById('details').open") is False


def test_a_file_is_uploaded_sorted_and_turned(page, tmp_path):
    file = tmp_path / "many.csv"
    file.write_text("smiles\n" + "".join(f"{'C' * (1 + n % 40)}O\n" for n in range(2500)))
    page.click("#tab-file")
    page.write("#upload", str(file))
    page.click("#go")
    assert page.wait(SHOWN) == 25
    assert page.run("return document.getElementById('where').innerText") == "1 to 25 of 2,500"
    page.click("#next")
    page.wait("document.getElementById('where').innerText.startsWith('26 to 50')")
    page.click("th.num button")
    page.wait("document.querySelector('th[aria-sort=descending]')")
    values = page.wait("(v => v.length && v)([...document.querySelectorAll('td.lead')].map(cell => cell.innerText))")
    numbers = [float(value.replace("−", "-")) for value in values]
    assert numbers == sorted(numbers, reverse=True)
    link = page.run("return document.getElementById('download').href")
    assert page.run("return fetch(arguments[0]).then(r => r.text()).then(t => t.split('\\n').length)", link) == 2502


def test_names_of_strangers_are_text(page, tmp_path):
    file = tmp_path / "evil.csv"
    file.write_text(f'"{EVIL}",smiles\n"{EVIL}",CCO\nx,"{EVIL}"\n')
    page.click("#tab-file")
    page.write("#upload", str(file))
    page.click("#go")
    assert page.wait(SHOWN) == 2
    assert EVIL in page.run("return document.querySelector('thead').innerText")
    assert page.run("return document.querySelectorAll('#table img:not(.paper)').length") == 0
    assert page.run("return window.evil") is None


def test_mistakes_are_reported(page):
    page.click("#go")
    assert page.wait("document.getElementById('message').innerText") == "Put some molecules there first."
    page.write("#text", "a,b\n1,2\n")
    page.click("#go")
    assert "pasted.csv" in page.wait(
        "(m => m.startsWith('Put') ? '' : m)(document.getElementById('message').innerText)"
    )


def test_tabs_obey_the_keyboard_and_fields_have_labels(page):
    page.write("#tab-paste", "\ue014")  # the right arrow
    assert page.run("return document.activeElement.id") == "tab-file"
    assert page.run("return document.getElementById('paste').hidden") is True
    fields = "[...document.querySelectorAll('input, select, textarea')].filter(each => !each.hidden)"
    assert page.run(f"return {fields}.filter(each => !each.labels.length).length") == 0


def test_a_structure_is_drawn(page):
    page.click("#tab-draw")
    page.wait("document.querySelector('iframe').contentWindow.JSApplet")
    page.run("window.dispatchEvent(new MessageEvent('message', {data: {smiles: 'N'}, source: window}))")
    assert page.run("return document.getElementById('drawn').innerText") == ""
    page.enter("iframe")
    page.run("parent.postMessage({smiles: 'CCN'}, location.origin)")
    page.enter(None)
    page.wait("document.getElementById('drawn').innerText == 'CCN'")
    page.click("#take")
    assert page.run("return document.getElementById('text').value") == "CCN\n"


def test_the_interface_is_shown_without_another_server(page, server):
    page.open(f"{server.address}/docs")
    assert page.wait("document.querySelectorAll('details.operation').length") >= 12
    sources = page.run("return performance.getEntriesByType('resource').map(entry => new URL(entry.name).host)")
    assert set(sources) == {server.address.removeprefix("http://")}
    page.open(f"{server.address}/api/runs/alcohols/card")
    assert "gcn" in page.run("return document.querySelector('h1').innerText")
    assert "script" in page.problems()[0].lower()  # a card may come from anybody: its script did not run


def test_a_telephone_needs_no_sideways_scrolling(server):
    browser = Browser(390, 844)
    try:
        browser.open(server.address)
        browser.wait("document.querySelectorAll('input[name=run]').length == 2")
        assert predict(browser, "CCCO\nbad\n") == 2
        assert browser.run("return document.documentElement.scrollWidth") == 390
        browser.click("tbody tr .look")
        browser.wait("document.querySelector('#why img').src.startsWith('data:')")
        assert browser.run("return document.getElementById('details').scrollWidth") <= 390
        assert browser.problems() == []
    finally:
        browser.close()
