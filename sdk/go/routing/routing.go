// Package routing takes the rule's function for the stage of that name: asked when the priority is known, and again when a ticket changes hands. A rule that imports this
// package exports the stage; its manifest has to name it too.
package routing

import "ruledesk.local/sdk"

// Input is what the rule is asked with.
type Input = ruledesk.RoutingInput

// Answer is a decision, its reason, and attributes.
type Answer = ruledesk.RoutingAnswer

var rule func(*Input) (Answer, error)

// Decide names the rule's function. Call it in an init function. An error that the function returns, or a panic, counts as
// the rule's failure and is part of the decision's record.
func Decide(function func(*Input) (Answer, error)) { rule = function }

// Destination says who takes the ticket.
type Destination = ruledesk.Destination

// Pass is no opinion.
func Pass() Answer { return Answer{Decision: ruledesk.RoutingPass{}} }

// Assign gives the ticket to a team, a person, or whoever has the skills.
func Assign(destination Destination) Answer {
	return Answer{Decision: ruledesk.RoutingAssign{Value: destination}}
}
