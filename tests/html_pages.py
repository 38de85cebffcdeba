"""What the tests of pages share: a page as a browser would see it, and texts that try to become markup."""

import json
import re
from html.parser import HTMLParser

HOSTILE = (
    "<script>alert(1)</script>",
    "</style><style>body{background:url(http://evil.example)}",
    '"><img src=x onerror=alert(1)>',
    "{{ config }} {% raw %}",
    "| pipe ` tick [x](javascript:alert(1))",
)
VOID = {"meta", "img", "br", "line", "circle", "hr", "link", "base", "input"}


class Page(HTMLParser):
    """What a browser would see: elements with attributes, text, tables; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text, self.style, self.tables = [], [], [], "", []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append({"caption": "", "head": [], "rows": []})
        elif tag == "tr" and "tbody" in self.open:
            self.tables[-1]["rows"].append([])
        if tag in ("th", "td") and self.tables:
            row = self.tables[-1]["rows"][-1] if "tbody" in self.open else self.tables[-1]["head"]
            row.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            self.style += data
            return
        self.text.append(data)
        if "caption" in self.open:
            self.tables[-1]["caption"] += data
        elif "th" in self.open or "td" in self.open:
            row = self.tables[-1]["rows"][-1] if "tbody" in self.open else self.tables[-1]["head"]
            row[-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def assert_inert(page):
    """No script, nothing that runs, nothing that is fetched."""
    assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "embed", "link", "base", "form"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert re.match(r"#[\w-]+$|https?://", attributes.get("href", "#x"))
    assert "url(" not in page.style
    assert "@import" not in page.style
    policy = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'")


def poisoned(document, hostile):
    """Every name of a corpus, an event, a claim or a row, with hostile texts behind it."""
    if isinstance(document, dict):
        return {poisoned(key, hostile): poisoned(value, hostile) for key, value in document.items()}
    if isinstance(document, list):
        return [poisoned(item, hostile) for item in document]
    if isinstance(document, str) and re.search(r"planted|event-|was hit|the claim is|^en$|unknown", document):
        return document + hostile
    return document


def poisoned_documents(documents, hostile):
    found = {}
    for name, content in documents.items():
        if name.endswith(".json") and name != "manifest.json":
            content = json.dumps(poisoned(json.loads(content), hostile)).encode()
        elif name.endswith(".jsonl"):
            rows = [json.dumps(poisoned(json.loads(line), hostile)) for line in content.splitlines()]
            content = "\n".join(rows).encode()
        found[name] = content
    return found
