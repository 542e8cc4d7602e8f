"""What a form needs to ask for a job, before it is submitted.

In here: the recipes with their fields, what files need beside them, what fields mean as a spec and
as a command, how large the job is, and one picture of it. What is submitted is checked in
`submission`, whatever a form has said.
"""
