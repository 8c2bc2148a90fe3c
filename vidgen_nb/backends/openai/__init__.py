"""OpenAI's videos API, as many servers imitate it, and what its errors mean. May import `backends.wire` alone."""
