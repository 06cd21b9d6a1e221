// Package priority takes the rule's function for the stage of that name: asked when the category is known. A rule that imports this
// package exports the stage; its manifest has to name it too.
package priority

import "ruledesk.local/sdk"

// Input is what the rule is asked with.
type Input = ruledesk.PriorityInput

// Answer is a decision, its reason, and attributes.
type Answer = ruledesk.PriorityAnswer

var rule func(*Input) (Answer, error)

// Decide names the rule's function. Call it in an init function. An error that the function returns, or a panic, counts as
// the rule's failure and is part of the decision's record.
func Decide(function func(*Input) (Answer, error)) { rule = function }

// Rating is the level, with impact and urgency where the rule knows them.
type Rating = ruledesk.Rating

// Pass is no opinion.
func Pass() Answer { return Answer{Decision: ruledesk.PriorityPass{}} }

// Rate gives the ticket a level.
func Rate(rating Rating) Answer {
	return Answer{Decision: ruledesk.PriorityRate{Value: rating}}
}
