"""The program that is sent to hosts as source. Nothing in here is imported by the console."""
