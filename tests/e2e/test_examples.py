"""The applications in examples/ answer what their comments promise."""

import shutil

import pytest

from headgate import ROOT, run


@pytest.fixture
def examples(tmp_path):
    """A copy, so that nothing is written into the source tree."""
    native = ROOT / "examples/native/build/bootstrap"
    assert native.is_file(), "the native example was not built"
    return shutil.copytree(ROOT / "examples", tmp_path / "examples",
                           ignore=shutil.ignore_patterns("__pycache__", ".headgate"))


def test_http_api(serve, examples):
    server = serve(examples / "template.yaml")
    assert server.get("/hello").json() == {"message": "Hello, world!"}
    assert server.get("/hello/Ada").json() == {"message": "Hello, Ada!"}
    echo = server.post("/echo/any/path?a=1", '{"some":"json"}', {"Content-Type": "application/json"})
    assert echo.json() == {"method": "POST", "proxy": "any/path", "query": {"a": "1"}, "body": '{"some":"json"}'}
    assert echo.all("set-cookie") == ["seen=yes; HttpOnly"]
    assert server.get("/native").text == "Hello from C\n"
    assert "now" in server.get("/time").json()
    assert server.get("/nowhere").status == 404


def test_http_api_with_a_parameter(serve, examples):
    server = serve(examples / "template.yaml", "--parameter-overrides", "Greeting=Moin")
    assert server.get("/hello").json() == {"message": "Moin, world!"}


def test_rest_api(serve, examples):
    server = serve(examples / "rest-api/template.yaml")
    assert server.request("PUT", "/Prod/notes/milk", body="two bottles").json() == {"name": "milk", "text": "two bottles"}
    assert server.get("/Prod/notes/milk").json() == {"name": "milk", "text": "two bottles"}
    assert server.request("DELETE", "/Prod/notes/milk").json() == {"name": "milk"}
    assert server.get("/Prod/notes/milk").status == 404
    files = server.get("/Prod/files/a/b.txt?x=1&x=2")
    assert files.json() == {"method": "GET", "proxy": "a/b.txt", "query": {"x": ["1", "2"]}, "place": "here"}
    assert files.all("set-cookie") == ["a=1", "b=2"]
    assert server.request("OPTIONS", "/Prod/notes").header("access-control-max-age") == "600"


@pytest.mark.parametrize("template", ["template.yaml", "rest-api/template.yaml"])
def test_examples_are_served_whole(examples, template):
    result = run("validate", examples / template)
    assert result.returncode == 0, result.stdout + result.stderr
