"""What all HTTP backends share: requests, answers, keys, waits, media and transport errors."""
