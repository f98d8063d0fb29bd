"""CloudWatch metrics: what invocations leave behind, custom metrics, math, and every error, in all three protocols."""

import datetime
import gzip
import json
import shutil
import subprocess
import urllib.parse
import urllib.request

import boto3
import botocore.config
import botocore.session
import pytest

from functions import create, fresh_name, refusal
from headgate import wait_for

PROTOCOLS = ["smithy-rpc-v2-cbor", "json", "query"]
UTC = datetime.timezone.utc
HANDLER = """
import time
def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    time.sleep(event.get("sleep", 0))
    return event
"""


def cloudwatch(server, protocol="smithy-rpc-v2-cbor"):
    """A client that knows this protocol only."""
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def only(service, kind, api_version=None):
        model = load(service, kind, api_version)
        if service != "cloudwatch" or kind != "service-2":
            return model
        return {**model, "metadata": {**model["metadata"], "protocols": [protocol], "protocol": protocol}}

    loader.load_service_model = only
    return boto3.session.Session(botocore_session=session).client(
        "cloudwatch", endpoint_url=server.management_url, region_name="us-east-1", aws_access_key_id="any",
        aws_secret_access_key="any",
        config=botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False))


@pytest.fixture(scope="module", params=PROTOCOLS)
def watch(request, bare):
    return cloudwatch(bare, request.param)


@pytest.fixture(scope="module")
def cbor(bare):
    return cloudwatch(bare)


def now():
    return datetime.datetime.now(UTC)


def span(minutes=10):
    return {"StartTime": now() - datetime.timedelta(minutes=minutes), "EndTime": now() + datetime.timedelta(minutes=2)}


def dimensions(**values):
    return [{"Name": name, "Value": value} for name, value in values.items()]


def total(client, name, statistic="Sum", **values):
    """One statistic of a Lambda metric over the last minutes, None when there is no point."""
    points = client.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=name, Dimensions=dimensions(**values), Period=3600, Statistics=[statistic],
        StartTime=now() - datetime.timedelta(hours=2), EndTime=now() + datetime.timedelta(minutes=2))["Datapoints"]
    if not points:
        return None
    merge = max if statistic == "Maximum" else min if statistic == "Minimum" else sum
    return merge(point[statistic] for point in points)


def lambda_metrics(client, function):
    names = ["Invocations", "Errors", "Throttles", "AsyncEventsReceived", "AsyncEventsDropped"]
    found = {name: total(client, name, FunctionName=function) for name in names}
    found["Durations"] = total(client, "Duration", "SampleCount", FunctionName=function)
    found["Ages"] = total(client, "AsyncEventAge", "SampleCount", FunctionName=function)
    return {name: value for name, value in found.items() if value is not None}


# Invocations


@pytest.fixture(scope="module")
def functions(bare):
    client = bare.boto("lambda", config={"read_timeout": 30})
    client.make = lambda **members: create(client, fresh_name("watched"), HANDLER, **members)["FunctionName"]
    return client


def invoke(client, name, payload=None, **members):
    return client.invoke(FunctionName=name, Payload=json.dumps(payload or {}), **members)


def test_success(functions, cbor):
    name = functions.make()
    invoke(functions, name)
    assert lambda_metrics(cbor, name) == {"Invocations": 1, "Errors": 0, "Throttles": 0, "Durations": 1}


def test_function_error(functions, cbor):
    name = functions.make()
    invoke(functions, name, {"fail": True})
    assert lambda_metrics(cbor, name) == {"Invocations": 1, "Errors": 1, "Throttles": 0, "Durations": 1}


def test_time_out_lasts_as_long_as_the_time_out(functions, cbor):
    name = functions.make(Timeout=1)
    invoke(functions, name, {"sleep": 5})
    assert lambda_metrics(cbor, name) == {"Invocations": 1, "Errors": 1, "Throttles": 0, "Durations": 1}
    assert total(cbor, "Duration", "Maximum", FunctionName=name) == 1000


def test_throttle(functions, cbor):
    name = functions.make()
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert refusal(functions.invoke, FunctionName=name)[0] == 429
    assert lambda_metrics(cbor, name) == {"Throttles": 1}


def test_refused_requests_leave_nothing(functions, cbor):
    name = functions.make()
    assert refusal(functions.invoke, FunctionName=name, Payload="{")[0] == 400
    assert refusal(functions.invoke, FunctionName=name, Qualifier="9")[0] == 404
    functions.invoke(FunctionName=name, InvocationType="DryRun")
    assert lambda_metrics(cbor, name) == {}


def test_init_crash(functions, cbor):
    name = create(functions, fresh_name("watched"), "raise RuntimeError('no')")["FunctionName"]
    invoke(functions, name)
    assert lambda_metrics(cbor, name) == {"Invocations": 1, "Errors": 1, "Throttles": 0, "Durations": 1}


def test_asynchronous_success(functions, cbor):
    name = functions.make()
    invoke(functions, name, InvocationType="Event")
    wait_for(lambda: total(cbor, "Invocations", FunctionName=name), "the event to run")
    assert lambda_metrics(cbor, name) == {"Invocations": 1, "Errors": 0, "Throttles": 0, "Durations": 1,
                                          "AsyncEventsReceived": 1, "Ages": 1}


def test_asynchronous_event_given_up(functions, cbor):
    name = functions.make()
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    invoke(functions, name, {"fail": True}, InvocationType="Event")
    wait_for(lambda: total(cbor, "AsyncEventsDropped", FunctionName=name), "the event to be given up")
    assert lambda_metrics(cbor, name) == {"Invocations": 1, "Errors": 1, "Throttles": 0, "Durations": 1,
                                          "AsyncEventsReceived": 1, "AsyncEventsDropped": 1, "Ages": 1}


def test_duration_is_that_of_the_report(functions, cbor):
    import base64
    import re
    name = functions.make()
    tail = base64.b64decode(invoke(functions, name, {"sleep": 0.05}, LogType="Tail")["LogResult"]).decode()
    reported = float(re.search(r"\tDuration: ([0-9.]+) ms", tail).group(1))
    assert total(cbor, "Duration", "Maximum", FunctionName=name) == reported


def test_dimensions_of_a_function(functions, cbor):
    name = functions.make()
    invoke(functions, name)
    metrics = cbor.list_metrics(Namespace="AWS/Lambda", MetricName="Invocations",
                                Dimensions=[{"Name": "FunctionName", "Value": name}])["Metrics"]
    assert [metric["Dimensions"] for metric in metrics] == [
        dimensions(FunctionName=name), dimensions(FunctionName=name, Resource=name)]
    everything = total(cbor, "Invocations")
    invoke(functions, name)
    assert total(cbor, "Invocations") == everything + 1


def test_weighted_alias_has_three_sets(functions, cbor):
    name = functions.make()
    one = functions.publish_version(FunctionName=name)["Version"]
    functions.update_function_configuration(FunctionName=name, Description="another")
    two = functions.publish_version(FunctionName=name)["Version"]
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion=one,
                           RoutingConfig={"AdditionalVersionWeights": {two: 0.5}})
    for _ in range(20):
        invoke(functions, name, Qualifier="live")
    assert total(cbor, "Invocations", FunctionName=name) == 20
    assert total(cbor, "Invocations", FunctionName=name, Resource=f"{name}:live") == 20
    counts = [total(cbor, "Invocations", FunctionName=name, Resource=f"{name}:live", ExecutedVersion=version) or 0
              for version in (one, two)]
    assert sum(counts) == 20
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    invoke(functions, name, Qualifier="live")
    assert total(cbor, "Invocations", FunctionName=name, Resource=f"{name}:live") == 21
    assert total(cbor, "Invocations", FunctionName=name, Resource=f"{name}:live", ExecutedVersion=one) == counts[0]


def test_version_as_a_resource(functions, cbor):
    name = functions.make()
    functions.publish_version(FunctionName=name)
    invoke(functions, name, Qualifier="1")
    assert total(cbor, "Invocations", FunctionName=name, Resource=f"{name}:1") == 1
    assert total(cbor, "Invocations", FunctionName=name, Resource=name) is None


def test_concurrency(functions, cbor):
    import concurrent.futures
    name = functions.make(Timeout=20)
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: invoke(functions, name, {"sleep": 1}), range(3)))
    assert total(cbor, "ConcurrentExecutions", "Maximum", FunctionName=name) == 3
    assert total(cbor, "ConcurrentExecutions", "Maximum") >= 3
    assert total(cbor, "UnreservedConcurrentExecutions", "Maximum") >= 3
    assert total(cbor, "ClaimedAccountConcurrency", "Maximum") >= 3


def test_provisioned_concurrency(functions, cbor):
    import concurrent.futures
    name = functions.make(Timeout=20)
    functions.publish_version(FunctionName=name)
    functions.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    wait_for(lambda: functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier="1")["Status"] == "READY",
             "the environment to be ready", 20)
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: invoke(functions, name, {"sleep": 1}, Qualifier="1"), range(2)))
    assert total(cbor, "ProvisionedConcurrencyInvocations", FunctionName=name) == 1
    assert total(cbor, "ProvisionedConcurrencySpilloverInvocations", FunctionName=name) == 1
    assert total(cbor, "ProvisionedConcurrentExecutions", "Maximum", FunctionName=name, Resource=f"{name}:1") == 1
    assert total(cbor, "ProvisionedConcurrencyUtilization", "Maximum", FunctionName=name) == 1
    functions.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")


def test_booked_to_the_minute_of_the_start(functions, cbor):
    name = functions.make()
    before = now().replace(second=0, microsecond=0)
    invoke(functions, name)
    after = now().replace(second=0, microsecond=0)
    points = cbor.get_metric_statistics(Namespace="AWS/Lambda", MetricName="Invocations", Period=60, Statistics=["Sum"],
                                        Dimensions=dimensions(FunctionName=name), **span())["Datapoints"]
    assert len(points) == 1
    assert before <= points[0]["Timestamp"] <= after


def test_deliveries_that_fail(serve_module):
    server = serve_module.bare("--retry-scale", "0.0001", env={
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"})
    client, watch = server.boto("lambda"), cloudwatch(server)
    queue = "arn:aws:sqs:us-east-1:000000000000:nowhere"
    name = create(client, fresh_name("watched"), HANDLER, DeadLetterConfig={"TargetArn": queue})["FunctionName"]
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0,
                                            DestinationConfig={"OnFailure": {"Destination": queue}})
    invoke(client, name, {"fail": True}, InvocationType="Event")
    for metric in ("DestinationDeliveryFailures", "DeadLetterErrors", "AsyncEventsDropped"):
        wait_for(lambda: total(watch, metric, FunctionName=name) == 1, metric, 30)


def test_recursion(bare, functions, cbor):
    code = "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
    name = create(functions, fresh_name("watched"), code)["FunctionName"]
    trace, runs = "Root=1-5759e988-bd862e3fe1be46a994272793", 0
    while (answer := bare.invoke(name, headers=[("X-Amzn-Trace-Id", trace)])).status == 200:
        trace, runs = json.loads(answer.text), runs + 1
    assert answer.status == 400
    assert total(cbor, "RecursiveInvocationsDropped", FunctionName=name) == 1
    assert total(cbor, "Invocations", FunctionName=name) == runs


def test_function_url(functions, cbor):
    name = functions.make()
    url = functions.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.status == 200
    wait_for(lambda: total(cbor, "UrlRequestCount", FunctionName=name) == 1, "the request to be counted")
    assert total(cbor, "Url4xxCount", FunctionName=name) == 0
    assert total(cbor, "Url5xxCount", FunctionName=name) == 0
    assert total(cbor, "UrlRequestLatency", "Maximum", FunctionName=name) > 0
    assert total(cbor, "Invocations", FunctionName=name) == 1


# Custom metrics


def put(client, space, **datum):
    client.put_metric_data(Namespace=space, MetricData=[datum])


def points(client, space, name="m", statistics=("SampleCount", "Average", "Sum", "Minimum", "Maximum"), **members):
    request = {"Namespace": space, "MetricName": name, "Period": 60, "Statistics": list(statistics)} | span(60) | members
    found = client.get_metric_statistics(**request)["Datapoints"]
    return sorted(found, key=lambda point: point["Timestamp"])


def numbers(point):
    return [point[name] for name in ("SampleCount", "Average", "Sum", "Minimum", "Maximum")]


def test_value(watch):
    space = fresh_name("space")
    put(watch, space, MetricName="m", Value=2.5, Unit="Seconds")
    put(watch, space, MetricName="m", Value=-1.5, Unit="Seconds")
    found = points(watch, space)
    assert sum(point["SampleCount"] for point in found) == 2
    assert sum(point["Sum"] for point in found) == 1
    assert {point["Unit"] for point in found} == {"Seconds"}


def test_values_with_counts(watch):
    space, when = fresh_name("space"), now() - datetime.timedelta(minutes=3)
    put(watch, space, MetricName="m", Values=[1, 2.5], Counts=[2, 4], Timestamp=when)
    (point,) = points(watch, space)
    assert numbers(point) == [6, 2, 12, 1, 2.5]
    assert point["Unit"] == "None"
    assert point["Timestamp"] == when.replace(second=0, microsecond=0)


def test_statistic_values(watch):
    space = fresh_name("space")
    put(watch, space, MetricName="m", Timestamp=now() - datetime.timedelta(minutes=3),
        StatisticValues={"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4})
    (point,) = points(watch, space)
    assert numbers(point) == [4, 2.5, 10, 1, 4]
    # The single values are not known, so no percentile is.
    assert points(watch, space, statistics=(), ExtendedStatistics=["p50"]) == []


def test_percentiles(watch):
    space, when = fresh_name("space"), now() - datetime.timedelta(minutes=3)
    put(watch, space, MetricName="m", Values=list(range(1, 101)), Timestamp=when)
    (point,) = points(watch, space, statistics=(), ExtendedStatistics=["p50", "p99.9", "p0"])
    values = point["ExtendedStatistics"]
    assert values["p50"] == pytest.approx(50, rel=0.01)
    assert values["p99.9"] == pytest.approx(100, rel=0.01)
    assert values["p0"] == pytest.approx(1, rel=0.01)


def test_periods_are_put_together(cbor):
    space = fresh_name("space")
    hour = (now() - datetime.timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    for minute, value in ((0, 1), (4, 3), (5, 10), (59, 7)):
        put(cbor, space, MetricName="m", Value=value, Timestamp=hour + datetime.timedelta(minutes=minute))
    request = {"StartTime": hour, "EndTime": hour + datetime.timedelta(hours=1)}
    assert [numbers(point) for point in points(cbor, space, Period=300, **request)] == [
        [2, 2, 4, 1, 3], [1, 10, 10, 10, 10], [1, 7, 7, 7, 7]]
    assert [numbers(point) for point in points(cbor, space, Period=3600, **request)] == [[4, 5.25, 21, 1, 10]]
    # The end is not part of it; a start within a period is rounded down.
    late = {"StartTime": hour + datetime.timedelta(minutes=2), "EndTime": hour + datetime.timedelta(minutes=59)}
    assert [numbers(point) for point in points(cbor, space, Period=300, **late)] == [
        [2, 2, 4, 1, 3], [1, 10, 10, 10, 10]]


def test_fine_periods_find_the_minutes(watch):
    space, minute = fresh_name("space"), (now() - datetime.timedelta(minutes=3)).replace(second=0, microsecond=0)
    for second in (5, 50):
        put(watch, space, MetricName="m", Value=second, Timestamp=minute + datetime.timedelta(seconds=second))
    (point,) = points(watch, space, Period=10, StartTime=minute, EndTime=minute + datetime.timedelta(minutes=2))
    assert (point["Timestamp"], point["Sum"]) == (minute, 55)
    metric = {"Metric": {"Namespace": space, "MetricName": "m"}, "Period": 1, "Stat": "Sum"}
    (result,) = watch.get_metric_data(MetricDataQueries=[{"Id": "x", "MetricStat": metric}], **span())["MetricDataResults"]
    assert (result["Timestamps"], result["Values"]) == ([minute], [55])


def test_units_are_apart(watch):
    space, when = fresh_name("space"), now() - datetime.timedelta(minutes=3)
    put(watch, space, MetricName="m", Value=1, Unit="Bytes", Timestamp=when)
    put(watch, space, MetricName="m", Value=2, Unit="Count", Timestamp=when)
    assert {point["Unit"]: point["Sum"] for point in points(watch, space)} == {"Bytes": 1, "Count": 2}
    assert [point["Sum"] for point in points(watch, space, Unit="Count")] == [2]
    assert points(watch, space, Unit="Percent") == []
    assert len(watch.list_metrics(Namespace=space)["Metrics"]) == 1


def test_dimensions_must_match(watch):
    space = fresh_name("space")
    put(watch, space, MetricName="m", Value=1, Dimensions=dimensions(b="2", a="1"))
    assert points(watch, space) == []
    assert points(watch, space, Dimensions=dimensions(a="1")) == []
    assert len(points(watch, space, Dimensions=dimensions(a="1", b="2"))) == 1


def test_packed_request(watch):
    space = fresh_name("space")
    watch.put_metric_data(Namespace=space, MetricData=[
        {"MetricName": "m", "Value": 1, "Dimensions": dimensions(name="x" * 100)} for _ in range(1000)])
    found = points(watch, space, Dimensions=dimensions(name="x" * 100))
    assert sum(point["Sum"] for point in found) == 1000


def test_texts_of_all_kinds(watch):
    space = "Möbel <&> \"shop\"/" + fresh_name()
    put(watch, space, MetricName="a b+c%20", Value=1, Dimensions=dimensions(**{"key": "wert & <x>"}))
    metric = watch.list_metrics(Namespace=space)["Metrics"][0]
    assert metric == {"Namespace": space, "MetricName": "a b+c%20", "Dimensions": dimensions(key="wert & <x>")}


def test_unknown_metric_has_no_points(watch):
    answer = watch.get_metric_statistics(Namespace="Nothing", MetricName="here", Period=60, Statistics=["Sum"], **span())
    assert (answer["Label"], answer["Datapoints"]) == ("here", [])


# ListMetrics


def test_list_filters(watch):
    space = fresh_name("space")
    for name, where in (("a", "x"), ("a", "y"), ("b", "x")):
        put(watch, space, MetricName=name, Value=1, Dimensions=dimensions(where=where, other="o"))

    def listed(**members):
        return [(metric["MetricName"], metric["Dimensions"][1]["Value"])
                for metric in watch.list_metrics(Namespace=space, **members)["Metrics"]]

    assert listed() == [("a", "x"), ("a", "y"), ("b", "x")]
    assert listed(MetricName="a") == [("a", "x"), ("a", "y")]
    assert listed(Dimensions=[{"Name": "where", "Value": "x"}]) == [("a", "x"), ("b", "x")]
    assert listed(Dimensions=[{"Name": "where"}, {"Name": "other", "Value": "o"}]) == listed()
    assert listed(Dimensions=[{"Name": "nowhere"}]) == []
    assert listed(RecentlyActive="PT3H") == listed()


def test_list_pages(watch):
    space = fresh_name("space")
    data = [{"MetricName": f"m{number:04}", "Value": 1} for number in range(1100)]
    watch.put_metric_data(Namespace=space, MetricData=data[:600])
    watch.put_metric_data(Namespace=space, MetricData=data[600:])
    pages = list(watch.get_paginator("list_metrics").paginate(Namespace=space))
    assert [len(page["Metrics"]) for page in pages] == [500, 500, 100]
    assert [metric["MetricName"] for page in pages for metric in page["Metrics"]] == [row["MetricName"] for row in data]


# GetMetricData


@pytest.fixture(scope="module")
def numbered(cbor):
    """Namespace with metrics `a` (1, 2, 3, 4) and `b` (2, -, 6, 0) in four minutes from `start` on."""
    space = fresh_name("space")
    start = (now() - datetime.timedelta(minutes=30)).replace(second=0, microsecond=0)
    for name, values in (("a", [1, 2, 3, 4]), ("b", [2, None, 6, 0])):
        for minute, value in enumerate(values):
            if value is not None:
                put(cbor, space, MetricName=name, Value=value, Timestamp=start + datetime.timedelta(minutes=minute))
    return space, start


def ask(client, numbered, *queries, **members):
    space, start = numbered
    metrics = [{"Id": name, "ReturnData": False, "MetricStat": {
        "Metric": {"Namespace": space, "MetricName": name}, "Period": 60, "Stat": "Sum"}} for name in ("a", "b")]
    return client.get_metric_data(**{
        "MetricDataQueries": metrics + list(queries), "StartTime": start, "EndTime": start + datetime.timedelta(minutes=4),
        "ScanBy": "TimestampAscending"} | members)


def test_metric_data(watch, numbered):
    space, start = numbered
    metric = {"Metric": {"Namespace": space, "MetricName": "b"}, "Period": 60, "Stat": "Maximum"}
    answer = watch.get_metric_data(MetricDataQueries=[{"Id": "x", "MetricStat": metric, "Label": "mine"}],
                                   StartTime=start, EndTime=start + datetime.timedelta(minutes=4))
    (result,) = answer["MetricDataResults"]
    assert (result["Id"], result["Label"], result["StatusCode"]) == ("x", "mine", "Complete")
    # The newest first, unless asked otherwise.
    assert result["Values"] == [0, 6, 2]
    assert result["Timestamps"] == [start + datetime.timedelta(minutes=minute) for minute in (3, 2, 0)]
    assert answer["Messages"] == []


@pytest.mark.parametrize("expression, values", [
    ("a + 1", [2, 3, 4, 5]),
    ("2 * (a - 1)", [0, 2, 4, 6]),
    ("-a ^ 2", [1, 4, 9, 16]),
    ("a + b", [3, 9, 4]),
    ("a / b", [0.5, 0.5]),
    ("100 - 100 * a / MAX([a, b])", [50, 0, 50, 0]),
    ("SUM([a, b])", [3, 2, 9, 4]),
    ("AVG([a,b])", [1.5, 2, 4.5, 2]),
    ("MIN([a, b])", [1, 2, 3, 0]),
    ("a / SUM(a)", [0.1, 0.2, 0.3, 0.4]),
    ("a - AVG(a)", [-1.5, -0.5, 0.5, 1.5]),
    ("a * 0 + MIN(b) + MAX(b)", [6, 6, 6, 6]),
    ("FILL(b, 9)", [2, 9, 6, 0]),
    ("FILL(b, REPEAT)", [2, 2, 6, 0]),
    ("FILL(b, LINEAR)", [2, 4, 6, 0]),
    ("FILL(b, a)", [2, 2, 6, 0]),
    ("IF(a > 2, a, 0)", [0, 0, 3, 4]),
    ("IF(a > 1 && a < 4, a)", [2, 3]),
    ("IF(b, 1, 0)", [1, 1, 0]),
    ("a >= 3 || a == 1", [1, 0, 1, 1]),
    ("a != 2 AND a <= 3", [1, 0, 1, 0]),
    ("ABS(a - 3) + CEIL(a / 4) + FLOOR(a / 4)", [3, 2, 1, 3]),
    ("a / PERIOD(a) * 60", [1, 2, 3, 4]),
])
def test_math(cbor, numbered, expression, values):
    (result,) = ask(cbor, numbered, {"Id": "e", "Expression": expression})["MetricDataResults"]
    assert result["Values"] == pytest.approx(values)
    assert result["Label"] == "e"


def test_expressions_of_expressions(watch, numbered):
    results = ask(watch, numbered, {"Id": "top", "Expression": "below * 2"}, {"Id": "below", "Expression": "a + b"})
    assert {result["Id"]: result["Values"] for result in results["MetricDataResults"]} == {
        "top": [6, 18, 8], "below": [3, 9, 4]}


def test_metric_data_in_pages(watch, numbered):
    seen, token = {"a": [], "b": []}, {}
    for page in range(4):
        space, start = numbered
        answer = watch.get_metric_data(
            MetricDataQueries=[{"Id": name, "MetricStat": {"Metric": {"Namespace": space, "MetricName": name}, "Period": 60,
                                                           "Stat": "Sum"}} for name in ("a", "b")],
            StartTime=start, EndTime=start + datetime.timedelta(minutes=4), ScanBy="TimestampAscending",
            MaxDatapoints=2, **token)
        for result in answer["MetricDataResults"]:
            seen[result["Id"]] += result["Values"]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert seen == {"a": [1, 2, 3, 4], "b": [2, 6, 0]}
    assert page == 3


# Errors

INVALID, MISSING, COMBINATION = "InvalidParameterValue", "MissingParameter", "InvalidParameterCombination"
GOOD = {"Namespace": "n", "MetricName": "m", "Period": 60, "Statistics": ["Sum"]}
LONG = datetime.timedelta(days=2)


def statistics_request(**members):
    return {name: value for name, value in (GOOD | span() | members).items() if value is not None}


@pytest.mark.parametrize("members, code, text", [
    ({"Namespace": None}, MISSING, "The parameter Namespace is required."),
    ({"MetricName": None}, MISSING, "The parameter MetricName is required."),
    ({"StartTime": None}, MISSING, "The parameter StartTime is required."),
    ({"EndTime": None}, MISSING, "The parameter EndTime is required."),
    ({"Period": None}, MISSING, "The parameter Period is required."),
    ({"Statistics": None}, COMBINATION, "At least one of the parameters Statistics and ExtendedStatistics"),
    ({"Statistics": ["Median"]}, INVALID, "The parameter Statistics.member.1 must be a value in the set"),
    ({"Statistics": None, "ExtendedStatistics": ["p101"]}, INVALID, "The value p101 for parameter ExtendedStatistics"),
    ({"Statistics": None, "ExtendedStatistics": ["tm90"]}, "NotImplemented", "The statistic tm90 is not available"),
    ({"Statistics": None, "ExtendedStatistics": ["IQM"]}, "NotImplemented", "The statistic IQM is not available"),
    ({"Period": 0}, INVALID, "The parameter Period must be greater than or equal to 1"),
    ({"Period": 90}, INVALID, "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."),
    ({"Period": 15}, INVALID, "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60."),
    ({"Unit": "Pounds"}, INVALID, "The parameter Unit must be a value in the set [Seconds,"),
    ({"Namespace": ":n"}, INVALID, "The parameter Namespace must not start with ':'."),
    ({"Namespace": "n" * 256}, INVALID, "The parameter Namespace must be shorter than 256 characters."),
    ({"Dimensions": dimensions(**{f"d{i}": "v" for i in range(31)})}, INVALID,
     "The collection Dimensions must not have a size greater than 30."),
    ({"Dimensions": [{"Name": "d"}]}, MISSING, "The parameter Dimensions.member.1.Value is required."),
    ({"Dimensions": [{"Name": "d", "Value": "v" * 1025}]}, INVALID, "The parameter Dimensions.member.1.Value must be shorter"),
])
def test_statistics_errors(watch, members, code, text):
    status, found, message = refusal(watch.get_metric_statistics, **statistics_request(**members))
    assert (status, found) == (501 if code == "NotImplemented" else 400, code)
    assert text in message


def test_too_many_points(watch):
    end = now()
    answer = refusal(watch.get_metric_statistics, **statistics_request(StartTime=end - LONG, EndTime=end))
    assert answer == (400, COMBINATION, "You have requested up to 2880 datapoints, which exceeds the limit of 1440. You may "
                      "reduce the datapoints requested by increasing Period, or decreasing the time range.")
    watch.get_metric_statistics(**statistics_request(StartTime=end - LONG / 2, EndTime=end))


def test_start_behind_the_end(watch):
    request = statistics_request(StartTime=now(), EndTime=now() - datetime.timedelta(minutes=1))
    assert refusal(watch.get_metric_statistics, **request) == (
        400, INVALID, "The parameter StartTime must be less than the parameter EndTime.")


DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize("datum, code, text", [
    ({"Value": 1, "MetricName": None}, MISSING, "The parameter MetricData.member.1.MetricName is required."),
    ({}, MISSING, "At least one of the parameters MetricData.member.1.Value"),
    ({"Value": 1, "Values": [1]}, COMBINATION, "mutually exclusive"),
    ({"Value": 1, "StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}}, COMBINATION,
     "The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and you have "
     "specified both."),
    ({"Values": [1, 2], "Counts": [1]}, INVALID, "must be of the same size"),
    ({"Values": list(range(151))}, INVALID, "The collection MetricData.member.1.Values must not have a size greater than 150."),
    ({"Value": 1, "Counts": [1]}, COMBINATION, "needs the parameter MetricData.member.1.Values"),
    ({"StatisticValues": {"Sum": 1, "Minimum": 1, "Maximum": 1}}, MISSING,
     "The parameter MetricData.member.1.StatisticValues.SampleCount is required."),
    ({"StatisticValues": {"SampleCount": 0, "Sum": 1, "Minimum": 1, "Maximum": 1}}, INVALID, "must be greater than 0"),
    ({"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}}, INVALID, "must be less than or equal to"),
    ({"Value": float("nan")}, INVALID, "The value NaN for parameter MetricData.member.1.Value is invalid."),
    ({"Value": float("inf")}, INVALID, "The value Infinity for parameter MetricData.member.1.Value is invalid."),
    ({"Value": 1e200}, INVALID, "The value for parameter MetricData.member.1.Value is out of range."),
    ({"Value": 1, "Unit": "Pounds"}, INVALID, "The parameter MetricData.member.1.Unit must be a value in the set"),
    ({"Value": 1, "Timestamp": now() - 15 * DAY}, INVALID, "no more than two weeks in the past"),
    ({"Value": 1, "Timestamp": now() + DAY}, INVALID, "no more than two hours in the future"),
    ({"Value": 1, "StorageResolution": 2}, INVALID, "StorageResolution must be 1 or 60"),
    ({"Value": 1, "StorageResolution": 1}, "NotImplemented", "StorageResolution 1 is not available in Headgate"),
    ({"Value": 1, "Dimensions": [{"Name": "d", "Value": ""}]}, INVALID,
     "The parameter MetricData.member.1.Dimensions.member.1.Value must not be empty."),
])
def test_put_errors(watch, datum, code, text):
    datum = {name: value for name, value in ({"MetricName": "m"} | datum).items() if value is not None}
    status, found, message = refusal(watch.put_metric_data, Namespace="n", MetricData=[datum])
    assert (status, found) == (501 if code == "NotImplemented" else 400, code)
    assert text in message


def test_nothing_of_a_refused_put_is_kept(watch):
    space = fresh_name("space")
    assert refusal(watch.put_metric_data, Namespace=space, MetricData=[
        {"MetricName": "m", "Value": 1}, {"MetricName": "m", "Value": 1, "Unit": "Pounds"}])[1] == INVALID
    assert watch.list_metrics(Namespace=space)["Metrics"] == []


@pytest.mark.parametrize("members, code, text", [
    ({}, MISSING, "The parameter MetricData is required."),
    ({"Namespace": "AWS/Lambda", "MetricData": []}, INVALID, "The value AWS/ for parameter Namespace is invalid."),
    ({"MetricData": [{"MetricName": "m", "Value": 1}] * 1001}, INVALID,
     "The collection MetricData must not have a size greater than 1000."),
    ({"EntityMetricData": [{"MetricData": [{"MetricName": "m", "Value": 1}]}]}, "NotImplemented", "EntityMetricData is not"),
])
def test_put_request_errors(watch, members, code, text):
    status, found, message = refusal(watch.put_metric_data, **({"Namespace": "n"} | members))
    assert (status, found) == (501 if code == "NotImplemented" else 400, code)
    assert text in message


METRIC = {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "Sum"}


@pytest.mark.parametrize("query, code, text", [
    ({"MetricStat": METRIC, "Id": None}, MISSING, "The parameter MetricDataQueries.member.1.Id is required."),
    ({"MetricStat": METRIC, "Id": "Upper"}, "ValidationError", "must start with a lowercase letter"),
    ({"MetricStat": METRIC, "Id": "a-b"}, "ValidationError", "must start with a lowercase letter"),
    ({}, "ValidationError", "exactly one of them must be given"),
    ({"MetricStat": METRIC, "Expression": "1"}, "ValidationError", "exactly one of them must be given"),
    ({"MetricStat": METRIC | {"Stat": "Middle"}}, "ValidationError", "The value Middle for parameter"),
    ({"MetricStat": METRIC | {"Stat": "wm90"}}, "NotImplemented", "The statistic wm90 is not available"),
    ({"MetricStat": METRIC | {"Period": 61}}, INVALID, "MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60"),
    ({"MetricStat": {"Period": 60, "Stat": "Sum"}}, MISSING, "MetricStat.Metric is required."),
    ({"MetricStat": METRIC, "AccountId": "123456789012"}, "NotImplemented", "AccountId is not available"),
    ({"MetricStat": METRIC, "Label": "${PROP('Stat')}"}, "NotImplemented", "dynamic labels"),
    ({"Expression": "other + 1"}, "ValidationError", "nothing is known by the id other"),
    ({"Expression": "1 +"}, "ValidationError", "the expression ends too early"),
    ({"Expression": "(1"}, "ValidationError", "the expression ends too early"),
    ({"Expression": "1 + 2"}, "ValidationError", "does not give a time series"),
    ({"Expression": "1 2"}, "ValidationError", "unexpected: 2"),
    ({"Expression": "id * 2"}, "ValidationError", "nothing is known by the id id"),
    ({"Expression": "FILL(id)"}, "ValidationError", "wrong number of arguments of FILL"),
    ({"Expression": "(" * 60 + "1" + ")" * 60}, "ValidationError", "nested too deeply"),
    ({"Expression": "ANOMALY_DETECTION_BAND(id, 2)"}, "NotImplemented", "not available: ANOMALY_DETECTION_BAND"),
    ({"Expression": "SEARCH('{AWS/Lambda}', 'Sum')"}, "NotImplemented", "SEARCH"),
    ({"Expression": "SELECT AVG(Duration) FROM SCHEMA(\"AWS/Lambda\")"}, "NotImplemented", "SELECT"),
])
def test_metric_data_errors(watch, query, code, text):
    query = {name: value for name, value in ({"Id": "id"} | query).items() if value is not None}
    status, found, message = refusal(watch.get_metric_data, MetricDataQueries=[query], **span())
    assert (status, found) == (501 if code == "NotImplemented" else 400, code)
    assert text in message


def test_metric_data_request_errors(watch):
    query = {"Id": "id", "MetricStat": METRIC}
    assert refusal(watch.get_metric_data, MetricDataQueries=[query, query], **span())[:2] == (400, "ValidationError")
    assert refusal(watch.get_metric_data, **span()) == (400, MISSING, "The parameter MetricDataQueries is required.")
    assert refusal(watch.get_metric_data, MetricDataQueries=[query], NextToken="?", **span())[:2] == (400, "InvalidNextToken")
    assert refusal(watch.get_metric_data, MetricDataQueries=[query], ScanBy="Random", **span())[:2] == (400, "ValidationError")
    many = [{"Id": f"id{number}", "MetricStat": METRIC} for number in range(501)]
    assert refusal(watch.get_metric_data, MetricDataQueries=many, **span())[:2] == (400, INVALID)


def test_list_errors(watch):
    assert refusal(watch.list_metrics, RecentlyActive="PT1H")[:2] == (400, INVALID)
    assert refusal(watch.list_metrics, NextToken="not a token")[:2] == (400, INVALID)
    assert refusal(watch.list_metrics, IncludeLinkedAccounts=True)[:2] == (501, "NotImplemented")
    assert refusal(watch.list_metrics, Dimensions=[{"Value": "v"}]) == (
        400, MISSING, "The parameter Dimensions.member.1.Name is required.")


@pytest.mark.parametrize("operation, members", [
    ("describe_alarms", {}), ("put_metric_alarm", {"AlarmName": "a"}), ("put_dashboard", {"DashboardName": "d"}),
    ("list_dashboards", {}), ("tag_resource", {"ResourceARN": "arn:aws:cloudwatch:us-east-1:0:alarm:a", "Tags": []}),
])
def test_what_is_not_there_says_so(watch, operation, members):
    status, code, message = refusal(getattr(watch, operation), **members)
    assert (status, code) == (501, "NotImplemented")
    assert "is not available in Headgate" in message


# Raw requests

RPC = "/service/GraniteServiceVersion20100801/operation/"
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def test_form_of_the_query_protocol(bare):
    start = "2026-01-02T03:00:00Z"
    form = urllib.parse.urlencode({
        "Action": "GetMetricStatistics", "Version": "2010-08-01", "Namespace": "n", "MetricName": "m", "Period": "60",
        "Statistics.member.1": "Sum", "StartTime": start, "EndTime": "2026-01-02T04:00:00Z"})
    for answer in (bare.manage("POST", "/", [FORM], form.encode()), bare.manage("GET", "/?" + form)):
        assert answer.status == 200
        assert answer.header("content-type") == "text/xml"
        assert ('<GetMetricStatisticsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">'
                "<GetMetricStatisticsResult><Datapoints></Datapoints><Label>m</Label></GetMetricStatisticsResult>"
                "<ResponseMetadata><RequestId>") in answer.text


def test_error_forms(bare):
    answer = bare.manage("POST", "/", [FORM], b"Action=GetMetricStatistics&Version=2010-08-01&Namespace=n")
    assert answer.status == 400
    assert "<Type>Sender</Type><Code>MissingParameter</Code><Message>The parameter MetricName is required.</Message>" in answer.text
    answer = bare.manage("POST", "/", [("X-Amz-Target", "GraniteServiceVersion20100801.GetMetricStatistics"),
                                       ("Content-Type", "application/x-amz-json-1.0")], b"{}")
    assert answer.status == 400
    assert answer.header("x-amzn-query-error") == "MissingParameter;Sender"
    assert answer.header("content-type") == "application/x-amz-json-1.0"
    assert json.loads(answer.text) == {"__type": "com.amazonaws.cloudwatch#MissingRequiredParameterException",
                                       "message": "The parameter Namespace is required."}
    answer = bare.manage("POST", RPC + "GetMetricStatistics", [("smithy-protocol", "rpc-v2-cbor"),
                                                               ("Content-Type", "application/cbor")], b"\xa0")
    assert answer.status == 400
    assert answer.header("smithy-protocol") == "rpc-v2-cbor"
    assert answer.header("content-type") == "application/cbor"
    assert b"com.amazonaws.cloudwatch#MissingRequiredParameterException" in answer.body


CBOR = [("smithy-protocol", "rpc-v2-cbor"), ("Content-Type", "application/cbor")]


@pytest.mark.parametrize("body", [
    b"\xff", b"\xa1", b"\x80", b"\xa1\x01\x02", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\x81" * 100, b"\xa0\xa0",
    b"\xa1\x69Namespace\x81\x01",
])
def test_malformed_cbor(bare, body):
    answer = bare.manage("POST", RPC + "ListMetrics", CBOR, body)
    assert answer.status == 400
    assert b"SerializationException" in answer.body


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"Namespace":1}', b'{"Dimensions":{}}', b'{"a":"\xff"}', b"[" * 5000])
def test_malformed_json(bare, body):
    answer = bare.manage("POST", "/", [("X-Amz-Target", "GraniteServiceVersion20100801.ListMetrics")], body)
    assert answer.status == 400
    assert json.loads(answer.text)["__type"] == "com.amazonaws.cloudwatch#SerializationException"


@pytest.mark.parametrize("fields", [
    "Dimensions.member.0.Name=a", "Dimensions.member.x.Name=a", "Dimensions.member.99999999.Name=a", "Namespace.x=1&Namespace=2",
    "Dimensions=1&Dimensions.member.1.Name=a", ".=1", "Dimensions.member.1=a&Dimensions.member.1.Name=b",
    "Namespace=a&Namespace=b", "A" * 300 + "=1", "x" + ".y" * 40 + "=1",
])
def test_malformed_form(bare, fields):
    answer = bare.manage("POST", "/", [FORM], b"Action=ListMetrics&Version=2010-08-01&" + fields.encode())
    assert answer.status == 400
    assert "<Code>MalformedInput</Code>" in answer.text


def test_packed_bodies(bare):
    target = ("X-Amz-Target", "GraniteServiceVersion20100801.ListMetrics")
    packed = ("Content-Encoding", "gzip")
    assert bare.manage("POST", "/", [target, packed], gzip.compress(b'{"Namespace":"n"}')).status == 200
    assert bare.manage("POST", "/", [target, packed], b"not packed").status == 400
    assert bare.manage("POST", "/", [target, packed], gzip.compress(b'{"Namespace":"n"}')[:-3]).status == 400
    assert bare.manage("POST", "/", [target, ("Content-Encoding", "br")], b"{}").status == 400
    # A bomb is not unpacked any further than requests may be large.
    assert bare.manage("POST", "/", [target, packed], gzip.compress(b" " * (50 << 20))).status == 413
    assert bare.manage("POST", "/", [target], b" " * (2 << 20)).status == 413


def test_unknown_operation(bare):
    answer = bare.manage("POST", RPC + "Frobnicate", CBOR, b"\xa0")
    assert answer.status == 404
    assert answer.header("x-amzn-query-error") == "InvalidAction;Sender"


# Life


def test_metrics_survive_restarts_and_crashes(serve_module):
    server = serve_module.bare()
    client = server.boto("lambda")
    name = create(client, fresh_name("kept"), HANDLER)["FunctionName"]
    invoke(client, name)
    put(cloudwatch(server), "Kept", MetricName="m", Value=7)
    server.restart()
    watch = cloudwatch(server)
    assert total(watch, "Invocations", FunctionName=name) == 1
    assert [point["Sum"] for point in points(watch, "Kept")] == [7]
    invoke(server.boto("lambda"), name)
    assert total(watch, "Invocations", FunctionName=name) == 2
    log = server.data_dir / "metrics"
    before = sum(file.stat().st_size for file in log.iterdir())
    put(watch, "Kept", MetricName="later", Value=1)
    wait_for(lambda: sum(file.stat().st_size for file in log.iterdir()) > before, "the log to be written", 15)
    server.kill9()
    server.start()
    watch = cloudwatch(server)
    assert total(watch, "Invocations", FunctionName=name) == 2
    assert [point["Sum"] for point in points(watch, "Kept", "later")] == [1]


def test_damaged_files_are_set_aside(serve_module):
    server = serve_module.bare()
    watch = cloudwatch(server)
    put(watch, "Kept", MetricName="m", Value=7)
    server.stop()
    for file in (server.data_dir / "metrics").iterdir():
        file.write_bytes(b"\x01\x02\x03" + file.read_bytes()[3:])
    (server.data_dir / "metrics" / "run-7").write_bytes(b"nothing of use")
    (server.data_dir / "metrics" / "names").write_bytes(b"\xff" * 100)
    server.start()
    server.wait_for_log("series_damaged")
    watch = cloudwatch(server)
    assert points(watch, "Kept") == []
    put(watch, "Kept", MetricName="m", Value=8)
    assert [point["Sum"] for point in points(watch, "Kept")] == [8]
    assert len([file for file in (server.data_dir / "metrics").iterdir() if file.name.startswith("damaged-")]) == 3


# The command line


def test_aws_command(bare, functions):
    command = shutil.which("aws", path="/usr/bin") or shutil.which("aws")
    if not command:
        pytest.skip("no aws command")
    name = functions.make()
    invoke(functions, name)
    window = span()
    result = subprocess.run(
        [command, "--endpoint-url", bare.management_url, "--region", "us-east-1", "--output", "json", "cloudwatch",
         "get-metric-statistics", "--namespace", "AWS/Lambda", "--metric-name", "Duration", "--dimensions",
         f"Name=FunctionName,Value={name}", "--start-time", window["StartTime"].isoformat(), "--end-time",
         window["EndTime"].isoformat(), "--period", "300", "--statistics", "Average", "Maximum"],
        env={"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "PATH": "/usr/bin:/bin", "AWS_PAGER": ""},
        capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["Label"] == "Duration"
    assert len(answer["Datapoints"]) == 1
    assert answer["Datapoints"][0]["Maximum"] >= answer["Datapoints"][0]["Average"] > 0
