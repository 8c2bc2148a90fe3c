"""One run under way: begun here (`run_parts`) or taken up from a journal (`restored_run`), and how it ends."""
