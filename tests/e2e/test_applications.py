"""Whole web applications behind a proxy route: FastAPI through Mangum, Express through serverless-express."""

import pathlib
import sys

import pytest

from headgate import ROOT

FASTAPI = """
from fastapi import FastAPI, HTTPException, Request, Response
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()


class Pet(BaseModel):
    name: str
    age: int = 1


@app.get("/")
def root():
    return {"hello": "fastapi"}


@app.get("/pets/{name}")
def read(name: str, verbose: bool = False):
    if name == "none":
        raise HTTPException(404, "no such pet")
    return {"name": name, "verbose": verbose}


@app.post("/pets", status_code=201)
def create(pet: Pet):
    return pet


@app.get("/bytes")
def octets():
    return Response(bytes(range(256)), media_type="application/octet-stream")


@app.get("/cookies")
def cookies(request: Request, response: Response):
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return dict(request.cookies)


@app.post("/upload")
async def upload(request: Request):
    return {"size": len(await request.body())}


handler = Mangum(app, lifespan="off")
"""


def site_packages():
    return next(path for path in sys.path if path.endswith("site-packages"))


def fastapi_template(kind):
    events = {
        "rest": ("Api", "{Type: Api, Properties: {Path: /, Method: any}}",
                 '{Type: Api, Properties: {Path: "/{proxy+}", Method: any}}'),
        "http": ("HttpApi", "{Type: HttpApi}", None),
    }[kind]
    lines = ["Globals: {Api: {BinaryMediaTypes: ['*~1*']}}"] if kind == "rest" else []
    lines += [
        "Resources:", "  App:", "    Type: AWS::Serverless::Function", "    Properties:", "      Handler: main.handler",
        "      Runtime: python3.12", "      CodeUri: src", "      Timeout: 20", "      Events:",
        f"        Root: {events[1]}"]
    if events[2]:
        lines.append(f"        All: {events[2]}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module", params=["rest", "http"])
def fastapi(request, serve_module):
    project = serve_module.project()
    # As `pip install -t src` leaves them: packages next to the code.
    project.file("src/main.py", f"import sys\n\nsys.path.insert(0, {site_packages()!r})\n" + FASTAPI)
    interpreter = project.file("python", f"#!/bin/sh\nexec {pathlib.Path(sys.executable).resolve()} \"$@\"\n", 0o755)
    server = serve_module(project.template(fastapi_template(request.param)), "--runtime", f"python3.12={interpreter}")
    server.prefix = "/Prod" if request.param == "rest" else ""
    return server


def test_fastapi(fastapi):
    prefix = fastapi.prefix
    assert fastapi.get(f"{prefix}/").json() == {"hello": "fastapi"}
    assert fastapi.get(f"{prefix}/pets/rex?verbose=true").json() == {"name": "rex", "verbose": True}
    missing = fastapi.get(f"{prefix}/pets/none")
    assert (missing.status, missing.json()) == (404, {"detail": "no such pet"})
    created = fastapi.post(f"{prefix}/pets", '{"name":"rex"}', {"Content-Type": "application/json"})
    assert (created.status, created.json()) == (201, {"name": "rex", "age": 1})
    assert fastapi.post(f"{prefix}/pets", '{"age":"x"}', {"Content-Type": "application/json"}).status == 422
    octets = fastapi.get(f"{prefix}/bytes", {"Accept": "application/octet-stream"})
    assert octets.body == bytes(range(256))
    assert octets.header("content-type") == "application/octet-stream"
    cookies = fastapi.get(f"{prefix}/cookies", {"Cookie": "x=1; y=2"})
    assert cookies.json() == {"x": "1", "y": "2"}
    assert [value.split(";")[0] for value in cookies.all("set-cookie")] == ["a=1", "b=2"]
    upload = fastapi.post(f"{prefix}/upload", b"\x00\xff" * 50000, {"Content-Type": "application/octet-stream"})
    assert upload.json() == {"size": 100000}
    assert fastapi.get(f"{prefix}/nowhere").status == 404
    assert "openapi" in fastapi.get(f"{prefix}/openapi.json").json()


EXPRESS = """
const serverlessExpress = require('@codegenie/serverless-express');
const express = require('express');

const app = express();
app.use(express.json());
app.get('/', (req, res) => res.json({hello: 'express'}));
app.get('/pets/:name', (req, res) => res.json({name: req.params.name, tags: [].concat(req.query.tag ?? [])}));
app.post('/pets', (req, res) => res.status(201).json({got: req.body}));
app.get('/bytes', (req, res) => res.type('application/octet-stream').send(Buffer.from([0, 1, 254, 255])));
app.get('/cookies', (req, res) => { res.cookie('a', '1'); res.cookie('b', '2'); res.json({in: req.headers.cookie ?? null}); });
app.get('/fails', () => { throw new Error('inside express'); });
app.get('/moved', (req, res) => res.redirect('/elsewhere'));
app.use((req, res) => res.status(404).json({missing: req.path}));
app.use((error, req, res, next) => res.status(500).json({failed: error.message}));
exports.handler = serverlessExpress({app, binarySettings: {contentTypes: ['application/octet-stream']}});
"""


@pytest.fixture(scope="module", params=["rest", "http"])
def express(request, serve_module):
    modules = ROOT / ".tools/node/node_modules"
    assert modules.is_dir(), "run tools/setup.sh test"
    project = serve_module.project()
    project.file("src/main.js", EXPRESS)
    (project.folder / "src/node_modules").symlink_to(modules)
    server = serve_module(project.template(
        fastapi_template(request.param).replace("python3.12", "nodejs20.x")))
    server.prefix = "/Prod" if request.param == "rest" else ""
    return server


def test_express(express):
    prefix = express.prefix
    assert express.get(f"{prefix}/").json() == {"hello": "express"}
    assert express.get(f"{prefix}/pets/rex").json() == {"name": "rex", "tags": []}
    created = express.post(f"{prefix}/pets", '{"name":"rex"}', {"Content-Type": "application/json"})
    assert (created.status, created.json()) == (201, {"got": {"name": "rex"}})
    octets = express.get(f"{prefix}/bytes", {"Accept": "application/octet-stream"})
    assert octets.body == bytes([0, 1, 254, 255])
    cookies = express.get(f"{prefix}/cookies", {"Cookie": "x=1; y=2"})
    assert cookies.json()["in"].replace(" ", "") == "x=1;y=2"
    assert [value.split(";")[0] for value in cookies.all("set-cookie")] == ["a=1", "b=2"]
    fails = express.get(f"{prefix}/fails")
    assert (fails.status, fails.json()) == (500, {"failed": "inside express"})
    moved = express.get(f"{prefix}/moved")
    assert (moved.status, moved.header("location")) == (302, "/elsewhere")
    assert express.get(f"{prefix}/nowhere").status == 404
