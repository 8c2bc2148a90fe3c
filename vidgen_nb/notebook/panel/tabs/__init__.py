"""The pages below the chart: attempts, log, metrics, videos."""
