"""Where code comes from: folders, zip files, inline code, built templates, layers."""

import io
import json
import zipfile

import pytest

VALUE_PY = "def handler(event, context):\n    return {value!r}\n"


def zipped(files, modes=None):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = ((modes or {}).get(name, 0o644) | 0o100000) << 16
            archive.writestr(entry, content)
    return data.getvalue()


def one_function(code, handler="app.handler", runtime="python3.12", more=""):
    return f"""
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: {handler}
      Runtime: {runtime}
      {code}
      {more}
"""


def test_folder_without_code_uri_is_the_template_folder(serve, project):
    project.file("app.py", VALUE_PY.format(value="beside"))
    assert serve(project.template(one_function(""))).invoke("F").json() == "beside"


def test_code_uri_is_relative_to_the_template_not_to_the_working_directory(serve, project, tmp_path):
    project.file("deep/src/app.py", VALUE_PY.format(value="deep"))
    template = project.template(one_function("CodeUri: ./src/"), "deep/template.yaml")
    assert serve(template, cwd=tmp_path).invoke("F").json() == "deep"


def test_zip_file(serve, project):
    project.file("code.zip", zipped({"app.py": VALUE_PY.format(value="zipped"), "pkg/data.txt": "x" * 100000}))
    assert serve(project.template(one_function("CodeUri: code.zip"))).invoke("F").json() == "zipped"


def test_executable_bit_of_a_zip_entry_is_kept(serve, project):
    from project import RAW_BOOTSTRAP, PYTHON
    project.file("code.zip", zipped({"bootstrap": f"#!{PYTHON}\n{RAW_BOOTSTRAP}"}, {"bootstrap": 0o755}))
    server = serve(project.template(one_function("CodeUri: code.zip", "none", "provided.al2023")))
    assert server.invoke("F", json.dumps({"body": '"raw"'})).json() == "raw"


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "a/../../evil.py"])
def test_zip_that_would_write_outside_its_folder_is_refused(project, name):
    from headgate import run
    project.file("code.zip", zipped({"app.py": "x = 1\n", name: "evil = True\n"}))
    template = project.template(one_function("CodeUri: code.zip"))
    result = run("serve", template, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                 "--data-dir", project.folder / "data")
    assert result.returncode == 1
    assert "code.zip" in result.stderr
    assert not list(project.folder.parent.rglob("evil.py"))


def test_inline_code(serve, project):
    server = serve(project.template("""
        Resources:
          Py:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.go
              Runtime: python3.12
              InlineCode: |
                def go(event, context):
                    return "inline " + event["x"]
          Js:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.go
              Runtime: nodejs20.x
              InlineCode: |
                exports.go = async (event) => "inline js " + event.x;
          Plain:
            Type: AWS::Lambda::Function
            Properties:
              Handler: index.go
              Runtime: python3.12
              Role: arn:aws:iam::000000000000:role/r
              Code:
                ZipFile: |
                  def go(event, context):
                      return "plain " + event["x"]
        """))
    assert server.invoke("Py", b'{"x":"1"}').json() == "inline 1"
    assert server.invoke("Js", b'{"x":"2"}').json() == "inline js 2"
    assert server.invoke("Plain", b'{"x":"3"}').json() == "plain 3"


def test_built_template(serve, project):
    project.file(".aws-sam/build/F/app.py", VALUE_PY.format(value="built"))
    template = project.template(one_function("CodeUri: F"), ".aws-sam/build/template.yaml")
    assert serve(template).invoke("F").json() == "built"


def test_build_method_uses_what_sam_build_left(serve, project):
    project.file("src/app.ts", "not javascript")
    project.file(".aws-sam/build/F/app.js", "exports.handler = async () => 'from the build';\n")
    template = project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Metadata: {BuildMethod: esbuild}
            Properties: {Handler: app.handler, Runtime: nodejs20.x, CodeUri: src}
        """)
    # `sam build` runs after the template was written.
    project.template(one_function("CodeUri: F", runtime="nodejs20.x"), ".aws-sam/build/template.yaml")
    assert serve(template).invoke("F").json() == "from the build"


def test_layers_are_merged_in_order(serve, project):
    project.file("one/python/shared.py", "VALUE = 'one'\n")
    project.file("one/python/only_one.py", "VALUE = 1\n")
    project.file("one/data.txt", "from one")
    project.file("two.zip", zipped({"python/shared.py": "VALUE = 'two'\n", "data.txt": "from two",
                                    "nodejs/node_modules/dep/index.js": "module.exports = 'layer';\n"}))
    project.file("src/app.py", """
        import os
        import shared
        import only_one


        def handler(event, context):
            return [shared.VALUE, only_one.VALUE]
        """)
    project.file("src/index.js", "exports.handler = async () => require('dep');\n")
    server = serve(project.template("""
        Globals: {Function: {Layers: [!Ref One]}}
        Resources:
          One: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: one}}
          Two: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: two.zip, LayerName: second}}
          Both:
            Type: AWS::Serverless::Function
            Properties: {Handler: app.handler, Runtime: python3.12, CodeUri: src, Layers: [!Ref Two]}
          First:
            Type: AWS::Serverless::Function
            Properties: {Handler: app.handler, Runtime: python3.12, CodeUri: src}
          Node:
            Type: AWS::Serverless::Function
            Properties: {Handler: index.handler, Runtime: nodejs20.x, CodeUri: src, Layers: [!Ref Two]}
        """))
    assert server.invoke("Both").json() == ["two", 1]
    assert server.invoke("First").json() == ["one", 1]
    assert server.invoke("Node").json() == "layer"


def test_bootstrap_from_a_layer(serve, project):
    from project import RAW_BOOTSTRAP
    project.bootstrap("layer", RAW_BOOTSTRAP)
    project.file("src/nothing.txt", "x")
    server = serve(project.template("""
        Resources:
          L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
          F:
            Type: AWS::Serverless::Function
            Properties: {Handler: x, Runtime: provided.al2023, CodeUri: src, Layers: [!Ref L]}
        """))
    assert server.invoke("F", json.dumps({"body": '"from layer"'})).json() == "from layer"


def test_image_is_refused_clearly(project):
    from headgate import run
    result = run("serve", project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties: {PackageType: Image, ImageUri: "000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1"}
        """), "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--data-dir", project.folder / "data")
    assert result.returncode == 1
    assert "Image" in result.stderr
    assert "template.yaml:" in result.stderr
