// Package access takes the rule's function for the stage of that name: asked when somebody requests access, and again before a grant is extended. A rule that imports this
// package exports the stage; its manifest has to name it too.
package access

import "ruledesk.local/sdk"

// Input is what the rule is asked with.
type Input = ruledesk.AccessInput

// Answer is a decision, its reason, and attributes.
type Answer = ruledesk.AccessAnswer

var rule func(*Input) (Answer, error)

// Decide names the rule's function. Call it in an init function. An error that the function returns, or a panic, counts as
// the rule's failure and is part of the decision's record.
func Decide(function func(*Input) (Answer, error)) { rule = function }

// Scope is what is granted.
type Scope = ruledesk.Scope

// Plan are the steps of approval and what is granted after them.
type Plan = ruledesk.ApprovalPlan

// Step is one step of approval.
type Step = ruledesk.ApprovalStep

// Pass is no opinion.
func Pass() Answer { return Answer{Decision: ruledesk.AccessPass{}} }

// Approve grants the access.
func Approve(scope Scope) Answer {
	return Answer{Decision: ruledesk.AccessApprove{Value: scope}}
}

// RequireApproval asks people.
func RequireApproval(plan Plan) Answer {
	return Answer{Decision: ruledesk.AccessRequireApproval{Value: plan}}
}

// Deny refuses the access.
func Deny() Answer { return Answer{Decision: ruledesk.AccessDeny{}} }
