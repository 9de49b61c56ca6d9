"""The Textual shell: where one is, which key does what, when to paint. It draws nothing itself and knows no kind."""
