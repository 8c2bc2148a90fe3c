"""What all HTTP backends share: requests, answers, API keys, waits, images and transport errors.

May import the core's model and outcomes, the ports, the clock and plaintext; no backend. httpx is imported here and in
the backends alone. Start reading at `adapter` (the base class) and `http` (where keys go, how long a call may take).
"""
