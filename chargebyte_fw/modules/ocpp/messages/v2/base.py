"""What every type and message of OCPP 2.0.1 and 2.1 has: `customData`."""

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import CustomData, Request, Response, Type


class V2Type(Type, kw_only=True):
    """A type of OCPP 2.x."""

    custom_data: CustomData | None = field(name="customData", default=None)


class V2Request(Request, kw_only=True):
    """A request of OCPP 2.x."""

    custom_data: CustomData | None = field(name="customData", default=None)


class V2Response(Response, kw_only=True):
    """A response of OCPP 2.x."""

    custom_data: CustomData | None = field(name="customData", default=None)
