"""The tabs below the chart: scenes, attempts, metrics, log, videos; each is made when it is first opened."""
