"""Media types that Schemathesis does not know."""

import schemathesis


@schemathesis.serializer("application/toml", "text/csv")
def as_text(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.deserializer("application/wasm")
def as_bytes(ctx, response):
    return response.content.decode("latin-1")
