// Package intake takes the rule's function for the stage of that name: asked when a submission arrives, before there is a ticket. A rule that imports this
// package exports the stage; its manifest has to name it too.
package intake

import "ruledesk.local/sdk"

// Input is what the rule is asked with.
type Input = ruledesk.IntakeInput

// Answer is a decision, its reason, and attributes.
type Answer = ruledesk.IntakeAnswer

var rule func(*Input) (Answer, error)

// Decide names the rule's function. Call it in an init function. An error that the function returns, or a panic, counts as
// the rule's failure and is part of the decision's record.
func Decide(function func(*Input) (Answer, error)) { rule = function }

// Changes are what to change in an accepted submission.
type Changes = ruledesk.Changes

// Problem is something that the requester has to mend.
type Problem = ruledesk.Problem

// Accept takes the submission, with these changes.
func Accept(changes Changes) Answer {
	return Answer{Decision: ruledesk.IntakeAccept{Value: changes}}
}

// Reject sends the submission back with at least one problem.
func Reject(problems ...Problem) Answer {
	return Answer{Decision: ruledesk.IntakeReject{Value: problems}}
}
