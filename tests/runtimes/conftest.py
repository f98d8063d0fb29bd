import pytest

import harness


@pytest.fixture(params=["fd", "tcp"])
def transport(request):
    return request.param


def starter(tmp_path, command):
    """A function that starts runtimes and a function that ends all of them."""
    started = []

    def start(files, **options):
        runtime = harness.RuntimeProcess(options.pop("command", command), tmp_path, files, **options)
        started.append(runtime)
        return runtime

    def stop():
        for runtime in started:
            runtime.close()

    return start, stop


@pytest.fixture(scope="session")
def python():
    return harness.python_interpreters()[-1]


@pytest.fixture
def start_python(tmp_path, python):
    start, stop = starter(tmp_path, [python, harness.PYTHON_BOOTSTRAP])
    yield lambda source, **options: start(
        source if isinstance(source, dict) else {"app.py": source}, **options
    )
    stop()


@pytest.fixture
def start_node(tmp_path):
    if harness.node() is None:
        pytest.skip("node is not installed")
    start, stop = starter(tmp_path, [harness.node(), harness.NODE_BOOTSTRAP])

    def start_node(source, **options):
        files = source if isinstance(source, dict) else {"app.js": source}
        options["env"] = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x", **options.get("env", {})}
        return start(files, **options)

    yield start_node
    stop()
