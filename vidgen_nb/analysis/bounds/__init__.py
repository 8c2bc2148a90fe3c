"""What no scheduler could beat: lower bounds of the makespan."""
