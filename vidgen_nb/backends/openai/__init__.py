"""OpenAI's videos API and servers that speak it, and what their errors mean."""
