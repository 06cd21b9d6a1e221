//go:build !wasip1

package priority

// Ask asks the rule under plain `go test`; give it settings first, with ruledesk.Ready.
func Ask(input *Input) (Answer, error) { return rule(input) }
