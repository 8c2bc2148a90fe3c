"""One run under way: what it is put together from, begun here or taken up from a journal."""
