"""What the document's JSON Schemas are made of."""

from vaultsigner.domain.names import JsonValue

Schema = dict[str, JsonValue]


def object_schema(required: tuple[str, ...], **properties: Schema) -> Schema:
    """An object with these members, of which some have to be there."""
    return {"type": "object", "required": [*required], "properties": dict(properties)}
