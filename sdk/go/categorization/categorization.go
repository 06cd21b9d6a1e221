// Package categorization takes the rule's function for the stage of that name: asked when a submission has been accepted. A rule that imports this
// package exports the stage; its manifest has to name it too.
package categorization

import "ruledesk.local/sdk"

// Input is what the rule is asked with.
type Input = ruledesk.CategorizationInput

// Answer is a decision, its reason, and attributes.
type Answer = ruledesk.CategorizationAnswer

var rule func(*Input) (Answer, error)

// Decide names the rule's function. Call it in an init function. An error that the function returns, or a panic, counts as
// the rule's failure and is part of the decision's record.
func Decide(function func(*Input) (Answer, error)) { rule = function }

// Classification is the category, tags to add, and the kind.
type Classification = ruledesk.Classification

// Pass is no opinion.
func Pass() Answer { return Answer{Decision: ruledesk.CategorizationPass{}} }

// Classify gives the ticket a category, tags or a kind.
func Classify(classification Classification) Answer {
	return Answer{Decision: ruledesk.CategorizationClassify{Value: classification}}
}
