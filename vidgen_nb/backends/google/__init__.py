"""Google's Interactions API, and what its errors mean."""
