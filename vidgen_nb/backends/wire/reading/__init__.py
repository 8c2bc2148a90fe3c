"""What an answer says, whoever sent it: the reason of a refusal, how long to wait, what is left of a limit."""
