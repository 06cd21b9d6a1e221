package access

import "ruledesk.local/sdk"

//go:wasmexport ruledesk:rules/access@1.0.0#decide
func decide(input uint32) uint32 { return ruledesk.AskAccess(input, rule) }

//go:wasmexport cabi_post_ruledesk:rules/access@1.0.0#decide
func done(uint32) { ruledesk.Done() }
