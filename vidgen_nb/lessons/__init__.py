"""For people who teach: guesses that are met again, and exercises that check themselves.

Theory of operation. A `Prediction` keeps a guess with its time, and after the run puts what happened beside it. An
`Exercise` is a frozen definition: what is given, how an answer is tried, and goals, which are small values. `Practice`
is the work on one: it tries answers in virtual time, over the same seeds for everybody, and keeps a table of them.

Both are kept where a teacher reads them: in the notebook's own outputs, as text, as HTML, and as data under a
MIME type of their own (`outputs`), so a saved notebook needs no kernel, and `saved_tries.read_tries` lists a whole
class. Nothing is written elsewhere. It is a record, not an exam: who edits the file can change it.

All of it works in a script, too, and needs neither threads nor a server. The form of a guess is an ipywidget
(`guesses.guess_form`), which is imported when one is shown.
"""
