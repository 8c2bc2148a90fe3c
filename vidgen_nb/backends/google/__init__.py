"""Google's Interactions API, and what its errors mean. May import `backends.wire` alone."""
