package covenant.fair_use

# METADATA
# title: Job past its limit without a heartbeat
# description: A batch job ran past its time limit, has not been seen to end and has not said that it still runs.
# custom:
#   code: FU-013
#   clause: A
#   severity: medium
#   respondent: holder
#   discriminator: [event.about]
#   settle: PT24H
#   material: [job]
#   sentence: >-
#     The job {job} of {holder}, started on {started:time}, was past its limit on {at:time}; it had neither ended nor
#     said lately that it still runs.
breach contains {"code": "FU-013", "evidence": {"job": input.facts.due.about, "started": input.facts.due.since}} if {
	input.event.type in {"compute.deadline.reached.v1"}
	input.event.kind == "job_heartbeat"
	input.facts.due.met == false
}
