"""The OpenAPI document: complete, with examples that are true, and kept by what the service answers."""

from dataclasses import MISSING

import jsonschema_rs
import pytest

from backend.inference.request import AnimateRequest
from backend.service.routes.examples import JOB_EXAMPLES
from backend.service.schema import AnimateOptions, TrainOptions
from backend.training.config import TrainConfig
from tests.backend.service.schema_check import check_schema


@pytest.fixture(scope="module")
def document(service) -> dict:
    return service.client._json("GET", "/v1/openapi.json")


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_what_is_answered_keeps_to_it():
    assert check_schema(2, "examples,coverage,stateful", quiet=True) == 0


def test_every_route_is_described_and_named(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for _, path, operation in operations(document):
        assert operation["description"].endswith("."), path
        assert set(operation["responses"]) >= {"400", "403", "503"}, path


def test_all_but_health_need_the_token(document):
    for _, path, operation in operations(document):
        assert operation["security"] == ([] if path == "/v1/health" else [{"token": []}])
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


@pytest.mark.parametrize("name", JOB_EXAMPLES)
def test_the_examples_are_valid(document, name):
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    schema = {**body["schema"], "components": document["components"]}
    assert [
        str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(body["examples"][name]["value"])
    ] == []


def test_options_are_those_of_the_command_line():
    """Names and defaults are told twice, to the command line and to the OpenAPI document."""
    for name, field in AnimateOptions.model_fields.items():
        if name != "outputs":
            own = AnimateRequest.__dataclass_fields__[name]
            assert field.default == (own.default if own.default is not MISSING else own.default_factory()), name
    for name, field in TrainOptions.model_fields.items():
        if name not in ("accept_quality", "overwrite"):
            assert field.default == TrainConfig.__dataclass_fields__[name].default, name
