"""How scenes reach providers: one file per wire format, and what they share (httpx is imported only here)."""
