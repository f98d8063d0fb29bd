"""What a template made and what the management API made, in one whole: seen, changed, kept, taken away at the next start."""

import json

import pytest

from functions import create, zip_of

CODE = "def handler(event, context):\n    return {word!r}\n"


def template(project, *functions, word="template", extra=""):
    project.file("src/index.py", CODE.format(word=word))
    resources = "".join(f"""
  {name.title()}:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: {name}
      Runtime: python3.12
      Handler: index.handler
      CodeUri: src
      {extra}""" for name in functions)
    return project.template(f"""
Transform: AWS::Serverless-2016-10-31
Resources:{resources}
""")


def restart(server, project, *functions, **what):
    server.stop()
    template(project, *functions, **what)
    server.start()
    return server.boto("lambda")


def invoke(client, name, **members):
    return json.loads(client.invoke(FunctionName=name, **members)["Payload"].read())


def names(client):
    return sorted(one["FunctionName"] for one in client.list_functions()["Functions"])


def update_code(client, name, word):
    client.update_function_code(FunctionName=name, ZipFile=zip_of({"index.py": CODE.format(word=word)}))


@pytest.fixture
def server(serve, project):
    return serve(template(project, "made"))


def test_what_the_template_made_is_seen_and_can_be_changed(server, project):
    client = server.boto("lambda")
    create(client, "own")
    assert names(client) == ["made", "own"]
    made = client.get_function(FunctionName="made")["Configuration"]
    assert made["State"] == "Active" and made["LastUpdateStatus"] == "Successful"
    assert made["Runtime"] == "python3.12" and made["Handler"] == "index.handler"
    assert invoke(client, "made") == "template"
    update_code(client, "made", "api")
    assert client.publish_version(FunctionName="made")["Version"] == "1"
    client.create_alias(FunctionName="made", Name="live", FunctionVersion="1")
    assert invoke(client, "made") == "api"

    # The template says nothing new: what the API did stays.
    client = restart(server, project, "made")
    assert invoke(client, "made") == "api" and names(client) == ["made", "own"]
    assert invoke(client, "made", Qualifier="live") == "api"

    # It says something new: that holds for $LATEST; versions and aliases stay.
    client = restart(server, project, "made", word="new words")
    assert invoke(client, "made") == "new words"
    assert invoke(client, "made", Qualifier="live") == "api"

    # It no longer has it: it goes, and what only the API made stays.
    client = restart(server, project, "other")
    assert names(client) == ["other", "own"]


def test_a_name_that_the_api_had_first(serve, project):
    server = serve(template(project, "other"))
    client = server.boto("lambda")
    create(client, "made")
    client.publish_version(FunctionName="made")
    client = restart(server, project, "made")
    assert invoke(client, "made") == "template"
    assert invoke(client, "made", Qualifier="1", Payload=b'"echo"') == "echo"
    assert server.log_lines("template_takes_over")


def test_a_start_without_the_template(server, serve, project):
    client = server.boto("lambda")
    create(client, "own")
    server.stop()
    server.command.remove(str(project.template_path))
    server.cwd = project.folder.parent
    client = server.start().boto("lambda")
    assert names(client) == ["made", "own"] and invoke(client, "made") == "template"


def test_deleted_by_the_api(server, project):
    client = server.boto("lambda")
    client.delete_function(FunctionName="made")
    assert names(client) == []
    client = restart(server, project, "made")
    assert invoke(client, "made") == "template"


def test_published_versions_stay_as_they_were(serve, project):
    server = serve(template(project, "made", word="one", extra="AutoPublishAlias: live"))
    client = server.boto("lambda")
    assert invoke(client, "made", Qualifier="live") == "one"
    # The folder is used in place for $LATEST alone.
    client = restart(server, project, "made", word="two", extra="AutoPublishAlias: live")
    assert [each["Version"] for each in client.list_versions_by_function(FunctionName="made")["Versions"]] == \
        ["$LATEST", "1", "2"]
    assert client.get_alias(FunctionName="made", Name="live")["FunctionVersion"] == "2"
    assert [invoke(client, "made", Qualifier=each) for each in ("1", "2", "live", "$LATEST")] == \
        ["one", "two", "two", "two"]
    client = restart(server, project, "made", word="two", extra="AutoPublishAlias: live")
    assert len(client.list_versions_by_function(FunctionName="made")["Versions"]) == 3
    client = restart(server, project, "made", word="two", extra="AutoPublishAlias: live\n      MemorySize: 256")
    assert client.get_alias(FunctionName="made", Name="live")["FunctionVersion"] == "3"
    assert client.get_function_configuration(FunctionName="made", Qualifier="2")["MemorySize"] == 128


def test_code_that_nobody_uses_is_removed_at_the_next_start(serve):
    server = serve.bare()
    client = server.boto("lambda")
    create(client, "a")
    update_code(client, "a", "second")
    client.publish_version(FunctionName="a")
    update_code(client, "a", "third")
    code = server.data_dir / "code"
    assert len(list(code.iterdir())) == 6
    (code / ".new-left-by-a-crash").mkdir()
    server.restart()
    assert len([path for path in code.iterdir() if not path.name.startswith(".old-")]) == 4
    client = server.boto("lambda")
    assert invoke(client, "a") == "third" and invoke(client, "a", Qualifier="1") == "second"


def test_the_data_directory_may_move(serve):
    server = serve.bare()
    client = server.boto("lambda")
    layer = client.publish_layer_version(LayerName="l", Content={"ZipFile": zip_of({"python/words.py": "WORD = 'layer'\n"})})
    create(client, "a", "import words\ndef handler(event, context):\n    return words.WORD\n",
           Layers=[layer["LayerVersionArn"]])
    server.stop()
    moved = server.folder / "moved"
    server.data_dir.rename(moved)
    server.command = [str(moved) if part == str(server.data_dir) else part for part in server.command]
    server.data_dir = moved
    client = server.start().boto("lambda")
    assert invoke(client, "a") == "layer"
    create(client, "b", "import words\ndef handler(event, context):\n    return 2\n", Layers=[layer["LayerVersionArn"]])
    assert invoke(client, "b") == 2


def test_another_region_and_account(serve):
    server = serve.bare()
    create(server.boto("lambda"), "a", "def handler(event, context):\n    return context.invoked_function_arn\n")
    server.stop()
    server.command += ["--region", "eu-west-1", "--account", "111122223333"]
    client = server.start().boto("lambda", region="eu-west-1")
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:a"
    assert invoke(client, "a") == arn
    assert client.get_function_configuration(FunctionName=arn)["FunctionArn"] == arn
    assert client.update_function_configuration(FunctionName="a", Description="x")["FunctionArn"] == arn
