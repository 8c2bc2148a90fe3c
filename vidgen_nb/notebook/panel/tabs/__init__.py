"""The tabs below the chart: attempts, metrics, log, events, videos. Only the open one is written."""
