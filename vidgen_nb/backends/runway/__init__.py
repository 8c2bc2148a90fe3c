"""Runway's API: tasks, and what its errors mean.

May import `backends.wire`, and `backends.openai.errors`: Runway's refusals are read by status as OpenAI's are.
"""
