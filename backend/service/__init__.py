"""The local HTTP service: accepted work is kept, strangers are kept out, progress is told.

Request: gate (Host, Origin, token, size) -> routes -> queue -> store.
Work:    store -> dispatch -> a worker process -> result file -> store -> events.
"""
