package covenant.ip_ownership

# METADATA
# title: Notice missing at the signing of an assignment
# description: An assignment of work was signed without the notice that the law of the person's place of work asks for.
# custom:
#   code: IP-016
#   clause: P1
#   severity: high
#   respondent: company
#   discriminator: [event.version]
#   settle: PT24H
#   material: [jurisdiction]
#   thresholds: {jurisdictions: {type: array, uniqueItems: true, items: {type: string, pattern: "^[A-Z]{2}(-[A-Z0-9]{1,3})?$"}}}
#   sentence: >-
#     {facts.holder} signed version {version} of the assignment of work on {at:time} in {jurisdiction}, whose law asks for a
#     notice of what can't be assigned; none was given.
breach contains {"code": "IP-016", "evidence": {"jurisdiction": jurisdiction}} if {
	input.event.type in {"compute.agreement.signed.v1"}
	input.event.document == "ip_assignment"
	input.event.notice_given == false
	jurisdiction := input.facts.jurisdiction
	jurisdiction in data.params[input.ps]["IP-016"].jurisdictions
}
