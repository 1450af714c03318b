"""StaticISO15118VASProvider: the file, what is wrong with one, and what a car gets of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.iso15118_vas import SelectedService
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.modules.v2g.secc.iso2.services import parameter_set
from chargebyte_fw.modules.v2g.service_file import read_services
from chargebyte_fw.modules.v2g.static_iso15118_vas_provider import StaticISO15118VASProvider
from tests.v2g.station import Manager, Security

FILE = """
services:
  - id: 77
    name: Coffee
    scope: lobby
    free_service: false
    parameter_sets:
      - id: 1
        parameters:
          - {name: Sugar, type: bool, value: true}
          - {name: Cups, type: int8, value: -3}
          - {name: Room, type: int16, value: 1200}
          - {name: Serial, type: int32, value: 70000}
          - {name: Kind, type: string, value: ristretto}
          - {name: Price, type: rational, value: 2.5}
      - id: 2
        parameters: [{name: Sugar, type: bool, value: false}]
  - id: 78
"""


def test_a_file_is_read() -> None:
    services = read_services(FILE.encode(), "services.yaml")
    assert list(services) == [77, 78]
    offer = services[77].offer
    assert (offer.service_name, offer.service_scope, offer.free_service) == ("Coffee", "lobby", False)
    assert services[78].offer.free_service is None and services[78].sets == ()
    values = {one.name: one.value for one in services[77].sets[0].parameters}
    assert values["Sugar"].bool_value is True and values["Cups"].byte_value == -3
    assert values["Room"].short_value == 1200 and values["Serial"].int_value == 70_000
    assert values["Kind"].finite_string == "ristretto" and values["Price"].rational_number == 2.5


def test_each_type_is_the_one_of_the_message() -> None:
    written = parameter_set(read_services(FILE.encode(), "f")[77].sets[0])
    assert [
        one.boolValue
        if one.boolValue is not None
        else one.byteValue or one.shortValue or one.intValue or one.stringValue
        for one in written.Parameter[:5]
    ] == [True, -3, 1200, 70_000, "ristretto"]


def service(**changes: Any) -> dict[str, Any]:
    return {"id": 77} | changes


def one_parameter(**changes: Any) -> dict[str, Any]:
    parameter = {"name": "A", "type": "int8", "value": 1} | changes
    return {"services": [service(parameter_sets=[{"id": 1, "parameters": [parameter]}])]}


WRONG: list[tuple[Any, str]] = [
    ("", "Expected `object`"),
    ("services: [", "not YAML"),
    ({"services": [{"name": "x"}]}, "missing required field `id`"),
    ({"services": [service(color="red")]}, "unknown field `color`"),
    ({"services": [service(), service()]}, "services: error: 77 is there twice"),
    ({"services": [service(id=1)]}, "the charger's own service, charging"),
    ({"services": [service(id=2)]}, "the charger's own service, contract certificates"),
    ({"services": [service(id=65_536)]}, "not between 3 and 65535"),
    ({"services": [service(id=0)]}, "not between 3 and 65535"),
    ({"services": [service(name="x" * 33)]}, r"services\[0\].name: error: 33 characters"),
    ({"services": [service(scope="")]}, r"services\[0\].scope: error: 0 characters"),
    ({"services": [service(parameter_sets=[{"id": 1}])]}, "0 parameters"),
    (
        {"services": [service(parameter_sets=[{"id": i, "parameters": [{"name": "A", "type": "bool", "value": True}]}
                                              for i in (1, 1)])]},
        r"services\[0\].parameter_sets: error: 1 is there twice",
    ),
    (
        {"services": [service(parameter_sets=[{"id": i, "parameters": [{"name": "A", "type": "bool", "value": True}]}
                                              for i in range(6)])]},
        "6 parameter sets, a car is told of 5",
    ),
    (
        {"services": [service(parameter_sets=[{"id": 40_000, "parameters": [
            {"name": "A", "type": "bool", "value": True}, {"name": "A", "type": "bool", "value": True}]}])]},
        "'A' is there twice",
    ),
    (one_parameter(type="float"), "Invalid enum value 'float'"),
    (one_parameter(value=128), "128 is not between -128 and 127, as int8 is"),
    (one_parameter(value=1.5), "1.5 is no whole number"),
    (one_parameter(value=True), "True is no number"),
    (one_parameter(type="bool"), "1 is not true or false"),
    (one_parameter(type="string"), "1 is no text; put it in quotation marks"),
    (one_parameter(type="string", value="x" * 81), "a text of 81 characters"),
    (one_parameter(type="int16", value=2**15), "as int16 is"),
    (one_parameter(type="int32", value=-(2**31) - 1), "as int32 is"),
    (one_parameter(type="rational", value="much"), "'much' is no number"),
    (one_parameter(name=""), "a name of 0 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "what"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named_with_its_place(content: Any, what: str) -> None:
    import json

    text = content if isinstance(content, str) else json.dumps(content)
    with pytest.raises(ConfigError, match=what) as found:
        read_services(text.encode(), "services.yaml")
    assert str(found.value).startswith("services.yaml")


def test_every_finding_is_there_at_once() -> None:
    with pytest.raises(ConfigError) as found:
        read_services(b"services: [{id: 1, name: ''}, {id: 1}]", "f")
    assert len(found.value.findings) == 4


@given(st.binary(max_size=200))
def test_octets_of_any_kind_are_a_config_error(data: bytes) -> None:
    try:
        read_services(data, "f")
    except ConfigError as error:
        assert error.findings


def test_a_car_gets_the_services_of_the_file(run: Any, assemble: Any, tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "services.yaml").write_text(FILE)
        assembly = assemble(
            vas=(StaticISO15118VASProvider, {"service_file": "/services.yaml"}),
            v2g=(EvseV2G, {"device": "eth1"}, {"security": "security.main", "iso15118_vas": ["vas.iso15118_vas"]}),
            security=(Security,),
            manager=(Manager, {}, {"hlc": "v2g.charger"}),
        )
        await assembly.start()
        await asyncio.sleep(0.1)
        engine = assembly.modules["v2g"].engine
        assert list(engine.facts.offered_services) == [77, 78]
        sets = await engine.services.parameters(77)
        assert [one.set_id for one in sets] == [1, 2]
        provider = assembly.provider("vas", "iso15118_vas")
        assert await provider.get_service_parameters(5) == []
        await provider.selected_services([SelectedService(service_id=77, parameter_set_id=2)])
        await assembly.stop()

    run(main())


def test_a_missing_file_does_not_start(run: Any, assemble: Any) -> None:
    async def main() -> None:
        await assemble(vas=(StaticISO15118VASProvider, {"service_file": "/nowhere.yaml"})).start()

    with pytest.raises(ConfigError, match=r"vas.service_file.*/nowhere.yaml: No such file"):
        run(main())
